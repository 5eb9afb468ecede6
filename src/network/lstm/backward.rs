use super::shape::GATES;
use super::weights::{LayerWeights, Weights};
use super::workspace::{LayerWorkspace, Workspace};
use crate::network::action::Hand;
use crate::network::normalise;
use crate::simd::{BLOCK, Kernel, Lane, Real, add_outer, multiply_add};
use std::ops::Range;

/// Dates whose derivatives are still in cache when their part of the gradient is summed.
const SEGMENT: usize = 32;

/// Differentiates one block of paths from the hand's derivatives back to the first date: turns the gates of the
/// workspace into derivatives and, if there are `totals`, adds the gradient of every map to them.
pub(super) struct BackwardBlock<'a, R> {
    pub weights: &'a Weights<R>,
    pub hand: &'a mut Hand<R>,
    pub workspace: &'a mut Workspace<R>,
    /// One matrix per map, row by row.
    pub totals: Option<&'a mut [Vec<f64>]>,
}

impl<R: Real> Kernel for BackwardBlock<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        let Self {
            weights,
            hand,
            workspace,
            mut totals,
        } = self;
        for layer in &mut workspace.layers {
            layer.from_next.fill([R::ZERO; BLOCK]);
            layer.cell_gradient.fill([R::ZERO; BLOCK]);
        }
        if weights.shape.head.fed > 0 {
            by_date::<R, FMA, ROWS>(weights, hand, workspace, &mut totals);
        } else {
            by_layer::<R, FMA, ROWS>(weights, hand, workspace, &mut totals);
        }
        if let Some(totals) = totals {
            add_head::<R, FMA, ROWS>(weights, hand, workspace, totals);
        }
    }
}

/// One layer after the other through all dates, where no date is fed what the one before gave.
#[inline(always)]
fn by_layer<R: Real, const FMA: bool, const ROWS: usize>(
    weights: &Weights<R>,
    hand: &Hand<R>,
    workspace: &mut Workspace<R>,
    totals: &mut Option<&mut [Vec<f64>]>,
) {
    let Workspace {
        steps,
        layers,
        from_above,
        ..
    } = workspace;
    let (steps, count) = (*steps, layers.len());
    let normalised = weights.shape.layer_normalisation;
    for index in (0..count).rev() {
        let layer = &mut layers[index];
        let map = &weights.layers[index];
        for end in (1..=steps).rev().step_by(SEGMENT) {
            let segment = end.saturating_sub(SEGMENT)..end;
            for t in segment.clone().rev() {
                let above = |unit: usize| {
                    if index + 1 == count {
                        weights.head.unit::<FMA>(unit, hand.gradient(t))
                    } else {
                        from_above.at(t)[unit]
                    }
                };
                differentiate_date::<R, FMA, ROWS>(map, layer, (t, normalised), above);
            }
            if let Some(totals) = totals {
                add_layer::<R, FMA, ROWS>(layer, segment, &mut totals[index]);
            }
        }
        if index > 0 {
            for t in 0..steps {
                let gates = layer.gates.at(t);
                map.to_inputs
                    .multiply::<FMA, ROWS>(0, gates, from_above.at_mut(t));
            }
        }
    }
}

/// All layers through one date after the other, since what a position does to the date after it comes to its derivative first.
#[inline(always)]
fn by_date<R: Real, const FMA: bool, const ROWS: usize>(
    weights: &Weights<R>,
    hand: &mut Hand<R>,
    workspace: &mut Workspace<R>,
    totals: &mut Option<&mut [Vec<f64>]>,
) {
    let Workspace {
        steps,
        layers,
        from_above,
        fed_back,
        ..
    } = workspace;
    let (steps, count) = (*steps, layers.len());
    let normalised = weights.shape.layer_normalisation;
    fed_back.fill([R::ZERO; BLOCK]);
    for end in (1..=steps).rev().step_by(SEGMENT) {
        let segment = end.saturating_sub(SEGMENT)..end;
        for t in segment.clone().rev() {
            hand.pull_back::<FMA>(t, fed_back);
            for index in (0..count).rev() {
                let (layer, map) = (&mut layers[index], &weights.layers[index]);
                let above = |unit: usize| {
                    if index + 1 == count {
                        weights.head.unit::<FMA>(unit, hand.gradient(t))
                    } else {
                        from_above.at(t)[unit]
                    }
                };
                differentiate_date::<R, FMA, ROWS>(map, layer, (t, normalised), above);
                let below = match index {
                    0 => &mut fed_back[..],
                    _ => from_above.at_mut(t),
                };
                map.to_inputs
                    .multiply::<FMA, ROWS>(0, layer.gates.at(t), below);
            }
        }
        if let Some(totals) = totals {
            for (layer, total) in layers.iter().zip(totals.iter_mut()) {
                add_layer::<R, FMA, ROWS>(layer, segment.clone(), total);
            }
        }
    }
}

/// Turns the gates of a layer at one date into derivatives, from ∂z/∂h_t of what lies above it.
#[inline(always)]
fn differentiate_date<R: Real, const FMA: bool, const ROWS: usize>(
    map: &LayerWeights<R>,
    layer: &mut LayerWorkspace<R>,
    (t, normalised): (usize, bool),
    above: impl Fn(usize) -> Lane<R>,
) {
    let LayerWorkspace {
        inputs,
        gates,
        cells,
        squashed,
        scales,
        from_next,
        cell_gradient,
        ..
    } = layer;
    let hidden = from_next.len();
    let (cells, squashed) = (cells.at(t), squashed.at(t));
    let gates = gates.at_mut(t);
    let (units, _) = gates.as_chunks_mut();
    if normalised {
        for unit in 0..hidden {
            let above = above(unit);
            for lane in 0..BLOCK {
                from_next[unit][lane] += above[lane];
            }
        }
        let outputs = &inputs.at(t + 1)[..hidden];
        normalise::differentiate::<R, FMA>(from_next, outputs, scales.at(t)[0]);
    }
    for unit in 0..hidden {
        let cells = [cells[unit], squashed[unit]];
        let above = if normalised {
            [R::ZERO; BLOCK]
        } else {
            above(unit)
        };
        let dh = [above, from_next[unit]];
        (units[unit], cell_gradient[unit]) =
            differentiate_unit::<R, FMA>(units[unit], cells, dh, cell_gradient[unit]);
    }
    if t > 0 {
        map.to_hidden.multiply::<FMA, ROWS>(0, gates, from_next);
    }
}

/// Adds the gradient of a layer's map over some dates.
#[inline(always)]
fn add_layer<R: Real, const FMA: bool, const ROWS: usize>(
    layer: &LayerWorkspace<R>,
    dates: Range<usize>,
    total: &mut [f64],
) {
    let (left, right) = (|t: usize| layer.gates.at(t), |t: usize| layer.inputs.at(t));
    add_outer::<R, FMA, ROWS>(dates, left, right, total);
}

/// Adds the gradient of the head.
#[inline(always)]
fn add_head<R: Real, const FMA: bool, const ROWS: usize>(
    weights: &Weights<R>,
    hand: &Hand<R>,
    workspace: &Workspace<R>,
    totals: &mut [Vec<f64>],
) {
    let (hidden, steps, top) = (weights.shape.hidden, workspace.steps, workspace.top());
    let total = &mut totals[workspace.layers.len()];
    for (output, total) in total.chunks_exact_mut(hidden + 1).enumerate() {
        let gradient = |t: usize| &hand.gradient(t)[output..][..1];
        add_outer::<R, FMA, ROWS>(0..steps, gradient, |t| top.hidden(t), &mut total[..hidden]);
        total[hidden] += (0..steps)
            .flat_map(|t| gradient(t)[0])
            .map(|gradient| gradient.into_f64())
            .sum::<f64>();
    }
}

/// Derivatives in the pre-activations of a unit's gates, and in its cell at the previous date.
///
/// Takes the activations, the cell before and tanh of the cell after, the two parts of ∂z/∂h, and what the next
/// date says of ∂z/∂c; all by value, so that the compiler sees that nothing overlaps.
#[inline(always)]
fn differentiate_unit<R: Real, const FMA: bool>(
    gates: [Lane<R>; GATES],
    [before, squashed]: [Lane<R>; 2],
    [above, next]: [Lane<R>; 2],
    carried: Lane<R>,
) -> ([Lane<R>; GATES], Lane<R>) {
    let mut gradient = [[R::ZERO; BLOCK]; GATES];
    let mut carry = [R::ZERO; BLOCK];
    for lane in 0..BLOCK {
        let (input, forget) = (gates[0][lane], gates[1][lane]);
        let (candidate, output) = (gates[2][lane], gates[3][lane]);
        let squashed = squashed[lane];
        let dh = above[lane] + next[lane];
        let slope = R::ONE - squashed * squashed;
        let dc = multiply_add::<R, FMA>(dh * output, slope, carried[lane]);
        gradient[0][lane] = dc * candidate * input * (R::ONE - input);
        gradient[1][lane] = dc * before[lane] * forget * (R::ONE - forget);
        gradient[2][lane] = dc * input * (R::ONE - candidate * candidate);
        gradient[3][lane] = dh * squashed * output * (R::ONE - output);
        carry[lane] = dc * forget;
    }
    (gradient, carry)
}
