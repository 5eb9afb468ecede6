use super::Policy;
use crate::contract::Contract;
use crate::error::Result;
use crate::market::Paths;
use crate::network::{Features, Parameters, Sweep};
use crate::simd::Lane;

/// A trained LSTM as a hedge.
pub struct RecurrentPolicy<'a> {
    pub parameters: &'a Parameters,
    pub features: &'a Features,
    pub sweep: &'a dyn Sweep<f64>,
}

impl Policy for RecurrentPolicy<'_> {
    fn positions(&self, _: &Contract, paths: &Paths<f64>) -> Result<Vec<Lane<f64>>> {
        self.sweep.forward(self.parameters, self.features, paths)
    }
}
