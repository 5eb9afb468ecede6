use super::{Estimate, Risk, Row, cvar};
use serde_json::{Map, Value, json};

/// What [`Row::new`] needs beside the paths.
pub struct RowInput<'a> {
    pub strategy: &'a str,
    pub seed: Option<u64>,
    pub premium: f64,
    pub risk: Risk,
    pub contracts_per_year: f64,
    pub steps: Option<usize>,
    pub seconds: Option<f64>,
}

fn mean(values: &[f64]) -> Estimate {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    Estimate {
        value: mean,
        standard_error: (variance / n).sqrt(),
    }
}

/// CVaR and its standard error from the influence function (L − q)⁺/(1 − α).
fn cvar_estimate(pnl: &[f64], level: f64) -> Estimate {
    let mut losses: Vec<f64> = pnl.iter().map(|z| -z).collect();
    losses.sort_unstable_by(f64::total_cmp);
    let rank = ((level * losses.len() as f64) as usize).min(losses.len() - 1);
    let quantile = losses[rank];
    let excess: Vec<f64> = losses
        .iter()
        .map(|loss| (loss - quantile).max(0.0) / (1.0 - level))
        .collect();
    Estimate {
        value: cvar(pnl, level),
        standard_error: mean(&excess).standard_error,
    }
}

/// The risk measure and its standard error from its influence function.
fn risk_estimate(pnl: &[f64], risk: Risk) -> Estimate {
    if let Risk::Cvar { level } = risk {
        return cvar_estimate(pnl, level);
    }
    let n = pnl.len() as f64;
    let evaluation = risk.evaluate(pnl);
    // For the other measures the influence of a path is n times its first-order contribution.
    let influence: Vec<f64> = match risk {
        Risk::Entropic { aversion } => evaluation
            .weights
            .iter()
            .map(|w| -n * w / aversion)
            .collect(),
        Risk::MeanVariance { aversion } => {
            let mean = pnl.iter().sum::<f64>() / n;
            pnl.iter()
                .map(|z| -z + 0.5 * aversion * (z - mean).powi(2))
                .collect()
        }
        Risk::Cvar { .. } => unreachable!("returned above"),
    };
    Estimate {
        value: evaluation.value,
        standard_error: mean(&influence).standard_error,
    }
}

impl Row {
    /// The statistics of a hedged book.
    ///
    /// Standard errors: variance from the fourth moment, standard deviation by the delta method, CVaR from
    /// its influence function, Sharpe ratio √((1 + s²/2)/n).
    ///
    /// # References
    /// Lo (2002), "The statistics of Sharpe ratios", equation 9.
    pub fn new(input: &RowInput<'_>, pnl: &[f64], cost: &[f64], turnover: &[f64]) -> Self {
        let n = pnl.len() as f64;
        let pnl_mean = mean(pnl);
        let squares: Vec<f64> = pnl.iter().map(|z| (z - pnl_mean.value).powi(2)).collect();
        let variance = squares.iter().sum::<f64>() / (n - 1.0);
        let variance_error = mean(&squares).standard_error;
        let deviation = variance.sqrt();
        let (costs, traded) = (mean(cost), mean(turnover));
        let sharpe = if deviation > 0.0 {
            pnl_mean.value / deviation
        } else {
            0.0
        };
        let sharpe_error = ((1.0 + 0.5 * sharpe * sharpe) / n).sqrt();
        let mut levels = vec![0.5, 0.95, 0.99];
        if let Risk::Cvar { level } = input.risk
            && !levels.contains(&level)
        {
            levels.push(level);
        }
        let (mut values, mut errors): (Map<String, Value>, Map<String, Value>) = Default::default();
        for level in levels {
            let estimate = cvar_estimate(pnl, level);
            values.insert(level.to_string(), json!(estimate.value));
            errors.insert(level.to_string(), json!(estimate.standard_error));
        }
        let risk = risk_estimate(pnl, input.risk);
        let annual = input.contracts_per_year.sqrt();
        Self {
            strategy: input.strategy.to_string(),
            seed: input.seed,
            paths: pnl.len(),
            premium: input.premium,
            pnl_mean: pnl_mean.value,
            pnl_mean_standard_error: pnl_mean.standard_error,
            pnl_std: deviation,
            pnl_std_standard_error: if deviation > 0.0 {
                variance_error / (2.0 * deviation)
            } else {
                0.0
            },
            pnl_variance: variance,
            pnl_variance_standard_error: variance_error,
            cvar: values,
            cvar_standard_error: errors,
            risk: risk.value,
            risk_standard_error: risk.standard_error,
            cost_mean: costs.value,
            cost_mean_standard_error: costs.standard_error,
            turnover: traded.value,
            turnover_standard_error: traded.standard_error,
            sharpe,
            sharpe_standard_error: sharpe_error,
            sharpe_annualised: sharpe * annual,
            sharpe_annualised_standard_error: sharpe_error * annual,
            steps: input.steps,
            seconds: input.seconds,
        }
    }
}
