use super::normalise;
use super::shape::GATES;
use super::weights::Weights;
use super::workspace::Workspace;
use crate::simd::{BLOCK, Kernel, Lane, Real, add_outer, multiply_add};

/// Dates whose derivatives are still in cache when their part of the gradient is summed.
const SEGMENT: usize = 32;

/// Differentiates one block of paths from the seeds back to the first date: turns the gates of the
/// workspace into derivatives and, if there are `totals`, adds the gradient of every map to them.
pub(super) struct BackwardBlock<'a, R> {
    pub weights: &'a Weights<R>,
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
            workspace,
            mut totals,
        } = self;
        let hidden = weights.shape.hidden;
        let normalised = weights.shape.layer_normalisation;
        let Workspace {
            steps,
            layers,
            seeds,
            from_above,
            from_next,
            cell_gradient,
            ..
        } = workspace;
        let (steps, count) = (*steps, layers.len());
        let instruments = weights.head.len();
        if let Some(totals) = totals.as_deref_mut() {
            let top = layers.last().expect("a policy has a layer");
            for (instrument, total) in totals[count].chunks_exact_mut(hidden + 1).enumerate() {
                let seed = |t: usize| &seeds[t * instruments + instrument..][..1];
                add_outer::<R, FMA, ROWS>(0..steps, seed, |t| top.hidden(t), &mut total[..hidden]);
                total[hidden] += (0..steps)
                    .flat_map(|t| seed(t)[0])
                    .map(|seed| seed.into_f64())
                    .sum::<f64>();
            }
        }

        for index in (0..count).rev() {
            let layer = &mut layers[index];
            let map = &weights.layers[index];
            from_next.fill([R::ZERO; BLOCK]);
            cell_gradient.fill([R::ZERO; BLOCK]);
            for end in (1..=steps).rev().step_by(SEGMENT) {
                let segment = end.saturating_sub(SEGMENT)..end;
                for t in segment.clone().rev() {
                    let (cells, squashed) = (layer.cells.at(t), layer.squashed.at(t));
                    let gates = layer.gates.at_mut(t);
                    let (units, _) = gates.as_chunks_mut();
                    let above = |unit: usize| {
                        if index + 1 == count {
                            let seeds = &seeds[t * instruments..];
                            from_positions::<R, FMA>(&weights.head, unit, seeds)
                        } else {
                            from_above.at(t)[unit]
                        }
                    };
                    if normalised {
                        for unit in 0..hidden {
                            let above = above(unit);
                            for lane in 0..BLOCK {
                                from_next[unit][lane] += above[lane];
                            }
                        }
                        let outputs = &layer.inputs.at(t + 1)[..hidden];
                        let scale = layer.scales.at(t)[0];
                        normalise::differentiate::<R, FMA>(from_next, outputs, scale);
                    }
                    for unit in 0..hidden {
                        let cells = [cells[unit], squashed[unit]];
                        let above = if normalised {
                            [R::ZERO; BLOCK]
                        } else {
                            above(unit)
                        };
                        let dh = [above, from_next[unit]];
                        (units[unit], cell_gradient[unit]) = differentiate_unit::<R, FMA>(
                            units[unit],
                            cells,
                            dh,
                            cell_gradient[unit],
                        );
                    }
                    if t > 0 {
                        map.to_hidden.multiply::<FMA, ROWS>(0, gates, from_next);
                    }
                }
                if let Some(totals) = totals.as_deref_mut() {
                    add_outer::<R, FMA, ROWS>(
                        segment,
                        |t| layer.gates.at(t),
                        |t| layer.inputs.at(t),
                        &mut totals[index],
                    );
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
}

/// ∂z/∂h of one unit through the positions of one date.
#[inline(always)]
fn from_positions<R: Real, const FMA: bool>(
    head: &[Vec<R>],
    unit: usize,
    seeds: &[Lane<R>],
) -> Lane<R> {
    let mut result = seeds[0];
    for lane in 0..BLOCK {
        result[lane] *= head[0][unit];
    }
    for (head, seeds) in head.iter().zip(seeds).skip(1) {
        for lane in 0..BLOCK {
            result[lane] = multiply_add::<R, FMA>(head[unit], seeds[lane], result[lane]);
        }
    }
    result
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
