//! Between lanes and tensors, for the references of sweeps.

use super::features::Features;
use crate::error::Result;
use crate::market::Paths;
use crate::simd::{BLOCK, Dates, Lane, Real};
use candle_core::{Device, Tensor, WithDType};
use std::ops::Range;

/// Where the tensors are.
pub const DEVICE: Device = Device::Cpu;

/// The `count` features of every date that the paths give, each `[B, count]`; B counts whole blocks.
pub fn feature_tensors<R: Real + WithDType>(
    features: &Features,
    paths: &Paths<R>,
    count: usize,
) -> Result<Vec<Tensor>> {
    let steps = paths.steps();
    let mut rows = vec![[R::ZERO; BLOCK]; paths.blocks() * steps * count];
    for (index, out) in rows.chunks_exact_mut(count).enumerate() {
        features.write::<R, false>(&paths.block(index / steps), index % steps, out);
    }
    let dates = from_lanes(&rows, steps, count)?;
    (0..steps).map(|t| Ok(dates.get(t)?)).collect()
}

/// Lanes `[blocks][steps][rows][BLOCK]` as a tensor `[T, B, rows]`.
pub fn from_lanes<R: Real + WithDType>(
    lanes: &[Lane<R>],
    steps: usize,
    rows: usize,
) -> Result<Tensor> {
    let blocks = lanes.len() / (steps * rows);
    let shape = (blocks, steps, rows, BLOCK);
    Ok(Tensor::from_slice(lanes.as_flattened(), shape, &DEVICE)?
        .permute((1, 0, 3, 2))?
        .reshape((steps, blocks * BLOCK, rows))?)
}

/// A tensor `[T, B, rows]` as lanes `[blocks][steps][rows][BLOCK]`.
pub fn to_lanes<R: Real + WithDType>(tensor: &Tensor) -> Result<Vec<Lane<R>>> {
    let (steps, count, rows) = tensor.dims3()?;
    let values = tensor
        .reshape((steps, count / BLOCK, BLOCK, rows))?
        .permute((1, 0, 3, 2))?
        .flatten_all()?
        .to_vec1::<R>()?;
    Ok(values.as_chunks::<BLOCK>().0.to_vec())
}

/// Writes those dates of a tensor `[T, B, rows]`, counted through one block after another, that `own` says into `dates`.
pub fn fill<R: Real + WithDType>(
    dates: &mut Dates<R>,
    tensor: &Tensor,
    own: Range<usize>,
) -> Result<()> {
    let lanes = to_lanes(tensor)?;
    let all = lanes.chunks_exact(dates.rows());
    for (t, rows) in all.skip(own.start).take(own.len()).enumerate() {
        dates.at_mut(t).copy_from_slice(rows);
    }
    Ok(())
}
