//! The section `backtest`: what is sold on history, and when.

use super::raw::{RawBacktest, RawSpacing};
use crate::bounds::{at_least, date, filled, fraction, one_of, required};
use crate::error::{Error, Result};
use crate::market::estimation::VarianceEstimator;
use crate::market::history::Repairs;
use crate::market::{Market, Model};
use chrono::{Datelike, NaiveDate};
use std::ops::Range;
use std::path::PathBuf;

/// What to backtest.
#[derive(Debug, Clone)]
pub struct BacktestPlan {
    /// Price files joined by date: the first has the closes, further ones add implied volatility or variance.
    pub data: Vec<PathBuf>,
    /// The folder that relative paths in the strategy counted from, if there were any; they are absolute since.
    pub relative_to: Option<PathBuf>,
    /// First and last date of sale; all of the history if absent.
    pub start: Option<NaiveDate>,
    pub end: Option<NaiveDate>,
    pub schedule: Schedule,
    pub parameters: Parameterisation,
    /// Defects of the data that are repaired rather than refused.
    pub repair: Repairs,
    /// How the variance at a close is estimated.
    pub variance: VarianceEstimator,
}

/// Where a backtest's market parameters come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameterisation {
    /// Estimated from the returns before the first sale.
    History,
    /// The strategy's.
    Strategy,
}

/// On which days contracts are sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// Every so many trading days.
    Every(usize),
    /// On the first trading day of a week.
    Weekly,
    /// On the first trading day of a month.
    Monthly,
}

impl BacktestPlan {
    /// The paths of the history's files, for errors.
    pub fn files(&self) -> String {
        let paths: Vec<String> = self.data.iter().map(|f| f.display().to_string()).collect();
        paths.join(", ")
    }

    /// The names of the history's files without their folders, for what is read elsewhere.
    pub fn file_names(&self) -> String {
        let names = self.data.iter().filter_map(|file| file.file_name());
        let names: Vec<String> = names
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        names.join(", ")
    }

    /// Whether the price files are there that the strategy names by relative paths.
    ///
    /// # Errors
    /// [`Error::Input`] naming the first that is not, and the folder that its path was relative to.
    pub fn check_files(&self) -> Result<()> {
        let Some(folder) = &self.relative_to else {
            return Ok(());
        };
        match self.data.iter().find(|file| !file.exists()) {
            None => Ok(()),
            Some(file) => Err(Error::input(format!(
                "{}: no such file; relative paths in `backtest.data` count from {}",
                file.display(),
                folder.display()
            ))),
        }
    }
}

impl Schedule {
    /// Reads `backtest.spacing`; contracts live for `steps` days.
    pub(super) fn new(raw: &mut Option<RawSpacing>, steps: usize) -> Result<Self> {
        const KEY: &str = "backtest.spacing";
        match filled(raw, RawSpacing::Rule("non_overlapping".into())) {
            RawSpacing::Days(days) => Ok(Self::Every(at_least(KEY, days, 1)?)),
            RawSpacing::Rule(rule) => one_of(
                KEY,
                &rule,
                &[
                    ("non_overlapping", Self::Every(steps)),
                    ("daily", Self::Every(1)),
                    ("weekly", Self::Weekly),
                    ("monthly", Self::Monthly),
                ],
            ),
        }
    }

    /// The days of sale among those of `period`.
    pub fn days(self, dates: &[NaiveDate], period: Range<usize>) -> Vec<usize> {
        let begins = |day: usize| {
            let (now, before) = (dates[day], dates[day - 1]);
            match self {
                Self::Every(_) => true,
                Self::Weekly => now.iso_week() != before.iso_week(),
                Self::Monthly => (now.year(), now.month()) != (before.year(), before.month()),
            }
        };
        match self {
            Self::Every(days) => period.step_by(days).collect(),
            _ => period.filter(|&day| day > 0 && begins(day)).collect(),
        }
    }

    /// How many contracts of `steps` trading days live at a time, at least 1.
    pub fn overlap(self, steps: usize) -> f64 {
        let between = match self {
            Self::Every(days) => days,
            Self::Weekly => 5,
            Self::Monthly => 21,
        };
        (steps as f64 / between as f64).max(1.0)
    }
}

pub(super) fn backtest(
    raw: &mut RawBacktest,
    market: &Market,
    steps: usize,
) -> Result<BacktestPlan> {
    let optional =
        |key: &str, text: &Option<String>| text.as_deref().map(|text| date(key, text)).transpose();
    let data: Vec<PathBuf> = required(&raw.data, "backtest.data")?.into();
    at_least("backtest.data", data.len(), 1)?;
    let variance = variance_estimator(
        &mut raw.variance,
        &mut raw.variance_days,
        &mut raw.variance_decay,
    )?;
    if variance != VarianceEstimator::Model && matches!(market.model, Model::Merton(_)) {
        return Err(Error::input(
            "`backtest.variance` must be \"model\" under the model \"merton\", whose variance is constant",
        ));
    }
    Ok(BacktestPlan {
        data,
        relative_to: raw.relative_to.clone(),
        start: optional("backtest.start", &raw.start)?,
        end: optional("backtest.end", &raw.end)?,
        schedule: Schedule::new(&mut raw.spacing, steps)?,
        parameters: one_of(
            "backtest.parameters",
            &filled(&mut raw.parameters, "history".into()),
            &[
                ("history", Parameterisation::History),
                ("strategy", Parameterisation::Strategy),
            ],
        )?,
        variance,
        repair: Repairs::parse("backtest.repair", &filled(&mut raw.repair, Vec::new()))?,
    })
}

/// Reads `backtest.variance` and the keys that belong to its choices.
fn variance_estimator(
    variance: &mut Option<String>,
    days: &mut Option<usize>,
    decay: &mut Option<f64>,
) -> Result<VarianceEstimator> {
    let names = [
        "model",
        "realised",
        "exponential",
        "garman_klass",
        "implied",
    ];
    let name = filled(variance, "model".into());
    let chosen = one_of("backtest.variance", &name, &names.map(|name| (name, name)))?;
    let superfluous = match chosen {
        "model" | "exponential" | "implied" if days.is_some() => Some("variance_days"),
        _ if decay.is_some() && chosen != "exponential" => Some("variance_decay"),
        _ => None,
    };
    if let Some(key) = superfluous {
        return Err(Error::input(format!(
            "`backtest.{key}` has no meaning for the variance \"{chosen}\""
        )));
    }
    Ok(match chosen {
        "exponential" => VarianceEstimator::Exponential {
            decay: fraction("backtest.variance_decay", filled(decay, 0.94))?,
        },
        "model" => VarianceEstimator::Model,
        "implied" => VarianceEstimator::Implied,
        _ => {
            let days = at_least("backtest.variance_days", filled(days, 21), 1)?;
            if chosen == "realised" {
                VarianceEstimator::Realised { days }
            } else {
                VarianceEstimator::GarmanKlass { days }
            }
        }
    })
}
