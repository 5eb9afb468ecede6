use super::paired::{Influence, cvar_influence, risk_influence};
use super::{Estimate, Risk, Row};
use serde_json::{Map, Value, json};

/// What [`Row::new`] needs beside the paths.
pub struct RowInput<'a> {
    /// The name of the strategy.
    pub strategy: &'a str,
    /// The seed of its training, if it was trained.
    pub seed: Option<u64>,
    /// What the contract is sold for, on average, in the spot's currency.
    pub premium: f64,
    /// The risk measure that was trained.
    pub risk: Risk,
    /// How many contracts are sold in a year, one after another, by whose square root a Sharpe ratio is annualised.
    pub contracts_per_year: f64,
    /// How many contracts live at a time, 1 if paths are independent. Standard errors grow by its square root:
    /// n contracts then count as n/overlap independent ones, which is safe rather than sharp.
    pub overlap: f64,
    /// Optimisation steps of its training, if it was trained.
    pub steps: Option<usize>,
    /// Seconds of its training, if it was trained.
    pub seconds: Option<f64>,
}

fn mean(values: &[f64], overlap: f64) -> Estimate {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    Estimate {
        value: mean,
        standard_error: (variance * overlap / n).sqrt(),
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
        let mean = |values: &[f64]| mean(values, input.overlap);
        let estimate = |influence: &Influence| Estimate {
            value: influence.value,
            standard_error: mean(&influence.paths).standard_error,
        };
        let pnl_mean = mean(pnl);
        let squares: Vec<f64> = pnl.iter().map(|z| (z - pnl_mean.value).powi(2)).collect();
        let variance = squares.iter().sum::<f64>() / (n - 1.0);
        let variance_error = mean(&squares).standard_error;
        let deviation = variance.sqrt();
        let (costs, traded) = (mean(cost), mean(turnover));
        // Without a spread there is no reward for one; of a single P&L the spread is not known.
        let sharpe = if deviation == 0.0 {
            0.0
        } else {
            pnl_mean.value / deviation
        };
        let sharpe_error = ((1.0 + 0.5 * sharpe * sharpe) * input.overlap / n).sqrt();
        let mut levels = vec![0.5, 0.95, 0.99];
        let terms = input.risk.terms().iter();
        for level in terms.filter_map(|term| term.measure.cvar_level()) {
            if !levels.contains(&level) {
                levels.push(level);
            }
        }
        let (mut values, mut errors): (Map<String, Value>, Map<String, Value>) = Default::default();
        for level in levels {
            let cvar = estimate(&cvar_influence(pnl, level));
            values.insert(level.to_string(), json!(cvar.value));
            if cvar.standard_error.is_finite() {
                errors.insert(level.to_string(), json!(cvar.standard_error));
            }
        }
        let risk = estimate(&risk_influence(pnl, input.risk));
        let annual = input.contracts_per_year.sqrt();
        Self {
            strategy: input.strategy.to_string(),
            seed: input.seed,
            paths: pnl.len(),
            premium: input.premium,
            pnl_mean: pnl_mean.value,
            pnl_mean_standard_error: pnl_mean.standard_error,
            pnl_std: deviation,
            pnl_std_standard_error: if deviation == 0.0 {
                0.0
            } else {
                variance_error / (2.0 * deviation)
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
