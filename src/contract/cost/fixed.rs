use super::{At, Cost, sign};
use crate::simd::Real;
use serde::Serialize;

/// What every trade costs, whatever its size,
///
/// C(x) = F |x|/(|x| + w),   C(0) = 0
///
/// With the width w = 0 that is F for every trade that is not 0. Then nothing is to be learned from the slope, which is 0 wherever it
/// exists; with w > 0 small trades pay a slope of F/w, and large ones nearly F and no slope.
///
/// It is concave in |x| away from 0, so it is no convex cost.
///
/// # Units
/// F in currency a trade, w in units of the instrument.
///
/// # References
/// D. Geman and G. Reynolds (1992), "Constrained restoration and the recovery of discontinuities", IEEE Transactions on Pattern
/// Analysis and Machine Intelligence 14: the relaxation of a jump, their φ of the absolute value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Fixed {
    /// The cost F of a trade.
    pub amount: f64,
    /// The width w over which the jump at 0 is smoothed.
    pub width: f64,
}

impl Fixed {
    /// An exact fixed cost, in currency a trade.
    pub const fn exact(amount: f64) -> Self {
        Self { amount, width: 0.0 }
    }
}

impl Cost for Fixed {
    const FREE: Self = Self::exact(0.0);
    const PRICE_ALONE: bool = true;

    #[inline(always)]
    fn cost<R: Real>(self, trade: R, _: &At<R>) -> R {
        let size = trade.abs();
        if size > R::ZERO {
            R::of(self.amount) * (size / (size + R::of(self.width)))
        } else {
            R::ZERO
        }
    }

    #[inline(always)]
    fn slope<R: Real>(self, trade: R, _: &At<R>) -> R {
        let (size, width) = (trade.abs(), R::of(self.width));
        if size > R::ZERO {
            let reach = size + width;
            // The quotients are at most 1, so that small trades of single precision lose nothing.
            sign(trade) * (R::of(self.amount) * (width / reach) / reach)
        } else {
            R::ZERO
        }
    }

    fn of_book(self, contracts: f64) -> Self {
        Self {
            amount: self.amount / contracts,
            ..self
        }
    }

    fn smoothed(self, width: f64) -> Self {
        // Without an amount there is nothing to smooth, and the charge stays the plain one that it is.
        let width = if self.amount == 0.0 { 0.0 } else { width };
        Self { width, ..self }
    }
}
