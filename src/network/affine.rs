//! Outputs that are affine in what is seen of a date: a network without a hidden layer.

use super::action::Actor;
use super::architecture::Architecture;
use super::dated::{ByDate, Dated, MapDates, Reach};
use super::linear::LinearHead;
use super::map::MapShape;
use super::reference::{Maps, TensorNetwork, TensorSweep};
use super::sizes::Sizes;
use super::step::{GraphNetwork, PolicyStep};
use super::sweep::Sweep;
use crate::distributed::Portable;
use crate::error::Result;
use crate::onnx::Value;
use crate::simd::{Lane, Real};
use candle_core::{Tensor, WithDType};
use faer::Mat;
use std::ops::Range;

/// One linear map y_t = W [x_t; 1] from what is seen of a date to its outputs, the same on all dates.
///
/// It has few weights, each of which says how an output moves with a feature, and makes the most of features that are chosen well.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AffineShape {
    sizes: Sizes,
}

impl Architecture for AffineShape {
    type Network<R: Real> = ByDate<Affine<R>>;

    fn new(sizes: Sizes, _: &dyn Fn(&str) -> String) -> Result<Self> {
        Ok(Self { sizes })
    }

    fn sizes(&self) -> Sizes {
        self.sizes
    }

    fn maps(&self) -> Vec<MapShape> {
        let inputs = self.sizes.inputs;
        vec![self.sizes.head.map(inputs, MapShape::bound(inputs))]
    }

    fn reference<R: Real + Portable + WithDType>(self, actor: Actor) -> Box<dyn Sweep<R>> {
        Box::new(TensorSweep::new(self, actor))
    }
}

/// Weights as the kernels read them.
pub struct Affine<R> {
    head: LinearHead<R>,
    inputs: usize,
    /// The inputs that are positions held.
    fed: Range<usize>,
}

impl<R: Real> Dated<R> for Affine<R> {
    type Shape = AffineShape;
    type State = ();

    fn new(AffineShape { sizes }: AffineShape, matrices: &[Mat<f64>]) -> Self {
        Self {
            head: LinearHead::new(&matrices[0]),
            inputs: sizes.inputs,
            fed: sizes.inputs - sizes.head.fed..sizes.inputs,
        }
    }

    fn state(_: AffineShape, _: usize, _: bool) {}

    /// What a date knows of others it is told as an input.
    fn reach(_: usize) -> Reach {
        Reach::Own
    }

    #[inline(always)]
    fn forward<const FMA: bool, const ROWS: usize>(
        &self,
        t: usize,
        maps: &mut [MapDates<R>],
        (): &mut (),
        outputs: &mut [Lane<R>],
    ) {
        let seen = &maps[0].inputs.at(t)[..self.inputs];
        self.head.outputs::<FMA>(seen, outputs);
    }

    fn turn((): &mut ()) {}

    #[inline(always)]
    fn backward<const FMA: bool, const ROWS: usize>(
        &self,
        t: usize,
        maps: &mut [MapDates<R>],
        (): &mut (),
        gradients: &[Lane<R>],
        fed: &mut [Lane<R>],
    ) {
        maps[0].outputs.at_mut(t).copy_from_slice(gradients);
        for (input, out) in self.fed.clone().zip(fed) {
            *out = self.head.unit::<FMA>(input, gradients);
        }
    }
}

impl TensorNetwork for AffineShape {
    type Past = ();

    fn date(&self, seen: Tensor, (): &mut (), maps: &mut Maps<'_>) -> Result<Tensor> {
        maps.apply(0, &seen)
    }
}

impl GraphNetwork for AffineShape {
    fn describe(self, weights: &[Mat<f64>], seen: Value, step: &mut PolicyStep) -> Value {
        step.map(&weights[0], seen)
    }
}
