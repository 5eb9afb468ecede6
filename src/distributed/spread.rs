use super::{Portable, Ranks, in_order, run_length};
use rayon::prelude::*;
use std::ops::Range;

/// Blocks of paths in a row, spread over ranks in whole runs: every rank has consecutive runs, in the order of ranks.
///
/// Blocks are numbered among those of all ranks, whoever asks. Lists of what belongs to the own blocks have it in their order,
/// and [`Self::part`] finds the part of a block in them.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    ranks: Ranks,
    blocks: usize,
    run: usize,
    own: Range<usize>,
}

impl Default for Spread {
    /// No blocks.
    fn default() -> Self {
        Self::new(&Ranks::alone(), 0)
    }
}

impl Spread {
    /// So many blocks in runs of [`run_length`].
    pub fn new(ranks: &Ranks, blocks: usize) -> Self {
        Self::in_runs(ranks, blocks, run_length(blocks))
    }

    /// So many blocks in runs of `run` blocks.
    ///
    /// # Panics
    /// If `run` is 0.
    pub fn in_runs(ranks: &Ranks, blocks: usize, run: usize) -> Self {
        Self {
            own: ranks.own(blocks, run),
            ranks: ranks.clone(),
            blocks,
            run,
        }
    }

    /// The ranks that share the blocks.
    pub fn ranks(&self) -> &Ranks {
        &self.ranks
    }

    /// The number of blocks of all ranks together.
    pub fn blocks(&self) -> usize {
        self.blocks
    }

    /// The blocks of this rank.
    pub fn own(&self) -> Range<usize> {
        self.own.clone()
    }

    /// The most blocks that a rank has.
    pub fn largest(&self) -> usize {
        let runs = self.blocks.div_ceil(self.run);
        self.blocks.min(runs.div_ceil(self.ranks.size()) * self.run)
    }

    /// The rank that has a block.
    pub fn owner(&self, block: usize) -> usize {
        let (run, runs) = (block / self.run, self.blocks.div_ceil(self.run));
        // The last rank whose share does not begin after the run.
        ((run + 1) * self.ranks.size()).div_ceil(runs) - 1
    }

    /// The place of a block among the own ones.
    ///
    /// # Panics
    /// If another rank has it.
    #[inline(always)]
    pub fn place(&self, block: usize) -> usize {
        assert!(
            self.own.contains(&block),
            "block {block} is not among {:?}, those of this rank",
            self.own
        );
        block - self.own.start
    }

    /// The part of `values`, which has as many for every own block, that belongs to a block.
    ///
    /// # Panics
    /// If another rank has the block.
    #[inline(always)]
    pub fn part<'a, T>(&self, values: &'a [T], block: usize) -> &'a [T] {
        let size = values.len() / self.own.len();
        &values[self.place(block) * size..][..size]
    }

    /// The result of `work` for every own block, in their order.
    pub fn map<T: Send>(&self, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
        in_order(self.own.len(), |place| work(self.own.start + place))
    }

    /// The own blocks with the parts of `values`, as many for each, that belong to them, for writing and in parallel.
    ///
    /// # Panics
    /// If there are own blocks and no value for each.
    pub fn parts_mut<'a, T: Send>(
        &self,
        values: &'a mut [T],
    ) -> impl IndexedParallelIterator<Item = (usize, &'a mut [T])> {
        let (first, count) = (self.own.start, self.own.len());
        let size = values.len().checked_div(count).unwrap_or(1);
        let parts = values.par_chunks_exact_mut(size).enumerate();
        parts.map(move |(place, part)| (first + place, part))
    }

    /// Several sums over all blocks, of as many numbers each as `sizes` says: `add` adds what a run of consecutive own blocks gives.
    /// The sums are the same on all ranks, to the same bits for any number of ranks and threads.
    pub fn sums(
        &self,
        sizes: &[usize],
        add: impl Fn(Range<usize>, &mut [Vec<f64>]) + Sync,
    ) -> Vec<Vec<f64>> {
        self.ranks.sums(self.blocks, self.run, sizes, add)
    }

    /// What belongs to all blocks, in their order, from what belongs to the own ones.
    pub fn collect<T: Portable>(&self, own: Vec<T>) -> Vec<T> {
        self.ranks.in_order(own)
    }
}

#[cfg(test)]
mod tests {
    use super::super::threads;
    use super::*;

    /// The owner of a block is the rank among whose own blocks it is, and every block has one.
    #[test]
    fn every_block_is_among_those_of_its_owner() {
        for (size, blocks) in [(1, 9), (2, 23), (3, 23), (5, 7), (3, 2_000)] {
            let own = threads::run(size, |ranks| {
                let spread = Spread::new(&ranks, blocks);
                let owners: Vec<usize> = (0..blocks).map(|block| spread.owner(block)).collect();
                (spread.own(), owners)
            });
            let owners: Vec<usize> = own
                .iter()
                .enumerate()
                .flat_map(|(rank, (own, _))| own.clone().map(move |_| rank))
                .collect();
            assert!(
                own.iter().all(|(_, found)| *found == owners),
                "{size} {blocks}"
            );
        }
    }

    /// What every rank says of its own blocks comes together as one process says it of all.
    #[test]
    fn results_of_own_blocks_come_together() {
        for size in [1, 2, 3] {
            let found = threads::run(size, |ranks| {
                let spread = Spread::in_runs(&ranks, 7, 2);
                let own = spread.map(|block| block * block);
                let parts = spread.own().map(|block| spread.part(&own, block)[0]);
                assert_eq!(parts.collect::<Vec<_>>(), own);
                spread.collect(own)
            });
            assert!(found.iter().all(|found| *found == [0, 1, 4, 9, 16, 25, 36]));
        }
    }
}
