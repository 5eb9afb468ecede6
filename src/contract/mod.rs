//! What is sold, and what hedging it costs.

mod instrument;
mod option_kind;

pub use instrument::Instrument;
pub use option_kind::OptionKind;

use serde::Serialize;

/// A European option, sold at the first date of a grid and hedged at each date but the last.
///
/// # Units
/// Strike in the spot's currency; expiry in years.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Contract {
    pub kind: OptionKind,
    pub strike: f64,
    pub expiry: f64,
    /// Number of hedging periods.
    pub steps: usize,
}

impl Contract {
    /// Length of a hedging period in years.
    pub fn dt(&self) -> f64 {
        self.expiry / self.steps as f64
    }

    /// max(S − K, 0) for a call, max(K − S, 0) for a put.
    #[inline(always)]
    pub fn payoff(&self, spot: f64) -> f64 {
        self.kind.payoff(spot, self.strike)
    }
}

/// Proportional transaction costs: every trade pays `proportional` times its value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Costs {
    pub proportional: f64,
    /// Whether closing the position at expiry pays too.
    pub liquidation: bool,
}
