//! What is sold, and what hedging it costs.

mod cost;
pub mod expression;
mod instrument;
mod option_kind;
mod payoff;

pub use cost::{Charge, Costs};
pub use instrument::{Instrument, Vanilla};
pub use option_kind::OptionKind;
pub use payoff::{Leg, Payoff};

use serde::Serialize;

/// A European payoff, sold at the first date of a grid and hedged at each date but the last.
///
/// # Units
/// Strike in the spot's currency; expiry in years.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Contract {
    /// The form of the payoff.
    pub kind: Payoff,
    /// The strike K, in currency; a second strike is part of the kind.
    pub strike: f64,
    /// The time from the sale to expiry, in years.
    pub expiry: f64,
    /// The number of hedging periods.
    pub steps: usize,
}

impl Contract {
    /// Length of a hedging period in years.
    pub fn dt(&self) -> f64 {
        self.expiry / self.steps as f64
    }

    /// The calls and puts that it consists of.
    #[inline(always)]
    pub fn legs(&self) -> impl Iterator<Item = Leg> + Clone {
        self.kind.legs(self.strike)
    }

    /// What the seller owes at expiry.
    #[inline(always)]
    pub fn payoff(&self, spot: f64) -> f64 {
        let legs = self.legs();
        legs.map(|leg| leg.quantity * leg.kind.payoff(spot, leg.strike))
            .sum()
    }

    /// The largest |ln(F/K)| of its strikes, where `spot` grows at `carry` over all the time that is left.
    pub fn log_moneyness(&self, spot: f64, carry: f64) -> f64 {
        let distance = |leg: Leg| ((spot / leg.strike).ln() + carry).abs();
        self.legs().map(distance).fold(0.0, f64::max)
    }
}
