use super::{At, Cost, sign};
use crate::simd::Real;
use serde::Serialize;

/// A share of an option's vega, as desks quote options in volatility with half of a spread of c to either side,
///
/// C(x) = |x| c |∂P/∂σ|
///
/// # Units
/// c in volatility: 0.005 is half a volatility point.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct VegaShare {
    /// Half of the spread c in volatility.
    pub share: f64,
}

impl Cost for VegaShare {
    const FREE: Self = Self { share: 0.0 };

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
        R::of(self.share) * at.vega.abs()
    }

    fn asks_of_options(self) -> bool {
        self.share != 0.0
    }
}
