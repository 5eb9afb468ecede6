//! Options by Fourier transform, for all models with Heston's variance or a constant one, with or without jumps.

use super::pricer::{Horizon, Pricer};
use crate::contract::OptionKind;
use crate::pricing::Greeks;
use crate::pricing::heston::HestonTransform;

/// What the integrals of a table's prices may leave out, over the strike.
pub(super) const TABLE_TAIL: f64 = 1e-7;

/// Undiscounted calls over their strike for every ln(F/K) in `x`, by one transform; the intrinsic value beyond `far`.
pub(super) fn transform_calls(
    transform: &HestonTransform,
    variance: f64,
    x: &[f64],
    far: f64,
) -> Vec<f64> {
    let within: Vec<f64> = x
        .iter()
        .filter(|x| x.abs() <= far)
        .map(|x| (-x).exp())
        .collect();
    let kind = OptionKind::Call;
    let mut prices = transform
        .prices(kind, 1.0, variance, &within, 0.0, 0.0)
        .into_iter();
    x.iter()
        .map(|x| match x.abs() <= far {
            true => x.exp() * prices.next().unwrap_or(0.0),
            false => x.exp_m1().max(0.0),
        })
        .collect()
}

/// One characteristic function for all states of a date, one integral for each.
pub(super) struct TransformPricer {
    transform: HestonTransform,
    rate: f64,
    dividend: f64,
    /// What jumps add to the variance of a state.
    jump_variance: f64,
}

impl TransformPricer {
    /// Prices of the options of `horizon`, in whose variances those of jumps are contained.
    pub(super) fn new(transform: HestonTransform, horizon: &Horizon, jump_variance: f64) -> Self {
        Self {
            transform,
            rate: horizon.rate,
            dividend: horizon.dividend,
            jump_variance,
        }
    }

    /// The variance of the diffusion alone.
    fn diffusive(&self, variance: f64) -> f64 {
        (variance - self.jump_variance).max(0.0)
    }
}

impl Pricer for TransformPricer {
    fn price(&self, kind: OptionKind, strike: f64, spot: f64, variance: f64) -> f64 {
        let (rate, dividend) = (self.rate, self.dividend);
        let variance = self.diffusive(variance);
        self.transform
            .prices(kind, spot, variance, &[strike], rate, dividend)[0]
    }

    fn greeks(&self, kind: OptionKind, strike: f64, spot: f64, variance: f64) -> Greeks {
        let (rate, dividend) = (self.rate, self.dividend);
        let variance = self.diffusive(variance);
        self.transform
            .greeks(kind, spot, variance, strike, rate, dividend)
    }
}
