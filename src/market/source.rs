use super::paths::Paths;
use super::simulator::Simulator;

/// Where training paths come from; each is a function of its number alone.
///
/// Any run of blocks stands for all: either paths are independent of each other, or what is not left to chance is spread over
/// consecutive blocks first, as the points of a Sobol sequence are and the variances at which blocks of a calibrated model
/// begin. The first blocks of a batch are therefore its sample for curvature. Blocks at equal distances would be a worse one:
/// they meet such a sequence in step.
pub trait PathSource: Send + Sync {
    /// Fills the own blocks of `paths`, of which block number 0 is number `first_block` of the source. No rank waits for another.
    fn fill(&self, first_block: u64, paths: &mut Paths<f32>);

    /// What the contracts on `count` paths, those of all ranks, are sold for beyond one and the same premium, in money of the expiry; none
    /// if that is all they are sold for.
    fn premiums(&self, first_block: u64, count: usize) -> Option<Vec<f64>>;
}

impl PathSource for Simulator {
    fn fill(&self, first_block: u64, paths: &mut Paths<f32>) {
        Self::fill(self, first_block, paths);
    }

    fn premiums(&self, _: u64, _: usize) -> Option<Vec<f64>> {
        None
    }
}
