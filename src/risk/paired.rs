//! Differences of two strategies on common paths or seeds.
//!
//! A statistic is given with its influence on every path, so that the standard error of a difference
//! counts what the two sides share.

use super::measure::moments;
use super::{Estimate, Masses, Measure, Risk, Term, cvar};
use crate::hedging::Book;

/// A statistic and the influence of every path on it.
pub struct Influence {
    /// The statistic on all paths.
    pub value: f64,
    /// The influence of every path on it, up to a constant, in the unit of the statistic.
    pub paths: Vec<f64>,
}

impl Influence {
    /// The statistic with its standard error over independent paths.
    pub fn estimate(&self) -> Estimate {
        Estimate {
            value: self.value,
            standard_error: standard_error(&self.paths),
        }
    }
}

/// The same paths under two strategies.
pub struct Pair<'a> {
    /// The book of the strategy that is compared.
    pub ours: &'a Book,
    /// The book of the baseline.
    pub theirs: &'a Book,
}

impl Pair<'_> {
    /// The mean over pairs of the statistic's difference, as a fraction of |theirs| if `relative`.
    ///
    /// The standard error is over paths (delta method on paired influences), times √`overlap` where so many contracts
    /// share a day (see [`super::RowInput`]), and between pairs where there are several ([`Estimate::over_seeds`]).
    pub fn estimate(
        pairs: &[Pair<'_>],
        overlap: f64,
        relative: bool,
        statistic: impl Fn(&Book) -> Influence,
    ) -> Estimate {
        let differences: Vec<Estimate> = pairs
            .iter()
            .map(|pair| {
                let (ours, theirs) = (statistic(pair.ours), statistic(pair.theirs));
                let scale = if relative { theirs.value.abs() } else { 1.0 };
                let change = (ours.value - theirs.value) / scale;
                let drag = if relative {
                    ours.value / theirs.value
                } else {
                    1.0
                };
                let influence = ours
                    .paths
                    .iter()
                    .zip(&theirs.paths)
                    .map(|(a, b)| (a - drag * b) / scale)
                    .collect::<Vec<_>>();
                Estimate {
                    value: change,
                    standard_error: standard_error(&influence) * overlap.sqrt(),
                }
            })
            .collect();
        Estimate::over_seeds(&differences)
    }
}

fn average(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn standard_error(values: &[f64]) -> f64 {
    let (n, mean) = (values.len() as f64, average(values));
    (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt()
}

/// The mean of the values, on which every value has itself for its influence.
pub fn mean_influence(values: &[f64]) -> Influence {
    Influence {
        value: average(values),
        paths: values.to_vec(),
    }
}

/// The variance of P&L, on which a path with P&L z has the influence (z − z̄)².
pub fn variance_influence(book: &Book) -> Influence {
    let mean = average(&book.pnl);
    let paths: Vec<f64> = book.pnl.iter().map(|z| (z - mean).powi(2)).collect();
    Influence {
        value: paths.iter().sum::<f64>() / (paths.len() as f64 - 1.0),
        paths,
    }
}

/// CVaR of the loss at level α, on which a path with loss L has the influence (L − q)⁺/(1 − α), q the value at risk; NaN, an unknown error, where the tail has fewer than five losses, too few to
/// show their spread.
pub fn cvar_influence(pnl: &[f64], level: f64) -> Influence {
    const LEAST_TAIL: f64 = 5.0;
    if (1.0 - level) * (pnl.len() as f64) < LEAST_TAIL {
        return Influence {
            value: cvar(pnl, level),
            paths: vec![f64::NAN; pnl.len()],
        };
    }
    let mut losses: Vec<f64> = pnl.iter().map(|z| -z).collect();
    losses.sort_unstable_by(f64::total_cmp);
    let quantile = losses[((level * losses.len() as f64) as usize).min(losses.len() - 1)];
    Influence {
        value: cvar(pnl, level),
        paths: pnl
            .iter()
            .map(|z| (-z - quantile).max(0.0) / (1.0 - level))
            .collect(),
    }
}

/// The risk measure ρ(z) itself, with the influence of every path on it; of a weighted sum that is the sum of its terms' influences.
pub fn risk_influence(pnl: &[f64], risk: Risk) -> Influence {
    if let Some(measure) = risk.measure() {
        return measure_influence(pnl, measure);
    }
    let mut sum = Influence {
        value: 0.0,
        paths: vec![0.0; pnl.len()],
    };
    for Term { weight, measure } in risk.terms() {
        let one = measure_influence(pnl, *measure);
        sum.value += weight * one.value;
        for (sum, one) in sum.paths.iter_mut().zip(one.paths) {
            *sum += weight * one;
        }
    }
    sum
}

fn measure_influence(pnl: &[f64], measure: Measure) -> Influence {
    let evaluation = measure.evaluate(pnl);
    let n = pnl.len() as f64;
    let paths = match measure {
        Measure::Cvar { level } => return cvar_influence(pnl, level),
        Measure::Entropic { aversion } => evaluation
            .weights
            .iter()
            .map(|w| -n * w / aversion)
            .collect(),
        Measure::MeanVariance { aversion } => {
            let mean = average(pnl);
            pnl.iter()
                .map(|z| -z + 0.5 * aversion * (z - mean).powi(2))
                .collect()
        }
        // ℓ(−z − η), because ρ is stationary in η.
        Measure::MonotoneMeanVariance { aversion } => evaluation
            .weights
            .iter()
            .map(|w| (n * w).powi(2) / (2.0 * aversion))
            .collect(),
        Measure::StandardDeviation => {
            let (mean, deviation) = moments(pnl, &Masses::equal(pnl.len()));
            let share = if deviation > 0.0 {
                0.5 / deviation
            } else {
                0.0
            };
            pnl.iter().map(|z| share * (z - mean).powi(2)).collect()
        }
        Measure::Mean => pnl.iter().map(|z| -z).collect(),
    };
    Influence {
        value: evaluation.value,
        paths,
    }
}

/// The Sharpe ratio s = z̄/σ, on which a path with P&L z has the influence (z − z̄)/σ − s (z − z̄)²/(2σ²).
pub fn sharpe_influence(pnl: &[f64]) -> Influence {
    let mean = average(pnl);
    let deviation =
        (pnl.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / (pnl.len() as f64 - 1.0)).sqrt();
    let sharpe = mean / deviation;
    let paths = pnl
        .iter()
        .map(|z| {
            let score = (z - mean) / deviation;
            score - 0.5 * sharpe * score * score
        })
        .collect();
    Influence {
        value: sharpe,
        paths,
    }
}
