mod charged;

use super::benchmark::{Answers, AnswersMut, Benchmark, BenchmarkHedge};
use super::layout::Layout;
use super::quoted::Quoted;
use crate::contract::{Contract, Family, Instrument, Observed, Spots};
use crate::simd::{BLOCK, Lane, Lanes, Real};
use rayon::prelude::*;
use std::ops::Range;

/// Spots, variances, prices of hedging instruments and what a contract makes of them, on a grid of dates, for a set of
/// paths.
///
/// # Shapes
/// Stored in blocks of [`BLOCK`] paths, each contiguous, with the rows of a [`Layout`]. The last block is padded with copies
/// or surplus paths; `count` says how many paths count.
///
/// # Units
/// Spots and prices in currency, variances annualised.
#[derive(Debug, Clone, PartialEq)]
pub struct Paths<R> {
    count: usize,
    layout: Layout,
    rows: Lanes<R>,
}

/// One block of [`Paths`]: `steps + 1` dates.
#[derive(Debug, Clone, Copy)]
pub struct PathBlock<'a, R> {
    /// The spot of the first asset at every date.
    pub spot: &'a [Lane<R>],
    /// The annualised variance of the first asset at every date.
    pub variance: &'a [Lane<R>],
    layout: &'a Layout,
    rows: &'a [Lane<R>],
}

impl<'a, R> PathBlock<'a, R> {
    fn new(layout: &'a Layout, rows: &'a [Lane<R>]) -> Self {
        Self {
            spot: &rows[layout.spot(0)],
            variance: &rows[layout.variance(0)],
            layout,
            rows,
        }
    }

    /// Number of periods.
    #[inline(always)]
    pub fn steps(&self) -> usize {
        self.spot.len() - 1
    }

    /// The spot of an asset at every date.
    #[inline(always)]
    pub fn spot_of(&self, asset: usize) -> &'a [Lane<R>] {
        &self.rows[self.layout.spot(asset)]
    }

    /// The spots of all assets, as a contract reads them.
    pub fn spots(&self) -> Spots<'a, R> {
        let dates = self.layout.dates();
        let members = self.drawn().map(|drawn| drawn.member);
        Spots::new(self.rows, dates, 2 * dates).with_members(members)
    }

    /// The annualised variance of an asset at every date.
    #[inline(always)]
    pub fn variance_of(&self, asset: usize) -> &'a [Lane<R>] {
        &self.rows[self.layout.variance(asset)]
    }

    /// The price of an instrument at every date; number 0 is the first asset.
    #[inline(always)]
    pub fn price(&self, instrument: usize) -> &'a [Lane<R>] {
        &self.rows[self.layout.price(instrument)]
    }

    /// What trading an instrument depends on at every date.
    #[inline(always)]
    pub fn quoted(&self, instrument: usize) -> Quoted<'a, R> {
        let asset = self.layout.instruments()[instrument].asset();
        let state = self.layout.option_state(instrument);
        Quoted::new(
            self.price(instrument),
            self.variance_of(asset),
            state.map(|state| &self.rows[state]),
            self.cost_factors(),
        )
    }

    /// What each path holds of its own contract; none where all have the same one.
    #[inline(always)]
    pub fn drawn(&self) -> Option<DrawnTerms<'a, R>> {
        let [member, life, strike, values @ ..] = &self.rows[self.layout.drawn()] else {
            return None;
        };
        Some(DrawnTerms {
            member,
            life,
            strike,
            values,
        })
    }

    /// What the contract pays on every date on which something may be due.
    #[inline(always)]
    pub fn payments(&self) -> &'a [Lane<R>] {
        &self.rows[self.layout.payments()]
    }

    /// The date on which the contract ends, counted from the sale; none if it lives to its expiry on every path.
    #[inline(always)]
    pub fn end(&self) -> Option<&'a Lane<R>> {
        self.rows[self.layout.end()].first()
    }

    /// What a benchmark says of the contract.
    ///
    /// # Panics
    /// If the paths hold no answers of one.
    #[inline(always)]
    pub fn benchmark(&self) -> Answers<'a, R> {
        let rows = &self.rows[self.layout.answers()];
        assert!(!rows.is_empty(), "the paths hold a benchmark's answers");
        Answers::new(rows, self.layout.dates())
    }

    /// What a benchmark holds over every period, `[steps][instruments]`.
    ///
    /// # Panics
    /// If the paths hold no positions of one.
    #[inline(always)]
    pub fn benchmark_positions(&self) -> &'a [Lane<R>] {
        let rows = &self.rows[self.layout.benchmark_positions()];
        assert!(!rows.is_empty(), "the paths hold a benchmark's positions");
        rows
    }

    /// A running quantity of the contract at every date.
    #[inline(always)]
    pub fn state(&self, accumulator: usize) -> &'a [Lane<R>] {
        let dates = self.layout.dates();
        &self.rows[self.layout.state()][accumulator * dates..][..dates]
    }
}

/// What the paths of a block hold of their own contracts.
#[derive(Debug, Clone, Copy)]
pub struct DrawnTerms<'a, R> {
    /// The number of the contract in its family.
    pub member: &'a Lane<R>,
    /// The number of periods that it lives.
    pub life: &'a Lane<R>,
    /// Its strike, in currency.
    pub strike: &'a Lane<R>,
    /// The value of every range, `[ranges][BLOCK]`.
    pub values: &'a [Lane<R>],
}

/// What is held over period `t` of `position`: nothing where the contract ends on date `end` and that is `t` or before it.
#[inline(always)]
pub fn until<R: Real>(end: Option<&Lane<R>>, t: usize, position: Lane<R>) -> Lane<R> {
    let Some(end) = end else {
        return position;
    };
    let t = R::of(t as f64);
    let mut held = position;
    for lane in 0..BLOCK {
        held[lane] = if t < end[lane] {
            position[lane]
        } else {
            R::ZERO
        };
    }
    held
}

/// What a benchmark says on a block of which `seen` are the rows before its answers.
fn answers<R: Real>(
    layout: &Layout,
    seen: &[Lane<R>],
    benchmark: &dyn Benchmark,
) -> Vec<Lane<f64>> {
    let seen: Vec<Lane<f64>> = seen.iter().map(|row| row.map(Real::into_f64)).collect();
    let dates = layout.dates();
    let mut answers = vec![[0.0; BLOCK]; (1 + 2 * layout.assets()) * dates];
    let mut out = AnswersMut::new(&mut answers, dates);
    benchmark.answer(&PathBlock::new(layout, &seen), &mut out);
    answers
}

/// One block of [`Paths`] for writing.
pub struct PathBlockMut<'a, R> {
    layout: &'a Layout,
    rows: &'a mut [Lane<R>],
}

impl<R: Real> PathBlockMut<'_, R> {
    /// Whether each path has a contract of its own.
    pub fn draws(&self) -> bool {
        !self.layout.drawn().is_empty()
    }

    /// Gives each path the contract of `family` that `members` says.
    ///
    /// # Panics
    /// If the layout has no room for it.
    pub fn draw(&mut self, family: &Family, members: &[usize; BLOCK]) {
        let rows = &mut self.rows[self.layout.drawn()];
        assert_eq!(rows.len(), family.row_count());
        for (lane, member) in members.iter().enumerate() {
            for (row, value) in rows.iter_mut().zip(family.rows(*member)) {
                row[lane] = R::of(value);
            }
        }
    }
}

impl<R> PathBlockMut<'_, R> {
    /// Spot and variance of an asset, each `[steps + 1][BLOCK]`.
    pub fn asset(&mut self, asset: usize) -> (&mut [Lane<R>], &mut [Lane<R>]) {
        let (spot, variance) = (self.layout.spot(asset), self.layout.variance(asset));
        let dates = self.layout.dates();
        self.rows[spot.start..variance.end].split_at_mut(dates)
    }

    /// Spot and variance of all assets in their order, each `[steps + 1][BLOCK]`.
    pub fn assets(
        &mut self,
    ) -> impl ExactSizeIterator<Item = (&mut [Lane<R>], &mut [Lane<R>])> + use<'_, R> {
        let dates = self.layout.dates();
        let rows = &mut self.rows[self.layout.markets()];
        let columns = rows.chunks_exact_mut(2 * dates);
        columns.map(move |columns| columns.split_at_mut(dates))
    }
}

impl<R: Real> Paths<R> {
    /// Storage for `count` paths of one asset over `steps` periods, all zero.
    pub fn zeros(count: usize, steps: usize) -> Self {
        Self::with_layout(count, Layout::new(1, steps))
    }

    /// Storage for `count` paths, all zero.
    pub fn with_layout(count: usize, layout: Layout) -> Self {
        Self {
            count,
            rows: Lanes::zeros(count.div_ceil(BLOCK) * layout.rows()),
            layout,
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

    /// The same spots, variances and contracts in another layout of as many assets and dates; all else is zero.
    ///
    /// # Panics
    /// If the layout has other assets or dates, or asks for contracts that the paths have not.
    pub(super) fn laid_out(self, layout: Layout) -> Self {
        if self.layout == layout {
            return self;
        }
        assert_eq!(
            (self.layout.assets(), self.layout.dates()),
            (layout.assets(), layout.dates())
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
        // What pads the last block is what its last path has.
        let last = self.count - 1;
        paths.blocks_mut().enumerate().for_each(|(block, mut out)| {
            let of = |lane: usize| member((block * BLOCK + lane).min(last));
            out.draw(family, &std::array::from_fn(of));
        });
        paths
    }

    /// Those rows in another layout; all else is zero.
    fn copied(&self, layout: Layout, rows: fn(&Layout) -> Range<usize>) -> Self {
        let mut paths = Self::with_layout(self.count, layout);
        paths.copy(self, rows);
        paths
    }

    /// Copies rows of other paths, which may stand elsewhere there.
    fn copy(&mut self, other: &Self, rows: fn(&Layout) -> Range<usize>) {
        let (from, to) = (other.layout.rows(), self.layout.rows());
        let (source, target) = (rows(&other.layout), rows(&self.layout));
        for block in 0..self.blocks() {
            let source = &other.rows[block * from..][source.clone()];
            self.rows[block * to..][target.clone()].copy_from_slice(source);
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

    /// Writes what `contract`, for which the layout has room, makes of the paths.
    pub(super) fn observe(&mut self, contract: &Contract) {
        let Self { layout, rows, .. } = self;
        debug_assert_eq!(*layout, layout.clone().under(contract));
        let (dates, first) = (layout.dates(), layout.state().start);
        let (payments, end) = (layout.payments().start - first, layout.end().start - first);
        let ends = layout.end().len();
        rows.par_chunks_exact_mut(layout.rows()).for_each(|rows| {
            let (seen, made) = rows.split_at_mut(first);
            let members = seen[layout.drawn()].first();
            let (state, rest) = made.split_at_mut(payments);
            let (payments, rest) = rest.split_at_mut(end - payments);
            let out = Observed {
                payments,
                end: &mut rest[..ends],
                state,
            };
            let spots = Spots::new(seen, dates, 2 * dates).with_members(members);
            contract.observe(spots, out);
        });
    }

    /// Writes what `benchmark` says of the contract, for which the layout has room; all else is written.
    pub(super) fn answer(&mut self, benchmark: &dyn Benchmark) {
        let Self { layout, rows, .. } = self;
        let place = layout.answers();
        rows.par_chunks_exact_mut(layout.rows()).for_each(|rows| {
            let answers = answers(layout, &rows[..place.start], benchmark);
            for (out, answer) in rows[place.clone()].iter_mut().zip(answers) {
                *out = answer.map(R::of);
            }
        });
    }

    /// Writes what `hedge` holds on them, for which the layout has room; all else is written.
    pub(super) fn hedge(&mut self, hedge: &dyn BenchmarkHedge) {
        let single = size_of::<R>() < size_of::<f64>();
        if let Some(benchmark) = hedge.deltas().filter(|_| single) {
            self.hold_deltas(benchmark);
            return;
        }
        let Self {
            layout,
            rows,
            count,
        } = self;
        let mut exact = Paths::<f64>::with_layout(*count, layout.clone());
        let into = exact.rows.par_chunks_exact_mut(layout.rows());
        let from = rows.par_chunks_exact_mut(layout.rows());
        into.zip(from).for_each(|(exact, rows)| {
            for (exact, row) in exact.iter_mut().zip(rows) {
                *exact = row.map(Real::into_f64);
            }
        });
        let positions = hedge.positions(&exact);
        let held = layout.benchmark_positions();
        let blocks = positions.par_chunks_exact(held.len());
        let rows = rows.par_chunks_exact_mut(layout.rows());
        rows.zip(blocks).for_each(|(rows, positions)| {
            for (row, position) in rows[held.clone()].iter_mut().zip(positions) {
                *row = position.map(R::of);
            }
        });
    }

    /// Writes the deltas of `benchmark` as what is held of the assets.
    fn hold_deltas(&mut self, benchmark: &dyn Benchmark) {
        let Self { layout, rows, .. } = self;
        let (held, first) = (layout.benchmark_positions(), layout.answers().start);
        let (dates, count) = (layout.dates(), layout.instruments().len());
        rows.par_chunks_exact_mut(layout.rows()).for_each(|rows| {
            let answers = answers(layout, &rows[..first], benchmark);
            let answers = Answers::new(&answers, dates);
            for (place, row) in rows[held.clone()].iter_mut().enumerate() {
                *row = match layout.instruments()[place % count] {
                    Instrument::Spot(asset) => answers.delta(asset)[place / count].map(R::of),
                    Instrument::Option(_) | Instrument::VarianceSwap(_) => [R::ZERO; BLOCK],
                };
            }
        });
    }

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
        let size = self.layout.rows();
        PathBlock::new(&self.layout, &self.rows[block * size..][..size])
    }

    /// All blocks for writing, in order and in parallel.
    pub fn blocks_mut(&mut self) -> impl IndexedParallelIterator<Item = PathBlockMut<'_, R>> {
        let layout = &self.layout;
        let blocks = self.rows.par_chunks_exact_mut(layout.rows());
        blocks.map(move |rows| PathBlockMut { layout, rows })
    }

    /// All blocks with the prices of the instruments that are no asset for writing, `[…][steps + 1][BLOCK]`, in parallel.
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

    /// The paths with the given indices, in that order.
    ///
    /// # Panics
    /// If `indices` is empty or out of range.
    pub fn gather(&self, indices: &[usize]) -> Self {
        let mut result = Self::with_layout(indices.len(), self.layout.clone());
        let size = self.layout.rows();
        for target in 0..result.blocks() * BLOCK {
            let source = indices[target.min(indices.len() - 1)];
            let (from, to) = ((source / BLOCK) * size, (target / BLOCK) * size);
            let (from_lane, to_lane) = (source % BLOCK, target % BLOCK);
            for row in 0..size {
                result.rows[to + row][to_lane] = self.rows[from + row][from_lane];
            }
        }
        result
    }
}
