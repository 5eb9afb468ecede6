//! What is reported of a hedged book: one [`Row`] per strategy, every statistic with its
//! standard error.

use serde::{Deserialize, Deserializer, Serialize};

/// A statistic with its standard error, in the unit of the statistic.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct Estimate {
    /// The statistic on the sample.
    pub value: f64,
    /// Its standard error; NaN where too few paths lie in a tail to tell.
    pub standard_error: f64,
}

impl Estimate {
    /// Whether `value` lies within so many standard errors and, beside them, within the `rounding` that has no sampling error.
    ///
    /// An unknown standard error shows nothing.
    pub fn explains(&self, value: f64, standard_errors: f64, rounding: f64) -> bool {
        let difference = (self.value - value).abs();
        self.standard_error.is_nan()
            || difference <= standard_errors * self.standard_error + rounding
    }

    /// The mean of estimates that several seeds gave on the same paths.
    ///
    /// Its standard error is √(s²/n + e²): s² the variance between the n seeds, e the mean of their standard errors
    /// over paths, which does not shrink with more seeds because they share the paths. One estimate is its own mean.
    ///
    /// # Panics
    /// If there are none.
    pub fn over_seeds(estimates: &[Self]) -> Self {
        assert!(!estimates.is_empty(), "at least one seed");
        let n = estimates.len() as f64;
        let mean = |of: &dyn Fn(&Self) -> f64| estimates.iter().map(of).sum::<f64>() / n;
        let value = mean(&|estimate| estimate.value);
        let within = mean(&|estimate| estimate.standard_error);
        let squares = mean(&|estimate| (estimate.value - value).powi(2));
        let between = if estimates.len() > 1 {
            squares / (n - 1.0)
        } else {
            0.0
        };
        Self {
            value,
            standard_error: (between + within * within).sqrt(),
        }
    }
}

/// The statistics of one strategy over a set of hedged contracts.
///
/// # Units
/// Money per contract in the spot's currency. P&L is gain-positive; CVaR is of the loss.
/// Turnover is traded value over the life of the contract divided by the spot at the start.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct Row {
    /// The name of the strategy.
    pub strategy: String,
    /// The seed of its training; absent for hedges that are not trained.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seed: Option<u64>,
    /// The number of paths or contracts.
    pub paths: usize,
    /// What a contract is sold for, on average.
    #[serde(deserialize_with = "null_as_nan")]
    pub premium: f64,
    /// The mean P&L.
    #[serde(deserialize_with = "null_as_nan")]
    pub pnl_mean: f64,
    /// The standard error of the mean P&L.
    #[serde(deserialize_with = "null_as_nan")]
    pub pnl_mean_standard_error: f64,
    /// The standard deviation of P&L.
    #[serde(deserialize_with = "null_as_nan")]
    pub pnl_std: f64,
    /// The standard error of the standard deviation of P&L.
    #[serde(deserialize_with = "null_as_nan")]
    pub pnl_std_standard_error: f64,
    /// The variance of P&L, in squared money.
    #[serde(deserialize_with = "null_as_nan")]
    pub pnl_variance: f64,
    /// The standard error of the variance of P&L, in squared money.
    #[serde(deserialize_with = "null_as_nan")]
    pub pnl_variance_standard_error: f64,
    /// CVaR of the loss, keyed by level: `"0.5"`, `"0.95"`, `"0.99"` and the level that was trained.
    #[cfg_attr(feature = "dashboard", schema(value_type = Object))]
    pub cvar: serde_json::Map<String, serde_json::Value>,
    /// The standard errors of CVaR by level, without the levels beyond which too few paths lie to tell.
    #[cfg_attr(feature = "dashboard", schema(value_type = Object))]
    pub cvar_standard_error: serde_json::Map<String, serde_json::Value>,
    /// The trained risk measure ρ(P&L).
    #[serde(deserialize_with = "null_as_nan")]
    pub risk: f64,
    /// The standard error of the trained risk measure.
    #[serde(deserialize_with = "null_as_nan")]
    pub risk_standard_error: f64,
    /// The mean of what trading costs.
    #[serde(deserialize_with = "null_as_nan")]
    pub cost_mean: f64,
    /// The standard error of the mean cost.
    #[serde(deserialize_with = "null_as_nan")]
    pub cost_mean_standard_error: f64,
    /// The mean traded value over the life of a contract, divided by the spot at its start.
    #[serde(deserialize_with = "null_as_nan")]
    pub turnover: f64,
    /// The standard error of the turnover.
    #[serde(deserialize_with = "null_as_nan")]
    pub turnover_standard_error: f64,
    /// Mean over standard deviation of P&L per contract.
    #[serde(deserialize_with = "null_as_nan")]
    pub sharpe: f64,
    /// The standard error of `sharpe`.
    #[serde(deserialize_with = "null_as_nan")]
    pub sharpe_standard_error: f64,
    /// `sharpe` times the square root of contracts per year.
    #[serde(deserialize_with = "null_as_nan")]
    pub sharpe_annualised: f64,
    /// The standard error of `sharpe_annualised`.
    #[serde(deserialize_with = "null_as_nan")]
    pub sharpe_annualised_standard_error: f64,
    /// Optimisation steps of the training; absent for hedges that are not trained.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub steps: Option<usize>,
    /// Seconds of the training; absent for hedges that are not trained.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seconds: Option<f64>,
}

/// Reads JSON's `null` as NaN, which is how a number that is not finite was written.
///
/// # Errors
/// The deserializer's, if the value is neither a number nor null.
pub fn null_as_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}
