//! What a contract, a benchmark and a hedge without training make of paths.

use super::{PathBlock, Paths};
use crate::contract::{Contract, Instrument, Observed, Spots};
use crate::market::benchmark::{
    Answers, AnswersMut, Benchmark, BenchmarkHedge, QuickHedge, answer_columns,
};
use crate::market::layout::Layout;
use crate::simd::{BLOCK, Lane, Real};
use rayon::prelude::*;
use std::any::Any;
use std::ops::Range;

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
            let spots = Spots::new(seen, dates, 2 * dates)
                .with_members(members)
                .with_payoffs(seen[layout.payoff()].first());
            contract.observe(spots, out);
        });
    }

    /// Writes what `benchmark` says of the contract on some dates, for which the layout has room; all else is written.
    pub(in crate::market) fn answer(&mut self, benchmark: &dyn Benchmark, on: Range<usize>) {
        let Self { layout, rows, .. } = self;
        let place = layout.answers();
        rows.par_chunks_exact_mut(layout.rows()).for_each(|rows| {
            let answers = answers(layout, &rows[..place.start], benchmark, on.clone());
            let columns = rows[place.clone()].chunks_exact_mut(layout.dates());
            for (out, answers) in columns.zip(answers.chunks_exact(layout.dates())) {
                for t in on.clone() {
                    out[t] = answers[t].map(R::of);
                }
            }
        });
    }

    /// Writes what `hedge` holds on some dates, for which the layout has room; all else is written, and what it holds on earlier dates.
    pub(in crate::market) fn hedge(&mut self, hedge: &dyn BenchmarkHedge, on: Range<usize>) {
        let single = size_of::<R>() < size_of::<f64>();
        if let Some(quick) = hedge.quick().filter(|quick| single && self.knows(quick)) {
            // Single precision is that of training, which asks for all dates at once.
            self.hold_quickly(&quick);
            return;
        }
        // After the last period nothing is held.
        let on = on.start..on.end.min(self.steps());
        if on.is_empty() {
            return;
        }
        // Double precision is seen as it is.
        let positions = match (self as &dyn Any).downcast_ref::<Paths<f64>>() {
            Some(exact) => hedge.positions(exact, on.clone()),
            None => hedge.positions(&self.exact(), on.clone()),
        };
        let Self { layout, rows, .. } = self;
        let count = layout.instruments().len();
        let (held, first) = (layout.benchmark_positions(), on.start * count);
        let blocks = positions.par_chunks_exact(on.len() * count);
        let rows = rows.par_chunks_exact_mut(layout.rows());
        rows.zip(blocks).for_each(|(rows, positions)| {
            let held = &mut rows[held.clone()][first..];
            for (row, position) in held.iter_mut().zip(positions) {
                *row = position.map(R::of);
            }
        });
    }

    /// The same paths in double precision.
    fn exact(&self) -> Paths<f64> {
        let Self {
            layout,
            rows,
            count,
            spread,
        } = self;
        let mut exact = Paths::<f64>::spread_as(spread.clone(), *count, layout.clone());
        let into = exact.rows.par_chunks_exact_mut(layout.rows());
        let from = rows.par_chunks_exact(layout.rows());
        into.zip(from).for_each(|(exact, rows)| {
            for (exact, row) in exact.iter_mut().zip(rows) {
                *exact = row.map(Real::into_f64);
            }
        });
        exact
    }

    /// Whether the paths hold what the positions of `hedge` follow from.
    fn knows(&self, hedge: &QuickHedge<'_>) -> bool {
        let layout = &self.layout;
        hedge.option.is_none_or(|option| {
            layout.has_surface() && layout.option_state(option.instrument).is_some()
        })
    }

    /// Writes the positions of `hedge`.
    fn hold_quickly(&mut self, hedge: &QuickHedge<'_>) {
        let Self { layout, rows, .. } = self;
        let held = layout.benchmark_positions();
        rows.par_chunks_exact_mut(layout.rows()).for_each(|rows| {
            let (seen, made) = rows.split_at_mut(held.start);
            quick_positions(layout, seen, hedge, &mut made[..held.len()]);
        });
    }
}

/// The positions of `hedge` on a block of which `seen` are the rows before those of a benchmark's positions.
fn quick_positions<R: Real>(
    layout: &Layout,
    seen: &[Lane<R>],
    hedge: &QuickHedge<'_>,
    out: &mut [Lane<R>],
) {
    let seen_before = &seen[..layout.answers().start];
    let answers = answers(layout, seen_before, hedge.benchmark, 0..layout.dates());
    let answers: Answers<'_, f64> = Answers::new(&answers, layout.dates());
    let block = PathBlock::new(layout, seen);
    let instruments = layout.instruments();
    // What the contract of each path has for periods.
    let periods = layout.dates() - 1;
    let lives: [usize; BLOCK] = std::array::from_fn(|lane| {
        let life = block.drawn().map(|drawn| drawn.life[lane].into_f64());
        let end = block.end().map(|end| end[lane].into_f64());
        let least = |until: Option<f64>| until.map_or(periods, |until| until as usize);
        least(life).min(least(end))
    });
    let mut options: Lane<f64> = [0.0; BLOCK];
    for (t, out) in out.chunks_exact_mut(instruments.len()).enumerate() {
        let mut by_options: Lane<f64> = [0.0; BLOCK];
        if let Some(option) = &hedge.option {
            let known = "the paths know the option's state";
            let vegas = &block.option_vegas(option.instrument).expect(known)[t];
            let deltas = &block.option_deltas(option.instrument).expect(known)[t];
            for lane in 0..BLOCK {
                let ratio: f64 = answers.vega()[t][lane] / vegas[lane].into_f64();
                if (t == 0 || !option.is_static) && !ratio.is_nan() {
                    options[lane] = option.ratio * ratio.clamp(-option.most, option.most);
                }
                by_options[lane] = options[lane] * deltas[lane].into_f64();
            }
        }
        for (place, (instrument, out)) in instruments.iter().zip(out).enumerate() {
            for lane in 0..BLOCK {
                let held: f64 = match instrument {
                    _ if t >= lives[lane] => 0.0,
                    Instrument::Spot(asset) => {
                        let delta = hedge.scale * answers.delta(*asset)[t][lane];
                        let taken = if place == 0 { by_options[lane] } else { 0.0 };
                        delta - taken
                    }
                    Instrument::Option(_) | Instrument::VarianceSwap(_) => match &hedge.option {
                        Some(option) if option.instrument == place => options[lane],
                        Some(_) | None => 0.0,
                    },
                };
                out[lane] = R::of(held);
            }
        }
    }
}

/// What a benchmark says on some dates of a block of which `seen` are the rows before its answers; 0 on the others.
fn answers<R: Real>(
    layout: &Layout,
    seen: &[Lane<R>],
    benchmark: &dyn Benchmark,
    on: Range<usize>,
) -> Vec<Lane<f64>> {
    let seen: Vec<Lane<f64>> = seen.iter().map(|row| row.map(Real::into_f64)).collect();
    let dates = layout.dates();
    let mut answers = vec![[0.0; BLOCK]; answer_columns(layout.assets()) * dates];
    let mut out = AnswersMut::new(&mut answers, dates);
    benchmark.answer(&PathBlock::new(layout, &seen), on, &mut out);
    answers
}
