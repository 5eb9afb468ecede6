use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// How the learning rate goes on after its warm-up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Down to 0 along half a cosine.
    #[default]
    Cosine,
    /// As it is after its warm-up.
    Constant,
}

impl Schedule {
    /// The learning rate as a share of its highest value: at step k of a warm-up over w steps
    /// min(1, (k + 1)/w), times ½(1 + cos π p) for the cosine, `progress` p being the share of the training
    /// that is over.
    pub fn share(self, step: usize, progress: f64, warm_up: usize) -> f64 {
        let progress = match self {
            Self::Cosine => progress,
            Self::Constant => 0.0,
        };
        cosine_with_warm_up(step, progress, warm_up)
    }
}

/// A linear warm-up over `warm_up` steps times a half cosine from 1 to 0 over the whole training.
///
/// min(1, (k + 1)/w) · ½(1 + cos π p) at step k, `progress` p ∈ [0, 1) being the share of the training that is over.
pub fn cosine_with_warm_up(step: usize, progress: f64, warm_up: usize) -> f64 {
    let rise = ((step + 1) as f64 / warm_up.max(1) as f64).min(1.0);
    rise * 0.5 * (1.0 + (PI * progress).cos())
}
