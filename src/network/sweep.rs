use super::action::Relaxation;
use super::features::Features;
use super::parameters::Parameters;
use super::record::Record;
use crate::error::Result;
use crate::market::Paths;
use crate::simd::{Lane, Real};
use faer::Mat;

/// Gives the derivative in the positions that a backward sweep starts from, each position taken for free.
///
/// Arguments: the number of an own block, the positions `[steps][instruments][BLOCK]` and the seeds to be written, of the same shape.
/// Lanes that do not count must be seeded with zero.
pub type Seed<'a, R> = dyn Fn(usize, &[Lane<R>], &mut [Lane<R>]) + Sync + 'a;

/// Moves a network and the action that makes positions of its outputs along paths, forward and backward in time.
///
/// Every rank of paths that are spread over ranks moves its own blocks; sums over paths are those of all ranks.
///
/// # Errors
/// All of its functions refuse parameters of another network, and give on the errors of tensor operations.
pub trait Sweep<R: Real>: Send + Sync {
    /// Lets action and limits be those of training, or as they are with [`Relaxation::NONE`], from now on.
    fn relax(&mut self, relaxation: Relaxation);

    /// The positions for each period, `[own blocks][steps][instruments][BLOCK]`.
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

    /// Writes (a, g) of every linear map into `record`, spread like the paths, whose memory is used again; g are the derivatives
    /// that the seeds define.
    fn record(
        &self,
        parameters: &Parameters,
        features: &Features,
        paths: &Paths<R>,
        seed: &Seed<'_, R>,
        record: &mut Record<R>,
    ) -> Result<()>;
}
