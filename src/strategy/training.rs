//! The sections `training` and `risk`.

use crate::random::Sampling;
use crate::risk::Risk;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How policies are trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TrainingSection {
    /// Optimisation steps of a training, unless `seconds` are given.
    #[schemars(range(min = 1), extend("x-unit" = "steps"))]
    pub steps: usize,
    /// Seconds of training for every optimizer instead of a number of steps; results then depend on the machine.
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "seconds", "x-default" = "none: `steps` count"))]
    pub seconds: Option<f64>,
    /// Paths that are simulated for a step.
    #[schemars(title = "Paths a step", range(min = 1, max = 100_000_000), extend("x-unit" = "paths"))]
    pub paths: usize,
    /// Other numbers of steps for which a comparison trains too, each with its own schedule.
    #[schemars(title = "Further lengths", inner(range(min = 1)), extend("x-unit" = "steps"))]
    pub lengths: Vec<usize>,
    /// How the random numbers behind training paths are chosen.
    pub sampling: Sampling,
    /// Whether every gradient has the martingale control variate, of mean zero, which takes a backward sweep over all paths.
    pub control_variate: bool,
    /// What the seconds of a training count.
    pub clock: Clock,
    /// Paths on which the risk is measured along the training; 0 for none.
    #[schemars(range(max = 100_000_000), extend("x-unit" = "paths"))]
    pub validation_paths: usize,
    /// Steps between measurements of the risk along the training.
    #[schemars(range(min = 1), extend("x-unit" = "steps"))]
    pub validation_period: usize,
}

impl Default for TrainingSection {
    fn default() -> Self {
        Self {
            steps: 200,
            seconds: None,
            paths: 4096,
            lengths: Vec::new(),
            sampling: Sampling::Pseudorandom,
            control_variate: false,
            clock: Clock::Wall,
            validation_paths: 16_384,
            validation_period: 10,
        }
    }
}

impl TrainingSection {
    /// How long a training is.
    pub(super) fn length(&self) -> Length {
        match self.seconds {
            Some(seconds) => Length::Seconds(seconds),
            None => Length::Steps(self.steps),
        }
    }

    /// How a training is watched.
    pub(super) fn validation(&self) -> Validation {
        Validation {
            paths: self.validation_paths,
            period: self.validation_period,
        }
    }
}

/// What the hedge minimises.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RiskSection {
    /// The measure of risk of the P&L.
    #[schemars(title = "Risk measure")]
    pub measure: RiskMeasure,
    /// The level of CVaR: the mean of the worst share 1 − level of losses.
    #[schemars(title = "Level", range(min = 0.0), extend("exclusiveMaximum" = 1.0, "x-when" = {"measure": ["cvar"]}))]
    pub level: f64,
    /// The risk aversion λ, one over the amount of money that counts as large.
    #[schemars(title = "Risk aversion", extend("exclusiveMinimum" = 0.0, "x-unit" = "1/currency", "x-default" = "100 / `market.spot`",
        "x-when" = {"measure": ["entropic", "mean_variance", "monotone_mean_variance"]}))]
    pub aversion: Option<f64>,
}

/// A measure of risk by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RiskMeasure {
    /// The mean of the worst losses.
    Cvar,
    /// The certainty equivalent of exponential utility.
    Entropic,
    /// Mean loss and half of the variance times the risk aversion.
    MeanVariance,
    /// The optimised certainty equivalent of a quadratic that does not count gains as risk.
    MonotoneMeanVariance,
}

impl Default for RiskSection {
    fn default() -> Self {
        Self {
            measure: RiskMeasure::Cvar,
            level: 0.95,
            aversion: None,
        }
    }
}

impl RiskSection {
    /// The measure with its level or its aversion, which is one over a hundredth of the `spot` unless given.
    pub(super) fn risk(&mut self, spot: f64) -> Risk {
        let mut aversion = || *self.aversion.get_or_insert(100.0 / spot);
        match self.measure {
            RiskMeasure::Cvar => Risk::Cvar { level: self.level },
            RiskMeasure::Entropic => Risk::Entropic {
                aversion: aversion(),
            },
            RiskMeasure::MeanVariance => Risk::MeanVariance {
                aversion: aversion(),
            },
            RiskMeasure::MonotoneMeanVariance => Risk::MonotoneMeanVariance {
                aversion: aversion(),
            },
        }
    }
}

/// How long a policy is trained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Length {
    /// Optimisation steps.
    Steps(usize),
    /// Seconds of training, validation excluded. Results then depend on the machine.
    Seconds(f64),
}

/// What the seconds of a training count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// Time on the clock.
    Wall,
    /// Time that the process had of all cores together, which other work on the machine lengthens little.
    Cpu,
}

/// How training is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validation {
    /// Paths on which the risk is measured; 0 for none.
    pub paths: usize,
    /// Steps between measurements.
    pub period: usize,
}
