//! Means over independently scrambled point sets, and what they say of a price.

use super::World;
use super::controls::Controls;
use crate::contract::Contract;
use crate::error::Result;
use crate::linalg::solve_positive;
use crate::market::simulator::Simulator;
use crate::market::{PathBlock, Paths};
use crate::simd::{BLOCK, Lane};
use faer::Mat;
use rayon::prelude::*;
use std::ops::Range;

/// Independent scrambles, from whose spread the standard error comes.
pub const SCRAMBLES: usize = 16;

/// Blocks of a scramble that a simulation begins with: 2⁹ paths.
pub const LEAST_BLOCKS: u64 = 16;

/// Draws beyond which no simulation goes.
const MOST_DRAWS: u64 = 1 << 24;

/// Blocks of a scramble whose paths take `draws` shocks each, so that all of them take no more than [`MOST_DRAWS`].
pub fn most_blocks(draws: usize) -> u64 {
    // A scramble has 2¹⁶ points.
    (MOST_DRAWS / (SCRAMBLES * BLOCK * draws) as u64).min((1 << 16) / BLOCK as u64)
}

/// What is added to the diagonal of the controls' correlations, so that those which repeat others do no harm.
const RIDGE: f64 = 1e-10;

/// Blocks simulated between two questions whether to stop.
const BLOCKS_AT_ONCE: u64 = 64;

/// Sums over paths of the discounted payoff y and the controls x, less their expectations, of every scramble; and of all
/// their products.
#[derive(Debug, Clone)]
pub struct Replicates {
    /// Blocks simulated of every scramble.
    blocks: u64,
    size: usize,
    /// `[SCRAMBLES][1 + controls]`.
    sums: Vec<f64>,
    /// `[1 + controls]²`.
    products: Vec<f64>,
    /// What the first path pays.
    usual: Option<f64>,
    /// Paths that pay something else.
    unusual: u64,
}

impl Replicates {
    /// None yet.
    pub fn new(controls: &Controls) -> Self {
        let size = 1 + controls.count();
        Self {
            blocks: 0,
            size,
            sums: vec![0.0; SCRAMBLES * size],
            products: vec![0.0; size * size],
            usual: None,
            unusual: 0,
        }
    }

    /// Simulates until every scramble has so many blocks. Sums are added in the order of blocks, so any number of threads
    /// gives the same bits.
    ///
    /// # Errors
    /// That of `stop`.
    pub fn extend(
        &mut self,
        world: &World,
        contract: &Contract,
        controls: &Controls,
        blocks: u64,
        stop: &mut dyn FnMut() -> Result<()>,
    ) -> Result<()> {
        let expectations = controls.expectations(&world.assets);
        let discounts = discounts(world, contract);
        for scramble in 0..SCRAMBLES {
            let simulator = world.simulator(scramble);
            let mut first = self.blocks;
            while first < blocks {
                stop()?;
                let next = blocks.min(first + BLOCKS_AT_ONCE);
                let sample = Sample {
                    world,
                    simulator: &simulator,
                    contract,
                    controls,
                    expectations: &expectations,
                    discounts: &discounts,
                };
                let usual = *self.usual.get_or_insert_with(|| sample.payoffs(0)[0]);
                for (sums, products, unusual) in sample.blocks(first..next, usual) {
                    self.unusual += unusual;
                    let own = &mut self.sums[scramble * self.size..][..self.size];
                    add(own, &sums);
                    add(&mut self.products, &products);
                }
                first = next;
            }
        }
        self.blocks = blocks;
        Ok(())
    }

    /// Whether so many paths pay something else than the first one that the spread of the scrambles says what the error is. Where
    /// none or a few do, the scrambles may agree on a price that is wrong.
    pub fn is_spread(&self) -> bool {
        const LEAST: u64 = 4 * SCRAMBLES as u64;
        self.unusual >= LEAST
    }

    /// Blocks simulated of every scramble.
    pub fn blocks(&self) -> u64 {
        self.blocks
    }

    /// The coefficients of the controls that leave the least variance, of all paths together; zeros where a payment that is no
    /// finite number leaves none, and no price either.
    pub fn coefficients(&self) -> Vec<f64> {
        let size = self.size;
        let paths = (self.blocks * (SCRAMBLES * BLOCK) as u64) as f64;
        let mean = |i: usize| {
            let sums = self.sums.chunks_exact(size).map(|sums| sums[i]);
            sums.sum::<f64>() / paths
        };
        let means: Vec<f64> = (0..size).map(mean).collect();
        let covariance =
            |i: usize, j: usize| self.products[i * size + j] / paths - means[i] * means[j];
        let matrix = Mat::from_fn(size - 1, size - 1, |i, j| covariance(1 + i, 1 + j));
        let right: Vec<f64> = (1..size).map(|i| covariance(i, 0)).collect();
        solve_positive(&matrix, &right, RIDGE).unwrap_or_else(|_| vec![0.0; size - 1])
    }

    /// The mean of every scramble with controls of these coefficients.
    pub fn means(&self, coefficients: &[f64]) -> Vec<f64> {
        let paths = (self.blocks * BLOCK as u64) as f64;
        let mean = |sums: &[f64]| {
            let controls = sums[1..].iter().zip(coefficients);
            (sums[0] - controls.map(|(x, b)| x * b).sum::<f64>()) / paths
        };
        self.sums.chunks_exact(self.size).map(mean).collect()
    }

    /// The price and its standard error.
    pub fn estimate(&self) -> (f64, f64) {
        mean_and_error(&self.means(&self.coefficients()))
    }
}

/// The mean of independent numbers and its standard error.
pub fn mean_and_error(numbers: &[f64]) -> (f64, f64) {
    let n = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / n;
    let squares: f64 = numbers.iter().map(|x| (x - mean).powi(2)).sum();
    (mean, (squares / (n * (n - 1.0))).sqrt())
}

fn add(to: &mut [f64], from: &[f64]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += from;
    }
}

/// What one unit of currency on each date on which something is due is worth at the sale, and last on the expiry.
fn discounts(world: &World, contract: &Contract) -> Vec<f64> {
    let dates = contract.due().into_iter().chain([contract.steps]);
    let rate = &world.assets.first().rate;
    let discount = |date: usize| {
        let average = rate.average(0.0, world.dt * date as f64);
        (-average * world.dt * date as f64).exp()
    };
    dates.map(discount).collect()
}

/// One scramble of what is simulated.
struct Sample<'a> {
    world: &'a World,
    simulator: &'a Simulator,
    contract: &'a Contract,
    controls: &'a Controls,
    expectations: &'a [f64],
    discounts: &'a [f64],
}

impl Sample<'_> {
    /// Sums and products of every block, and how many paths do not pay the `usual`.
    fn blocks(&self, blocks: Range<u64>, usual: f64) -> Vec<(Vec<f64>, Vec<f64>, u64)> {
        blocks
            .into_par_iter()
            .map(|block| self.block(block, usual))
            .collect()
    }

    fn paths(&self, block: u64) -> Paths<f64> {
        let paths = self.simulator.paths::<f64>(block, BLOCK);
        paths.under(self.contract)
    }

    /// The discounted payoffs of a block.
    fn payoffs(&self, block: u64) -> Lane<f64> {
        self.paid(self.paths(block).block(0))
    }

    fn paid(&self, block: PathBlock<'_, f64>) -> Lane<f64> {
        let mut payoffs = [0.0; BLOCK];
        for (payment, discount) in block.payments().iter().zip(self.discounts) {
            for lane in 0..BLOCK {
                payoffs[lane] += payment[lane] * discount;
            }
        }
        payoffs
    }

    fn block(&self, block: u64, usual: f64) -> (Vec<f64>, Vec<f64>, u64) {
        let paths = self.paths(block);
        let seen = paths.block(0);
        let mut variates = vec![self.paid(seen)];
        let unusual = variates[0].iter().filter(|paid| **paid != usual).count();
        let to_expiry = self.discounts[self.discounts.len() - 1];
        let values = self.controls.values(&self.world.assets, seen);
        let values = values.into_iter().zip(self.expectations);
        variates.extend(values.map(|(lane, mean)| lane.map(|x| (x - mean) * to_expiry)));
        let size = variates.len();
        let sums = variates.iter().map(|lane| lane.iter().sum()).collect();
        let mut products = vec![0.0; size * size];
        for i in 0..size {
            for j in 0..=i {
                let pairs = variates[i].iter().zip(&variates[j]);
                let product: f64 = pairs.map(|(x, y)| x * y).sum();
                products[i * size + j] = product;
                products[j * size + i] = product;
            }
        }
        (sums, products, unusual as u64)
    }
}
