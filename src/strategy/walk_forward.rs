//! When contracts are sold on history, and how policies are trained as history goes on.

use super::raw::{RawSpacing, RawWalkForward};
use crate::bounds::{at_least, check, filled, fraction, one_of, positive};
use crate::error::{Error, Result};
use crate::market::estimation::VarianceEstimator;
use chrono::{Datelike, NaiveDate};
use std::ops::Range;

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

/// Where training paths come from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TrainingPaths {
    /// The calibrated model, from variances that the window has seen.
    Model,
    /// The window's own returns, in blocks of this mean length in days.
    Bootstrap { block: f64 },
}

/// How a walk-forward backtest rolls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WalkForwardPlan {
    /// Years of returns that a window is calibrated on.
    pub years: f64,
    /// Months of sales with a window's policies.
    pub months: u32,
    /// Whether training begins with the weights of the window before.
    pub warm_start: bool,
    /// Length of a training that begins so, as a share of one from random weights.
    pub warm_share: f64,
    pub paths: TrainingPaths,
}

impl WalkForwardPlan {
    pub(super) fn new(raw: &mut RawWalkForward) -> Result<Self> {
        let source = filled(&mut raw.paths, "model".into());
        let bootstrap = one_of(
            "walk_forward.paths",
            &source,
            &[("model", false), ("bootstrap", true)],
        )?;
        if raw.block.is_some() && !bootstrap {
            return Err(Error::input(format!(
                "`walk_forward.block` has no meaning for the paths \"{source}\""
            )));
        }
        let paths = if bootstrap {
            let block = filled(&mut raw.block, 21.0);
            TrainingPaths::Bootstrap {
                block: check("walk_forward.block", block, block >= 1.0, "at least 1")?,
            }
        } else {
            TrainingPaths::Model
        };
        let warm_start = filled(&mut raw.warm_start, true);
        if raw.warm_share.is_some() && !warm_start {
            return Err(Error::input(
                "`walk_forward.warm_share` has no meaning without `walk_forward.warm_start`",
            ));
        }
        let warm_share = if warm_start {
            let share = filled(&mut raw.warm_share, 0.5);
            check(
                "walk_forward.warm_share",
                share,
                share > 0.0 && share <= 1.0,
                "in (0, 1]",
            )?
        } else {
            1.0
        };
        Ok(Self {
            years: positive("walk_forward.years", filled(&mut raw.years, 5.0))?,
            months: at_least(
                "walk_forward.months",
                filled(&mut raw.months, 12) as usize,
                1,
            )? as u32,
            warm_start,
            warm_share,
            paths,
        })
    }
}

/// Reads `backtest.variance` and the keys that belong to its choices.
pub(super) fn variance_estimator(
    variance: &mut Option<String>,
    days: &mut Option<usize>,
    decay: &mut Option<f64>,
) -> Result<VarianceEstimator> {
    let names = ["model", "realised", "exponential", "garman_klass"];
    let name = filled(variance, "model".into());
    let chosen = one_of("backtest.variance", &name, &names.map(|name| (name, name)))?;
    let superfluous = match chosen {
        "model" if days.is_some() => Some("variance_days"),
        "exponential" if days.is_some() => Some("variance_days"),
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
