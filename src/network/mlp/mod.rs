//! Layers of rectified linear units under a linear head, with the same weights on every date.

mod graph;
mod reference;

use super::action::Actor;
use super::architecture::Architecture;
use super::dated::{ByDate, Dated, MapDates, Reach};
use super::linear::LinearHead;
use super::map::MapShape;
use super::normalise;
use super::rectified::{rectified, through_rectified};
use super::reference::TensorSweep;
use super::sizes::Sizes;
use super::sweep::Sweep;
use crate::distributed::Portable;
use crate::error::Result;
use crate::simd::{Dates, Lane, Lanes, Packed, Real};
use candle_core::WithDType;
use faer::Mat;

/// A multilayer perceptron that sees one date at a time.
///
/// Layer l takes a_l = [h_{l−1}; 1], h_0 what the network sees of the date, to s_l = W_l a_l and h_l = max(s_l, 0), which goes
/// on normalised over its units with layer normalisation; the head takes [h_L; 1] to the outputs. Weights are the same on all
/// dates, which the time left, a feature, tells apart. Where the positions held are inputs, this is the semi-recurrent network
/// of Buehler, Gonon, Teichmann and Wood (2019), "Deep hedging", but for weights that they have anew on every date.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MlpShape {
    sizes: Sizes,
}

impl Architecture for MlpShape {
    type Network<R: Real> = ByDate<Mlp<R>>;

    fn new(sizes: Sizes, key: &dyn Fn(&str) -> String) -> Result<Self> {
        sizes.check_hidden(sizes.layer_normalisation, key)?;
        Ok(Self { sizes })
    }

    fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// The linear maps: the layers from below, then the head. Initial weights are drawn from ±1/√(inputs of the layer), as in
    /// PyTorch's `nn.Linear`.
    fn maps(&self) -> Vec<MapShape> {
        let Sizes { hidden, .. } = self.sizes;
        let layer = |layer| {
            let inputs = self.sizes.below(layer);
            MapShape::plain(format!("mlp.{layer}"), hidden, inputs)
        };
        let head = self.sizes.head.map(hidden, MapShape::bound(hidden));
        (0..self.sizes.layers).map(layer).chain([head]).collect()
    }

    fn reference<R: Real + Portable + WithDType>(self, actor: Actor) -> Box<dyn Sweep<R>> {
        Box::new(TensorSweep::new(self, actor))
    }
}

/// Weights as the kernels read them.
pub struct Mlp<R> {
    layers: Vec<Layer<R>>,
    head: LinearHead<R>,
    hidden: usize,
    layer_normalisation: bool,
}

struct Layer<R> {
    forward: Packed<R>,
    /// Rows of Wᵀ for those inputs that depend on weights: another layer's units, or positions held.
    to_inputs: Packed<R>,
}

/// What is kept beside the inputs and outputs of the maps.
pub struct State<R> {
    /// 1/√(var h + ε) of every layer, one row; no dates without layer normalisation.
    scales: Dates<R>,
    /// ∂z/∂h of the layer in hand.
    above: Lanes<R>,
}

impl<R: Real> Dated<R> for Mlp<R> {
    type Shape = MlpShape;
    type State = State<R>;

    fn new(MlpShape { sizes }: MlpShape, matrices: &[Mat<f64>]) -> Self {
        let layer = |layer: usize| {
            let w = &matrices[layer];
            Layer {
                forward: Packed::of(w),
                to_inputs: Packed::transposed(w, sizes.moving(layer)),
            }
        };
        Self {
            layers: (0..sizes.layers).map(layer).collect(),
            head: LinearHead::new(&matrices[sizes.layers]),
            hidden: sizes.hidden,
            layer_normalisation: sizes.layer_normalisation,
        }
    }

    /// What a date knows of others it is told as an input.
    fn reach(_: usize) -> Reach {
        Reach::Own
    }

    fn state(MlpShape { sizes }: MlpShape, steps: usize, back: bool) -> State<R> {
        State {
            scales: normalise::scales(sizes.layer_normalisation, (steps, back), sizes.layers),
            above: Lanes::zeros(sizes.hidden),
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
        for (index, layer) in self.layers.iter().enumerate() {
            let (map, next) = MapDates::and_next(maps, index);
            let sums = map.outputs.at_mut(t);
            layer
                .forward
                .multiply::<FMA, ROWS>(0, map.inputs.at(t), sums);
            let units = &mut next.inputs.at_mut(t)[..self.hidden];
            for (unit, sum) in units.iter_mut().zip(sums) {
                *unit = rectified(*sum);
            }
            if self.layer_normalisation {
                state.scales.at_mut(t)[index] = normalise::normalise::<R, FMA>(units);
            }
        }
        let top = maps[self.layers.len()].inputs.at(t);
        self.head.outputs::<FMA>(&top[..self.hidden], outputs);
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
        let above = &mut state.above;
        maps[self.layers.len()]
            .outputs
            .at_mut(t)
            .copy_from_slice(gradients);
        self.head.derivative::<FMA>(gradients, above);
        for (index, layer) in self.layers.iter().enumerate().rev() {
            let (map, next) = MapDates::and_next(maps, index);
            if self.layer_normalisation {
                let units = &next.inputs.at(t)[..self.hidden];
                normalise::differentiate::<R, FMA>(above, units, state.scales.at(t)[index]);
            }
            let sums = map.outputs.at_mut(t);
            for (sum, above) in sums.iter_mut().zip(above.iter()) {
                *sum = through_rectified(*sum, *above);
            }
            let below = if index == 0 { &mut *fed } else { &mut **above };
            layer.to_inputs.multiply::<FMA, ROWS>(0, sums, below);
        }
    }
}
