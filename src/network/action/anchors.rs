//! What positions are anchored to on a block: a benchmark's positions, and what says how far a policy may go from them.

use super::Actor;
use super::rule::At;
use crate::contract::{Charge, Cost, Instrument};
use crate::market::PathBlock;
use crate::simd::{BLOCK, Lane, Lanes, Real};
use std::ops::Range;

/// What an actor goes by on a block beside outputs and positions held, each `[steps][instruments][BLOCK]` or empty where no action
/// asks for it.
#[derive(Debug)]
pub struct Anchors<R> {
    /// The benchmark's positions.
    benchmark: Lanes<R>,
    /// The deltas of the options that a spot goes by.
    deltas: Lanes<R>,
    /// The sizes of the benchmark's positions.
    sizes: Lanes<R>,
    /// How much the contract's delta moves, for spots.
    curvatures: Lanes<R>,
    /// The units of widths.
    width_units: Lanes<R>,
}

impl<R: Real> Anchors<R> {
    /// Room for blocks of `steps` periods.
    pub fn new(actor: &Actor, steps: usize) -> Self {
        let asks = actor.asks();
        let rows = |asked: bool| match asked {
            true => Lanes::zeros(steps * actor.instruments()),
            false => Lanes::zeros(0),
        };
        Self {
            benchmark: rows(actor.is_on_benchmark()),
            deltas: rows(actor.nets_options()),
            sizes: rows(actor.is_anchored()),
            curvatures: rows(asks.curvature),
            width_units: {
                let mut units = rows(asks.cost_widths);
                units.fill([R::ONE; BLOCK]);
                units
            },
        }
    }

    /// Takes what it needs of a block on some dates.
    pub fn take(&mut self, actor: &Actor, paths: &PathBlock<'_, R>, dates: Range<usize>) {
        if self.benchmark.is_empty() {
            return;
        }
        let count = actor.instruments();
        let rows = dates.start * count..dates.end * count;
        let held = &paths.benchmark_positions()[rows.clone()];
        self.benchmark[rows].copy_from_slice(held);
        for instrument in (0..count).filter(|one| actor.spot_of(*one).is_some()) {
            let deltas = paths.option_deltas(instrument);
            let deltas = deltas.expect("an option that a spot goes by has a delta");
            for t in dates.clone() {
                self.deltas[t * count + instrument] = deltas[t];
            }
        }
        if !self.sizes.is_empty() {
            dates.clone().for_each(|t| self.take_sizes(actor, t));
        }
        for instrument in 0..count {
            if let Instrument::Spot(asset) = paths.instruments()[instrument] {
                self.take_moves(actor, paths, (instrument, asset), dates.clone());
            }
        }
    }

    /// m = |b_0 + Σ_j b_j Δ_j| of a spot, with the options that it goes by; |b| of everything else.
    fn take_sizes(&mut self, actor: &Actor, t: usize) {
        let count = actor.instruments();
        let benchmark = &self.benchmark[t * count..][..count];
        let sizes = &mut self.sizes[t * count..][..count];
        sizes.copy_from_slice(benchmark);
        for option in 0..count {
            let Some(spot) = actor.spot_of(option) else {
                continue;
            };
            let delta = &self.deltas[t * count + option];
            for lane in 0..BLOCK {
                sizes[spot][lane] += benchmark[option][lane] * delta[lane];
            }
        }
        for size in sizes.as_flattened_mut() {
            *size = size.abs();
        }
    }

    /// How the contract's delta in an asset moves, and the unit of widths that follows, for the spot of that asset.
    fn take_moves(
        &mut self,
        actor: &Actor,
        paths: &PathBlock<'_, R>,
        (instrument, asset): (usize, usize),
        dates: Range<usize>,
    ) {
        let count = actor.instruments();
        let asks = actor.action(instrument).asks();
        if !asks.answers() {
            return;
        }
        let answers = paths.benchmark();
        let (spot, gamma) = (paths.spot_of(asset), answers.gamma(asset));
        let (quoted, charge) = (paths.quoted(instrument), actor.charge(instrument));
        let hundredth = R::of(0.01);
        for t in dates {
            let row = t * count + instrument;
            if asks.curvature {
                let volatility = &answers.volatility()[t];
                let left = paths.years_left(t, actor.period());
                for lane in 0..BLOCK {
                    let deviation = volatility[lane] * left[lane].sqrt();
                    self.curvatures[row][lane] = gamma[t][lane] * spot[t][lane] * deviation;
                }
            }
            if asks.cost_widths {
                for lane in 0..BLOCK {
                    let cost = charge.of_unit(&quoted.at::<Charge>(t, lane));
                    let gamma = gamma[t][lane];
                    let cube = R::of(1.5) * cost * gamma * gamma * (hundredth * spot[0][lane]);
                    self.width_units[row][lane] = R::of(cube.into_f64().cbrt());
                }
            }
        }
    }

    /// What the action of an instrument goes by on date `t` beside its outputs and what is held; `asked` is what the instruments that
    /// act before it ask for.
    #[inline(always)]
    pub fn at<'a>(
        &self,
        actor: &Actor,
        (t, instrument): (usize, usize),
        (outputs, held): (&'a [Lane<R>], Lane<R>),
        asked: &[Lane<R>],
    ) -> At<'a, R> {
        let zero = [R::ZERO; BLOCK];
        let first = t * actor.instruments();
        let of = |rows: &[Lane<R>], usual| rows.get(first + instrument).copied().unwrap_or(usual);
        let mut benchmark = of(&self.benchmark, zero);
        for option in 0..self.deltas.len().min(actor.instruments()) {
            if actor.spot_of(option) != Some(instrument) {
                continue;
            }
            let (asked, theirs) = (&asked[option], &self.benchmark[first + option]);
            let delta = &self.deltas[first + option];
            for lane in 0..BLOCK {
                benchmark[lane] -= (asked[lane] - theirs[lane]) * delta[lane];
            }
        }
        At {
            outputs,
            held,
            benchmark,
            size: of(&self.sizes, zero),
            curvature: of(&self.curvatures, zero),
            width_unit: of(&self.width_units, [R::ONE; BLOCK]),
        }
    }

    /// Takes the derivatives `by_benchmark` in what an instrument is anchored to on date `t` to those in what the options ask for
    /// that its spot goes by.
    #[inline(always)]
    pub fn pull_back(
        &self,
        actor: &Actor,
        (t, instrument): (usize, usize),
        by_benchmark: &Lane<R>,
        totals: &mut [Lane<R>],
    ) {
        let count = actor.instruments();
        for option in 0..self.deltas.len().min(count) {
            if actor.spot_of(option) == Some(instrument) {
                let delta = &self.deltas[t * count + option];
                for lane in 0..BLOCK {
                    totals[option][lane] -= by_benchmark[lane] * delta[lane];
                }
            }
        }
    }
}
