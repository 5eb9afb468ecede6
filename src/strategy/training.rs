//! The sections `training` and `risk`.

use super::file::Strategy;
use crate::bounds::outside;
use crate::error::{Error, Result};
use crate::random::Sampling;
use crate::risk::{Measure, Risk, Term};
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
    /// Paths of a step, which are swept.
    #[schemars(title = "Paths a step", range(min = 1, max = 100_000_000), extend("x-unit" = "paths"))]
    pub paths: usize,
    /// Candidates that are simulated for a step, of which its paths are chosen by what each is expected to weigh in the gradient; 0 where
    /// the paths of a step are all that is simulated.
    #[schemars(title = "Pool of a step", range(max = 100_000_000), extend("x-unit" = "paths"))]
    pub pool: usize,
    /// The threshold τ of thinned backward sweeps: a path that weighs less than τ times the mean is swept back with a chance in proportion
    /// to its weight, and then counts for those that are not; 0 where all paths with weight are swept back.
    #[schemars(range(min = 0.0, max = 1000.0))]
    pub thinning: f64,
    /// Other numbers of steps for which a comparison trains too, each with its own schedule.
    #[schemars(title = "Further lengths", inner(range(min = 1)), extend("x-unit" = "steps"))]
    pub lengths: Vec<usize>,
    /// How the random numbers behind training paths are chosen.
    pub sampling: Sampling,
    /// Whether every gradient has the martingale control variate, of mean zero, which takes a backward sweep over all paths.
    pub control_variate: bool,
    /// The penalty λ of weights, biases among them: training minimises the risk over the strategy's unit of money plus λ times the sum of their
    /// squares, whatever the method.
    #[schemars(range(min = 0.0))]
    pub weight_penalty: f64,
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
            pool: 0,
            thinning: 0.0,
            lengths: Vec::new(),
            sampling: Sampling::Pseudorandom,
            control_variate: false,
            weight_penalty: 0.0,
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
    /// The measures of a weighted sum, each with its weight: `{ measure = "cvar", level = 0.95, weight = 0.5 }`.
    #[schemars(extend("x-when" = {"measure": ["weighted_sum"]}))]
    pub terms: Vec<TermSection>,
}

/// A measure in a weighted sum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TermSection {
    /// The measure of risk of the P&L.
    pub measure: RiskMeasure,
    /// The level of CVaR, 0.95 unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub level: Option<f64>,
    /// The risk aversion λ, 100 over `market.spot` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub aversion: Option<f64>,
    /// The weight of the measure in the sum.
    #[serde(default = "one")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "maximum" = 1e6))]
    pub weight: f64,
}

/// The weight of a term that gives none.
fn one() -> f64 {
    1.0
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
    /// The standard deviation.
    StandardDeviation,
    /// The mean loss.
    Mean,
    /// The sum of `risk.terms`, each times its weight.
    WeightedSum,
}

impl Default for RiskSection {
    fn default() -> Self {
        Self {
            measure: RiskMeasure::Cvar,
            level: DEFAULT_LEVEL,
            aversion: None,
            terms: Vec::new(),
        }
    }
}

/// The level of a CVaR that gives none.
const DEFAULT_LEVEL: f64 = 0.95;

impl RiskMeasure {
    /// The measure at a level or an aversion, whichever it has, if it is one and no sum.
    fn at(self, level: f64, aversion: impl FnOnce() -> f64) -> Option<Measure> {
        Some(match self {
            Self::Cvar => Measure::Cvar { level },
            Self::Entropic => Measure::Entropic {
                aversion: aversion(),
            },
            Self::MeanVariance => Measure::MeanVariance {
                aversion: aversion(),
            },
            Self::MonotoneMeanVariance => Measure::MonotoneMeanVariance {
                aversion: aversion(),
            },
            Self::StandardDeviation => Measure::StandardDeviation,
            Self::Mean => Measure::Mean,
            Self::WeightedSum => return None,
        })
    }
}

impl RiskSection {
    /// The measure with its level or its aversion, which is one over a hundredth of the `spot` unless given.
    pub(super) fn risk(&mut self, spot: f64) -> Result<Risk> {
        let usual = 100.0 / spot;
        let own = || *self.aversion.get_or_insert(usual);
        match self.measure.at(self.level, own) {
            Some(measure) => Ok(measure.into()),
            None => self.sum(usual),
        }
    }

    /// The weighted sum of the terms, whose aversions are `usual` unless given.
    fn sum(&mut self, usual: f64) -> Result<Risk> {
        const KEY: &str = "risk.terms";
        let count = self.terms.len();
        if !(1..=Risk::MOST).contains(&count) {
            let bound = format!("a list of 1 to {}", Risk::MOST);
            return Err(outside(KEY, bound, count.to_string()));
        }
        let read = |term: &mut TermSection| {
            let no = |key: &str, of: &str| {
                let words = format!(": `{key}` has a meaning for {of} alone");
                Err(Error::key(KEY, words))
            };
            let level = term.level.unwrap_or(DEFAULT_LEVEL);
            let given = term.aversion;
            let own = || *term.aversion.get_or_insert(usual);
            let measure = term.measure.at(level, own);
            let measure = measure.ok_or_else(|| {
                Error::key(
                    KEY,
                    ": a term is a measure, and no \"weighted_sum\"".to_owned(),
                )
            })?;
            let has_level = measure.cvar_level().is_some();
            if term.level.is_some() && !has_level {
                return no("level", "\"cvar\"");
            }
            if given.is_some() && (has_level || measure.parameter().is_none()) {
                return no("aversion", "measures with a risk aversion");
            }
            Ok(Term {
                weight: term.weight,
                measure,
            })
        };
        let terms: Vec<Term> = self.terms.iter_mut().map(read).collect::<Result<_>>()?;
        Ok(Risk::sum(&terms))
    }
}

impl Strategy {
    /// The risk measure that policies are trained on.
    ///
    /// # Errors
    /// [`Error::Setting`] for terms of a weighted sum that are no measures.
    pub fn risk_measure(&self) -> Result<Risk> {
        self.risk.clone().risk(self.market.spot)
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
