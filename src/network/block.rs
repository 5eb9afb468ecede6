//! The fused sweep: a block of paths goes through all dates, forward and backward, while it stays in
//! a core's cache.

use super::architecture::{Architecture, Network};
use super::features::Features;
use super::parameters::Parameters;
use super::record::Record;
use super::sweep::{Seed, Sweep};
use crate::distributed;
use crate::error::Result;
use crate::market::{PathBlock, Paths};
use crate::simd::{BLOCK, Lane, Real};
use faer::Mat;
use rayon::prelude::*;
use std::sync::Mutex;

/// Fewest blocks whose gradients are summed by one thread before they are added to the others.
const CHUNK: usize = 4;

/// Most such sums; bounds their memory, and as it is fixed, the result is that of any number of threads.
const SUMS: usize = 256;

type Workspace<R, A> = <<A as Architecture>::Network<R> as Network<R>>::Workspace;

/// The sweep on the processor's vector units, in blocks of paths on all threads.
pub struct BlockSweep<R: Real, A: Architecture> {
    shape: A,
    /// Buffers of finished blocks, each with its number of steps, to be used again.
    spare: Mutex<Vec<(usize, Workspace<R, A>)>>,
}

impl<R: Real, A: Architecture> BlockSweep<R, A> {
    /// A sweep of networks of this shape.
    pub fn new(shape: A) -> Self {
        Self {
            shape,
            spare: Mutex::new(Vec::new()),
        }
    }

    fn with_workspace<T>(&self, steps: usize, work: impl FnOnce(&mut Workspace<R, A>) -> T) -> T {
        let spare = self
            .spare
            .lock()
            .expect("no thread panics with the lock")
            .pop();
        let mut workspace = match spare {
            Some((fits, workspace)) if fits == steps => workspace,
            _ => A::Network::<R>::workspace(self.shape, steps),
        };
        let result = work(&mut workspace);
        self.spare
            .lock()
            .expect("no thread panics with the lock")
            .push((steps, workspace));
        result
    }

    fn network(&self, parameters: &Parameters) -> Result<A::Network<R>> {
        parameters.check(&self.shape.maps())?;
        Ok(A::Network::new(self.shape, &parameters.matrices()?))
    }
}

impl<R: Real, A: Architecture> Sweep<R> for BlockSweep<R, A> {
    fn forward(
        &self,
        parameters: &Parameters,
        features: &Features,
        paths: &Paths<R>,
    ) -> Result<Vec<Lane<R>>> {
        let (network, steps) = (self.network(parameters)?, paths.steps());
        let size = steps * self.shape.outputs();
        let mut outputs = vec![[R::ZERO; BLOCK]; paths.blocks() * size];
        outputs
            .par_chunks_exact_mut(size)
            .enumerate()
            .for_each(|(block, outputs)| {
                self.with_workspace(steps, |workspace| {
                    network.forward(features, paths.block(block), workspace);
                    outputs.copy_from_slice(A::Network::<R>::outputs(workspace).0);
                });
            });
        Ok(outputs)
    }

    fn gradient(
        &self,
        parameters: &Parameters,
        features: &Features,
        paths: &Paths<R>,
        seed: &Seed<'_, R>,
    ) -> Result<Vec<Mat<f64>>> {
        let (network, blocks) = (self.network(parameters)?, paths.blocks());
        let maps = self.shape.maps();
        let sizes: Vec<usize> = maps.iter().map(|map| map.rows * map.columns).collect();
        let chunk = CHUNK.max(blocks.div_ceil(SUMS));
        let totals = distributed::sums(blocks, chunk, &sizes, |chunk, totals| {
            self.with_workspace(paths.steps(), |workspace| {
                for block in chunk {
                    let seed = |outputs: &[_], out: &mut [_]| seed(block, outputs, out);
                    let paths = paths.block(block);
                    there_and_back::<R, A>(
                        &network,
                        features,
                        paths,
                        workspace,
                        seed,
                        Some(totals),
                    );
                }
            });
        });
        let matrix = |(map, total): (&super::MapShape, Vec<f64>)| {
            Mat::from_fn(map.rows, map.columns, |row, column| {
                total[row * map.columns + column]
            })
        };
        Ok(maps.iter().zip(totals).map(matrix).collect())
    }

    fn record(
        &self,
        parameters: &Parameters,
        features: &Features,
        paths: &Paths<R>,
        seed: &Seed<'_, R>,
        record: &mut Record<R>,
    ) -> Result<()> {
        let (network, steps) = (self.network(parameters)?, paths.steps());
        record.resize(&self.shape.maps(), paths.blocks(), steps);
        record
            .split()
            .par_iter_mut()
            .enumerate()
            .for_each(|(block, target)| {
                self.with_workspace(steps, |workspace| {
                    let seed = |outputs: &[_], out: &mut [_]| seed(block, outputs, out);
                    let paths = paths.block(block);
                    there_and_back::<R, A>(&network, features, paths, workspace, seed, None);
                    A::Network::<R>::copy_record(workspace, target);
                });
            });
        Ok(())
    }
}

/// Moves one block forward, seeds it, and differentiates it; adds its gradient to `totals`, if they are given.
fn there_and_back<R: Real, A: Architecture>(
    network: &A::Network<R>,
    features: &Features,
    paths: PathBlock<'_, R>,
    workspace: &mut Workspace<R, A>,
    seed: impl FnOnce(&[Lane<R>], &mut [Lane<R>]),
    totals: Option<&mut [Vec<f64>]>,
) {
    network.forward(features, paths, workspace);
    let (outputs, seeds) = A::Network::<R>::outputs(workspace);
    seed(outputs, seeds);
    network.backward(workspace, totals);
}
