//! Rectified linear units.

use crate::error::Result;
use crate::simd::{BLOCK, Lane, Real};
use candle_core::Tensor;

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

/// max(s, 0) in tensor operations, with the slope 0 at s = 0 that the other has; candle's own has the slope 1 there, and units all of
/// whose inputs are 0 begin at just that place.
pub(super) fn rectified_tensor(sum: &Tensor) -> Result<Tensor> {
    Ok((sum * sum.gt(0.0)?.to_dtype(sum.dtype())?)?)
}
