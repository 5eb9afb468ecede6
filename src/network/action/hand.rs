use super::Actor;
use super::anchors::Anchors;
use super::rule::At;
use crate::contract::{Standing, Widths};
use crate::market::{PathBlock, until};
use crate::simd::{BLOCK, Kernel, Lane, Lanes, Real, dispatch};
use std::ops::Range;

/// The widths over which the slopes of hard limits change: they know nothing of lots.
const HARD: Widths = Widths {
    bounds: 1e-9,
    lots: 1e9,
};

/// The hand that trades one block of paths: it takes a network's outputs, holds positions, and brings derivatives back.
///
/// A network writes y_t into [`Self::output_mut`] on the way forward, after [`Self::feed`] where it is fed what is held, and whoever
/// takes it through the date acts on it with [`Self::act_on`]. On the way back it reads ∂z/∂y_t from [`Self::gradient`]. Where it
/// is not fed what is held, that is all: whoever sweeps it pulls all dates back at once. Where it is fed, it goes date by date:
/// [`Self::pull_back`] with what the date after says of the position that it was fed, then its own derivatives.
///
/// # Formula
/// D_t = ∂z/∂δ_t + D_{t+1} ∂A_{t+1}/∂δ_t + what is fed back, and ∂z/∂y_t = D_t ∂A_t/∂y_t, where A, if there are limits, is what they
/// make of the action's position: δ_t = L(A(y_t, δ_{t−1}, b_t), δ_{t−1}).
///
/// # Shapes
/// Outputs are `[steps][outputs of all instruments][BLOCK]`; positions `[steps][instruments][BLOCK]`.
#[derive(Debug)]
pub struct Hand<R> {
    actor: Actor,
    done: Done<R>,
    seeds: Lanes<R>,
    gradients: Lanes<R>,
    /// D_{t+1} ∂A_{t+1}/∂δ_t of the date in hand, one for every instrument.
    later: Lanes<R>,
    /// D_t, then D_t ∂L_t/∂A_t, one for every instrument.
    totals: Lanes<R>,
    /// The positions before the first date, all 0.
    nothing: Lanes<R>,
    /// What the actions ask for on the date in hand.
    targets: Lanes<R>,
    /// The same within bounds; empty where there are no limits.
    clipped: Lanes<R>,
    /// The date on which the contract ends, if it may end early.
    end: Option<Lane<R>>,
}

/// What the way forward leaves for the way back.
#[derive(Debug)]
struct Done<R> {
    outputs: Lanes<R>,
    positions: Lanes<R>,
    /// The benchmark's positions, and what goes with them.
    anchors: Anchors<R>,
    /// The prices of the instruments, empty where there are no limits.
    prices: Lanes<R>,
}

impl<R: Real> Done<R> {
    /// What the action of an instrument goes by on date `t`, where those that act before it ask for `asked`.
    #[inline(always)]
    fn at(&self, actor: &Actor, (t, instrument): (usize, usize), asked: &[Lane<R>]) -> At<'_, R> {
        let outputs = &self.outputs[t * actor.width()..][actor.outputs(instrument)];
        let before = (t * actor.instruments() + instrument).checked_sub(actor.instruments());
        let held = before.map_or([R::ZERO; BLOCK], |before| self.positions[before]);
        self.anchors
            .at(actor, (t, instrument), (outputs, held), asked)
    }

    /// Writes what the actions ask for on date `t`.
    #[inline(always)]
    fn ask<const FMA: bool>(&self, actor: &Actor, t: usize, asked: &mut [Lane<R>]) {
        for &instrument in actor.order() {
            let at = self.at(actor, (t, instrument), asked);
            asked[instrument] = actor.action(instrument).act::<R, FMA>(at);
        }
    }
}

impl<R: Real> Hand<R> {
    /// The hand of `actor` for blocks of `steps` periods.
    pub fn new(actor: &Actor, steps: usize) -> Self {
        let count = actor.instruments();
        let (held, outputs) = (steps * count, steps * actor.width());
        let limited = if actor.limits.is_none() { 0 } else { count };
        Self {
            actor: actor.clone(),
            done: Done {
                outputs: Lanes::zeros(outputs),
                positions: Lanes::zeros(held),
                anchors: Anchors::new(actor, steps),
                prices: Lanes::zeros(steps * limited),
            },
            seeds: Lanes::zeros(held),
            gradients: Lanes::zeros(outputs),
            later: Lanes::zeros(count),
            totals: Lanes::zeros(count),
            nothing: Lanes::zeros(count),
            targets: Lanes::zeros(count),
            clipped: Lanes::zeros(limited),
            end: None,
        }
    }

    /// Makes positions of outputs as `actor` does from now on, which is the one that it was made of but for its relaxation.
    pub fn follow(&mut self, actor: &Actor) {
        self.actor.clone_from(actor);
    }

    /// Takes what it needs of a block on some dates, before it acts on them. Only what is known on those dates is read.
    pub fn see(&mut self, paths: &PathBlock<'_, R>, dates: Range<usize>) {
        self.end = paths.end().copied();
        self.done.anchors.take(&self.actor, paths, dates.clone());
        let count = self.actor.instruments();
        for instrument in 0..self.actor.limits.instruments() {
            let price = paths.price(instrument);
            for t in dates.clone() {
                self.done.prices[t * count + instrument] = price[t];
            }
        }
    }

    /// The outputs of date `t`, for writing.
    #[inline(always)]
    pub fn output_mut(&mut self, t: usize) -> &mut [Lane<R>] {
        let width = self.actor.width();
        &mut self.done.outputs[t * width..][..width]
    }

    /// The outputs of date `t`, for reading.
    #[inline(always)]
    pub fn output(&self, t: usize) -> &[Lane<R>] {
        let width = self.actor.width();
        &self.done.outputs[t * width..][..width]
    }

    /// The positions of all dates.
    pub fn positions(&self) -> &[Lane<R>] {
        &self.done.positions
    }

    /// The positions of date `t`, one for every instrument.
    pub fn held(&self, t: usize) -> &[Lane<R>] {
        let count = self.actor.instruments();
        &self.done.positions[t * count..][..count]
    }

    /// The positions of all dates and, for writing, the seeds: the derivatives in them that the backward pass begins with.
    pub fn positions_and_seeds(&mut self) -> (&[Lane<R>], &mut [Lane<R>]) {
        (&self.done.positions, &mut self.seeds)
    }

    /// The derivatives ∂z/∂y_t of date `t`, once the way back has come to it.
    #[inline(always)]
    pub fn gradient(&self, t: usize) -> &[Lane<R>] {
        let width = self.actor.width();
        &self.gradients[t * width..][..width]
    }

    /// Writes what a network is fed at date `t`: the positions held from the date before, 0 at the sale and where the contract has
    /// ended.
    #[inline(always)]
    pub fn feed(&self, t: usize, out: &mut [Lane<R>]) {
        let count = self.actor.instruments();
        match t.checked_sub(1) {
            None => out[..count].fill([R::ZERO; BLOCK]),
            Some(before) => {
                let held = &self.done.positions[before * count..][..count];
                for (out, held) in out.iter_mut().zip(held) {
                    *out = until(self.end.as_ref(), before, *held);
                }
            }
        }
    }

    /// Makes the positions of date `t` of its outputs.
    #[inline(always)]
    pub fn act<const FMA: bool>(&mut self, t: usize) {
        let count = self.actor.instruments();
        self.done.ask::<FMA>(&self.actor, t, &mut self.targets);
        self.done.positions[t * count..][..count].copy_from_slice(&self.targets);
        let limits = &self.actor.limits;
        if limits.is_none() {
            return;
        }
        let (past, now) = self.done.positions.split_at_mut(t * count);
        let standing = Standing {
            held: match past.len().checked_sub(count) {
                Some(before) => &past[before..],
                None => &self.nothing,
            },
            prices: &self.done.prices[t * count..][..count],
        };
        match self.actor.widths() {
            Some(widths) => {
                limits.hold_smoothly::<R, FMA>(standing, widths, &mut now[..count]);
            }
            None => limits.hold(standing, &mut now[..count]),
        }
    }

    /// Makes ∂z/∂y_t of the seeds of date `t`, of what the dates after say of its positions and, where the network is fed these,
    /// of `fed_back`: the derivatives in the inputs of date t + 1 that are positions of date `t`, 0 on the last date. Dates are gone
    /// through from the last to the first.
    #[inline(always)]
    pub fn pull_back<const FMA: bool>(&mut self, t: usize, fed_back: &[Lane<R>]) {
        let count = self.actor.instruments();
        if (t + 1) * count == self.done.positions.len() {
            self.later.fill([R::ZERO; BLOCK]);
        }
        for instrument in 0..count {
            let mut total = self.seeds[t * count + instrument];
            if let Some(fed_back) = fed_back.get(instrument) {
                let fed_back = until(self.end.as_ref(), t, *fed_back);
                for lane in 0..BLOCK {
                    total[lane] += fed_back[lane];
                }
            }
            let later = &self.later[instrument];
            for lane in 0..BLOCK {
                total[lane] += later[lane];
            }
            self.totals[instrument] = total;
        }
        self.later.fill([R::ZERO; BLOCK]);
        if self.actor.limits.is_none() {
            let positions = &self.done.positions[t * count..][..count];
            self.targets.copy_from_slice(positions);
        } else {
            self.done.ask::<FMA>(&self.actor, t, &mut self.targets);
            self.pull_back_through_limits::<FMA>(t);
        }
        let gradients = &mut self.gradients[t * self.actor.width()..];
        for &instrument in self.actor.order().iter().rev() {
            let place = (t, instrument);
            let by_outputs = &mut gradients[self.actor.outputs(instrument)];
            let at = self.done.at(&self.actor, place, &self.targets);
            let action = self.actor.action(instrument);
            let through = action.pull_back::<R, FMA>(at, self.totals[instrument], by_outputs);
            let later = &mut self.later[instrument];
            for lane in 0..BLOCK {
                later[lane] += through.held[lane];
            }
            let anchors = &self.done.anchors;
            anchors.pull_back(&self.actor, place, &through.benchmark, &mut self.totals);
        }
    }

    /// Takes D_t from the positions of date `t` back to what the action asked for, and leaves in `later` what of it goes to the positions
    /// held past the action.
    #[inline(always)]
    fn pull_back_through_limits<const FMA: bool>(&mut self, t: usize) {
        let count = self.actor.instruments();
        let standing = Standing {
            held: match (t * count).checked_sub(count) {
                Some(before) => &self.done.positions[before..][..count],
                None => &self.nothing,
            },
            prices: &self.done.prices[t * count..][..count],
        };
        self.actor.limits.pull_back::<R, FMA>(
            standing,
            self.actor.widths().unwrap_or(HARD),
            &self.targets,
            &mut self.clipped,
            (&mut self.totals, &mut self.later),
        );
    }

    /// Makes the positions of some dates, whose earlier ones are made.
    pub fn act_on(&mut self, dates: Range<usize>) {
        dispatch(ActOn(self, dates));
    }

    /// Makes ∂z/∂y of all dates, for a network that is not fed what is held.
    pub fn pull_all_back(&mut self) {
        dispatch(PullAllBack(self));
    }

    /// The number of periods.
    fn steps(&self) -> usize {
        self.done.positions.len() / self.actor.instruments()
    }
}

/// [`Hand::act_on`]
struct ActOn<'a, R>(&'a mut Hand<R>, Range<usize>);

impl<R: Real> Kernel for ActOn<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        for t in self.1 {
            self.0.act::<FMA>(t);
        }
    }
}

/// [`Hand::pull_all_back`]
struct PullAllBack<'a, R>(&'a mut Hand<R>);

impl<R: Real> Kernel for PullAllBack<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        for t in (0..self.0.steps()).rev() {
            self.0.pull_back::<FMA>(t, &[]);
        }
    }
}
