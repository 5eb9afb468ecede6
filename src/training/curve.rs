//! What a training leaves of each of its steps.

use crate::risk::null_as_nan;
use serde::{Deserialize, Serialize};

/// One recorded step of a training run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct TrainingPoint {
    /// The number of the step, from 0.
    pub step: usize,
    /// Seconds of training so far, validation excluded.
    #[serde(deserialize_with = "null_as_nan")]
    pub seconds: f64,
    /// The risk on the training batch before the step.
    #[serde(deserialize_with = "null_as_nan")]
    pub risk: f64,
    /// The risk on the validation paths, where it was measured.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub validation_risk: Option<f64>,
    /// Its standard error over those paths, if it is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub validation_standard_error: Option<f64>,
    /// The optimizer's own statistics of the step (step length, gradient norm, …). It counts money in the strategy's unit of
    /// money, see [`crate::strategy::Plan::money_unit`]: a change of P&L or of the risk and a norm of the gradient are in
    /// units, damping and eigenvalues of the metric in squared units.
    #[serde(default)]
    #[cfg_attr(feature = "dashboard", schema(value_type = Object))]
    pub statistics: serde_json::Map<String, serde_json::Value>,
}

/// What the policy of a step does on the validation paths, in money per contract.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ValidationSummary {
    /// CVaR of the loss at the trained level (95 % if the measure is not CVaR).
    #[serde(deserialize_with = "null_as_nan")]
    pub cvar: f64,
    /// The mean P&L.
    #[serde(deserialize_with = "null_as_nan")]
    pub pnl_mean: f64,
    /// The standard deviation of P&L.
    #[serde(deserialize_with = "null_as_nan")]
    pub pnl_std: f64,
    /// The mean of what trading costs.
    #[serde(deserialize_with = "null_as_nan")]
    pub cost_mean: f64,
    /// Numbers of paths in [`Self::BINS`] intervals of equal width over four standard deviations to either side of the
    /// mean P&L; what lies beyond is in the outer ones.
    #[serde(default)]
    pub histogram: Vec<u32>,
}

impl ValidationSummary {
    /// The number of intervals of the histogram.
    pub const BINS: usize = 48;
    const DEVIATIONS: f64 = 4.0;

    /// Summarises one P&L and one cost a path.
    pub fn new(cvar: f64, pnl: &[f64], cost: &[f64]) -> Self {
        let count = pnl.len() as f64;
        let mean = |values: &[f64]| values.iter().sum::<f64>() / count;
        let pnl_mean = mean(pnl);
        let variance = pnl.iter().map(|z| (z - pnl_mean).powi(2)).sum::<f64>() / count;
        let pnl_std = variance.sqrt();
        let from = pnl_mean - Self::DEVIATIONS * pnl_std;
        let width = 2.0 * Self::DEVIATIONS * pnl_std / Self::BINS as f64;
        let mut histogram = vec![0; Self::BINS];
        for z in pnl {
            // A conversion to an integer saturates, and sends NaN (all paths alike) to 0.
            let bin = ((z - from) / width) as usize;
            histogram[bin.min(Self::BINS - 1)] += 1;
        }
        Self {
            cvar,
            pnl_mean,
            pnl_std,
            cost_mean: mean(cost),
            histogram,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every path is counted once, also if all come to the same.
    #[test]
    fn a_histogram_counts_every_path() {
        for pnl in [vec![1.0; 5], vec![-3.0, 0.0, 0.1, 0.2, 9.0]] {
            let summary = ValidationSummary::new(0.0, &pnl, &pnl);
            assert_eq!(summary.histogram.len(), ValidationSummary::BINS);
            assert_eq!(summary.histogram.iter().sum::<u32>(), 5);
            assert_eq!(summary.pnl_mean, summary.cost_mean);
        }
    }
}
