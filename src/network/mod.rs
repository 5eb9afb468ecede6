//! Recurrent policies and their sweeps through time.

mod block;
mod derivatives;
mod features;
mod parameters;
mod record;
#[cfg(test)]
mod record_fixture;
mod reduced;
mod tensor;
#[cfg(test)]
mod tests;

pub use block::BlockSweep;
pub use derivatives::{PathDerivatives, sum_moments};
pub use features::{Feature, Features};
pub use parameters::{GATES, Parameters, Shape, matrix, tensor};
pub use record::{Moments, Record};
pub use tensor::TensorSweep;

use crate::error::Result;
use crate::market::Paths;
use crate::simd::{Lane, Real};
use faer::Mat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Gives the derivative in the positions that a backward sweep starts from.
///
/// Arguments: the block number, the positions `[steps][instruments][BLOCK]` and the seeds to be written, of the same
/// shape. Lanes that do not count must be seeded with zero.
pub type Seed<'a, R> = dyn Fn(usize, &[Lane<R>], &mut [Lane<R>]) + Sync + 'a;

/// Which implementation of [`Sweep`] moves a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// Fused and vectorised, in blocks of 32 paths: [`BlockSweep`].
    Block,
    /// The reference in tensor operations, which is slow: [`TensorSweep`].
    Tensor,
}

impl Engine {
    /// A sweep of this kind.
    pub fn sweep<R: Real>(self) -> Box<dyn Sweep<R>> {
        match self {
            Self::Block => Box::new(BlockSweep::new()),
            Self::Tensor => Box::new(TensorSweep),
        }
    }
}

/// Moves a recurrent policy along paths, forward and backward in time.
pub trait Sweep<R: Real>: Send + Sync {
    /// The positions held over each period, `[blocks][steps][instruments][BLOCK]`.
    fn forward(
        &self,
        parameters: &Parameters,
        features: &Features,
        paths: &Paths<R>,
    ) -> Result<Vec<Lane<R>>>;

    /// Differentiates along the seeds: Σ_b Σ_t seed ∂δ_t/∂W for every linear map.
    fn gradient(
        &self,
        parameters: &Parameters,
        features: &Features,
        paths: &Paths<R>,
        seed: &Seed<'_, R>,
    ) -> Result<Vec<Mat<f64>>>;

    /// Writes (a, g) of every linear map into `record`, whose memory is used again; g are the derivatives that the seeds
    /// define.
    fn record(
        &self,
        parameters: &Parameters,
        features: &Features,
        paths: &Paths<R>,
        seed: &Seed<'_, R>,
        record: &mut Record<R>,
    ) -> Result<()>;
}
