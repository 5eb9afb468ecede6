//! Simulated paths, prices, calibrated models.

use super::arrays::Column;
use super::attended::undisturbed;
use super::experiments::{StrategyOrRun, Written};
use super::failure::{input, warn};
use super::values::{argument, day, document, whole};
use crate::calibration::{Errors, SurfaceOptions};
use crate::error::Result;
use crate::experiment::{
    FitToCloses, FitToSurface, MarketPaths, Priced, known_model, saved_policies,
};
use crate::market::history::{RawReading, Reading};
use crate::runs::store;
use numpy::IntoPyArray;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Paths of the strategy's market as NumPy arrays by name: `time` in years, of shape [dates]; `spot` and `variance` of the first asset,
/// `spot_NAME` and `variance_NAME` of every further one, and the quotes of the hedging instruments that are no asset, each of shape
/// [paths, dates]. They are those of the strategy's seed.
#[pyfunction]
#[pyo3(signature = (strategy, *, paths = 10_000))]
pub fn simulate(py: Python<'_>, strategy: Written, paths: i64) -> PyResult<Bound<'_, PyDict>> {
    let paths: usize = whole("paths", paths, 1)?;
    let market = undisturbed(py, |attendant| {
        let plan = strategy.plan(|_| {})?;
        let held = (1, "fewer `paths` need less");
        MarketPaths::new(&plan, paths, held, &mut || attendant.check())
    })?;
    let shape = [market.count(), market.dates()];
    let mut columns = market
        .names()
        .map(|_| Column::zeros(py, &shape))
        .collect::<PyResult<Vec<Column<'_>>>>()?;
    let slices = columns.iter_mut().map(Column::slice);
    let slices = slices.collect::<PyResult<Vec<&mut [f64]>>>()?;
    undisturbed(py, |attendant| {
        market.write(slices, &mut || attendant.check())
    })?;
    let arrays = PyDict::new(py);
    arrays.set_item("time", market.time().into_pyarray(py))?;
    for (name, column) in market.names().zip(columns) {
        arrays.set_item(name, column.into_array())?;
    }
    Ok(arrays)
}

/// Prices the contract of a strategy or a run: by the model's formula or simulation, with its greeks, on simulated paths, and by
/// indifference under each hedge.
#[pyfunction]
#[pyo3(signature = (what, *, runs = PathBuf::from(store::DEFAULT_ROOT)))]
pub fn price(py: Python<'_>, what: StrategyOrRun, runs: PathBuf) -> PyResult<Bound<'_, PyAny>> {
    let priced = undisturbed(py, |attendant| {
        let (plan, run) = what.plan(|_| {}, &runs)?;
        let policies = match &run {
            Some(run) => saved_policies(run, &plan)?,
            None => Vec::new(),
        };
        let priced = Priced::new(&plan, &policies, || attendant.check())?;
        Ok((priced.document(), priced.warnings))
    });
    let (found, warnings) = priced?;
    warn(py, warnings)?;
    document(py, &found)
}

/// Parameters of a model: from daily closes, by maximum likelihood, or of `heston` and `local_volatility` from implied volatilities, by
/// least squares.
#[pyfunction]
#[pyo3(signature = (
    model = "heston", *, history = None, surface = None, date = None, whole_weeks = false, vega_weighted = false, columns = None,
    date_format = None, decimal = None, repair = None, volatility_unit = None, days_per_year = None
))]
#[expect(
    clippy::too_many_arguments,
    reason = "they are keyword arguments of Python"
)]
pub fn calibrate<'py>(
    py: Python<'py>,
    model: &str,
    history: Option<PathBuf>,
    surface: Option<PathBuf>,
    date: Option<Bound<'py, PyAny>>,
    whole_weeks: bool,
    vega_weighted: bool,
    columns: Option<BTreeMap<String, String>>,
    date_format: Option<String>,
    decimal: Option<String>,
    repair: Option<Vec<String>>,
    volatility_unit: Option<String>,
    days_per_year: Option<f64>,
) -> PyResult<Bound<'py, PyAny>> {
    known_model(&argument("model"), model)?;
    let raw = RawReading {
        columns,
        date_format,
        decimal,
        volatility_unit,
        repair,
    };
    let date = day("date", date)?;
    let of_surface = date.is_some() || whole_weeks || vega_weighted;
    let (found, warnings) = match (history, surface) {
        (Some(history), None) => {
            if of_surface || raw.volatility_unit.is_some() {
                return Err(input(
                    "`date`, `whole_weeks`, `vega_weighted` and `volatility_unit` have no meaning for `history`",
                ));
            }
            let reading = Reading::new(&raw, argument)?;
            undisturbed(py, |_| -> Result<_> {
                let fit = FitToCloses::new(model, &history, &reading, days_per_year)?;
                Ok((fit.document()?, fit.warnings))
            })?
        }
        (None, Some(surface)) => {
            if raw.repair.is_some() || days_per_year.is_some() {
                return Err(input(
                    "`repair` and `days_per_year` have no meaning for `surface`",
                ));
            }
            let options = SurfaceOptions {
                whole_weeks,
                date,
                ..SurfaceOptions::new(&raw, argument)?
            };
            let errors = match vega_weighted {
                true => Errors::Vega,
                false => Errors::ImpliedVolatility,
            };
            undisturbed(py, |_| {
                let fit = FitToSurface::new(model, &surface, &options, errors, argument)?;
                Ok((fit.document(), fit.warnings))
            })?
        }
        (Some(_), Some(_)) | (None, None) => {
            return Err(input("give `history` or `surface`, one of the two"));
        }
    };
    warn(py, warnings)?;
    document(py, &found)
}
