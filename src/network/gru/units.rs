use super::{GATES, GruShape, MAPS};
use crate::network::dated::{Dated, MapDates, Reach};
use crate::network::linear::LinearHead;
use crate::network::normalise;
use crate::network::sizes::Sizes;
use crate::simd::{BLOCK, Dates, Lane, Lanes, Packed, Real, multiply_add, sigmoid};
use faer::Mat;

/// Weights as the kernels read them.
pub struct Gru<R> {
    layers: Vec<Layer<R>>,
    head: LinearHead<R>,
    hidden: usize,
    layer_normalisation: bool,
}

struct Layer<R> {
    gates: Packed<R>,
    candidate: Packed<R>,
    reset: Packed<R>,
    /// Rows of Wᵀ and Uᵀ for h_{t−1}, side by side: derivatives of the gates and of q to ∂z/∂h_{t−1}.
    to_hidden: Packed<R>,
    /// Rows of Wᵀ and Vᵀ, side by side, for those inputs that depend on weights: another layer's units, or positions held.
    to_inputs: Packed<R>,
    /// The inputs x_t.
    below: usize,
}

/// What is kept beside the inputs and outputs of the maps. After the forward pass these outputs are the gates, the candidate k, and q.
pub struct State<R> {
    /// 1/√(var h + ε) of every layer, one row; no dates without layer normalisation.
    scales: Dates<R>,
    /// ∂z/∂h_t of every layer from the next date.
    from_next: Vec<Lanes<R>>,
    /// ∂z/∂h of the layer in hand from above it.
    above: Lanes<R>,
    /// ∂z/∂h_{t−1} through the maps.
    through: Lanes<R>,
    /// The derivatives of gates and of one map beside them.
    beside: Lanes<R>,
}

impl<R: Real> Dated<R> for Gru<R> {
    type Shape = GruShape;
    type State = State<R>;

    fn new(GruShape { sizes }: GruShape, matrices: &[Mat<f64>]) -> Self {
        let hidden = sizes.hidden;
        let layer = |layer: usize| {
            let (w, v, u) = (
                &matrices[MAPS * layer],
                &matrices[MAPS * layer + 1],
                &matrices[MAPS * layer + 2],
            );
            let (below, moving) = (sizes.below(layer), sizes.moving(layer));
            let columns = (GATES + 1) * hidden;
            // Column `of_w` of W over column `column` of the other map.
            let beside = |row: usize, of_w: usize, other: &Mat<f64>, column: usize| match row
                .checked_sub(GATES * hidden)
            {
                None => w[(row, of_w)],
                Some(row) => other[(row, column)],
            };
            Layer {
                gates: Packed::of(w),
                candidate: Packed::of(v),
                reset: Packed::of(u),
                to_hidden: Packed::new(hidden, columns, |unit, row| {
                    beside(row, below + unit, u, unit)
                }),
                to_inputs: Packed::new(moving.len(), columns, |input, row| {
                    beside(row, moving.start + input, v, moving.start + input)
                }),
                below,
            }
        };
        Self {
            layers: (0..sizes.layers).map(layer).collect(),
            head: LinearHead::new(&matrices[MAPS * sizes.layers]),
            hidden,
            layer_normalisation: sizes.layer_normalisation,
        }
    }

    /// What a date gives is an input of the next.
    fn reach(_: usize) -> Reach {
        Reach::Next
    }

    fn state(GruShape { sizes }: GruShape, steps: usize, back: bool) -> State<R> {
        let Sizes { hidden, layers, .. } = sizes;
        State {
            scales: normalise::scales(sizes.layer_normalisation, (steps, back), layers),
            from_next: (0..layers).map(|_| Lanes::zeros(hidden)).collect(),
            above: Lanes::zeros(hidden),
            through: Lanes::zeros(hidden),
            beside: Lanes::zeros((GATES + 1) * hidden),
        }
    }

    #[inline(always)]
    fn forward<const FMA: bool, const ROWS: usize>(
        &self,
        t: usize,
        maps: &mut [MapDates<R>],
        state: &mut State<R>,
        outputs: &mut [Lane<R>],
    ) {
        let hidden = self.hidden;
        for (index, layer) in self.layers.iter().enumerate() {
            let below = layer.below;
            let [gates, candidate, reset, next, ..] = &mut maps[MAPS * index..] else {
                unreachable!("a head follows the layers");
            };
            if t == 0 {
                // h is zero before the first date.
                gates.inputs.at_mut(t)[below..][..hidden].fill([R::ZERO; BLOCK]);
                reset.inputs.at_mut(t)[..hidden].fill([R::ZERO; BLOCK]);
            }
            let inputs = gates.inputs.at(t);
            candidate.inputs.at_mut(t)[..below].copy_from_slice(&inputs[..below]);
            layer
                .gates
                .multiply::<FMA, ROWS>(0, inputs, gates.outputs.at_mut(t));
            let candidates = candidate.outputs.at_mut(t);
            layer
                .candidate
                .multiply::<FMA, ROWS>(0, candidate.inputs.at(t), candidates);
            let resets = reset.outputs.at_mut(t);
            layer
                .reset
                .multiply::<FMA, ROWS>(0, reset.inputs.at(t), resets);
            let before = &inputs[below..][..hidden];
            let units = &mut next.inputs.at_mut(t)[..hidden];
            let (gates_now, _) = gates.outputs.at_mut(t).as_chunks_mut::<GATES>();
            for unit in 0..hidden {
                let sums = [candidates[unit], resets[unit]];
                let moved = move_unit::<R, FMA>(gates_now[unit], sums, before[unit]);
                gates_now[unit] = moved.gates;
                candidates[unit] = moved.candidate;
                units[unit] = moved.output;
            }
            if self.layer_normalisation {
                state.scales.at_mut(t)[index] = normalise::normalise::<R, FMA>(units);
            }
            if gates.inputs.has(t + 1) {
                gates.inputs.at_mut(t + 1)[below..][..hidden].copy_from_slice(units);
                reset.inputs.at_mut(t + 1)[..hidden].copy_from_slice(units);
            }
        }
        let top = maps[MAPS * self.layers.len()].inputs.at(t);
        self.head.outputs::<FMA>(&top[..hidden], outputs);
    }

    fn turn(state: &mut State<R>) {
        for layer in &mut state.from_next {
            layer.fill([R::ZERO; BLOCK]);
        }
    }

    #[inline(always)]
    fn backward<const FMA: bool, const ROWS: usize>(
        &self,
        t: usize,
        maps: &mut [MapDates<R>],
        state: &mut State<R>,
        gradients: &[Lane<R>],
        fed: &mut [Lane<R>],
    ) {
        let hidden = self.hidden;
        let State {
            scales,
            from_next,
            above,
            through,
            beside,
        } = state;
        maps[MAPS * self.layers.len()]
            .outputs
            .at_mut(t)
            .copy_from_slice(gradients);
        self.head.derivative::<FMA>(gradients, above);
        for (index, layer) in self.layers.iter().enumerate().rev() {
            let [gates, candidate, reset, next, ..] = &mut maps[MAPS * index..] else {
                unreachable!("a head follows the layers");
            };
            let from_next = &mut from_next[index];
            for unit in 0..hidden {
                for lane in 0..BLOCK {
                    from_next[unit][lane] += above[unit][lane];
                }
            }
            if self.layer_normalisation {
                let units = &next.inputs.at(t)[..hidden];
                normalise::differentiate::<R, FMA>(from_next, units, scales.at(t)[index]);
            }
            let before = &gates.inputs.at(t)[layer.below..][..hidden];
            let (candidates, resets) = (candidate.outputs.at_mut(t), reset.outputs.at_mut(t));
            let (gates_now, _) = gates.outputs.at_mut(t).as_chunks_mut::<GATES>();
            for unit in 0..hidden {
                let values = [candidates[unit], resets[unit], before[unit]];
                let found = differentiate_unit::<R>(gates_now[unit], values, from_next[unit]);
                gates_now[unit] = found.gates;
                candidates[unit] = found.candidate;
                resets[unit] = found.reset;
                from_next[unit] = found.before;
            }
            let (of_gates, other) = beside.split_at_mut(GATES * hidden);
            of_gates.copy_from_slice(gates.outputs.at(t));
            if t > 0 {
                other.copy_from_slice(resets);
                layer.to_hidden.multiply::<FMA, ROWS>(0, beside, through);
                for unit in 0..hidden {
                    for lane in 0..BLOCK {
                        from_next[unit][lane] += through[unit][lane];
                    }
                }
            }
            if layer.to_inputs.rows() > 0 {
                beside[GATES * hidden..].copy_from_slice(candidates);
                let below = if index == 0 { &mut *fed } else { &mut **above };
                layer.to_inputs.multiply::<FMA, ROWS>(0, beside, below);
            }
        }
    }
}

/// A unit after a date.
struct Unit<R> {
    gates: [Lane<R>; GATES],
    candidate: Lane<R>,
    output: Lane<R>,
}

/// Reset and update gate, candidate and output of a unit, from the sums of its gates, those of V and U, and h_{t−1}.
///
/// Arguments are values, not references: the compiler must see that nothing overlaps.
#[inline(always)]
fn move_unit<R: Real, const FMA: bool>(
    sums: [Lane<R>; GATES],
    [candidate, reset]: [Lane<R>; 2],
    before: Lane<R>,
) -> Unit<R> {
    let zero = [R::ZERO; BLOCK];
    let mut unit = Unit {
        gates: [zero; GATES],
        candidate: zero,
        output: zero,
    };
    for lane in 0..BLOCK {
        let r = sigmoid::<R, FMA>(sums[0][lane]);
        let u = sigmoid::<R, FMA>(sums[1][lane]);
        let k = multiply_add::<R, FMA>(r, reset[lane], candidate[lane]).tanh::<FMA>();
        unit.gates[0][lane] = r;
        unit.gates[1][lane] = u;
        unit.candidate[lane] = k;
        unit.output[lane] = multiply_add::<R, FMA>(u, before[lane] - k, k);
    }
    unit
}

/// Derivatives in the sums of a unit, and in h_{t−1} but for what goes through its maps.
struct UnitDerivative<R> {
    gates: [Lane<R>; GATES],
    candidate: Lane<R>,
    reset: Lane<R>,
    before: Lane<R>,
}

/// The derivatives of a unit from ∂z/∂h_t, its gates, its candidate k, q and h_{t−1}.
#[inline(always)]
fn differentiate_unit<R: Real>(
    gates: [Lane<R>; GATES],
    [candidate, reset, before]: [Lane<R>; 3],
    above: Lane<R>,
) -> UnitDerivative<R> {
    let zero = [R::ZERO; BLOCK];
    let mut found = UnitDerivative {
        gates: [zero; GATES],
        candidate: zero,
        reset: zero,
        before: zero,
    };
    for lane in 0..BLOCK {
        let (r, u, k) = (gates[0][lane], gates[1][lane], candidate[lane]);
        let dh = above[lane];
        let dk = dh * (R::ONE - u) * (R::ONE - k * k);
        found.gates[0][lane] = dk * reset[lane] * r * (R::ONE - r);
        found.gates[1][lane] = dh * (before[lane] - k) * u * (R::ONE - u);
        found.candidate[lane] = dk;
        found.reset[lane] = dk * r;
        found.before[lane] = dh * u;
    }
    found
}
