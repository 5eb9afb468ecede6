use super::assets::Assets;
use super::draws::{Draws, Tables};
use super::paths::Paths;
use super::quotes::Quotes;
use super::spot_market::Market;
use crate::random::{Purpose, Sampling};
use crate::simd::{BLOCK, Real};
use rayon::prelude::*;

/// Draws [`Paths`] of a market on an equidistant grid.
///
/// Path number `i` depends on (seed, purpose, sampling, i) alone; under Sobol sampling on the number of steps too. A period
/// that is longer than [`super::Model::longest_step`] is simulated in equal sub-steps, of which the last is kept.
#[derive(Debug, Clone, Copy)]
pub struct Simulator {
    /// The market whose spot is simulated.
    pub market: Market,
    /// The number of periods.
    pub steps: usize,
    /// The length of a period in years.
    pub dt: f64,
    /// The seed of all shocks.
    pub seed: u64,
    /// What the paths are for; other purposes have other shocks.
    pub purpose: Purpose,
    /// How the shocks are chosen.
    pub sampling: Sampling,
}

impl Simulator {
    /// Steps of the scheme in a period.
    pub fn substeps(&self) -> usize {
        Assets::from(self.market).substeps(self.dt, self.steps)
    }

    /// Simulates `count` paths on which the spot alone is traded, beginning with the first path of block number
    /// `first_block`.
    ///
    /// Training batch k of B paths starts at block k·⌈B/BLOCK⌉, so batches never overlap.
    pub fn paths<R: Real>(&self, first_block: u64, count: usize) -> Paths<R> {
        let mut paths = Paths::zeros(count, self.steps);
        self.fill(first_block, &mut paths);
        paths
    }

    /// The same paths with the prices of further instruments.
    pub fn paths_with<R: Real>(&self, quotes: &Quotes, first_block: u64, count: usize) -> Paths<R> {
        quotes.onto(self.paths(first_block, count))
    }

    /// The spot at the end of each of those paths, of which no more than one block a thread is held at once.
    pub fn ends(&self, first_block: u64, count: usize) -> Vec<f64> {
        let blocks = (0..count.div_ceil(BLOCK)).into_par_iter();
        let mut ends: Vec<f64> = blocks
            .flat_map_iter(|block| {
                let paths = self.paths::<f64>(first_block + block as u64, BLOCK);
                paths.block(0).spot[self.steps]
            })
            .collect();
        ends.truncate(count);
        ends
    }

    /// Fills spot and variance of `paths` in place.
    pub fn fill<R: Real>(&self, first_block: u64, paths: &mut Paths<R>) {
        let assets = Assets::from(self.market);
        let draws = Draws::new(
            &assets,
            (self.steps, self.dt),
            (self.seed, self.purpose, self.sampling),
        );
        let (spot, variance) = paths.blocks_mut();
        spot.zip(variance).enumerate().for_each_init(
            Tables::default,
            |tables, (offset, columns)| {
                draws.block(first_block + offset as u64, [columns].into_iter(), tables);
            },
        );
    }
}
