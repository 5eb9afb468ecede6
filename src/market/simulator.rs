use super::assets::Assets;
use super::draws::{Draws, Tables};
use super::layout::Layout;
use super::paths::Paths;
use super::quotes::Quotes;
use crate::contract::{Contract, Family};
use crate::distributed::Ranks;
use crate::random::{Purpose, Sampling, Stream};
use crate::simd::{BLOCK, Lane, Real};
use rayon::prelude::*;
use std::sync::Arc;

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
    /// The contracts of which every path draws one, where there are several.
    pub family: Option<Arc<Family>>,
}

impl Simulator {
    /// Steps of the scheme in a period.
    pub fn substeps(&self) -> usize {
        let substeps = |assets: &Assets| assets.substeps(self.dt, self.steps);
        let family = self.family.iter().flat_map(|family| family.variances());
        let from = |variance| substeps(&self.assets.from_variance(variance));
        family
            .map(from)
            .max()
            .unwrap_or_else(|| substeps(&self.assets))
    }

    /// How many different paths there are for its purpose, where they are given; what is asked for beyond begins again with the first.
    pub fn most_paths(&self) -> Option<usize> {
        let given = self.assets.first().model.given()?;
        Some(given.share(self.purpose).len())
    }

    /// Simulates `count` paths on which the first asset alone is traded, beginning with the first path of block number
    /// `first_block`.
    ///
    /// Training batch k of B paths starts at block k·⌈B/BLOCK⌉, so batches never overlap.
    pub fn paths<R: Real>(&self, first_block: u64, count: usize) -> Paths<R> {
        let layout = Layout::of_market(&self.assets, self.steps);
        let mut paths = Paths::with_layout(count, layout.drawing(self.family.as_deref()));
        self.fill(first_block, &mut paths);
        paths
    }

    /// The same paths with the prices of further instruments and what the contract of the quotes makes of them.
    pub fn paths_with<R: Real>(&self, quotes: &Quotes, first_block: u64, count: usize) -> Paths<R> {
        self.paths_over(&Ranks::alone(), quotes, first_block, count)
    }

    /// The same paths, spread over `ranks`.
    pub fn paths_over<R: Real>(
        &self,
        ranks: &Ranks,
        quotes: &Quotes,
        first_block: u64,
        count: usize,
    ) -> Paths<R> {
        let mut paths = Paths::over(ranks, count, quotes.layout());
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

    /// Bytes that drawing holds beside the paths: the correlated shocks of one block for every thread, where there are several
    /// assets.
    pub fn held_bytes(&self) -> usize {
        rayon::current_num_threads() * self.draws().table_bytes()
    }

    fn draws(&self) -> Draws<'_> {
        Draws::new(
            &self.assets,
            (self.steps, self.dt, self.substeps()),
            (self.seed, self.purpose, self.sampling),
        )
    }

    /// Fills spot and variance of the own blocks of `paths` in place, and where they have room for it the surface and the contract that each
    /// path draws. Block number 0 of the paths is number `first_block` of this simulator.
    pub fn fill<R: Real>(&self, first_block: u64, paths: &mut Paths<R>) {
        let draws = self.draws();
        paths
            .blocks_mut()
            .for_each_init(Tables::default, |tables, (place, mut block)| {
                let number = first_block + place as u64;
                let begun = self.family.as_deref().is_some_and(|family| {
                    let members = self.members(family, number);
                    if block.draws() {
                        block.draw(family, &members);
                    }
                    let (_, variance) = block.asset(0);
                    begin(family, &members, &mut variance[0])
                });
                let (columns, surface, payoff) = block.markets();
                draws.block(number, begun, columns, (surface, payoff), tables);
            });
    }

    /// The contracts that the paths of a block draw, all with the same chance. Of antithetic paths both have the same one.
    fn members(&self, family: &Family, block: u64) -> [usize; BLOCK] {
        // Shocks are counted from 0 and reach no such number.
        const DRAW: u32 = u32::MAX;
        let words = Stream::new(self.seed, self.purpose).draw(block, DRAW)[0];
        std::array::from_fn(|lane| {
            let lane = match self.sampling {
                Sampling::Antithetic => lane % (BLOCK / 2),
                Sampling::Pseudorandom | Sampling::Sobol => lane,
            };
            family.drawn(words[lane])
        })
    }
}

/// Writes the variances that paths of those contracts begin at, if they have variances of their own.
fn begin<R: Real>(family: &Family, members: &[usize; BLOCK], out: &mut Lane<R>) -> bool {
    for (out, member) in out.iter_mut().zip(members) {
        match family.members()[*member].variance {
            Some(variance) => *out = R::of(variance),
            None => return false,
        }
    }
    true
}
