//! What a contract, a benchmark and a hedge without training make of paths.

use super::{PathBlock, Paths};
use crate::contract::{Contract, Instrument, Observed, Spots};
use crate::market::benchmark::{Answers, AnswersMut, Benchmark, BenchmarkHedge, answer_columns};
use crate::market::layout::Layout;
use crate::simd::{BLOCK, Lane, Real};
use rayon::prelude::*;

impl<R: Real> Paths<R> {
    /// Writes what `contract`, for which the layout has room, makes of the paths.
    pub(in crate::market) fn observe(&mut self, contract: &Contract) {
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
    pub(in crate::market) fn answer(&mut self, benchmark: &dyn Benchmark) {
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
    pub(in crate::market) fn hedge(&mut self, hedge: &dyn BenchmarkHedge) {
        let single = size_of::<R>() < size_of::<f64>();
        if let Some(benchmark) = hedge.deltas().filter(|_| single) {
            self.hold_deltas(benchmark);
            return;
        }
        let Self {
            layout,
            rows,
            count,
            spread,
        } = self;
        let mut exact = Paths::<f64>::spread_as(spread.clone(), *count, layout.clone());
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
}

/// What a benchmark says on a block of which `seen` are the rows before its answers.
fn answers<R: Real>(
    layout: &Layout,
    seen: &[Lane<R>],
    benchmark: &dyn Benchmark,
) -> Vec<Lane<f64>> {
    let seen: Vec<Lane<f64>> = seen.iter().map(|row| row.map(Real::into_f64)).collect();
    let dates = layout.dates();
    let mut answers = vec![[0.0; BLOCK]; answer_columns(layout.assets()) * dates];
    let mut out = AnswersMut::new(&mut answers, dates);
    benchmark.answer(&PathBlock::new(layout, &seen), &mut out);
    answers
}
