use super::model::Draw;
use super::paths::Paths;
use super::quotes::Quotes;
use super::spot_market::Market;
use crate::contract::Contract;
use crate::random::{Purpose, Sampling, Source};
use crate::simd::{BLOCK, Real};
use rayon::prelude::*;

/// Draws [`Paths`] of a market on an equidistant grid.
///
/// Path number `i` depends on (seed, purpose, sampling, i) alone; under Sobol sampling on the number of steps too. A period
/// that is longer than [`super::Model::longest_step`] is simulated in equal sub-steps, of which the last is kept.
#[derive(Debug, Clone)]
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
        let longest = self.market.model.longest_step(self.dt * self.steps as f64);
        // Rounding of the year fraction makes no further step.
        ((self.dt / longest * (1.0 - 1e-9)).ceil() as usize).max(1)
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

    /// The same paths with the prices of further instruments and what the contract of the quotes makes of them.
    pub fn paths_with<R: Real>(&self, quotes: &Quotes, first_block: u64, count: usize) -> Paths<R> {
        let mut paths = Paths::with_layout(count, quotes.layout());
        self.fill(first_block, &mut paths);
        quotes.fill(&mut paths);
        paths
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

    /// What `contract` pays on each of those paths, in money of its expiry: Σ payment_k e^{r(T − t_k)}. No more than one block a
    /// thread is held at once.
    pub fn payoffs(&self, contract: &Contract, first_block: u64, count: usize) -> Vec<f64> {
        let due = contract.due();
        let growth = |date: &usize| {
            let left = self.dt * (self.steps - date) as f64;
            (self.market.rate * left).exp()
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
        let model = &self.market.model;
        let substeps = self.substeps();
        let source = Source::new(
            self.seed,
            self.purpose,
            self.sampling,
            self.steps * substeps,
            model.factors(),
        );
        let blocks = paths.blocks_mut().enumerate();
        blocks.for_each(|(offset, mut block)| {
            let (spot, variance) = block.asset(0);
            model.draw(Draw {
                shocks: source.block(first_block + offset as u64),
                start: self.market.spot,
                carry: self.market.rate - self.market.dividend,
                dt: self.dt,
                substeps,
                spot,
                variance,
            });
        });
    }
}
