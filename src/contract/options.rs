//! Sums of calls and puts.

use super::OptionKind::{self, Call, Put};
use serde::Serialize;

/// A number of calls or puts of one strike.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Leg {
    /// The number of options; below 0 where they are sold.
    pub quantity: f64,
    /// Whether they are calls or puts.
    pub kind: OptionKind,
    /// The strike, in currency.
    pub strike: f64,
}

impl Leg {
    /// One option.
    pub const fn one(kind: OptionKind, strike: f64) -> Self {
        Self {
            quantity: 1.0,
            kind,
            strike,
        }
    }

    /// The same options on the other side of the trade.
    #[must_use]
    pub const fn sold(self) -> Self {
        Self {
            quantity: -self.quantity,
            ..self
        }
    }
}

/// A call and a put of one strike, which pay |S − K|.
pub fn straddle(strike: f64) -> Vec<Leg> {
    vec![Leg::one(Call, strike), Leg::one(Put, strike)]
}

/// A put and a call of a higher strike K′, which pay (K − S)⁺ + (S − K′)⁺.
pub fn strangle(strike: f64, upper: f64) -> Vec<Leg> {
    vec![Leg::one(Put, strike), Leg::one(Call, upper)]
}

/// A call less a call of a higher strike K′, which pay (S − K)⁺ − (S − K′)⁺.
pub fn call_spread(strike: f64, upper: f64) -> Vec<Leg> {
    vec![Leg::one(Call, strike), Leg::one(Call, upper).sold()]
}

/// A put of the higher strike K′ less a put of the lower one, which pay (K′ − S)⁺ − (K − S)⁺.
pub fn put_spread(strike: f64, upper: f64) -> Vec<Leg> {
    vec![Leg::one(Put, upper), Leg::one(Put, strike).sold()]
}

/// What options pay at expiry, in currency.
#[inline(always)]
pub fn payoff(legs: &[Leg], spot: f64) -> f64 {
    let pays = |leg: &Leg| leg.quantity * leg.kind.payoff(spot, leg.strike);
    legs.iter().map(pays).sum()
}

/// The largest |ln(F/K)| of the strikes, where `spot` grows at `carry` over all the time that is left.
pub fn log_moneyness(legs: &[Leg], spot: f64, carry: f64) -> f64 {
    let distance = |leg: &Leg| ((spot / leg.strike).ln() + carry).abs();
    legs.iter().map(distance).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// |S − K|; zero between the strikes of a strangle; a call spread and the put spread of the same strikes pay K′ − K
    /// together.
    #[test]
    fn payoffs_are_what_their_names_say() {
        for spot in [80.0, 95.0, 99.0, 105.0, 120.0] {
            assert_eq!(payoff(&straddle(95.0), spot), f64::abs(spot - 95.0));
            let outside = f64::max(95.0 - spot, 0.0) + f64::max(spot - 105.0, 0.0);
            assert_eq!(payoff(&strangle(95.0, 105.0), spot), outside);
            let call = payoff(&call_spread(95.0, 105.0), spot);
            assert_eq!(call + payoff(&put_spread(95.0, 105.0), spot), 10.0);
            assert_eq!(call, (spot - 95.0).clamp(0.0, 10.0));
        }
    }
}
