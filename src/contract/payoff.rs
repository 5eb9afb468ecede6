use super::OptionKind;
use serde::Serialize;
use std::fmt;

/// The form of a payoff in the strike K and, where there are two, K′ > K.
///
/// Every form is a sum of calls and puts, so that prices and sensitivities are sums over [`Leg`]s.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Payoff {
    /// A call, which pays (S − K)⁺.
    Call,
    /// A put, which pays (K − S)⁺.
    Put,
    /// A straddle, which pays (S − K)⁺ + (K − S)⁺.
    Straddle,
    /// A strangle, which pays (K − S)⁺ + (S − K′)⁺.
    Strangle {
        /// The upper strike K′, in currency.
        upper: f64,
    },
    /// A call spread, which pays (S − K)⁺ − (S − K′)⁺.
    CallSpread {
        /// The upper strike K′, in currency.
        upper: f64,
    },
    /// A put spread, which pays (K′ − S)⁺ − (K − S)⁺.
    PutSpread {
        /// The upper strike K′, in currency.
        upper: f64,
    },
}

/// A number of calls or puts of one strike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leg {
    /// The number of options; below 0 where they are sold.
    pub quantity: f64,
    /// Whether they are calls or puts.
    pub kind: OptionKind,
    /// The strike, in currency.
    pub strike: f64,
}

impl Payoff {
    /// The calls and puts that it consists of; `strike` is K.
    #[inline(always)]
    pub fn legs(self, strike: f64) -> impl Iterator<Item = Leg> + Clone {
        use OptionKind::{Call, Put};
        let leg = |quantity, kind, strike| Leg {
            quantity,
            kind,
            strike,
        };
        let none = leg(0.0, Call, strike);
        let (legs, count) = match self {
            Self::Call => ([leg(1.0, Call, strike), none], 1),
            Self::Put => ([leg(1.0, Put, strike), none], 1),
            Self::Straddle => ([leg(1.0, Call, strike), leg(1.0, Put, strike)], 2),
            Self::Strangle { upper } => ([leg(1.0, Put, strike), leg(1.0, Call, upper)], 2),
            Self::CallSpread { upper } => ([leg(1.0, Call, strike), leg(-1.0, Call, upper)], 2),
            Self::PutSpread { upper } => ([leg(1.0, Put, upper), leg(-1.0, Put, strike)], 2),
        };
        legs.into_iter().take(count)
    }

    /// K′, if there is one.
    pub fn upper_strike(self) -> Option<f64> {
        match self {
            Self::Strangle { upper } | Self::CallSpread { upper } | Self::PutSpread { upper } => {
                Some(upper)
            }
            Self::Call | Self::Put | Self::Straddle => None,
        }
    }
}

impl From<OptionKind> for Payoff {
    fn from(kind: OptionKind) -> Self {
        match kind {
            OptionKind::Call => Self::Call,
            OptionKind::Put => Self::Put,
        }
    }
}

impl fmt::Display for Payoff {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Call => "call",
            Self::Put => "put",
            Self::Straddle => "straddle",
            Self::Strangle { .. } => "strangle",
            Self::CallSpread { .. } => "call spread",
            Self::PutSpread { .. } => "put spread",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Contract;

    /// |S − K|; zero between the strikes of a strangle; a call spread and the put spread of the same strikes pay K′ − K
    /// together.
    #[test]
    fn payoffs_are_what_their_names_say() {
        let pays = |kind: Payoff, spot: f64| {
            Contract {
                kind,
                strike: 95.0,
                expiry: 0.1,
                steps: 1,
            }
            .payoff(spot)
        };
        let upper = 105.0;
        for spot in [80.0, 95.0, 99.0, 105.0, 120.0] {
            assert_eq!(pays(Payoff::Straddle, spot), f64::abs(spot - 95.0));
            let outside = f64::max(95.0 - spot, 0.0) + f64::max(spot - upper, 0.0);
            assert_eq!(pays(Payoff::Strangle { upper }, spot), outside);
            let spreads =
                pays(Payoff::CallSpread { upper }, spot) + pays(Payoff::PutSpread { upper }, spot);
            assert_eq!(spreads, 10.0);
            assert_eq!(
                pays(Payoff::CallSpread { upper }, spot),
                (spot - 95.0).clamp(0.0, 10.0)
            );
        }
    }
}
