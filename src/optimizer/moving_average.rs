use super::{State, Stateful};
use crate::error::Result;
use faer::Mat;

/// The weight of the exponential average `(decay·w·C + C_new)/(decay·w + 1)` with `w ← decay·w + 1`: no bias to zero.
#[derive(Debug, Clone, Default)]
pub struct Average {
    weight: f64,
}

impl Stateful for Average {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("weight", &mut self.weight)
    }
}

impl Average {
    /// The share of the past in the next average.
    pub fn next(&mut self, decay: f64) -> f64 {
        let old = decay * self.weight;
        self.weight = old + 1.0;
        old / (old + 1.0)
    }
}

/// `share · past + (1 − share) · new`, or `new` where there is no past.
pub fn mixed(past: Option<&Mat<f64>>, new: Mat<f64>, share: f64) -> Mat<f64> {
    match past {
        Some(past) => faer::Scale(share) * past + faer::Scale(1.0 - share) * new,
        None => new,
    }
}
