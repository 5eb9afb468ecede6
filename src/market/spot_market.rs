use super::model::{Horizon, Model, Pricer};
use crate::contract::Leg;
use crate::contract::options::log_moneyness;
use crate::pricing::{BlackScholes, Greeks};
use serde::Serialize;

/// A market: dynamics, spot, and continuously compounded rate and dividend yield.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Market {
    /// The dynamics of the spot.
    pub model: Model,
    /// The spot at the start, in currency.
    pub spot: f64,
    /// The interest rate per year.
    pub rate: f64,
    /// The dividend yield per year.
    pub dividend: f64,
}

impl Market {
    /// An option on this market's spot at a Black–Scholes volatility.
    pub fn black_scholes(&self, leg: Leg, expiry: f64, volatility: f64) -> BlackScholes {
        BlackScholes {
            kind: leg.kind,
            spot: self.spot,
            strike: leg.strike,
            expiry,
            rate: self.rate,
            dividend: self.dividend,
            volatility,
        }
    }

    /// The instantaneous variance at the start.
    fn variance(&self) -> f64 {
        self.model.variance_process().now()
    }

    /// The arbitrage-free price of calls and puts, `expiry` years before they expire.
    pub fn price(&self, legs: &[Leg], expiry: f64) -> f64 {
        let now = (self.spot, self.variance());
        self.pricer(legs, expiry, [now].into_iter())
            .price_of(legs, now.0, now.1)
    }

    /// The standard error of [`Self::price`]: 0 unless the model simulates it.
    pub fn standard_error(&self, legs: &[Leg], expiry: f64) -> f64 {
        let now = (self.spot, self.variance());
        self.pricer(legs, expiry, [now].into_iter())
            .standard_error_of(legs, now.0, now.1)
    }

    /// Price and sensitivities of calls and puts, `expiry` years before they expire.
    pub fn greeks(&self, legs: &[Leg], expiry: f64) -> Greeks {
        let now = (self.spot, self.variance());
        self.pricer(legs, expiry, [now].into_iter())
            .greeks_of(legs, now.0, now.1)
    }

    /// A pricer of `legs` at the sale, with `left` years to expiry, where spot and instantaneous variance are those of one of
    /// `states`.
    pub fn pricer(
        &self,
        legs: &[Leg],
        left: f64,
        states: impl Iterator<Item = (f64, f64)>,
    ) -> Box<dyn Pricer + '_> {
        self.pricer_after(0.0, legs, left, states)
    }

    /// The same `elapsed` years after the sale, which was at this market's spot.
    pub fn pricer_after(
        &self,
        elapsed: f64,
        legs: &[Leg],
        left: f64,
        states: impl Iterator<Item = (f64, f64)>,
    ) -> Box<dyn Pricer + '_> {
        let carry = (self.rate - self.dividend) * left;
        let (mut low, mut high, mut most) = (f64::INFINITY, 0f64, 0f64);
        for (spot, variance) in states {
            (low, high) = (low.min(variance), high.max(variance));
            most = most.max(log_moneyness(legs, spot, carry));
        }
        self.model.pricer(&Horizon {
            left,
            elapsed,
            start: self.spot,
            rate: self.rate,
            dividend: self.dividend,
            variances: low..=high,
            log_moneyness: most,
        })
    }
}
