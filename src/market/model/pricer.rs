use crate::contract::{Leg, OptionKind};
use crate::pricing::Greeks;
use std::ops::RangeInclusive;

/// What prices are asked for: options that expire together, in states of the market on one date.
///
/// # Units
/// `left` in years; rates per year, continuously compounded; variances annualised.
#[derive(Debug, Clone, PartialEq)]
pub struct Horizon {
    /// The time until expiry.
    pub left: f64,
    /// The time since the sale, when the parameters of the model were those of now.
    pub elapsed: f64,
    /// The spot at the sale, in currency.
    pub start: f64,
    /// The interest rate.
    pub rate: f64,
    /// The dividend yield.
    pub dividend: f64,
    /// The instantaneous variances that will be asked for.
    pub variances: RangeInclusive<f64>,
    /// The largest |ln(F/K)| that will be asked for.
    pub log_moneyness: f64,
}

/// Prices options of one horizon in any state of the market, spot and variance: by a closed form or by whatever else the
/// model has.
///
/// # Units
/// Spot and strike in currency; variances annualised.
pub trait Pricer: Send + Sync {
    /// The price of one option.
    fn price(&self, kind: OptionKind, strike: f64, spot: f64, variance: f64) -> f64;

    /// The price of one option and its sensitivities.
    fn greeks(&self, kind: OptionKind, strike: f64, spot: f64, variance: f64) -> Greeks;

    /// The price of calls and puts together.
    fn price_of(&self, legs: &[Leg], spot: f64, variance: f64) -> f64 {
        let price = |leg: &Leg| leg.quantity * self.price(leg.kind, leg.strike, spot, variance);
        legs.iter().map(price).sum()
    }

    /// The price of calls and puts together and its sensitivities.
    fn greeks_of(&self, legs: &[Leg], spot: f64, variance: f64) -> Greeks {
        let mut sum = Greeks::default();
        for leg in legs {
            let one = self.greeks(leg.kind, leg.strike, spot, variance);
            sum.add(leg.quantity, &one);
        }
        sum
    }
}
