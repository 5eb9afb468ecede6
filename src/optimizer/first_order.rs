//! What the methods that see gradients alone have in common.

use super::{Batch, Schedule};
use crate::linalg::{inner, scaled};
use faer::Mat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Settings of every first-order method.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RateSettings {
    /// The learning rate after the warm-up.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub learning_rate: f64,
    /// The gradient is scaled down to this Euclidean norm, in units of money per unit of weight.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub clip_norm: f64,
    /// Steps over which the learning rate rises linearly at the start.
    pub warm_up_steps: usize,
    /// How the learning rate goes on after its warm-up.
    pub schedule: Schedule,
}

impl Default for RateSettings {
    fn default() -> Self {
        Self {
            learning_rate: 0.05,
            clip_norm: 1.0,
            warm_up_steps: 10,
            schedule: Schedule::Cosine,
        }
    }
}

impl RateSettings {
    /// The default with another learning rate.
    pub fn of(learning_rate: f64) -> Self {
        Self {
            learning_rate,
            ..Self::default()
        }
    }

    /// The share of the learning rate at the step of `batch`.
    pub fn share(&self, batch: &Batch<'_>) -> f64 {
        (self.schedule).share(batch.step, batch.progress, self.warm_up_steps)
    }

    /// The learning rate at the step of `batch`.
    pub fn at(&self, batch: &Batch<'_>) -> f64 {
        self.learning_rate * self.share(batch)
    }
}

/// The gradient, scaled down to Euclidean norm `bound` if it is longer.
pub fn clipped(gradient: &[Mat<f64>], bound: f64) -> Vec<Mat<f64>> {
    let norm = inner(gradient, gradient).sqrt();
    scaled(gradient, if norm > bound { bound / norm } else { 1.0 })
}

/// Zeros of the shapes of `like`.
pub fn zeros(like: &[Mat<f64>]) -> Vec<Mat<f64>> {
    like.iter()
        .map(|m| Mat::zeros(m.nrows(), m.ncols()))
        .collect()
}

/// The statistics of every first-order step: its learning rate and the gradient's norm before clipping.
pub fn statistics(batch: &Batch<'_>, rate: f64) -> Map<String, Value> {
    let mut statistics = Map::new();
    statistics.insert("learning_rate".into(), json!(rate));
    statistics.insert(
        "gradient_norm".into(),
        json!(inner(batch.gradient, batch.gradient).sqrt()),
    );
    statistics
}
