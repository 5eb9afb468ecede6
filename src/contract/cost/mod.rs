//! What trading costs: one formula for who settles, who keeps the account and who differentiates.
//!
//! Each kind of cost is a file with its formula C and slope ∂C/∂x, and a line in [`costs!`]. They add up.

mod fixed;
mod linear;
mod option_spread;
mod quadratic;
mod square_root;
#[cfg(test)]
mod tests;
mod vega;

pub use fixed::Fixed;
pub use linear::Linear;
pub use option_spread::OptionSpread;
pub use quadratic::Quadratic;
pub use square_root::SquareRoot;
pub use vega::VegaShare;

use crate::simd::Real;
use serde::Serialize;

/// What the cost of a trade depends on beside its size: the state of the instrument at the date of the trade.
///
/// # Units
/// Price in currency, volatility annualised, vega in currency per 1 of volatility, time in years. For an instrument that is no
/// option vega, moneyness and root of the time are 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct At<R> {
    /// The price p of one unit.
    pub price: R,
    /// The volatility σ of its asset at the date.
    pub volatility: R,
    /// The vega of an option, ∂P/∂σ.
    pub vega: R,
    /// How far an option is from the money, |ln(K/F)|/(σ √τ).
    pub moneyness: R,
    /// The root √τ of an option's time to expiry.
    pub root_time: R,
    /// What a charge is multiplied by on the date, usually 1.
    pub factor: R,
}

impl<R: Real> At<R> {
    /// A price of which nothing else is known: what depends on volatility, vega or time to expiry is then free.
    #[inline(always)]
    pub fn priced(price: R) -> Self {
        Self {
            price,
            volatility: R::ZERO,
            vega: R::ZERO,
            moneyness: R::ZERO,
            root_time: R::ZERO,
            factor: R::ONE,
        }
    }
}

/// One kind of cost of a trade of x units, a function C(x) that is even, 0 at 0 and never falls with |x|.
pub trait Cost: Copy + PartialEq {
    /// The cost that is 0 for every trade.
    const FREE: Self;

    /// Whether it depends on the size and the price alone, so that nobody needs to look up the rest of [`At`].
    const PRICE_ALONE: bool = false;

    /// The cost C(x) of a trade of x units, at least 0, in currency.
    fn cost<R: Real>(self, trade: R, at: &At<R>) -> R;

    /// ∂C/∂x, what a unit more costs; where x = 0 the subgradient 0.
    fn slope<R: Real>(self, trade: R, at: &At<R>) -> R;

    /// The slope at 0 from above of a cost that is linear in |x|: what the first unit costs. Nothing for any other cost, whose share
    /// of a small trade is no number.
    fn of_unit<R: Real>(self, at: &At<R>) -> R {
        let _ = at;
        R::ZERO
    }

    /// The cost of one contract in a book of n contracts that are hedged alike, C(n x)/n.
    #[must_use]
    fn of_book(self, contracts: f64) -> Self {
        let _ = contracts;
        self
    }

    /// The cost as training sees it, which smooths a jump over `width` units; with width 0, and for a cost without a jump, the cost
    /// itself.
    #[must_use]
    fn smoothed(self, width: f64) -> Self {
        let _ = width;
        self
    }

    /// Whether it depends on vega, moneyness or time to expiry of an option.
    fn asks_of_options(self) -> bool {
        false
    }
}

/// Lists the kinds of costs that a [`Charge`] is the sum of.
macro_rules! costs {
    ($($(#[$help:meta])* $field:ident: $kind:ty,)+) => {
        /// What trading an instrument costs: the sum of all kinds of costs,
        ///
        /// C(x) = |x| (c p + h) + F 1{x ≠ 0} + η p x² + Y σ p |x| √(|x|/V) + …
        ///
        /// for a trade of x units at the price p, times the factor of the date. Each kind has its formula at its type.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
        pub struct Charge {
            $($(#[$help])* pub $field: $kind,)+
        }

        impl Cost for Charge {
            const FREE: Self = Self { $($field: <$kind>::FREE,)+ };

            #[inline(always)]
            fn cost<R: Real>(self, trade: R, at: &At<R>) -> R {
                at.factor * (R::ZERO $(+ self.$field.cost(trade, at))+)
            }

            #[inline(always)]
            fn slope<R: Real>(self, trade: R, at: &At<R>) -> R {
                at.factor * (R::ZERO $(+ self.$field.slope(trade, at))+)
            }

            #[inline(always)]
            fn of_unit<R: Real>(self, at: &At<R>) -> R {
                R::ZERO $(+ self.$field.of_unit(at))+
            }

            fn of_book(self, contracts: f64) -> Self {
                Self { $($field: self.$field.of_book(contracts),)+ }
            }

            fn smoothed(self, width: f64) -> Self {
                Self { $($field: self.$field.smoothed(width),)+ }
            }

            fn asks_of_options(self) -> bool {
                false $(|| self.$field.asks_of_options())+
            }
        }

        #[cfg(test)]
        impl Charge {
            /// The charge in parts, each of which has one kind of cost alone.
            pub(crate) fn parts(self) -> Vec<Self> {
                vec![$(Self { $field: self.$field, ..Self::default() },)+]
            }
        }
    };
}

costs! {
    /// A share of the traded value, and half of the spread between bid and ask.
    linear: Linear,
    /// What every trade costs, whatever its size.
    fixed: Fixed,
    /// An impact that is linear in the trade.
    quadratic: Quadratic,
    /// An impact that grows with the root of the trade.
    square_root: SquareRoot,
    /// A share of an option's vega.
    vega: VegaShare,
    /// A spread of options that grows away from the money and with the time to expiry.
    option_spread: OptionSpread,
}

impl Charge {
    /// A share of the traded value and half of a spread in currency per unit.
    pub const fn linear(proportional: f64, half_spread: f64) -> Self {
        Self {
            linear: Linear {
                proportional,
                half_spread,
            },
            ..Self::FREE
        }
    }

    /// Whether no trade costs anything.
    pub fn is_free(self) -> bool {
        self == Self::FREE
    }

    /// Its linear part where there is no other: the quick way to the same costs.
    #[inline(always)]
    pub fn plain(self) -> Option<Linear> {
        let alone = Self {
            linear: self.linear,
            ..Self::FREE
        };
        (self == alone).then_some(self.linear)
    }
}

impl From<f64> for Charge {
    /// A proportional cost without a spread.
    fn from(proportional: f64) -> Self {
        Self::linear(proportional, 0.0)
    }
}

/// Transaction costs of the spot, and of closing at expiry.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Costs {
    /// What trading the spot costs.
    pub spot: Charge,
    /// Whether closing the position at expiry pays too.
    pub liquidation: bool,
}

/// The sign of a number, 0 at 0.
#[inline(always)]
fn sign<R: Real>(x: R) -> R {
    if x > R::ZERO {
        R::ONE
    } else if x < R::ZERO {
        -R::ONE
    } else {
        R::ZERO
    }
}
