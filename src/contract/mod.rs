//! What is sold, and what hedging it costs.

use serde::{Deserialize, Serialize};

/// Call or put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptionKind {
    Call,
    Put,
}

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
    pub fn payoff(&self, spot: f64) -> f64 {
        match self.kind {
            OptionKind::Call => (spot - self.strike).max(0.0),
            OptionKind::Put => (self.strike - spot).max(0.0),
        }
    }
}

/// Proportional transaction costs: every trade pays `proportional` times its value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Costs {
    pub proportional: f64,
    /// Whether closing the position at expiry pays too.
    pub liquidation: bool,
}
