use super::assets::Assets;
use super::draws::{Draws, Tables};
use super::layout::Layout;
use super::paths::Paths;
use super::quotes::Quotes;
use crate::contract::Contract;
use crate::random::{Purpose, Sampling};
use crate::simd::{BLOCK, Real};
use rayon::prelude::*;

/// Draws [`Paths`] of one or more assets on an equidistant grid.
///
/// Path number `i` depends on (seed, purpose, sampling, i) alone; under Sobol sampling on the number of steps too. A period
/// that is longer than [`super::Model::longest_step`] is simulated in equal sub-steps, of which the last is kept.
#[derive(Debug, Clone)]
pub struct Simulator {
    /// The assets whose spots are simulated, one or more.
    pub assets: Assets,
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
        self.assets.substeps(self.dt, self.steps)
    }

    /// Simulates `count` paths on which the first asset alone is traded, beginning with the first path of block number
    /// `first_block`.
    ///
    /// Training batch k of B paths starts at block k·⌈B/BLOCK⌉, so batches never overlap.
    pub fn paths<R: Real>(&self, first_block: u64, count: usize) -> Paths<R> {
        let mut paths = Paths::with_layout(count, Layout::new(self.assets.count(), self.steps));
        self.fill(first_block, &mut paths);
        paths
    }

    /// The same paths with the prices of further instruments and what the contract of the quotes makes of them.
    pub fn paths_with<R: Real>(&self, quotes: &Quotes, first_block: u64, count: usize) -> Paths<R> {
        let mut paths = Paths::with_layout(count, quotes.layout());
        self.fill(first_block, &mut paths);
        quotes.fill(&mut paths);
        paths
    }

    /// The spot of the first asset at the end of each of those paths, of which no more than one block a thread is held at once.
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

    /// What `contract` pays on each of those paths, in money of its expiry: Σ payment_k e^{∫ r} from t_k to T. No more than one block a
    /// thread is held at once.
    pub fn payoffs(&self, contract: &Contract, first_block: u64, count: usize) -> Vec<f64> {
        let due = contract.due();
        let expiry = self.dt * self.steps as f64;
        let growth = |date: &usize| {
            let left = self.dt * (self.steps - date) as f64;
            let rate = &self.assets.first().rate;
            (rate.average(self.dt * *date as f64, expiry) * left).exp()
        };
        let growth: Vec<f64> = due.iter().map(growth).collect();
        let blocks = (0..count.div_ceil(BLOCK)).into_par_iter();
        let mut payoffs: Vec<f64> = blocks
            .flat_map_iter(|block| {
                let paths = self.paths::<f64>(first_block + block as u64, BLOCK);
                let paths = paths.under(contract);
                let mut sums = [0.0; BLOCK];
                for (payment, growth) in paths.block(0).payments().iter().zip(&growth) {
                    for lane in 0..BLOCK {
                        sums[lane] += payment[lane] * growth;
                    }
                }
                sums
            })
            .collect();
        payoffs.truncate(count);
        payoffs
    }

    /// Fills spot and variance of `paths` in place.
    pub fn fill<R: Real>(&self, first_block: u64, paths: &mut Paths<R>) {
        let draws = Draws::new(
            &self.assets,
            (self.steps, self.dt),
            (self.seed, self.purpose, self.sampling),
        );
        paths.blocks_mut().enumerate().for_each_init(
            Tables::default,
            |tables, (offset, mut block)| {
                draws.block(first_block + offset as u64, block.assets(), tables);
            },
        );
    }
}
