use crate::contract::Instrument;
use crate::simd::{BLOCK, Lane, Lanes, Real};
use rayon::prelude::*;
use std::ops::Range;

/// Spot, variance and the prices of further hedging instruments on a grid of dates, for a set of paths.
///
/// # Shapes
/// Stored in blocks of [`BLOCK`] paths, each block `[steps + 1][BLOCK]`, so that a block is
/// contiguous; prices `[instruments − 1][steps + 1][BLOCK]`. The last block is padded with copies or surplus paths; `count` says how many
/// paths count.
///
/// # Units
/// Spot and prices in currency, variance annualised.
#[derive(Debug, Clone, PartialEq)]
pub struct Paths<R> {
    count: usize,
    steps: usize,
    spot: Lanes<R>,
    variance: Lanes<R>,
    /// The spot first; the others have `prices`.
    instruments: Vec<Instrument>,
    prices: Lanes<R>,
}

/// One block of [`Paths`]: `steps + 1` dates.
#[derive(Debug, Clone, Copy)]
pub struct PathBlock<'a, R> {
    /// The spot at every date.
    pub spot: &'a [Lane<R>],
    /// The annualised variance at every date.
    pub variance: &'a [Lane<R>],
    /// Of the instruments after the spot, one after another.
    pub prices: &'a [Lane<R>],
}

impl<R: Real> PathBlock<'_, R> {
    /// The price of an instrument at every date; number 0 is the spot.
    #[inline(always)]
    pub fn price(&self, instrument: usize) -> &[Lane<R>] {
        let dates = self.spot.len();
        match instrument {
            0 => self.spot,
            _ => &self.prices[(instrument - 1) * dates..][..dates],
        }
    }
}

impl<R: Real> Paths<R> {
    /// Storage for `count` paths of `steps` periods on which the spot alone is traded, all zero.
    pub fn zeros(count: usize, steps: usize) -> Self {
        Self::with_instruments(count, steps, &[Instrument::Spot])
    }

    /// Storage for `count` paths of `steps` periods, all zero.
    ///
    /// # Panics
    /// If the first instrument is not the spot.
    pub fn with_instruments(count: usize, steps: usize, instruments: &[Instrument]) -> Self {
        assert_eq!(instruments.first(), Some(&Instrument::Spot));
        let lanes = count.div_ceil(BLOCK) * (steps + 1);
        Self {
            count,
            steps,
            spot: Lanes::zeros(lanes),
            variance: Lanes::zeros(lanes),
            instruments: instruments.to_vec(),
            prices: Lanes::zeros(lanes * (instruments.len() - 1)),
        }
    }

    /// Paths on which the spot alone is traded, given one by one, each as (spot, variance) over `steps + 1` dates.
    ///
    /// # Panics
    /// If a path has another number of dates.
    pub fn from_rows<'a>(
        steps: usize,
        rows: impl ExactSizeIterator<Item = (&'a [f64], &'a [f64])>,
    ) -> Self {
        let mut paths = Self::zeros(rows.len(), steps);
        let mut last = None;
        for (index, (spot, variance)) in rows.enumerate() {
            assert_eq!((spot.len(), variance.len()), (steps + 1, steps + 1));
            paths.set(index, spot, variance);
            last = Some((spot, variance));
        }
        if let Some((spot, variance)) = last {
            for index in paths.count..paths.blocks() * BLOCK {
                paths.set(index, spot, variance);
            }
        }
        paths
    }

    /// Bytes of `count` paths of `steps` periods on which so many instruments are traded.
    pub fn bytes(count: usize, steps: usize, instruments: usize) -> usize {
        let columns = 1 + instruments.max(1);
        count.div_ceil(BLOCK) * BLOCK * (steps + 1) * columns * size_of::<R>()
    }

    /// The same paths with room for the prices of further instruments, all zero.
    pub(super) fn trading(self, instruments: &[Instrument]) -> Self {
        let lanes = self.spot.len();
        Self {
            instruments: instruments.to_vec(),
            prices: Lanes::zeros(lanes * (instruments.len() - 1)),
            ..self
        }
    }

    fn set(&mut self, index: usize, spot: &[f64], variance: &[f64]) {
        let (block, lane) = (index / BLOCK, index % BLOCK);
        for t in 0..=self.steps {
            let row = block * (self.steps + 1) + t;
            self.spot[row][lane] = R::of(spot[t]);
            self.variance[row][lane] = R::of(variance[t]);
        }
    }

    /// Number of paths.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Number of periods; there is one more date.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// What is traded on them, the spot first.
    pub fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    /// Number of blocks, the last one perhaps partly filled.
    pub fn blocks(&self) -> usize {
        self.count.div_ceil(BLOCK)
    }

    /// How many paths of block `block` count.
    pub fn active(&self, block: usize) -> usize {
        (self.count - block * BLOCK).min(BLOCK)
    }

    /// Block number `block`, for reading.
    pub fn block(&self, block: usize) -> PathBlock<'_, R> {
        let range = block * (self.steps + 1)..(block + 1) * (self.steps + 1);
        PathBlock {
            spot: &self.spot[range.clone()],
            variance: &self.variance[range],
            prices: &self.prices[self.price_range(block)],
        }
    }

    fn price_range(&self, block: usize) -> Range<usize> {
        let size = (self.instruments.len() - 1) * (self.steps + 1);
        block * size..(block + 1) * size
    }

    /// All blocks for writing, in order and in parallel: (spot, variance), each `[steps + 1][BLOCK]`.
    pub fn blocks_mut(
        &mut self,
    ) -> (
        rayon::slice::ChunksExactMut<'_, Lane<R>>,
        rayon::slice::ChunksExactMut<'_, Lane<R>>,
    ) {
        let size = self.steps + 1;
        (
            self.spot.par_chunks_exact_mut(size),
            self.variance.par_chunks_exact_mut(size),
        )
    }

    /// All blocks with the prices of their further instruments for writing, in parallel.
    pub fn prices_mut(
        &mut self,
    ) -> impl IndexedParallelIterator<Item = (PathBlock<'_, R>, &mut [Lane<R>])> {
        let size = self.steps + 1;
        let further = self.instruments.len() - 1;
        let blocks = self
            .spot
            .par_chunks_exact(size)
            .zip(self.variance.par_chunks_exact(size))
            .map(|(spot, variance)| PathBlock {
                spot,
                variance,
                prices: &[],
            });
        blocks.zip(self.prices.par_chunks_exact_mut((further * size).max(1)))
    }

    /// Spot and variance of one path.
    pub fn path(&self, index: usize) -> (Vec<f64>, Vec<f64>) {
        let block = self.block(index / BLOCK);
        let read = |lanes: &[Lane<R>]| lanes.iter().map(|l| l[index % BLOCK].into_f64()).collect();
        (read(block.spot), read(block.variance))
    }

    /// The paths with the given indices, in that order.
    ///
    /// # Panics
    /// If `indices` is empty or out of range.
    pub fn gather(&self, indices: &[usize]) -> Self {
        let mut result = Self::with_instruments(indices.len(), self.steps, &self.instruments);
        let prices = self.price_range(0).len();
        let padded = result.blocks() * BLOCK;
        let size = self.steps + 1;
        for target in 0..padded {
            let source = indices[target.min(indices.len() - 1)];
            let (from, to) = ((source / BLOCK) * size, (target / BLOCK) * size);
            let (from_lane, to_lane) = (source % BLOCK, target % BLOCK);
            for t in 0..size {
                result.spot[to + t][to_lane] = self.spot[from + t][from_lane];
                result.variance[to + t][to_lane] = self.variance[from + t][from_lane];
            }
            let (from, to) = ((source / BLOCK) * prices, (target / BLOCK) * prices);
            for row in 0..prices {
                result.prices[to + row][to_lane] = self.prices[from + row][from_lane];
            }
        }
        result
    }
}
