use super::first_order::{Rate, add_weights, check_rate, clipped, statistics};
use super::{AdaptiveMoments, Batch, Build, Optimizer, Proposal, Schedule, Settings};
use crate::bounds::{check, fraction};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// Settings of [`AdamW`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AdamWSettings {
    pub learning_rate: f64,
    /// Decay of the average of gradients.
    pub beta1: f64,
    /// Decay of the average of their squares.
    pub beta2: f64,
    /// Share of the weights, times the learning rate, that a step takes away.
    pub weight_decay: f64,
    /// The gradient is scaled down to this Euclidean norm.
    pub clip_norm: f64,
    pub warm_up_steps: usize,
    pub schedule: Schedule,
}

impl Default for AdamWSettings {
    fn default() -> Self {
        Self {
            learning_rate: 0.05,
            beta1: 0.8,
            beta2: 0.95,
            weight_decay: 0.001,
            clip_norm: 1.0,
            warm_up_steps: 10,
            schedule: Schedule::Cosine,
        }
    }
}

impl Settings for AdamWSettings {
    fn check(&self, key: &dyn Fn(&str) -> String) -> Result<()> {
        check_rate(key, self.learning_rate, self.clip_norm)?;
        fraction(&key("beta1"), self.beta1)?;
        fraction(&key("beta2"), self.beta2)?;
        let decay = self.weight_decay;
        check(&key("weight_decay"), decay, decay >= 0.0, "at least 0")?;
        Ok(())
    }
}

impl Build for AdamWSettings {
    fn build(&self) -> Box<dyn Optimizer> {
        Box::new(AdamW::new(*self))
    }
}

/// Adam with decoupled weight decay: −η [m̂/(√v̂ + ε) + λW], elementwise; biases do not decay.
///
/// The decay multiplies the scheduled learning rate η.
///
/// # References
/// Loshchilov and Hutter (2019), "Decoupled weight decay regularization", algorithm 2.
#[derive(Debug, Clone)]
pub struct AdamW {
    settings: AdamWSettings,
    moments: AdaptiveMoments,
}

impl AdamW {
    pub fn new(settings: AdamWSettings) -> Self {
        Self {
            settings,
            moments: AdaptiveMoments::new(settings.beta1, settings.beta2),
        }
    }
}

impl Optimizer for AdamW {
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
        let gradient = clipped(batch.gradient, self.settings.clip_norm);
        let mut change = self.moments.direction(&gradient, -rate);
        add_weights(
            &mut change,
            -rate * self.settings.weight_decay,
            batch.parameters,
        );
        Ok(Proposal {
            change,
            statistics: statistics(batch, rate),
        })
    }
}
