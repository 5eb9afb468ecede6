//! Networks that are moved through one date after the other: what such a network says of one date, and the passes over all
//! dates that follow from it.

use super::action::Hand;
use super::architecture::{Architecture, Network};
use super::features::Features;
use super::record::RecordBlock;
use crate::market::PathBlock;
use crate::simd::{BLOCK, Dates, Kernel, Lane, Lanes, Real, add_outer, dispatch};
use faer::Mat;
use std::ops::Range;

/// Dates whose derivatives are still in cache when their part of the gradient is summed.
const SEGMENT: usize = 32;

/// A network as it goes through a date, all of its layers at once.
///
/// The first inputs of its first map are what it sees of a date, which is written before [`Self::forward`]; the last inputs of
/// all maps are 1 and stay so. Its last map gives the outputs.
pub trait Dated<R: Real>: Send + Sync {
    /// The sizes of the network.
    type Shape: Architecture;

    /// What it keeps of a block beside the inputs and outputs of its maps.
    type State: Send;

    /// Packs one matrix for every map of `shape`.
    fn new(shape: Self::Shape, matrices: &[Mat<f64>]) -> Self;

    /// What it keeps of a block of `steps` periods, which goes `back` too or does not.
    fn state(shape: Self::Shape, steps: usize, back: bool) -> Self::State;

    /// How far from its date the way forward comes to the inputs and outputs of map number `map`. Without a way back no more of them is
    /// kept, and stays in cache.
    fn reach(map: usize) -> Reach;

    /// Takes a block through date `t`, whose earlier dates are done, to the outputs. On the first date nothing is known of what maps
    /// and state hold.
    fn forward<const FMA: bool, const ROWS: usize>(
        &self,
        t: usize,
        maps: &mut [MapDates<R>],
        state: &mut Self::State,
        outputs: &mut [Lane<R>],
    );

    /// Begins the way back through time: nothing comes from later dates.
    fn turn(state: &mut Self::State);

    /// Takes a block back through date `t`, whose later dates are done, from the derivatives in its outputs: leaves ∂z/∂s_t in the
    /// outputs of every map and, in `fed`, those in the inputs that are positions held from the date before, if there are any.
    fn backward<const FMA: bool, const ROWS: usize>(
        &self,
        t: usize,
        maps: &mut [MapDates<R>],
        state: &mut Self::State,
        gradients: &[Lane<R>],
        fed: &mut [Lane<R>],
    );
}

/// How far from its own date what a date leaves is read or written on the way forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Not beyond it.
    Own,
    /// To the date after it.
    Next,
    /// To all dates after it.
    All,
}

impl Reach {
    /// Memory of `rows` rows for a way forward over `steps` dates that reaches so far and does not come back.
    pub fn room<R: Real>(self, steps: usize, rows: usize) -> Dates<R> {
        match self {
            Self::Own => Dates::recent(1, rows),
            Self::Next => Dates::recent(2, rows),
            Self::All => Dates::zeros(steps, rows),
        }
    }
}

/// One linear map s = W a of a block, on all dates.
#[derive(Debug)]
pub struct MapDates<R> {
    /// The inputs a_t, the last of them 1.
    pub inputs: Dates<R>,
    /// After the forward pass what the way back needs of s_t: itself, or what its units make of it; after the backward pass the
    /// derivatives g_t = ∂z/∂s_t.
    pub outputs: Dates<R>,
}

impl<R> MapDates<R> {
    /// A map and the one after it.
    #[inline(always)]
    pub fn and_next(maps: &mut [Self], index: usize) -> (&mut Self, &mut Self) {
        let (maps, after) = maps[index..].split_at_mut(1);
        (&mut maps[0], &mut after[0])
    }
}

/// A [`Dated`] network as blocks are swept with it.
pub struct ByDate<N> {
    network: N,
    /// The inputs that are features, and those after them that are positions held.
    inputs: (usize, usize),
}

/// What one block needs from its first date to its last.
pub struct DatedWorkspace<R, S> {
    steps: usize,
    maps: Vec<MapDates<R>>,
    state: S,
    /// The derivatives in the inputs of a date that are positions held.
    fed_back: Lanes<R>,
}

impl<R: Real, N: Dated<R>> Network<R> for ByDate<N> {
    type Shape = N::Shape;
    type Workspace = DatedWorkspace<R, N::State>;

    fn new(shape: N::Shape, matrices: &[Mat<f64>]) -> Self {
        let fed = shape.head().fed;
        Self {
            network: N::new(shape, matrices),
            inputs: (shape.inputs() - fed, fed),
        }
    }

    fn workspace(shape: N::Shape, steps: usize, back: bool) -> Self::Workspace {
        let maps = shape.maps().into_iter().enumerate().map(|(index, map)| {
            let reach = if back { Reach::All } else { N::reach(index) };
            let zeros = |rows: usize| reach.room(steps, rows);
            let mut inputs = zeros(map.columns);
            for t in 0..steps {
                inputs.at_mut(t)[map.columns - 1] = [R::ONE; BLOCK];
            }
            MapDates {
                inputs,
                outputs: zeros(map.rows),
            }
        });
        DatedWorkspace {
            steps,
            maps: maps.collect(),
            state: N::state(shape, steps, back),
            fed_back: Lanes::zeros(shape.head().fed),
        }
    }

    fn date(
        &self,
        t: usize,
        (features, paths): (&Features, PathBlock<'_, R>),
        hand: &mut Hand<R>,
        workspace: &mut Self::Workspace,
    ) {
        dispatch(Forward {
            by_date: self,
            t,
            features,
            paths,
            hand,
            workspace,
        });
    }

    fn backward(
        &self,
        hand: &mut Hand<R>,
        workspace: &mut Self::Workspace,
        totals: Option<&mut [Vec<f64>]>,
    ) {
        dispatch(Backward {
            by_date: self,
            hand,
            workspace,
            totals,
        });
    }

    fn copy_record(_: &Hand<R>, workspace: &Self::Workspace, record: &mut [RecordBlock<'_, R>]) {
        for (map, target) in workspace.maps.iter().zip(record) {
            map.inputs.copy_to(target.inputs);
            map.outputs.copy_to(target.gradients);
        }
    }
}

/// [`ByDate::date`]
struct Forward<'a, R: Real, N: Dated<R>> {
    by_date: &'a ByDate<N>,
    t: usize,
    features: &'a Features,
    paths: PathBlock<'a, R>,
    hand: &'a mut Hand<R>,
    workspace: &'a mut DatedWorkspace<R, N::State>,
}

impl<R: Real, N: Dated<R>> Kernel for Forward<'_, R, N> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        let Self {
            by_date,
            t,
            features,
            paths,
            hand,
            workspace,
        } = self;
        let (seen, fed) = by_date.inputs;
        let DatedWorkspace { maps, state, .. } = workspace;
        let inputs = maps[0].inputs.at_mut(t);
        features.write::<R, FMA>(&paths, t, &mut inputs[..seen]);
        if fed > 0 {
            hand.feed(t, &mut inputs[seen..][..fed]);
        }
        let outputs = hand.output_mut(t);
        by_date
            .network
            .forward::<FMA, ROWS>(t, maps, state, outputs);
    }
}

struct Backward<'a, R: Real, N: Dated<R>> {
    by_date: &'a ByDate<N>,
    hand: &'a mut Hand<R>,
    workspace: &'a mut DatedWorkspace<R, N::State>,
    /// One matrix per map, row by row.
    totals: Option<&'a mut [Vec<f64>]>,
}

impl<R: Real, N: Dated<R>> Kernel for Backward<'_, R, N> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        let Self {
            by_date,
            hand,
            workspace,
            mut totals,
        } = self;
        let DatedWorkspace {
            steps,
            maps,
            state,
            fed_back,
        } = workspace;
        fed_back.fill([R::ZERO; BLOCK]);
        N::turn(state);
        for end in (1..=*steps).rev().step_by(SEGMENT) {
            let segment = end.saturating_sub(SEGMENT)..end;
            for t in segment.clone().rev() {
                if !fed_back.is_empty() {
                    hand.pull_back::<FMA>(t, fed_back);
                }
                let gradients = hand.gradient(t);
                by_date
                    .network
                    .backward::<FMA, ROWS>(t, maps, state, gradients, fed_back);
            }
            if let Some(totals) = &mut totals {
                for (map, total) in maps.iter().zip(totals.iter_mut()) {
                    add_gradient::<R, FMA, ROWS>(map, segment.clone(), total);
                }
            }
        }
    }
}

/// Adds the gradient of a map over some dates.
#[inline(always)]
fn add_gradient<R: Real, const FMA: bool, const ROWS: usize>(
    map: &MapDates<R>,
    dates: Range<usize>,
    total: &mut [f64],
) {
    let (left, right) = (|t: usize| map.outputs.at(t), |t: usize| map.inputs.at(t));
    add_outer::<R, FMA, ROWS>(dates, left, right, total);
}
