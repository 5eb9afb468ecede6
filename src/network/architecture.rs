use super::action::{Actor, Hand};
use super::features::Features;
use super::head::Head;
use super::map::MapShape;
use super::record::RecordBlock;
use super::sizes::Sizes;
use super::sweep::Sweep;
use crate::distributed::Portable;
use crate::error::Result;
use crate::market::PathBlock;
use crate::simd::Real;
use candle_core::WithDType;
use faer::Mat;
use std::fmt::Debug;

/// The sizes of a network, and how it is moved along paths: what a file of this room says of the network in it.
///
/// A network sees the features of every date and gives the outputs that an action makes positions of.
pub trait Architecture: Copy + Debug + PartialEq + Send + Sync + 'static {
    /// The network with weights that are packed for the kernels.
    type Network<R: Real>: Network<R, Shape = Self>;

    /// The network of these sizes; `key` names a setting of the network in errors.
    ///
    /// # Errors
    /// The setting, its value and its bound.
    fn new(sizes: Sizes, key: &dyn Fn(&str) -> String) -> Result<Self>;

    /// Its sizes, as a strategy says them.
    fn sizes(&self) -> Sizes;

    /// The number of inputs at a date, positions held among them.
    fn inputs(&self) -> usize {
        self.sizes().inputs
    }

    /// The linear maps, in the order of weights, gradients and optimizer state; the last one gives the outputs.
    fn maps(&self) -> Vec<MapShape>;

    /// What it gives at a date, and what it is fed of the date before.
    fn head(&self) -> Head {
        self.sizes().head
    }

    /// How many numbers a sweep over so many dates keeps of one path on one date: inputs and derivatives of the maps, unless it keeps more.
    fn kept(&self, _: usize) -> usize {
        MapShape::kept(&self.maps())
    }

    /// The learning rate of Adam's first steps in a training by curvature, where the methods' own is not for this network.
    fn start_learning_rate(&self) -> Option<f64> {
        None
    }

    /// The same sweep in tensor operations, with positions by `actor`: the readable reference of the fused one.
    fn reference<R: Real + Portable + WithDType>(self, actor: Actor) -> Box<dyn Sweep<R>>;
}

/// A network as [`super::BlockSweep`] moves it, forward and backward in time along blocks of paths.
///
/// It writes outputs into a [`Hand`], which makes positions of them, and takes their derivatives from it; how, the hand says.
pub trait Network<R: Real>: Send + Sync {
    /// The sizes of the network.
    type Shape;

    /// What one block needs from its first date to its last.
    type Workspace: Send;

    /// Packs one matrix for every map of `shape`.
    fn new(shape: Self::Shape, matrices: &[Mat<f64>]) -> Self;

    /// Memory for one block of `steps` periods, which goes `back` too or forward alone.
    fn workspace(shape: Self::Shape, steps: usize, back: bool) -> Self::Workspace;

    /// Takes one block through date `t`, whose earlier dates are done, and leaves its outputs in the hand. It reads of the path what is
    /// known on that date, and of the hand, where it is fed, the positions of the date before.
    fn date(
        &self,
        t: usize,
        seen: (&Features, PathBlock<'_, R>),
        hand: &mut Hand<R>,
        workspace: &mut Self::Workspace,
    );

    /// Moves one block through all dates and leaves the positions in the hand: date by date, unless the network has a quicker order.
    fn forward(
        &self,
        seen: (&Features, PathBlock<'_, R>),
        hand: &mut Hand<R>,
        workspace: &mut Self::Workspace,
    ) {
        for t in 0..seen.1.steps() {
            self.date(t, seen, hand, workspace);
            hand.act_on(t..t + 1);
        }
    }

    /// Differentiates one block from the hand's derivatives back to the first date and, if there are `totals`, adds the gradient of
    /// every map to them, row by row.
    fn backward(
        &self,
        hand: &mut Hand<R>,
        workspace: &mut Self::Workspace,
        totals: Option<&mut [Vec<f64>]>,
    );

    /// Copies inputs and derivatives of every map, as the backward pass has left them.
    fn copy_record(hand: &Hand<R>, workspace: &Self::Workspace, record: &mut [RecordBlock<'_, R>]);
}
