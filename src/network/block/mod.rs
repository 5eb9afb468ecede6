//! The fused sweep: a block of paths goes through all dates, forward and backward, while it stays in
//! a core's cache.

mod backward;
mod forward;
mod normalise;
mod weights;
mod workspace;

use super::features::Features;
use super::parameters::{Parameters, Shape};
use super::record::Record;
use super::{Seed, Sweep};
use crate::error::Result;
use crate::market::{PathBlock, Paths};
use crate::simd::{BLOCK, Lane, Real, dispatch};
use backward::BackwardBlock;
use faer::Mat;
use forward::ForwardBlock;
pub(super) use normalise::EPSILON;
use rayon::prelude::*;
use std::sync::Mutex;
use weights::Weights;
use workspace::Workspace;

/// Fewest blocks whose gradients are summed by one thread before they are added to the others.
const CHUNK: usize = 4;

/// Most such sums; bounds their memory, and as it is fixed, the result is that of any number of threads.
const SUMS: usize = 256;

/// The sweep on the processor's vector units, in blocks of paths on all threads.
#[derive(Debug, Default)]
pub struct BlockSweep<R> {
    /// Buffers of finished chunks, to be used again.
    spare: Mutex<Vec<Workspace<R>>>,
}

impl<R: Real> BlockSweep<R> {
    pub fn new() -> Self {
        Self {
            spare: Mutex::new(Vec::new()),
        }
    }

    fn with_workspace<T>(
        &self,
        shape: Shape,
        steps: usize,
        work: impl FnOnce(&mut Workspace<R>) -> T,
    ) -> T {
        let spare = self
            .spare
            .lock()
            .expect("no thread panics with the lock")
            .pop();
        let mut workspace = match spare {
            Some(workspace) if workspace.fits(shape, steps) => workspace,
            _ => Workspace::new(shape, steps),
        };
        let result = work(&mut workspace);
        self.spare
            .lock()
            .expect("no thread panics with the lock")
            .push(workspace);
        result
    }
}

impl<R: Real> Sweep<R> for BlockSweep<R> {
    fn forward(
        &self,
        parameters: &Parameters,
        features: &Features,
        paths: &Paths<R>,
    ) -> Result<Vec<Lane<R>>> {
        let (shape, steps) = (parameters.shape(), paths.steps());
        let weights = Weights::new(shape, &parameters.matrices()?);
        let size = steps * shape.instruments;
        let mut positions = vec![[R::ZERO; BLOCK]; paths.blocks() * size];
        positions
            .par_chunks_exact_mut(size)
            .enumerate()
            .for_each(|(block, positions)| {
                self.with_workspace(shape, steps, |workspace| {
                    let paths = paths.block(block);
                    dispatch(ForwardBlock {
                        weights: &weights,
                        features,
                        paths,
                        workspace,
                    });
                    positions.copy_from_slice(&workspace.positions);
                });
            });
        Ok(positions)
    }

    fn gradient(
        &self,
        parameters: &Parameters,
        features: &Features,
        paths: &Paths<R>,
        seed: &Seed<'_, R>,
    ) -> Result<Vec<Mat<f64>>> {
        let (shape, blocks) = (parameters.shape(), paths.blocks());
        let weights = Weights::new(shape, &parameters.matrices()?);
        let size = CHUNK.max(blocks.div_ceil(SUMS));
        let totals: Vec<Vec<Vec<f64>>> = (0..blocks.div_ceil(size))
            .into_par_iter()
            .map(|chunk| {
                let mut totals: Vec<Vec<f64>> = shape
                    .maps()
                    .iter()
                    .map(|(_, rows, columns)| vec![0.0; rows * columns])
                    .collect();
                self.with_workspace(shape, paths.steps(), |workspace| {
                    for block in chunk * size..blocks.min((chunk + 1) * size) {
                        let paths = paths.block(block);
                        let seed = |positions: &[_], out: &mut [_]| seed(block, positions, out);
                        there_and_back(
                            &weights,
                            features,
                            paths,
                            workspace,
                            seed,
                            Some(&mut totals),
                        );
                    }
                });
                totals
            })
            .collect();
        let sums = shape.maps().into_iter().enumerate();
        Ok(sums
            .map(|(map, (_, rows, columns))| {
                Mat::from_fn(rows, columns, |row, column| {
                    totals
                        .iter()
                        .map(|total| total[map][row * columns + column])
                        .sum()
                })
            })
            .collect())
    }

    fn record(
        &self,
        parameters: &Parameters,
        features: &Features,
        paths: &Paths<R>,
        seed: &Seed<'_, R>,
        record: &mut Record<R>,
    ) -> Result<()> {
        let (shape, steps) = (parameters.shape(), paths.steps());
        let weights = Weights::new(shape, &parameters.matrices()?);
        record.resize(shape, paths.blocks(), steps);
        split(record)
            .par_iter_mut()
            .enumerate()
            .for_each(|(block, target)| {
                self.with_workspace(shape, steps, |workspace| {
                    let paths = paths.block(block);
                    let seed = |positions: &[_], out: &mut [_]| seed(block, positions, out);
                    there_and_back(&weights, features, paths, workspace, seed, None);
                    workspace.copy_record(target);
                });
            });
        Ok(())
    }
}

/// Moves one block forward, seeds it, and differentiates it; adds its gradient to `totals`, if they are given.
fn there_and_back<R: Real>(
    weights: &Weights<R>,
    features: &Features,
    paths: PathBlock<'_, R>,
    workspace: &mut Workspace<R>,
    seed: impl FnOnce(&[Lane<R>], &mut [Lane<R>]),
    totals: Option<&mut [Vec<f64>]>,
) {
    dispatch(ForwardBlock {
        weights,
        features,
        paths,
        workspace,
    });
    seed(&workspace.positions, &mut workspace.seeds);
    dispatch(BackwardBlock {
        weights,
        workspace,
        totals,
    });
}

/// One block of one map's record, for writing: a period of its [`Dates`](crate::simd::Dates).
struct RecordBlock<'a, R> {
    inputs: &'a mut [Lane<R>],
    gradients: &'a mut [Lane<R>],
}

fn split<R: Real>(record: &mut Record<R>) -> Vec<Vec<RecordBlock<'_, R>>> {
    let (blocks, steps) = (record.blocks(), record.steps());
    let mut result: Vec<Vec<RecordBlock<'_, R>>> = (0..blocks).map(|_| Vec::new()).collect();
    for map in &mut record.maps {
        let inputs = map.inputs.periods_mut(steps);
        let gradients = map.gradients.periods_mut(steps);
        for ((target, inputs), gradients) in result.iter_mut().zip(inputs).zip(gradients) {
            target.push(RecordBlock { inputs, gradients });
        }
    }
    result
}
