mod block;
mod charged;
mod gather;
mod made;

pub use block::{DrawnTerms, PathBlock, PathBlockMut, until};

use super::layout::Layout;
use crate::contract::{Contract, Family, Instrument};
use crate::distributed::{Portable, Ranks, Spread};
use crate::pricing::SurfaceFactors;
use crate::simd::{BLOCK, Lane, Lanes, Real};
use rayon::prelude::*;
use std::ops::Range;

/// Spots, variances, prices of hedging instruments and what a contract makes of them, on a grid of dates, for a set of
/// paths, which may be spread over ranks.
///
/// # Shapes
/// Stored in blocks of [`BLOCK`] paths, each contiguous, with the rows of a [`Layout`]. The last block is padded with copies
/// or surplus paths; `count` says how many paths count. Of paths that are spread over ranks every rank has those blocks alone
/// that [`Self::own`] says; paths and blocks are numbered among those of all ranks.
///
/// # Units
/// Spots and prices in currency, variances annualised.
#[derive(Debug, Clone, PartialEq)]
pub struct Paths<R> {
    count: usize,
    layout: Layout,
    spread: Spread,
    /// The rows of the own blocks.
    rows: Lanes<R>,
}

impl<R: Real> Paths<R> {
    /// Storage for `count` paths of one asset over `steps` periods, all zero.
    pub fn zeros(count: usize, steps: usize) -> Self {
        Self::with_layout(count, Layout::new(1, steps))
    }

    /// Storage for `count` paths, all zero.
    pub fn with_layout(count: usize, layout: Layout) -> Self {
        Self::over(&Ranks::alone(), count, layout)
    }

    /// Storage for the part of `count` paths that this rank has of paths that are spread over `ranks`, all zero.
    pub fn over(ranks: &Ranks, count: usize, layout: Layout) -> Self {
        Self::spread_as(Spread::new(ranks, count.div_ceil(BLOCK)), count, layout)
    }

    /// Storage for the own blocks of `count` paths that are spread like this, all zero.
    ///
    /// # Panics
    /// If it is not the blocks of so many paths that are spread.
    pub fn spread_as(spread: Spread, count: usize, layout: Layout) -> Self {
        assert_eq!(spread.blocks(), count.div_ceil(BLOCK));
        Self {
            count,
            rows: Lanes::zeros(spread.own().len() * layout.rows()),
            layout,
            spread,
        }
    }

    /// Paths of one asset, given one by one, each as (spot, variance) over `steps + 1` dates.
    ///
    /// # Panics
    /// If a path has another number of dates.
    pub fn from_rows<'a>(
        steps: usize,
        rows: impl ExactSizeIterator<Item = (&'a [f64], &'a [f64])>,
    ) -> Self {
        Self::from_assets(1, steps, rows.map(|row| vec![row]))
    }

    /// Paths of `assets` assets, given one by one, each as a (spot, variance) for every asset over `steps + 1` dates.
    ///
    /// # Panics
    /// If a path has another number of assets or dates.
    pub fn from_assets<'a>(
        assets: usize,
        steps: usize,
        rows: impl ExactSizeIterator<Item = Vec<(&'a [f64], &'a [f64])>>,
    ) -> Self {
        let mut paths = Self::with_layout(rows.len(), Layout::new(assets, steps));
        let mut last = None;
        for (index, row) in rows.enumerate() {
            paths.set(index, &row);
            last = Some(row);
        }
        if let Some(row) = last {
            for index in paths.count..paths.blocks() * BLOCK {
                paths.set(index, &row);
            }
        }
        paths
    }

    /// Bytes of `count` paths in a layout.
    pub fn bytes(count: usize, layout: &Layout) -> usize {
        count.div_ceil(BLOCK) * BLOCK * layout.rows() * size_of::<R>()
    }

    /// The same spots, variances, surfaces, payoffs and contracts in another layout of as many assets and dates; all else is zero.
    ///
    /// # Panics
    /// If the layout has other assets or dates, a surface or payoffs where the paths have none or none where they have them, or asks for contracts
    /// that the paths have not.
    pub(super) fn laid_out(self, layout: Layout) -> Self {
        if self.layout == layout {
            return self;
        }
        assert_eq!(
            (
                self.layout.assets(),
                self.layout.dates(),
                self.layout.has_surface(),
                self.layout.has_payoffs()
            ),
            (
                layout.assets(),
                layout.dates(),
                layout.has_surface(),
                layout.has_payoffs()
            )
        );
        let drawn = layout.drawn();
        assert!(
            drawn.is_empty() || drawn.len() == self.layout.drawn().len(),
            "every path has a contract of the family"
        );
        let mut paths = self.copied(layout, Layout::markets);
        if !drawn.is_empty() {
            paths.copy(&self, Layout::drawn);
        }
        paths
    }

    /// The same paths, of which path number i has contract number `member(i)` of a family.
    #[must_use]
    pub fn drawing(self, family: &Family, member: impl Fn(usize) -> usize + Sync) -> Self {
        let layout = self.layout.clone().drawing(Some(family));
        let mut paths = self.copied(layout, Layout::markets);
        paths.draw(family, member);
        paths
    }

    /// Gives path number i contract number `member(i)` of a family.
    ///
    /// # Panics
    /// If the layout has no room for it.
    pub fn draw(&mut self, family: &Family, member: impl Fn(usize) -> usize + Sync) {
        // What pads the last block is what its last path has.
        let last = self.count - 1;
        self.blocks_mut().for_each(|(block, mut out)| {
            let of = |lane: usize| member((block * BLOCK + lane).min(last));
            out.draw(family, &std::array::from_fn(of));
        });
    }

    /// The same paths with the implied-volatility surface `of(path, date)` of the first asset; all else but spots and variances is left
    /// out.
    #[must_use]
    pub fn with_surfaces(self, of: impl Fn(usize, usize) -> SurfaceFactors + Sync) -> Self {
        let layout = Layout::new(self.layout.assets(), self.steps()).with_surface(true);
        let mut paths = self.copied(layout, Layout::assets_rows);
        let (dates, last) = (self.layout.dates(), self.count.saturating_sub(1));
        paths.blocks_mut().for_each(|(block, mut out)| {
            let rows = out.surface().expect("the layout has room for it");
            for lane in 0..BLOCK {
                let path = (block * BLOCK + lane).min(last);
                for t in 0..dates {
                    let factors = of(path, t).to_array();
                    for (row, factor) in rows.chunks_exact_mut(dates).zip(factors) {
                        row[t][lane] = R::of(factor);
                    }
                }
            }
        });
        paths
    }

    /// Those rows in another layout; all else is zero.
    fn copied(&self, layout: Layout, rows: fn(&Layout) -> Range<usize>) -> Self {
        let mut paths = Self::spread_as(self.spread.clone(), self.count, layout);
        paths.copy(self, rows);
        paths
    }

    /// Spots, variances, surfaces and payoffs of the same paths in double precision; all else is left out.
    pub fn in_double(&self) -> Paths<f64> {
        let layout = Layout::new(self.layout.assets(), self.steps());
        let layout = layout
            .with_surface(self.layout.has_surface())
            .with_payoffs(self.layout.has_payoffs());
        let mut exact = Paths::spread_as(self.spread.clone(), self.count, layout);
        let (from, size) = (self.layout.rows(), exact.layout.rows());
        for (place, exact) in exact.rows.chunks_exact_mut(size).enumerate() {
            let rows = &self.rows[place * from..][self.layout.markets()];
            for (exact, row) in exact.iter_mut().zip(rows) {
                *exact = row.map(Real::into_f64);
            }
        }
        exact
    }

    /// Copies rows of other paths, which may stand elsewhere there.
    fn copy(&mut self, other: &Self, rows: fn(&Layout) -> Range<usize>) {
        let (from, to) = (other.layout.rows(), self.layout.rows());
        let (source, target) = (rows(&other.layout), rows(&self.layout));
        for place in 0..self.spread.own().len() {
            let source = &other.rows[place * from..][source.clone()];
            self.rows[place * to..][target.clone()].copy_from_slice(source);
        }
    }

    /// The paths with what `contract` makes of them.
    #[must_use]
    pub fn under(self, contract: &Contract) -> Self {
        let layout = self.layout.clone().under(contract);
        let mut paths = self.laid_out(layout);
        paths.observe(contract);
        paths
    }

    /// Writes the path with this index, where all blocks are own ones.
    fn set(&mut self, index: usize, assets: &[(&[f64], &[f64])]) {
        let (block, lane) = (index / BLOCK, index % BLOCK);
        assert_eq!(assets.len(), self.layout.assets());
        let dates = self.layout.dates();
        let first = block * self.layout.rows();
        for (asset, (spot, variance)) in assets.iter().enumerate() {
            assert_eq!((spot.len(), variance.len()), (dates, dates));
            for (range, values) in [
                (self.layout.spot(asset), spot),
                (self.layout.variance(asset), variance),
            ] {
                let rows = &mut self.rows[first + range.start..];
                for (row, value) in rows.iter_mut().zip(*values) {
                    row[lane] = R::of(*value);
                }
            }
        }
    }

    /// Number of paths.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Number of periods; there is one more date.
    pub fn steps(&self) -> usize {
        self.layout.dates() - 1
    }

    /// What a block holds, and where.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// What is traded on them, the first asset first.
    pub fn instruments(&self) -> &[Instrument] {
        self.layout.instruments()
    }

    /// Number of blocks of all ranks together, the last one perhaps partly filled.
    pub fn blocks(&self) -> usize {
        self.spread.blocks()
    }

    /// The blocks that this rank has.
    pub fn own(&self) -> Range<usize> {
        self.spread.own()
    }

    /// How the blocks are spread over ranks.
    pub fn spread(&self) -> &Spread {
        &self.spread
    }

    /// How many paths of block `block` count.
    pub fn active(&self, block: usize) -> usize {
        (self.count - block * BLOCK).min(BLOCK)
    }

    /// Own block number `block`, for reading.
    ///
    /// # Panics
    /// If another rank has it.
    pub fn block(&self, block: usize) -> PathBlock<'_, R> {
        let size = self.layout.rows();
        let first = self.spread.place(block) * size;
        PathBlock::new(&self.layout, &self.rows[first..][..size])
    }

    /// All own blocks with their numbers for writing, in parallel.
    pub fn blocks_mut(
        &mut self,
    ) -> impl IndexedParallelIterator<Item = (usize, PathBlockMut<'_, R>)> {
        let (layout, first) = (&self.layout, self.spread.own().start);
        let blocks = self.rows.par_chunks_exact_mut(layout.rows()).enumerate();
        blocks.map(move |(place, rows)| (first + place, PathBlockMut::new(layout, rows)))
    }

    /// All own blocks with the prices of the instruments that are no asset for writing, `[…][steps + 1][BLOCK]`, in parallel.
    pub(super) fn prices_mut(
        &mut self,
    ) -> impl IndexedParallelIterator<Item = (PathBlock<'_, R>, &mut [Lane<R>])> {
        let layout = &self.layout;
        let (first, last) = (layout.markets().end, layout.drawn().start);
        let blocks = self.rows.par_chunks_exact_mut(layout.rows());
        blocks.map(move |rows| {
            let (seen, rest) = rows.split_at_mut(first);
            (PathBlock::new(layout, seen), &mut rest[..last - first])
        })
    }

    /// The result of `work` for every own block, in their order and in parallel.
    pub fn map<T: Send>(&self, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
        self.spread.map(work)
    }

    /// A number of every path, from those of the own blocks, the same on all ranks.
    pub fn of_all<T: Portable + Copy>(&self, own: Vec<Lane<T>>) -> Vec<T> {
        let mut all = self.spread.collect(own).into_flattened();
        all.truncate(self.count);
        all
    }

    /// Spot and variance of the first asset on one path.
    pub fn path(&self, index: usize) -> (Vec<f64>, Vec<f64>) {
        self.path_of(0, index)
    }

    /// Spot and variance of an asset on one path.
    pub fn path_of(&self, asset: usize, index: usize) -> (Vec<f64>, Vec<f64>) {
        let block = self.block(index / BLOCK);
        let read = |lanes: &[Lane<R>]| lanes.iter().map(|l| l[index % BLOCK].into_f64()).collect();
        (read(block.spot_of(asset)), read(block.variance_of(asset)))
    }
}
