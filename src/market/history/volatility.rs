//! What further files and further columns add to prices: volatilities, and volumes from which splits show.

use super::columns::Quantity;
use super::defects::Defects;
use super::layout::Place;
use super::moves::Volumes;
use super::options::Reading;
use super::reading::{self, Days};
use crate::error::{Result, excerpt};
use crate::market::VolatilityUnit;
use crate::market::table::{refuse, refuse_row};
use std::path::{Path, PathBuf};

impl Days {
    /// Makes implied volatilities fractions a year, and says what unit they had.
    pub fn convert_volatilities(
        &mut self,
        file: &Path,
        unit: Option<VolatilityUnit>,
    ) -> Result<Option<VolatilityUnit>> {
        let mut series = self.series.iter_mut();
        let Some(series) = series.find(|s| s.quantity == Quantity::ImpliedVolatility) else {
            return Ok(None);
        };
        let column = series.column.clone();
        let unit = VolatilityUnit::convert(&column, &mut series.values, unit);
        unit.map(Some).map_err(|implausible| match implausible.at {
            Some(day) => refuse_row(file, self.rows[day], &column, &implausible.what),
            None => {
                let what = format!("column \"{}\": {}", excerpt(&column), implausible.what);
                refuse(file, &what)
            }
        })
    }

    /// Its volumes, if they were read.
    pub fn volumes(&self) -> Option<Volumes> {
        let volumes = self.series(Quantity::Volume)?;
        Some(Volumes {
            dates: self.dates.clone(),
            values: volumes.values.clone(),
        })
    }
}

/// The volumes of a file whose prices alone were wanted, if it has any.
pub fn read_volumes(file: &Path, reading: &Reading) -> Option<Volumes> {
    let place = Place::First { alone: true };
    let mut ignored = Defects::default();
    let days = reading::read(file, place, &[Quantity::Volume], reading, &mut ignored);
    days.ok()?.volumes()
}

/// Whether the values of a further file are like the implied volatility of the prices: they stand in percent, and fall
/// when prices rise, as those of every index of implied volatility do.
pub fn behaves_as_volatility(prices: &Days, further: &Days) -> bool {
    const FEWEST: usize = 60;
    const CORRELATION: f64 = -0.3;
    let close = prices.series(Quantity::Close);
    let values = further.series(Quantity::ImpliedVolatility);
    let (Some(close), Some(values)) = (close, values) else {
        return false;
    };
    if !values
        .values
        .iter()
        .all(|value| (3.0..=300.0).contains(value))
    {
        return false;
    }
    let common = further.dates.iter().zip(&values.values);
    let common: Vec<(f64, f64)> = common
        .filter_map(|(date, value)| {
            let day = prices.dates.binary_search(date).ok()?;
            Some((close.values[day].ln(), value.ln()))
        })
        .collect();
    let changes = common
        .windows(2)
        .map(|w| (w[1].0 - w[0].0, w[1].1 - w[0].1));
    let changes: Vec<(f64, f64)> = changes.collect();
    changes.len() >= FEWEST && correlation(&changes) < CORRELATION
}

fn correlation(pairs: &[(f64, f64)]) -> f64 {
    let n = pairs.len() as f64;
    let sum = |of: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|&(x, y)| of(x, y)).sum::<f64>();
    let (x, y) = (sum(&|x, _| x) / n, sum(&|_, y| y) / n);
    let covariance = sum(&|a, b| (a - x) * (b - y));
    let (of_x, of_y) = (sum(&|a, _| (a - x).powi(2)), sum(&|_, b| (b - y).powi(2)));
    covariance / (of_x * of_y).sqrt()
}

/// Refuses a column of volatility or variance that the user names and no file has.
pub fn check_names(
    files: &[PathBuf],
    wanted: &[Quantity],
    read: &[Days],
    reading: &Reading,
) -> Result<()> {
    let missing = [Quantity::ImpliedVolatility, Quantity::Variance]
        .into_iter()
        .filter(|quantity| wanted.contains(quantity) || files.len() > 1)
        .filter(|quantity| read.iter().all(|days| days.series(*quantity).is_none()))
        .find_map(|quantity| Some((quantity, reading.columns.column(quantity)?)));
    match (missing, files.last()) {
        (Some((quantity, name)), Some(file)) => {
            let (name, key) = (excerpt(name), quantity.key());
            let what = format!("no column \"{name}\", which --columns names as {key}");
            Err(refuse(file, &what))
        }
        _ => Ok(()),
    }
}
