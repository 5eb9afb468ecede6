//! The section `backtest`: what is sold on history, and when.

use super::raw::{RawBacktest, RawSpacing};
use crate::bounds::{at_least, date, filled, fraction, one_of, positive, required};
use crate::error::{Error, Result};
use crate::market::Market;
use crate::market::estimation::VarianceEstimator;
use crate::market::history::Reading;
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
    /// How the data are read, and which defects are repaired rather than refused.
    pub reading: Reading,
    /// Closes a year, by which returns are annualised; found from the dates if absent.
    pub days_per_year: Option<f64>,
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
    /// As soon as the contract before has expired.
    NonOverlapping,
    /// At every so many closes.
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
    /// Reads `backtest.spacing`.
    pub(super) fn new(raw: &mut Option<RawSpacing>) -> Result<Self> {
        const KEY: &str = "backtest.spacing";
        match filled(raw, RawSpacing::Rule("non_overlapping".into())) {
            RawSpacing::Days(days) => Ok(Self::Every(at_least(KEY, days, 1)?)),
            RawSpacing::Rule(rule) => one_of(
                KEY,
                &rule,
                &[
                    ("non_overlapping", Self::NonOverlapping),
                    ("daily", Self::Every(1)),
                    ("weekly", Self::Weekly),
                    ("monthly", Self::Monthly),
                ],
            ),
        }
    }

    /// The days of sale among those of `period`, by their place in `dates`; `expiry` is the place at which a contract
    /// sold at a place expires, if the history goes on so long. Contracts that do not expire within it are not sold.
    pub fn sales(
        self,
        dates: &[NaiveDate],
        period: Range<usize>,
        expiry: impl Fn(usize) -> Option<usize>,
    ) -> Vec<usize> {
        let begins = |same: fn(NaiveDate, NaiveDate) -> bool| {
            let dates = &dates;
            move |&day: &usize| day > 0 && !same(dates[day], dates[day - 1])
        };
        let ends = |&day: &usize| expiry(day).is_some();
        match self {
            Self::NonOverlapping => {
                let first = period.clone().find(ends);
                let next = |&day: &usize| (expiry(day)?..period.end).find(ends);
                std::iter::successors(first, next).collect()
            }
            Self::Every(days) => period.step_by(days).filter(ends).collect(),
            Self::Weekly => {
                let starts = begins(|a, b| a.iso_week() == b.iso_week());
                period.filter(starts).filter(ends).collect()
            }
            Self::Monthly => {
                let starts = begins(|a, b| (a.year(), a.month()) == (b.year(), b.month()));
                period.filter(starts).filter(ends).collect()
            }
        }
    }

    /// How many contracts that live for `closes` closes are alive at a time, at least 1, where a year has
    /// `closes_per_year`.
    pub fn overlap(self, closes: f64, closes_per_year: f64) -> f64 {
        let between = match self {
            Self::NonOverlapping => closes,
            Self::Every(days) => days as f64,
            Self::Weekly => (closes_per_year / 52.0).round(),
            Self::Monthly => (closes_per_year / 12.0).round(),
        };
        (closes / between.max(1.0)).max(1.0)
    }
}

pub(super) fn backtest(raw: &mut RawBacktest, market: &Market) -> Result<BacktestPlan> {
    let optional =
        |key: &str, text: &Option<String>| text.as_deref().map(|text| date(key, text)).transpose();
    let data: Vec<PathBuf> = required(&raw.data, "backtest.data")?.into();
    at_least("backtest.data", data.len(), 1)?;
    let variance = variance_estimator(
        &mut raw.variance,
        &mut raw.variance_days,
        &mut raw.variance_decay,
    )?;
    if variance != VarianceEstimator::Model && !market.model.follows_variance() {
        return Err(Error::input(format!(
            "`backtest.variance` must be \"model\" under the model \"{}\", whose variance is constant",
            market.model.name()
        )));
    }
    Ok(BacktestPlan {
        data,
        relative_to: raw.relative_to.clone(),
        start: optional("backtest.start", &raw.start)?,
        end: optional("backtest.end", &raw.end)?,
        schedule: Schedule::new(&mut raw.spacing)?,
        parameters: one_of(
            "backtest.parameters",
            &filled(&mut raw.parameters, "history".into()),
            &[
                ("history", Parameterisation::History),
                ("strategy", Parameterisation::Strategy),
            ],
        )?,
        days_per_year: raw
            .days_per_year
            .map(|days| positive("backtest.days_per_year", days))
            .transpose()?,
        variance,
        reading: reading(raw)?,
    })
}

/// Reads the keys that say how the data are to be read.
fn reading(raw: &mut RawBacktest) -> Result<Reading> {
    filled(&mut raw.repair, Vec::new());
    Reading::new(&raw.reading(), |key| format!("backtest.{key}"))
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
