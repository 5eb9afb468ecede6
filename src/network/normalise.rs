//! Layer normalisation of the units of one date, lane by lane.

use super::dated::Reach;
use crate::error::Result;
use crate::simd::{BLOCK, Dates, Lane, Real, multiply_add};
use candle_core::Tensor;

/// ε of ĥ = (h − mean h)/√(var h + ε), as in PyTorch.
pub(super) const EPSILON: f64 = 1e-5;

/// Memory for 1/√(var h + ε) of so many layers on every date, or where there is no way back on one at a time; no rows where nothing is
/// normalised.
pub(super) fn scales<R: Real>(
    normalised: bool,
    (steps, back): (usize, bool),
    layers: usize,
) -> Dates<R> {
    let reach = if back { Reach::All } else { Reach::Own };
    match normalised {
        true => reach.room(steps, layers),
        false => Dates::zeros(0, 0),
    }
}

/// Turns h of all units into ĥ; gives 1/√(var h + ε).
#[inline(always)]
pub(super) fn normalise<R: Real, const FMA: bool>(units: &mut [Lane<R>]) -> Lane<R> {
    let share = R::of(1.0 / units.len() as f64);
    let mut mean = [R::ZERO; BLOCK];
    for unit in units.iter() {
        for lane in 0..BLOCK {
            mean[lane] = multiply_add::<R, FMA>(share, unit[lane], mean[lane]);
        }
    }
    let mut variance = [R::ZERO; BLOCK];
    for unit in units.iter_mut() {
        for lane in 0..BLOCK {
            unit[lane] -= mean[lane];
            variance[lane] = multiply_add::<R, FMA>(share * unit[lane], unit[lane], variance[lane]);
        }
    }
    let scale = variance.map(|v| R::ONE / (v + R::of(EPSILON)).sqrt());
    for unit in units.iter_mut() {
        for lane in 0..BLOCK {
            unit[lane] *= scale[lane];
        }
    }
    scale
}

/// Turns ∂z/∂ĥ into ∂z/∂h = s (∂ − mean ∂ − ĥ mean(∂ ĥ)), s = 1/√(var h + ε).
#[inline(always)]
pub(super) fn differentiate<R: Real, const FMA: bool>(
    gradient: &mut [Lane<R>],
    normalised: &[Lane<R>],
    scale: Lane<R>,
) {
    let share = R::of(1.0 / gradient.len() as f64);
    let (mut mean, mut along) = ([R::ZERO; BLOCK], [R::ZERO; BLOCK]);
    for (gradient, unit) in gradient.iter().zip(normalised) {
        for lane in 0..BLOCK {
            mean[lane] = multiply_add::<R, FMA>(share, gradient[lane], mean[lane]);
            along[lane] = multiply_add::<R, FMA>(share * gradient[lane], unit[lane], along[lane]);
        }
    }
    for (gradient, unit) in gradient.iter_mut().zip(normalised) {
        for lane in 0..BLOCK {
            let rest = gradient[lane] - mean[lane] - unit[lane] * along[lane];
            gradient[lane] = scale[lane] * rest;
        }
    }
}

/// (h − mean h)/√(var h + ε) over the units of every path: the same in tensor operations.
///
/// # Shapes
/// `[B, units]`.
pub(super) fn tensor(units: &Tensor) -> Result<Tensor> {
    let centred = units.broadcast_sub(&units.mean_keepdim(1)?)?;
    let variance = centred.sqr()?.mean_keepdim(1)?;
    Ok(centred.broadcast_div(&(variance + EPSILON)?.sqrt()?)?)
}
