//! Rectified linear units.

use crate::simd::{BLOCK, Lane, Real};

/// max(s, 0).
#[inline(always)]
pub(super) fn rectified<R: Real>(mut sum: Lane<R>) -> Lane<R> {
    for lane in 0..BLOCK {
        sum[lane] = sum[lane].greater(R::ZERO);
    }
    sum
}

/// ∂z/∂s from ∂z/∂max(s, 0), 0 at s = 0.
#[inline(always)]
pub(super) fn through_rectified<R: Real>(sum: Lane<R>, mut above: Lane<R>) -> Lane<R> {
    for lane in 0..BLOCK {
        above[lane] = if sum[lane] > R::ZERO {
            above[lane]
        } else {
            R::ZERO
        };
    }
    above
}
