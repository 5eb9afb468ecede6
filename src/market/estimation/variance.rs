//! Variance from past days without a model.

use crate::market::History;
use crate::market::history::Quantity;

/// How the variance that is known at a close is estimated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum VarianceEstimator {
    /// The model's own: Heston's filter, or the constant of geometric Brownian motion.
    Model,
    /// The mean square of the last returns.
    Realised {
        /// The number of returns.
        days: usize,
    },
    /// Exponentially decaying weights.
    Exponential {
        /// The factor λ by which a weight falls with every day.
        decay: f64,
    },
    /// Ranges of the last days.
    GarmanKlass {
        /// The number of days.
        days: usize,
    },
    /// What a volatility index or a column of variance says.
    Implied,
}

/// `v_t = (1/n) Σ r²/dt` over the last n = `days` returns before close `t`, or over all where there are fewer.
///
/// Entry `t` of `returns.len() + 1` uses `returns[..t]` only; entry 0, before any return, is `initial`.
///
/// # Units
/// Returns per day, `dt` in years, variances per year.
pub fn realised(returns: &[f64], days: usize, dt: f64, initial: f64) -> Vec<f64> {
    let squares: Vec<f64> = returns.iter().map(|r| r * r / dt).collect();
    last_means(&squares, days, initial)
}

/// `v_{t+1} = λ v_t + (1 − λ) r_t²/dt` from `v_0 = initial`; λ is `decay`, 0.94 in RiskMetrics.
///
/// # References
/// J. P. Morgan/Reuters (1996), "RiskMetrics — Technical Document", 4th edition, section 5.2.
pub fn exponential(returns: &[f64], decay: f64, dt: f64, initial: f64) -> Vec<f64> {
    let mut variance = initial;
    let after = returns.iter().map(|r| {
        variance = decay * variance + (1.0 - decay) * r * r / dt;
        variance
    });
    std::iter::once(initial).chain(after).collect()
}

/// The mean over the last n days up to close `t` of Garman and Klass's variance of a trading day and the square of the
/// night before it,
///
/// ```text
/// ½ ln²(H/L) − (2 ln 2 − 1) ln²(C/O) + ln²(O/C₋₁),   over dt
/// ```
///
/// Entry 0, the first close, is `initial`. None if the history lacks open, high or low.
///
/// # References
/// M. Garman and M. Klass (1980), "On the estimation of security price volatilities from historical data", Journal of
/// Business 53(1), the practical estimator of section 4.
pub fn garman_klass(history: &History, days: usize, dt: f64, initial: f64) -> Option<Vec<f64>> {
    let [open, high, low] =
        [Quantity::Open, Quantity::High, Quantity::Low].map(|quantity| history.values(quantity));
    let (open, high, low) = (open?, high?, low?);
    let squares: Vec<f64> = (1..history.len())
        .map(|t| {
            let range = (high[t] / low[t]).ln();
            let day = (history.close[t] / open[t]).ln();
            let night = (open[t] / history.close[t - 1]).ln();
            let variance =
                0.5 * range * range - (2.0 * 2f64.ln() - 1.0) * day * day + night * night;
            variance.max(0.0) / dt
        })
        .collect();
    Some(last_means(&squares, days, initial))
}

/// The variance that a history's own column of variance states or, without one, that its implied volatility σ means:
/// `now_given_mean(σ², T)`, the variance from which a model expects σ² over the T = 30/365 years of a volatility index. None if
/// the history lacks both.
///
/// # References
/// Cboe, "Volatility Index Methodology: Cboe Volatility Index" (VIX), for the 30 days.
pub fn implied(history: &History, now_given_mean: impl Fn(f64, f64) -> f64) -> Option<Vec<f64>> {
    const HORIZON: f64 = 30.0 / 365.0;
    if let Some(variance) = history.values(Quantity::Variance) {
        return Some(variance.to_vec());
    }
    let volatility = history.values(Quantity::ImpliedVolatility)?.iter();
    let now = |volatility: &f64| now_given_mean(volatility * volatility, HORIZON);
    Some(volatility.map(now).collect())
}

/// Entry `t`: the mean of `values[t − days .. t]`, of what there is of it; `initial` where there is nothing.
fn last_means(values: &[f64], days: usize, initial: f64) -> Vec<f64> {
    let means = (1..=values.len()).map(|t| {
        let last = &values[t.saturating_sub(days)..t];
        last.iter().sum::<f64>() / last.len() as f64
    });
    std::iter::once(initial).chain(means).collect()
}
