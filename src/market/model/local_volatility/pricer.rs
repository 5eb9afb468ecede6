//! Options under a local volatility.

use super::MOST_VARIANCE;
use crate::contract::OptionKind;
use crate::market::model::pricer::{Horizon, Pricer};
use crate::pricing::svi::SviSurface;
use crate::pricing::{BackwardCalls, Greeks};
use std::sync::{Arc, Mutex, PoisonError};

/// Calls struck at `log_strike` that expire `left` years after `elapsed`, with the local variance times `scale`.
pub(super) fn solve(
    surface: &SviSurface,
    elapsed: f64,
    left: f64,
    log_strike: f64,
    reach: f64,
    scale: f64,
) -> BackwardCalls {
    let expiry = elapsed + left;
    let total = surface.at(0.0, expiry).total;
    let between = total - surface.at(0.0, elapsed).total;
    let deviation = (scale * between.max(0.25 * total * left / expiry)).sqrt();
    BackwardCalls::new(log_strike, (elapsed, expiry), (deviation, reach), |x, t| {
        scale * surface.local_variance(x, t).min(MOST_VARIANCE)
    })
}

/// Prices by the backward equation, once for every strike.
pub(super) struct BackwardPricer<'a> {
    surface: &'a SviSurface,
    horizon: Horizon,
    /// By strike and scale of the variance.
    solved: Mutex<Vec<([u64; 2], Arc<BackwardCalls>)>>,
}

impl<'a> BackwardPricer<'a> {
    /// Prices of the options of `horizon` under a surface of the sale.
    pub(super) fn new(surface: &'a SviSurface, horizon: Horizon) -> Self {
        Self {
            surface,
            horizon,
            solved: Mutex::default(),
        }
    }

    /// The forward of the sale for now.
    fn forward(&self) -> f64 {
        self.horizon.start * self.horizon.carried.exp()
    }

    /// The forward of the sale for the expiry.
    fn forward_at_expiry(&self) -> f64 {
        let Horizon {
            start,
            carried,
            rate,
            dividend,
            left,
            ..
        } = self.horizon;
        start * (carried + (rate - dividend) * left).exp()
    }

    fn calls(&self, strike: f64, scale: f64) -> Arc<BackwardCalls> {
        let Horizon {
            left,
            elapsed,
            log_moneyness,
            ..
        } = self.horizon;
        let key = [strike, scale].map(f64::to_bits);
        let mut solved = self.solved.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, found)) = solved.iter().find(|(of, _)| *of == key) {
            return found.clone();
        }
        let log_strike = (strike / self.forward_at_expiry()).ln();
        let made = solve(
            self.surface,
            elapsed,
            left,
            log_strike,
            log_moneyness,
            scale,
        );
        let made = Arc::new(made);
        solved.push((key, made.clone()));
        made
    }

    /// The option over the discounted forward, and its derivatives in x = ln(S/F).
    fn at(&self, kind: OptionKind, strike: f64, spot: f64, scale: f64) -> (f64, [f64; 3]) {
        let left = self.horizon.left;
        let whole = self.forward_at_expiry();
        let x = (spot / self.forward()).ln();
        let call = self.calls(strike, scale).at(x);
        let spot = x.exp();
        let option = match kind {
            OptionKind::Call => call,
            OptionKind::Put => [
                call[0] - spot + strike / whole,
                call[1] - spot,
                call[2] - spot,
            ],
        };
        (whole * (-self.horizon.rate * left).exp(), option)
    }
}

impl Pricer for BackwardPricer<'_> {
    fn price(&self, kind: OptionKind, strike: f64, spot: f64, _: f64) -> f64 {
        let (scale, [value, ..]) = self.at(kind, strike, spot, 1.0);
        scale * value
    }

    /// The vega is that of a volatility by which all local volatilities move in proportion, over the one at the money. Spot and bonds
    /// hedge all there is, so the minimum-variance delta is delta.
    fn greeks(&self, kind: OptionKind, strike: f64, spot: f64, _: f64) -> Greeks {
        const SHARE: f64 = 1e-3;
        let Horizon {
            rate,
            dividend,
            left,
            elapsed,
            ..
        } = self.horizon;
        let (scale, [value, slope, curvature]) = self.at(kind, strike, spot, 1.0);
        let (_, [greater, ..]) = self.at(kind, strike, spot, (1.0 + SHARE).powi(2));
        let price = scale * value;
        let delta = scale * slope / spot;
        let gamma = scale * (curvature - slope) / (spot * spot);
        let x = (spot / self.forward()).ln();
        let variance = self.surface.local_variance(x, elapsed).min(MOST_VARIANCE);
        let expiry = elapsed + left;
        let volatility = (self.surface.at(0.0, expiry).total / expiry).sqrt();
        Greeks {
            price,
            delta,
            gamma,
            vega: scale * (greater - value) / (SHARE * volatility),
            variance_sensitivity: 0.0,
            theta: rate * price
                - (rate - dividend) * spot * delta
                - 0.5 * variance * spot * spot * gamma,
            minimum_variance_delta: delta,
        }
    }
}
