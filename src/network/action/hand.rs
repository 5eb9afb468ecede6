use super::{Action, At, Relaxation};
use crate::contract::{Limits, Standing, Widths};
use crate::market::{PathBlock, until};
use crate::network::Head;
use crate::simd::{BLOCK, Kernel, Lane, Lanes, Real, dispatch};

/// What makes the positions of a policy of its network's outputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Actor {
    /// How a position comes of the outputs.
    pub action: Action,
    /// The number of instruments, each of which has a position at a date.
    pub instruments: usize,
    /// The limits of positions and trades.
    limits: Limits,
    /// How far action and limits are those of training.
    relaxation: Relaxation,
}

/// The widths over which the slopes of hard limits change: they know nothing of lots.
const HARD: Widths = Widths {
    bounds: 1e-9,
    lots: 1e9,
};

impl Actor {
    /// The actor whose outputs are positions in so many instruments.
    pub fn direct(instruments: usize) -> Self {
        Self::new(Action::default(), instruments)
    }

    /// The actor that makes positions in so many instruments by `action`, without limits.
    pub fn new(action: impl Into<Action>, instruments: usize) -> Self {
        Self {
            action: action.into(),
            instruments,
            limits: Limits::default(),
            relaxation: Relaxation::NONE,
        }
    }

    /// The same within limits of all instruments.
    ///
    /// # Panics
    /// If there are limits of some instruments only.
    #[must_use]
    pub fn within(self, limits: Limits) -> Self {
        assert!(limits.is_none() || limits.instruments() == self.instruments);
        Self { limits, ..self }
    }

    /// The same as training sees it.
    #[must_use]
    pub fn relaxed(self, relaxation: Relaxation) -> Self {
        Self {
            action: self.action.relaxed(&relaxation),
            relaxation,
            ..self
        }
    }

    /// The widths of limits in training, none where they are hard.
    fn widths(&self) -> Option<Widths> {
        let Relaxation { limits, lots, .. } = self.relaxation;
        (limits > 0.0).then_some(Widths {
            bounds: limits,
            lots,
        })
    }

    /// What a network has to give and to be fed for this actor, `feedback` telling whether it sees the positions held.
    pub fn head(&self, feedback: bool) -> Head {
        Head {
            outputs: self.instruments * self.action.outputs(),
            fed: if feedback { self.instruments } else { 0 },
            from_zero: self.action.is_from_zero(),
        }
    }
}

/// The hand that trades one block of paths: it takes a network's outputs, holds positions, and brings derivatives back.
///
/// A network writes y_t into [`Self::output_mut`] on the way forward, and reads ∂z/∂y_t from [`Self::gradient`] on the way back. Where
/// it is not fed what is held, that is all: whoever sweeps it acts on all dates at once. Where it is fed, it goes date by date: on
/// the way forward [`Self::feed`], its outputs, [`Self::act`]; on the way back [`Self::pull_back`] with what the date after says of
/// the position that it was fed, then its own derivatives.
///
/// # Formula
/// D_t = ∂z/∂δ_t + D_{t+1} ∂A_{t+1}/∂δ_t + what is fed back, and ∂z/∂y_t = D_t ∂A_t/∂y_t, where A, if there are limits, is what they
/// make of the action's position: δ_t = L(A(y_t, δ_{t−1}, b_t), δ_{t−1}).
///
/// # Shapes
/// Outputs are `[steps][instruments][outputs of the action][BLOCK]`; positions `[steps][instruments][BLOCK]`.
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
    /// What the action asks for on the date in hand, and that within bounds; empty where there are no limits.
    targets: Lanes<R>,
    clipped: Lanes<R>,
    /// The date on which the contract ends, if it may end early.
    end: Option<Lane<R>>,
}

/// What the way forward leaves for the way back.
#[derive(Debug)]
struct Done<R> {
    outputs: Lanes<R>,
    positions: Lanes<R>,
    /// The benchmark's positions, empty where the action has none.
    benchmark: Lanes<R>,
    /// The prices of the instruments, empty where there are no limits.
    prices: Lanes<R>,
}

impl<R: Real> Done<R> {
    /// What the action goes by for position number `index` of all dates and `count` instruments, by `width` outputs each.
    #[inline(always)]
    fn at(&self, index: usize, count: usize, width: usize) -> At<'_, R> {
        let zero = [R::ZERO; BLOCK];
        let before = index.checked_sub(count);
        At {
            outputs: &self.outputs[index * width..][..width],
            held: before.map_or(zero, |before| self.positions[before]),
            benchmark: self.benchmark.get(index).copied().unwrap_or(zero),
        }
    }
}

impl<R: Real> Hand<R> {
    /// The hand of `actor` for blocks of `steps` periods.
    pub fn new(actor: &Actor, steps: usize) -> Self {
        let held = steps * actor.instruments;
        let outputs = held * actor.action.outputs();
        let limited = if actor.limits.is_none() {
            0
        } else {
            actor.instruments
        };
        let benchmark = if actor.action.is_on_benchmark() {
            held
        } else {
            0
        };
        Self {
            actor: actor.clone(),
            done: Done {
                outputs: Lanes::zeros(outputs),
                positions: Lanes::zeros(held),
                benchmark: Lanes::zeros(benchmark),
                prices: Lanes::zeros(steps * limited),
            },
            seeds: Lanes::zeros(held),
            gradients: Lanes::zeros(outputs),
            later: Lanes::zeros(actor.instruments),
            totals: Lanes::zeros(actor.instruments),
            nothing: Lanes::zeros(actor.instruments),
            targets: Lanes::zeros(limited),
            clipped: Lanes::zeros(limited),
            end: None,
        }
    }

    /// Makes positions of outputs as `actor` does from now on, which is the one that it was made of but for its relaxation.
    pub fn follow(&mut self, actor: &Actor) {
        self.actor.clone_from(actor);
    }

    /// Takes what it needs of a block before the first date.
    pub fn begin(&mut self, paths: &PathBlock<'_, R>) {
        self.end = paths.end().copied();
        if !self.done.benchmark.is_empty() {
            self.done
                .benchmark
                .copy_from_slice(paths.benchmark_positions());
        }
        for instrument in 0..self.actor.limits.instruments() {
            let dates = self.done.prices.chunks_exact_mut(self.actor.instruments);
            for (prices, price) in dates.zip(paths.price(instrument)) {
                prices[instrument] = *price;
            }
        }
    }

    /// The number of outputs at a date.
    #[inline(always)]
    fn width(&self) -> usize {
        self.actor.instruments * self.actor.action.outputs()
    }

    /// The outputs of date `t`, for writing.
    #[inline(always)]
    pub fn output_mut(&mut self, t: usize) -> &mut [Lane<R>] {
        let width = self.width();
        &mut self.done.outputs[t * width..][..width]
    }

    /// The outputs of date `t`, for reading.
    #[inline(always)]
    pub fn output(&self, t: usize) -> &[Lane<R>] {
        let width = self.width();
        &self.done.outputs[t * width..][..width]
    }

    /// The positions of all dates.
    pub fn positions(&self) -> &[Lane<R>] {
        &self.done.positions
    }

    /// The positions of all dates and, for writing, the seeds: the derivatives in them that the backward pass begins with.
    pub fn positions_and_seeds(&mut self) -> (&[Lane<R>], &mut [Lane<R>]) {
        (&self.done.positions, &mut self.seeds)
    }

    /// The derivatives ∂z/∂y_t of date `t`, once the way back has come to it.
    #[inline(always)]
    pub fn gradient(&self, t: usize) -> &[Lane<R>] {
        let width = self.width();
        &self.gradients[t * width..][..width]
    }

    /// Writes what a network is fed at date `t`: the positions held from the date before, 0 at the sale and where the contract has
    /// ended.
    #[inline(always)]
    pub fn feed(&self, t: usize, out: &mut [Lane<R>]) {
        let count = self.actor.instruments;
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
        let Actor {
            action,
            instruments: count,
            ..
        } = self.actor;
        for index in t * count..(t + 1) * count {
            let at = self.done.at(index, count, action.outputs());
            self.done.positions[index] = action.act::<R, FMA>(at);
        }
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
        let Actor {
            action,
            instruments: count,
            ..
        } = self.actor;
        let width = action.outputs();
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
        if !self.actor.limits.is_none() {
            self.pull_back_through_limits::<FMA>(t);
        }
        for instrument in 0..count {
            let index = t * count + instrument;
            let by_outputs = &mut self.gradients[index * width..][..width];
            let at = self.done.at(index, count, width);
            let by_held = action.pull_back::<R, FMA>(at, self.totals[instrument], by_outputs);
            let later = &mut self.later[instrument];
            for lane in 0..BLOCK {
                later[lane] += by_held[lane];
            }
        }
    }

    /// Takes D_t from the positions of date `t` back to what the action asked for, and leaves in `later` what of it goes to the positions
    /// held past the action.
    #[inline(always)]
    fn pull_back_through_limits<const FMA: bool>(&mut self, t: usize) {
        let Actor {
            action,
            instruments: count,
            ..
        } = self.actor;
        for instrument in 0..count {
            let at = self
                .done
                .at(t * count + instrument, count, action.outputs());
            self.targets[instrument] = action.act::<R, FMA>(at);
        }
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

    /// Makes the positions of all dates.
    pub fn act_on_all(&mut self) {
        dispatch(ActOnAll(self));
    }

    /// Makes ∂z/∂y of all dates, for a network that is not fed what is held.
    pub fn pull_all_back(&mut self) {
        dispatch(PullAllBack(self));
    }

    /// The number of periods.
    fn steps(&self) -> usize {
        self.done.positions.len() / self.actor.instruments
    }
}

/// [`Hand::act_on_all`]
struct ActOnAll<'a, R>(&'a mut Hand<R>);

impl<R: Real> Kernel for ActOnAll<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        for t in 0..self.0.steps() {
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
