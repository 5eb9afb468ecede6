use super::first_order::{Rate, check_rate, clipped, statistics};
use super::{AdaptiveMoments, Batch, Build, Optimizer, Proposal, Schedule, Settings};
use crate::bounds::fraction;
use crate::error::Result;
use faer::Mat;
use serde::{Deserialize, Serialize};

/// Settings of [`Adam`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AdamSettings {
    pub learning_rate: f64,
    /// Decay of the average of gradients.
    pub beta1: f64,
    /// Decay of the average of their squares.
    pub beta2: f64,
    /// The gradient is scaled down to this Euclidean norm.
    pub clip_norm: f64,
    pub warm_up_steps: usize,
    pub schedule: Schedule,
}

impl Default for AdamSettings {
    fn default() -> Self {
        Self {
            learning_rate: 0.1,
            beta1: 0.8,
            beta2: 0.99,
            clip_norm: 1.0,
            warm_up_steps: 10,
            schedule: Schedule::Cosine,
        }
    }
}

impl Settings for AdamSettings {
    fn check(&self, key: &dyn Fn(&str) -> String) -> Result<()> {
        check_rate(key, self.learning_rate, self.clip_norm)?;
        fraction(&key("beta1"), self.beta1)?;
        fraction(&key("beta2"), self.beta2)?;
        Ok(())
    }
}

impl Build for AdamSettings {
    fn build(&self) -> Box<dyn Optimizer> {
        Box::new(Adam::new(*self))
    }

    fn tunable(&self) -> &'static [&'static str] {
        &["learning_rate", "beta1", "beta2", "clip_norm"]
    }
}

/// Adam with bias correction, gradient clipping, warm-up and schedule: −η m̂/(√v̂ + ε), elementwise, on every map.
///
/// # References
/// Kingma and Ba (2015), algorithm 1.
#[derive(Debug, Clone)]
pub struct Adam {
    settings: AdamSettings,
    moments: AdaptiveMoments,
}

impl Adam {
    pub fn new(settings: AdamSettings) -> Self {
        Self {
            settings,
            moments: AdaptiveMoments::new(settings.beta1, settings.beta2),
        }
    }

    /// The change for a gradient at a given learning rate.
    pub(super) fn change(&mut self, gradient: &[Mat<f64>], rate: f64) -> Vec<Mat<f64>> {
        let gradient = clipped(gradient, self.settings.clip_norm);
        self.moments.direction(&gradient, -rate)
    }
}

impl Optimizer for Adam {
    fn curvature_paths(&self, _step: usize) -> usize {
        0
    }

    fn propose(&mut self, batch: &Batch<'_>) -> Result<Proposal> {
        let rate = Rate {
            learning_rate: self.settings.learning_rate,
            schedule: self.settings.schedule,
            warm_up_steps: self.settings.warm_up_steps,
        }
        .at(batch);
        Ok(Proposal {
            change: self.change(batch.gradient, rate),
            statistics: statistics(batch, rate),
        })
    }
}
