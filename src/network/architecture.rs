use super::features::Features;
use super::map::MapShape;
use super::record::RecordBlock;
use super::sweep::Sweep;
use crate::market::PathBlock;
use crate::simd::{Lane, Real};
use candle_core::WithDType;
use faer::Mat;
use std::fmt::Debug;

/// The sizes of a network, and how it is moved along paths: what a file of this room says of the network in it.
///
/// A network sees the features of every date and gives an output for every hedging instrument.
pub trait Architecture: Copy + Debug + PartialEq + Send + Sync + 'static {
    /// The network with weights that are packed for the kernels.
    type Network<R: Real>: Network<R, Shape = Self>;

    /// The linear maps, in the order of weights, gradients and optimizer state.
    fn maps(&self) -> Vec<MapShape>;

    /// The number of outputs at a date.
    fn outputs(&self) -> usize;

    /// How many numbers a sweep keeps of one path on one date, inputs of the maps among them.
    fn kept(&self) -> usize;

    /// The same sweep in tensor operations: the readable reference of the fused one.
    fn reference<R: Real + WithDType>(self) -> Box<dyn Sweep<R>>;
}

/// A network as [`super::BlockSweep`] moves it, forward and backward in time along blocks of paths.
///
/// # Shapes
/// Outputs and seeds are `[steps][outputs][BLOCK]`.
pub trait Network<R: Real>: Send + Sync {
    /// The sizes of the network.
    type Shape;

    /// What one block needs from its first date to its last.
    type Workspace: Send;

    /// Packs one matrix for every map of `shape`.
    fn new(shape: Self::Shape, matrices: &[Mat<f64>]) -> Self;

    /// Memory for one block of `steps` periods.
    fn workspace(shape: Self::Shape, steps: usize) -> Self::Workspace;

    /// Moves one block through all dates and leaves the outputs in the workspace.
    fn forward(
        &self,
        features: &Features,
        paths: PathBlock<'_, R>,
        workspace: &mut Self::Workspace,
    );

    /// The outputs of the last forward pass and, for writing, the seeds: the derivatives in the outputs that the backward pass
    /// begins with.
    fn outputs(workspace: &mut Self::Workspace) -> (&[Lane<R>], &mut [Lane<R>]);

    /// Differentiates one block from the seeds back to the first date and, if there are `totals`, adds the gradient of every
    /// map to them, row by row.
    fn backward(&self, workspace: &mut Self::Workspace, totals: Option<&mut [Vec<f64>]>);

    /// Copies inputs and derivatives of every map, as the backward pass has left them.
    fn copy_record(workspace: &Self::Workspace, record: &mut [RecordBlock<'_, R>]);
}
