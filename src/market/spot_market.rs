use super::model::{Horizon, Model, Pricer};
use crate::contract::{Contract, Leg};
use crate::pricing::{BlackScholes, Greeks};
use serde::Serialize;

/// A market: dynamics, spot, and continuously compounded rate and dividend yield.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
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

    /// The arbitrage-free price of a contract.
    pub fn price(&self, contract: &Contract) -> f64 {
        let now = (self.spot, self.variance());
        self.pricer(contract, contract.expiry, [now].into_iter())
            .contract_price(contract, now.0, now.1)
    }

    /// The arbitrage-free price of one option of a leg.
    pub fn leg_price(&self, leg: Leg, expiry: f64) -> f64 {
        self.leg_pricer(leg, expiry)
            .price(leg.kind, leg.strike, self.spot, self.variance())
    }

    /// Price and sensitivities of a contract.
    pub fn greeks(&self, contract: &Contract) -> Greeks {
        let now = (self.spot, self.variance());
        self.pricer(contract, contract.expiry, [now].into_iter())
            .contract_greeks(contract, now.0, now.1)
    }

    /// Price and sensitivities of one option of a leg.
    pub fn leg_greeks(&self, leg: Leg, expiry: f64) -> Greeks {
        self.leg_pricer(leg, expiry)
            .greeks(leg.kind, leg.strike, self.spot, self.variance())
    }

    /// A pricer of `contract` with `left` years to expiry where spot and instantaneous variance are those of one of `states`.
    pub fn pricer(
        &self,
        contract: &Contract,
        left: f64,
        states: impl Iterator<Item = (f64, f64)>,
    ) -> Box<dyn Pricer + '_> {
        let carry = (self.rate - self.dividend) * left;
        let (mut low, mut high, mut log_moneyness) = (f64::INFINITY, 0f64, 0f64);
        for (spot, variance) in states {
            (low, high) = (low.min(variance), high.max(variance));
            log_moneyness = log_moneyness.max(contract.log_moneyness(spot, carry));
        }
        self.model.pricer(&Horizon {
            left,
            rate: self.rate,
            dividend: self.dividend,
            variances: low..=high,
            log_moneyness,
        })
    }

    fn leg_pricer(&self, leg: Leg, left: f64) -> Box<dyn Pricer + '_> {
        let carry = (self.rate - self.dividend) * left;
        let variance = self.variance();
        self.model.pricer(&Horizon {
            left,
            rate: self.rate,
            dividend: self.dividend,
            variances: variance..=variance,
            log_moneyness: ((self.spot / leg.strike).ln() + carry).abs(),
        })
    }
}
