use super::{At, Cost, sign};
use crate::simd::Real;
use serde::Serialize;

/// A share of the traded value, and half of the spread between bid and ask for every unit traded,
///
/// C(x) = |x| (c p + h)
///
/// for a trade of x units at the price p.
///
/// # Units
/// c is a fraction, h in currency per unit, costs in currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Linear {
    /// The share c of the traded value.
    pub proportional: f64,
    /// Half of the spread between bid and ask, h.
    pub half_spread: f64,
}

impl Cost for Linear {
    const FREE: Self = Self {
        proportional: 0.0,
        half_spread: 0.0,
    };
    const PRICE_ALONE: bool = true;

    #[inline(always)]
    fn cost<R: Real>(self, trade: R, at: &At<R>) -> R {
        trade.abs() * self.of_unit(at)
    }

    #[inline(always)]
    fn slope<R: Real>(self, trade: R, at: &At<R>) -> R {
        sign(trade) * self.of_unit(at)
    }

    #[inline(always)]
    fn of_unit<R: Real>(self, at: &At<R>) -> R {
        R::of(self.proportional) * at.price + R::of(self.half_spread)
    }
}
