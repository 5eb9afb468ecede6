use super::action::{Action, Rule};
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
    /// What moves the network along paths.
    pub sweep: &'a dyn Sweep<f64>,
    /// How positions come of the network's outputs.
    pub action: Action,
}

impl Policy for TrainedPolicy<'_> {
    fn positions(&self, _: &Contract, paths: &Paths<f64>) -> Result<Vec<Lane<f64>>> {
        let instruments = paths.instruments().len();
        let mut positions = self.sweep.forward(self.parameters, self.features, paths)?;
        for block in positions.chunks_exact_mut(paths.steps() * instruments) {
            self.action.positions(instruments, block);
        }
        close_where_ended(paths, &mut positions);
        Ok(positions)
    }
}
