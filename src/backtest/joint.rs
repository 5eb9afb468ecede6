//! Histories of several assets, joined by date.

use super::{Calendar, Calibration, load_of};
use crate::error::{Error, Result};
use crate::market::{Asset, Assets, Correlation, History, Market};
use crate::quotes::surfaces;
use crate::strategy::{BacktestPlan, Parameterisation, Plan, Rates};
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

/// What is known of all assets when contracts are first sold, in the order of the assets.
#[derive(Debug, Clone)]
pub struct JointCalibration {
    /// What is known of each asset.
    pub assets: Vec<Calibration>,
    /// The names of the assets.
    pub names: Vec<String>,
    /// The correlation of their spots.
    pub correlation: Correlation,
}

/// Reads the files of every asset, and the surfaces of the first, and keeps the days that all of them have; the warnings of the first are
/// then those of all, and say how many days are left out of each.
///
/// # Errors
/// Those of [`History::load_files`], [`surfaces`] and [`History::with_surfaces`], and [`Error::Input`] if fewer than two
/// days are left, or if closes or rates are to be had from a file of surfaces that has none.
pub fn load(plan: &Plan, settings: &BacktestPlan) -> Result<Vec<History>> {
    let files = settings.by_asset.iter();
    let mut histories = files
        .map(|files| load_of(files, settings))
        .collect::<Result<Vec<_>>>()?;
    if let Some(file) = &settings.surface {
        let first = match histories.is_empty() {
            true => None,
            false => Some(histories.remove(0)),
        };
        histories.insert(0, on_surfaces(first, file, settings)?);
    }
    if histories.len() == 1 {
        return Ok(histories);
    }
    let mut common: BTreeSet<_> = histories[0].dates.iter().copied().collect();
    for history in &histories[1..] {
        let dates: BTreeSet<_> = history.dates.iter().copied().collect();
        common.retain(|date| dates.contains(date));
    }
    if common.len() < 2 {
        return Err(Error::input(format!(
            "{}: needs at least 2 days that all assets have, has {}",
            settings.files(),
            common.len()
        )));
    }
    let assets = plan.assets();
    let mut warnings = Vec::new();
    for (history, asset) in histories.iter_mut().zip(assets.list()) {
        let before = history.len();
        history.retain(|date| common.contains(&date));
        let of = |warning: &String| format!("{}: {warning}", asset.name);
        warnings.extend(history.warnings.iter().map(of));
        if history.len() < before {
            warnings.push(format!(
                "{}: {} of {before} days are left out, which not all assets have",
                asset.name,
                before - history.len()
            ));
        }
    }
    histories[0].warnings = warnings;
    Ok(histories)
}

/// The surfaces of `file`, joined with the closes of a history or with its own.
fn on_surfaces(closes: Option<History>, file: &Path, settings: &BacktestPlan) -> Result<History> {
    settings.check_files()?;
    let surfaces = surfaces(file, &settings.reading, closes.is_some())?;
    let lacks = |column: &str, what: &str| {
        let file = file.display();
        Err(Error::input(format!("{file}: no {column} column: {what}")))
    };
    let mut history = match closes {
        Some(closes) => closes.with_surfaces(surfaces)?,
        None if surfaces.close.is_empty() => {
            return lacks("close", "`backtest.data` gives the closes");
        }
        None => surfaces,
    };
    match settings.rates {
        Rates::Zero => history.rate.clear(),
        Rates::File if history.rate.is_empty() => {
            return lacks("rate", "`backtest.rates` is \"file\"");
        }
        Rates::File => {}
    }
    Ok(history)
}

/// What was repaired in the data of the assets of these names: the kind of defect, of several assets with the name of the asset,
/// and how many there were.
pub fn repaired(histories: &[History], names: &[String]) -> Vec<(String, usize)> {
    let of = |(history, name): (&History, &String)| -> Vec<(String, usize)> {
        let kinds = history.repaired.iter();
        kinds
            .map(|(kind, count)| match histories {
                [_] => (kind.name().to_owned(), *count),
                _ => (format!("{} of {name}", kind.name()), *count),
            })
            .collect()
    };
    histories.iter().zip(names).flat_map(of).collect()
}

impl JointCalibration {
    /// Estimates every asset from the returns between the closes of `window`, and the correlation of their spots as that of
    /// these returns; both are the strategy's where its parameters are.
    ///
    /// # Errors
    /// Those of [`Calibration::new`].
    pub fn new(
        histories: &[History],
        plan: &Plan,
        settings: &BacktestPlan,
        calendar: &Calendar<'_>,
        window: Range<usize>,
    ) -> Result<Self> {
        let strategy = plan.assets();
        let assets = histories.iter().enumerate().map(|(asset, history)| {
            let plan = plan.of_asset(asset);
            Calibration::new(history, &plan, settings, calendar, window.clone())
        });
        let assets = assets.collect::<Result<Vec<_>>>()?;
        let correlation = match settings.parameters {
            Parameterisation::Strategy => strategy.correlation().clone(),
            Parameterisation::History => {
                let last = window.end.saturating_sub(1).max(window.start);
                let returns = histories.iter().map(History::log_returns);
                let known: Vec<Vec<f64>> = returns
                    .map(|returns| returns[window.start..last].to_vec())
                    .collect();
                Correlation::new(correlations(&known))?
            }
        };
        let names = strategy.list().iter().map(|asset| asset.name.clone());
        Ok(Self {
            assets,
            names: names.collect(),
            correlation,
        })
    }

    /// What is known of the first asset.
    pub fn first(&self) -> &Calibration {
        &self.assets[0]
    }

    /// The assets whose markets are those of `market`.
    pub fn assets(&self, market: impl Fn(usize, &Calibration) -> Market) -> Assets {
        let named = self.names.iter().zip(&self.assets).enumerate();
        let list = named.map(|(number, (name, calibration))| Asset {
            name: name.clone(),
            market: market(number, calibration),
        });
        Assets::new(list.collect(), self.correlation.clone())
            .expect("a correlation for every asset")
    }
}

/// The sample correlations of columns of as many returns, 0 where one does not vary.
fn correlations(columns: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let centred: Vec<Vec<f64>> = columns
        .iter()
        .map(|column| {
            let mean = column.iter().sum::<f64>() / column.len().max(1) as f64;
            column.iter().map(|x| x - mean).collect()
        })
        .collect();
    let product =
        |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() };
    let entry = |i: usize, j: usize| {
        if i == j {
            return 1.0;
        }
        let (a, b) = (&centred[i.min(j)], &centred[i.max(j)]);
        let size = (product(a, a) * product(b, b)).sqrt();
        if size > 0.0 {
            (product(a, b) / size).clamp(-1.0, 1.0)
        } else {
            0.0
        }
    };
    let count = columns.len();
    (0..count)
        .map(|i| (0..count).map(|j| entry(i, j)).collect())
        .collect()
}

#[cfg(test)]
#[path = "joint_tests.rs"]
mod tests;
