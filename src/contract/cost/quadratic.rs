use super::{At, Cost};
use crate::simd::Real;
use serde::Serialize;

/// A temporary impact that is linear in the trade: x units at once move the price against who trades them by the share η x,
///
/// C(x) = η p x²
///
/// # Units
/// η is a share of the price per unit traded.
///
/// # References
/// R. Almgren and N. Chriss (2001), "Optimal execution of portfolio transactions", Journal of Risk 3, section 1.3, where the
/// temporary impact h(v) = ε sgn v + η̃ v of trading n units in a time τ is paid on n of them: ε is the half-spread, and η p = η̃/τ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Quadratic {
    /// The share η of the price by which one unit moves it.
    pub share: f64,
}

impl Cost for Quadratic {
    const FREE: Self = Self { share: 0.0 };
    const PRICE_ALONE: bool = true;

    #[inline(always)]
    fn cost<R: Real>(self, trade: R, at: &At<R>) -> R {
        R::of(self.share) * at.price * (trade * trade)
    }

    #[inline(always)]
    fn slope<R: Real>(self, trade: R, at: &At<R>) -> R {
        R::of(2.0 * self.share) * at.price * trade
    }

    fn of_book(self, contracts: f64) -> Self {
        Self {
            share: self.share * contracts,
        }
    }
}
