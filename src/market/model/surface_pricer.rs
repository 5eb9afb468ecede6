//! What models share whose paths have an implied-volatility surface.

use super::pricer::{Horizon, Pricer};
use crate::contract::OptionKind;
use crate::pricing::{BlackScholes, Greeks, MarkovVariance, SurfaceFactors};
use std::fmt;
use std::sync::Arc;

/// Black and Scholes' prices at the volatility that a surface has for strike and expiry. The surface is a function of the variance, that of an
/// option at the money over one month; it moves with the spot as moneyness is counted from the forward.
pub(super) struct SurfacePricer<F> {
    /// The surface at a variance.
    surface: F,
    left: f64,
    rate: f64,
    dividend: f64,
}

impl<F: Fn(f64) -> SurfaceFactors + Send + Sync> SurfacePricer<F> {
    pub fn new(surface: F, horizon: &Horizon) -> Self {
        Self {
            surface,
            left: horizon.left,
            rate: horizon.rate,
            dividend: horizon.dividend,
        }
    }

    fn at(&self, (kind, strike): (OptionKind, f64), spot: f64, variance: f64, left: f64) -> f64 {
        if left <= 0.0 {
            return kind.payoff(spot, strike);
        }
        let carry = (self.rate - self.dividend) * left;
        let log_moneyness = (spot / strike).ln() + carry;
        let option = BlackScholes {
            kind,
            spot,
            strike,
            expiry: left,
            rate: self.rate,
            dividend: self.dividend,
            volatility: (self.surface)(variance).volatility(log_moneyness, left),
        };
        option.price()
    }
}

impl<F: Fn(f64) -> SurfaceFactors + Send + Sync> Pricer for SurfacePricer<F> {
    fn price(&self, kind: OptionKind, strike: f64, spot: f64, variance: f64) -> f64 {
        self.at((kind, strike), spot, variance, self.left)
    }

    /// How the variance moves with the spot is left out of the minimum-variance delta, which is the delta on this surface.
    fn greeks(&self, kind: OptionKind, strike: f64, spot: f64, variance: f64) -> Greeks {
        let price = |spot, variance, left| self.at((kind, strike), spot, variance, left);
        Greeks::by_differences(price, (spot, variance, self.left), 0.0)
    }
}

/// A variance of which nothing is expected but that it stays: whoever wants to know more asks the surface.
pub(super) fn staying(variance: f64) -> MarkovVariance {
    MarkovVariance {
        now: variance,
        level: variance,
        speed: 0.0,
        stays_positive: true,
    }
}

/// What a model knows of the past or of paths, which no file of settings holds. Two are the same if they are one.
pub(super) struct Known<T>(Option<Arc<T>>);

impl<T> fmt::Debug for Known<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "known" } else { "unknown" })
    }
}

impl<T> Known<T> {
    pub fn new(what: T) -> Self {
        Self(Some(Arc::new(what)))
    }

    /// None before it was read.
    pub fn get(&self) -> Option<&T> {
        self.0.as_deref()
    }

    /// # Panics
    /// If it was not read: [`super::Model::of_past`] and [`super::Model::of_given`] come before all questions.
    pub fn expect(&self) -> &T {
        self.get()
            .expect("a market that is made of a file knows it before it is asked")
    }
}

impl<T> Clone for Known<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> PartialEq for Known<T> {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }
}
