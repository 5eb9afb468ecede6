//! Cash-or-nothing options.

use super::{LognormalAsset, Pays, Valuation};
use crate::contract::OptionKind;

/// A cash-or-nothing option: pays `cash` at expiry if the option of that kind and strike ends in the money,
///
/// ```text
/// V = cash e^{−rT} Φ(φ d₂)
/// ```
///
/// # References
///
/// M. Rubinstein and E. Reiner (1991), "Unscrambling the binary code", Risk 4(9).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Digital {
    /// The asset until expiry.
    pub asset: LognormalAsset,
    /// Whether it pays above (call) or below (put) the strike.
    pub kind: OptionKind,
    /// The strike, in currency.
    pub strike: f64,
    /// What it pays, in currency.
    pub cash: f64,
}

impl Digital {
    /// Price, delta and gamma.
    pub fn valuation(&self) -> Valuation {
        let side = self.kind.sign();
        self.cash * self.asset.binary(Pays::Cash, self.strike, side)
    }
}
