use super::lookback::Lookback;
use super::{AttentionShape, MAPS, WIDER};
use crate::network::dated::{Dated, MapDates, Reach};
use crate::network::linear::LinearHead;
use crate::network::normalise;
use crate::network::rectified::{rectified, through_rectified};
use crate::network::sizes::Sizes;
use crate::simd::{BLOCK, Dates, Lane, Lanes, Packed, Real};
use faer::Mat;

/// Weights as the kernels read them.
pub struct Attention<R> {
    embedding: Packed<R>,
    /// Rows of Eᵀ for the positions held.
    to_inputs: Packed<R>,
    layers: Vec<[Both<R>; MAPS]>,
    head: LinearHead<R>,
    hidden: usize,
}

/// A map and its transpose, without biases.
struct Both<R> {
    forward: Packed<R>,
    backward: Packed<R>,
}

/// What is kept beside the inputs and outputs of the maps.
pub struct State<R> {
    /// 1/√(var x + ε): two rows for every layer, then one.
    scales: Dates<R>,
    lookbacks: Vec<Lookback<R>>,
    /// x_t on the way forward, ∂z/∂x_t on the way back.
    stream: Lanes<R>,
    /// What a part of a layer adds to either.
    added: Lanes<R>,
    /// Derivatives in rectified units.
    by_wide: Lanes<R>,
}

impl<R: Real> Dated<R> for Attention<R> {
    type Shape = AttentionShape;
    type State = State<R>;

    /// A date looks at queries, keys and values of all dates before it.
    fn reach(map: usize) -> Reach {
        if map % MAPS == 1 {
            Reach::All
        } else {
            Reach::Own
        }
    }

    fn new(AttentionShape { sizes }: AttentionShape, matrices: &[Mat<f64>]) -> Self {
        let layer = |layer: usize| {
            std::array::from_fn(|part| {
                let w = &matrices[1 + MAPS * layer + part];
                Both {
                    forward: Packed::of(w),
                    backward: Packed::transposed(w, 0..w.ncols() - 1),
                }
            })
        };
        Self {
            embedding: Packed::of(&matrices[0]),
            to_inputs: Packed::transposed(&matrices[0], sizes.moving(0)),
            layers: (0..sizes.layers).map(layer).collect(),
            head: LinearHead::new(&matrices[1 + MAPS * sizes.layers]),
            hidden: sizes.hidden,
        }
    }

    fn state(AttentionShape { sizes }: AttentionShape, steps: usize, back: bool) -> State<R> {
        let Sizes {
            hidden,
            layers,
            heads,
            ..
        } = sizes;
        State {
            scales: normalise::scales(true, (steps, back), 2 * layers + 1),
            lookbacks: (0..layers)
                .map(|_| Lookback::new(heads, hidden, steps, back))
                .collect(),
            stream: Lanes::zeros(hidden),
            added: Lanes::zeros(hidden),
            by_wide: Lanes::zeros(WIDER * hidden),
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
        let State {
            scales,
            lookbacks,
            stream,
            added,
            ..
        } = state;
        let scales = scales.at_mut(t);
        self.embedding
            .multiply::<FMA, ROWS>(0, maps[0].inputs.at(t), stream);
        for (index, parts) in self.layers.iter().enumerate() {
            let [triples, attended, wide, narrow, ..] = &mut maps[1 + MAPS * index..] else {
                unreachable!("a layer has four maps");
            };
            let units = &mut triples.inputs.at_mut(t)[..hidden];
            units.copy_from_slice(stream);
            scales[2 * index] = normalise::normalise::<R, FMA>(units);
            let sums = triples.outputs.at_mut(t);
            parts[0]
                .forward
                .multiply::<FMA, ROWS>(0, triples.inputs.at(t), sums);
            let units = &mut attended.inputs.at_mut(t)[..hidden];
            lookbacks[index].attend::<FMA>(t, &triples.outputs, units);
            parts[1]
                .forward
                .multiply::<FMA, ROWS>(0, attended.inputs.at(t), added);
            add(stream, added);
            let units = &mut wide.inputs.at_mut(t)[..hidden];
            units.copy_from_slice(stream);
            scales[2 * index + 1] = normalise::normalise::<R, FMA>(units);
            let units = &mut narrow.inputs.at_mut(t)[..WIDER * hidden];
            parts[2]
                .forward
                .multiply::<FMA, ROWS>(0, wide.inputs.at(t), units);
            for unit in units.iter_mut() {
                *unit = rectified(*unit);
            }
            parts[3]
                .forward
                .multiply::<FMA, ROWS>(0, narrow.inputs.at(t), added);
            add(stream, added);
        }
        let top = &mut maps[1 + MAPS * self.layers.len()].inputs.at_mut(t)[..hidden];
        top.copy_from_slice(stream);
        scales[2 * self.layers.len()] = normalise::normalise::<R, FMA>(top);
        self.head.outputs::<FMA>(top, outputs);
    }

    fn turn(_: &mut State<R>) {}

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
            lookbacks,
            stream,
            added,
            by_wide,
        } = state;
        let scales = scales.at(t);
        let top = &mut maps[1 + MAPS * self.layers.len()];
        top.outputs.at_mut(t).copy_from_slice(gradients);
        self.head.derivative::<FMA>(gradients, stream);
        let units = &top.inputs.at(t)[..hidden];
        normalise::differentiate::<R, FMA>(stream, units, scales[2 * self.layers.len()]);
        for (index, parts) in self.layers.iter().enumerate().rev() {
            let [triples, attended, wide, narrow, ..] = &mut maps[1 + MAPS * index..] else {
                unreachable!("a layer has four maps");
            };
            narrow.outputs.at_mut(t).copy_from_slice(stream);
            parts[3].backward.multiply::<FMA, ROWS>(0, stream, by_wide);
            let sums = wide.outputs.at_mut(t);
            // A unit is above 0 where its sum is.
            let units = narrow.inputs.at(t).iter().zip(by_wide.iter());
            for (sum, (unit, above)) in sums.iter_mut().zip(units) {
                *sum = through_rectified(*unit, *above);
            }
            parts[2].backward.multiply::<FMA, ROWS>(0, sums, added);
            let units = &wide.inputs.at(t)[..hidden];
            normalise::differentiate::<R, FMA>(added, units, scales[2 * index + 1]);
            add(stream, added);
            attended.outputs.at_mut(t).copy_from_slice(stream);
            parts[1].backward.multiply::<FMA, ROWS>(0, stream, added);
            let units = &attended.inputs.at(t)[..hidden];
            lookbacks[index].differentiate::<FMA>(t, &mut triples.outputs, units, added);
            parts[0]
                .backward
                .multiply::<FMA, ROWS>(0, triples.outputs.at(t), added);
            let units = &triples.inputs.at(t)[..hidden];
            normalise::differentiate::<R, FMA>(added, units, scales[2 * index]);
            add(stream, added);
        }
        maps[0].outputs.at_mut(t).copy_from_slice(stream);
        self.to_inputs.multiply::<FMA, ROWS>(0, stream, fed);
    }
}

/// Adds one to the other.
#[inline(always)]
fn add<R: Real>(sum: &mut [Lane<R>], more: &[Lane<R>]) {
    for (sum, more) in sum.iter_mut().zip(more) {
        for lane in 0..BLOCK {
            sum[lane] += more[lane];
        }
    }
}
