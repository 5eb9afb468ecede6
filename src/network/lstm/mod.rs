//! Layers of long short-term memory (Hochreiter and Schmidhuber 1997) under a linear head.

mod backward;
mod forward;
mod graph;
mod reference;
mod shape;
mod weights;
mod workspace;

use shape::GATES;
pub use shape::LstmShape;

use super::action::{Actor, Hand};
use super::architecture::{Architecture, Network};
use super::features::Features;
use super::map::MapShape;
use super::record::RecordBlock;
use super::reference::TensorSweep;
use super::sizes::Sizes;
use super::sweep::Sweep;
use crate::distributed::Portable;
use crate::error::Result;
use crate::market::PathBlock;
use crate::simd::{Real, dispatch};
use backward::BackwardBlock;
use candle_core::WithDType;
use faer::Mat;
use forward::{ForwardBlock, ForwardDate};
use weights::Weights;
use workspace::Workspace;

impl Architecture for LstmShape {
    type Network<R: Real> = Weights<R>;

    fn new(sizes: Sizes, key: &dyn Fn(&str) -> String) -> Result<Self> {
        sizes.check_hidden(sizes.layer_normalisation, key)?;
        Ok(Self {
            features: sizes.inputs,
            hidden: sizes.hidden,
            layers: sizes.layers,
            head: sizes.head,
            layer_normalisation: sizes.layer_normalisation,
        })
    }

    fn sizes(&self) -> Sizes {
        Sizes {
            inputs: self.features,
            head: self.head,
            hidden: self.hidden,
            layers: self.layers,
            heads: 1,
            layer_normalisation: self.layer_normalisation,
        }
    }

    /// The linear maps: the LSTM layers from below, then the head.
    ///
    /// A layer's map takes [h_{t−1}; input_t; 1] to the pre-activations of its gates, row 4u + g
    /// being gate g ∈ (input, forget, cell, output) of unit u. The head takes [h_t; 1] to the outputs. Initial weights are
    /// drawn from ±1/√hidden.
    ///
    /// # References
    /// The bound is that of PyTorch's `nn.LSTM`.
    fn maps(&self) -> Vec<MapShape> {
        let bound = 1.0 / (self.hidden as f64).sqrt();
        let layer = |layer: usize| MapShape {
            name: format!("lstm.{layer}"),
            rows: GATES * self.hidden,
            columns: self.hidden + self.inputs(layer) + 1,
            gates: GATES,
            bound,
        };
        let head = self.head.map(self.hidden, bound);
        (0..self.layers).map(layer).chain([head]).collect()
    }

    /// Inputs, gates, cells and their hyperbolic tangents, of every layer.
    fn kept(&self, _: usize) -> usize {
        let inputs: usize = (0..self.layers).map(|layer| self.inputs(layer)).sum();
        inputs + self.layers * (self.hidden + 1 + GATES * self.hidden + 3 * self.hidden)
    }

    fn reference<R: Real + Portable + WithDType>(self, actor: Actor) -> Box<dyn Sweep<R>> {
        Box::new(TensorSweep::new(self, actor))
    }
}

impl<R: Real> Network<R> for Weights<R> {
    type Shape = LstmShape;
    type Workspace = Workspace<R>;

    fn new(shape: LstmShape, matrices: &[Mat<f64>]) -> Self {
        Self::new(shape, matrices)
    }

    fn workspace(shape: LstmShape, steps: usize, back: bool) -> Workspace<R> {
        Workspace::new(shape, steps, back)
    }

    fn date(
        &self,
        t: usize,
        (features, paths): (&Features, PathBlock<'_, R>),
        hand: &mut Hand<R>,
        workspace: &mut Workspace<R>,
    ) {
        dispatch(ForwardDate {
            weights: self,
            t,
            features,
            paths,
            hand,
            workspace,
        });
    }

    /// Where all dates are kept for the way back and none is fed what the one before gave, one layer after the other through all dates,
    /// so that its weights stay in cache.
    fn forward(
        &self,
        (features, paths): (&Features, PathBlock<'_, R>),
        hand: &mut Hand<R>,
        workspace: &mut Workspace<R>,
    ) {
        let steps = paths.steps();
        if workspace.back && self.shape.head.fed == 0 {
            dispatch(ForwardBlock {
                weights: self,
                features,
                paths,
                hand,
                workspace,
            });
            hand.act_on(0..steps);
            return;
        }
        for t in 0..steps {
            self.date(t, (features, paths), hand, workspace);
            hand.act_on(t..t + 1);
        }
    }

    fn backward(
        &self,
        hand: &mut Hand<R>,
        workspace: &mut Workspace<R>,
        totals: Option<&mut [Vec<f64>]>,
    ) {
        dispatch(BackwardBlock {
            weights: self,
            hand,
            workspace,
            totals,
        });
    }

    fn copy_record(hand: &Hand<R>, workspace: &Workspace<R>, record: &mut [RecordBlock<'_, R>]) {
        workspace.copy_record(hand, record);
    }
}
