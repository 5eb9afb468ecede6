//! The section `walk_forward`: how policies are trained as history goes on.

use crate::bounds::date;
use crate::error::Result;
use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where training paths come from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TrainingPaths {
    /// The calibrated model, from variances that the window has seen.
    Model,
    /// The window's own returns, in blocks of this mean length in days.
    Bootstrap {
        /// The mean length of a block in days.
        block: f64,
    },
}

/// How a walk-forward backtest rolls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WalkForwardPlan {
    /// Years of returns that a window is calibrated on; all that the history has before it if absent.
    pub years: Option<f64>,
    /// Months of sales with a window's policies.
    pub months: u32,
    /// The first day of the test: sales before it are the validation period, if there is one.
    pub test_from: Option<NaiveDate>,
    /// Whether training begins with the weights of the window before.
    pub warm_start: bool,
    /// Length of a training that begins so, as a share of one from random weights.
    pub warm_share: f64,
    /// What the training paths are drawn from.
    pub paths: TrainingPaths,
    /// Trainings of every optimizer, on seeds from the strategy's on.
    pub seeds: usize,
    /// Whether the mean positions of an optimizer's policies are a strategy beside them.
    pub ensemble: bool,
    /// The learning rates of a training that begins warm, as a share of those of one from random weights.
    pub warm_rate_share: f64,
}

impl WalkForwardPlan {
    /// The plan of a section.
    ///
    /// # Errors
    /// [`crate::Error::Setting`] if the first day of the test is no date.
    pub(super) fn new(section: &WalkForwardSection) -> Result<Self> {
        let test_from = section.test_from.as_deref();
        let test_from = test_from.map(|day| date("walk_forward.test_from", day));
        Ok(Self {
            years: match section.years {
                CalibrationYears::Years(years) => Some(years),
                CalibrationYears::All(AllYears::All) => None,
            },
            months: section.months,
            test_from: test_from.transpose()?,
            warm_start: section.warm_start,
            warm_share: if section.warm_start {
                section.warm_share
            } else {
                1.0
            },
            paths: match section.paths {
                PathSource::Model => TrainingPaths::Model,
                PathSource::Bootstrap => TrainingPaths::Bootstrap {
                    block: section.block,
                },
            },
            seeds: section.seeds,
            ensemble: section.ensemble,
            warm_rate_share: if section.warm_start {
                section.warm_learning_rate_share
            } else {
                1.0
            },
        })
    }
}

/// How many years before its first sale a window is calibrated on, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum CalibrationYears {
    /// So many years.
    Years(#[schemars(extend("exclusiveMinimum" = 0.0))] f64),
    /// All that there are.
    All(AllYears),
}

/// All years that a history has before a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AllYears {
    /// From the first row on.
    All,
}

/// How policies are trained again as history goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct WalkForwardSection {
    /// Years of returns that a window is calibrated on, or `"all"` for windows that begin with the history and grow.
    #[schemars(title = "Calibration window", extend("x-unit" = "years"))]
    pub years: CalibrationYears,
    /// Months of sales that are hedged with a window's policies.
    #[schemars(title = "Months between trainings", range(min = 1, max = 12_000), extend("x-unit" = "months"))]
    pub months: u32,
    /// The first day of the test, such as 2006-01-01. Contracts that are sold and expire before it are the validation period:
    /// everything is chosen there, and its results stand apart.
    #[schemars(title = "First day of the test", extend("x-default" = "no validation period"))]
    pub test_from: Option<String>,
    /// Whether training begins with the weights of the window before.
    pub warm_start: bool,
    /// The length of a training that begins with the weights of the window before, as a share of a whole one.
    #[schemars(title = "Length after a warm start", range(max = 1.0), extend("exclusiveMinimum" = 0.0,
        "x-when" = {"warm_start": [true]}))]
    pub warm_share: f64,
    /// The learning rates of a training that begins with the weights of the window before, as a share of those of a whole one.
    #[schemars(title = "Learning rate after a warm start", range(max = 1.0), extend("exclusiveMinimum" = 0.0,
        "x-when" = {"warm_start": [true]}))]
    pub warm_learning_rate_share: f64,
    /// Where training paths come from.
    #[schemars(title = "Training paths")]
    pub paths: PathSource,
    /// The mean length of the blocks of returns that bootstrapped paths are made of.
    #[schemars(title = "Mean block", range(min = 1.0), extend("x-unit" = "days", "x-when" = {"paths": ["bootstrap"]}))]
    pub block: f64,
    /// Trainings of every optimizer, on seeds from the strategy's on.
    #[schemars(range(min = 1))]
    pub seeds: usize,
    /// Whether the mean positions of every optimizer's policies, one for each seed, are hedged with too, as a strategy of its own.
    pub ensemble: bool,
}

/// Where the training paths of a walk-forward come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PathSource {
    /// The calibrated model, from variances that the window has seen.
    Model,
    /// The window's own returns, in blocks.
    Bootstrap,
}

impl Default for WalkForwardSection {
    fn default() -> Self {
        Self {
            years: CalibrationYears::Years(5.0),
            months: 12,
            test_from: None,
            warm_start: true,
            warm_share: 0.5,
            warm_learning_rate_share: 1.0,
            paths: PathSource::Model,
            block: 21.0,
            seeds: 1,
            ensemble: false,
        }
    }
}
