use super::curve::Curve;
use super::model::{AtForwardRates, Horizon, Model, Pricer};
use super::state::MarketState;
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
    /// The interest rate per year, over the time since the sale.
    pub rate: Curve,
    /// The dividend yield per year, over the time since the sale.
    pub dividend: Curve,
}

impl Market {
    /// An option on this market's spot at its sale, `expiry` years before it expires, at a Black–Scholes volatility.
    pub fn black_scholes(&self, leg: Leg, expiry: f64, volatility: f64) -> BlackScholes {
        self.black_scholes_after(0.0, leg, expiry, volatility)
    }

    /// The same option `elapsed` years after the sale, with `left` years to its expiry.
    pub fn black_scholes_after(
        &self,
        elapsed: f64,
        leg: Leg,
        left: f64,
        volatility: f64,
    ) -> BlackScholes {
        let expiry = elapsed + left;
        BlackScholes {
            kind: leg.kind,
            spot: self.spot,
            strike: leg.strike,
            expiry: left,
            rate: self.rate.average(elapsed, expiry),
            dividend: self.dividend.average(elapsed, expiry),
            volatility,
        }
    }

    /// The growth r − q of the forward, on average from one time after the sale to another.
    pub fn carry(&self, from: f64, to: f64) -> f64 {
        self.rate.average(from, to) - self.dividend.average(from, to)
    }

    /// Whether the forward grows at the same rate at all times.
    pub fn has_constant_carry(&self) -> bool {
        self.rate.constant().is_some() && self.dividend.constant().is_some()
    }

    /// The forward of the sale for a time after it, S₀ e^{∫(r − q)}.
    pub fn forward(&self, time: f64) -> f64 {
        self.spot * (self.carry(0.0, time) * time).exp()
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

    /// What calls and puts are worth at the sale in a state of the market with a surface, each after Black and Scholes at the volatility of its strike and
    /// expiry; without a surface 0.
    pub fn price_in(&self, state: &MarketState, legs: &[Leg], expiry: f64) -> f64 {
        let Some(surface) = &state.surface else {
            return 0.0;
        };
        let carry = self.carry(0.0, expiry) * expiry;
        let price = |leg: &Leg| {
            let log_moneyness = (state.spot / leg.strike).ln() + carry;
            let volatility = surface.volatility(log_moneyness, expiry);
            let option = BlackScholes {
                spot: state.spot,
                ..self.black_scholes(*leg, expiry, volatility)
            };
            leg.quantity * option.price()
        };
        legs.iter().map(price).sum()
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
        let expiry = elapsed + left;
        let (rate, dividend) = (
            self.rate.average(elapsed, expiry),
            self.dividend.average(elapsed, expiry),
        );
        let carry = (rate - dividend) * left;
        let (mut low, mut high, mut most) = (f64::INFINITY, 0f64, 0f64);
        for (spot, variance) in states {
            (low, high) = (low.min(variance), high.max(variance));
            most = most.max(log_moneyness(legs, spot, carry));
        }
        let pricer = self.model.pricer(&Horizon {
            left,
            elapsed,
            start: self.spot,
            carried: self.carry(0.0, elapsed) * elapsed,
            rate,
            dividend,
            variances: low..=high,
            log_moneyness: most,
        });
        if self.has_constant_carry() {
            return pricer;
        }
        Box::new(AtForwardRates {
            pricer,
            rate: self.rate.forward(elapsed) - rate,
            dividend: self.dividend.forward(elapsed) - dividend,
        })
    }
}
