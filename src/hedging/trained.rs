use super::{Policy, close_where_ended};
use crate::contract::Contract;
use crate::error::Result;
use crate::market::Paths;
use crate::network::{Features, Parameters, Sweep};
use crate::simd::Lane;

/// A trained network as a hedge.
pub struct TrainedPolicy<'a> {
    /// The network's weights.
    pub parameters: &'a Parameters,
    /// What the network sees of a date.
    pub features: &'a Features,
    /// What moves the network and its action along paths.
    pub sweep: &'a dyn Sweep<f64>,
}

impl Policy for TrainedPolicy<'_> {
    fn positions(&self, _: &Contract, paths: &Paths<f64>) -> Result<Vec<Lane<f64>>> {
        let mut positions = self.sweep.forward(self.parameters, self.features, paths)?;
        close_where_ended(paths, 0..paths.steps(), &mut positions);
        Ok(positions)
    }
}
