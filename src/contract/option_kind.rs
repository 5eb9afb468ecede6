use crate::error::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The right to buy (call) or to sell (put).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OptionKind {
    /// The right to buy.
    Call,
    /// The right to sell.
    Put,
}

impl OptionKind {
    /// `+1` for a call and `−1` for a put, so that both payoffs read `max(φ·(S − K), 0)`.
    pub const fn sign(self) -> f64 {
        match self {
            Self::Call => 1.0,
            Self::Put => -1.0,
        }
    }

    /// The payoff at expiry, `max(φ·(spot − strike), 0)`.
    ///
    /// # Units
    ///
    /// The currency of `spot` and `strike`.
    #[inline(always)]
    pub fn payoff(self, spot: f64, strike: f64) -> f64 {
        (self.sign() * (spot - strike)).max(0.0)
    }
}

impl fmt::Display for OptionKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Call => "call",
            Self::Put => "put",
        })
    }
}

impl FromStr for OptionKind {
    type Err = Error;

    /// Reads `call` or `put`.
    ///
    /// # Errors
    ///
    /// [`Error::Input`] for any other word.
    fn from_str(word: &str) -> Result<Self> {
        match word {
            "call" => Ok(Self::Call),
            "put" => Ok(Self::Put),
            _ => Err(Error::input(format!(
                "option kind must be \"call\" or \"put\", was {word:?}"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_written_form_reads_back() {
        for kind in [OptionKind::Call, OptionKind::Put] {
            assert_eq!(kind.to_string().parse::<OptionKind>().unwrap(), kind);
            assert_eq!(
                serde_json::to_string(&kind).unwrap(),
                format!("\"{kind}\""),
                "serde and Display must agree"
            );
        }
        let error = "straddle".parse::<OptionKind>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "option kind must be \"call\" or \"put\", was \"straddle\""
        );
    }

    /// Put–call parity at expiry: `(S − K)⁺ − (K − S)⁺ = S − K`.
    #[test]
    fn payoffs_obey_parity() {
        for spot in [80.0, 100.0, 125.0] {
            let (call, put) = (OptionKind::Call, OptionKind::Put);
            assert_eq!(
                call.payoff(spot, 100.0) - put.payoff(spot, 100.0),
                spot - 100.0
            );
        }
    }
}
