use super::first_order::{RateSettings, clipped, statistics};
use super::{
    AdaptiveMoments, Batch, Build, Family, Optimizer, Proposal, Settings, State, Stateful,
};
use crate::error::Result;
use crate::linalg::add_scaled;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of [`AdamW`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AdamWSettings {
    /// The learning rate, its schedule and the clipping of gradients.
    #[serde(flatten)]
    pub rate: RateSettings,
    /// Decay of the average of gradients.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub beta1: f64,
    /// Decay of the average of their squares.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub beta2: f64,
    /// Share of the weights, biases among them, that a step takes away, times the learning rate.
    #[schemars(range(min = 0.0))]
    pub weight_decay: f64,
}

impl Default for AdamWSettings {
    fn default() -> Self {
        Self {
            rate: RateSettings::of(0.05),
            beta1: 0.8,
            beta2: 0.95,
            weight_decay: 0.003,
        }
    }
}

impl Settings for AdamWSettings {}

impl Build for AdamWSettings {
    fn build(&self) -> Box<dyn Optimizer> {
        Box::new(AdamW::new(*self))
    }

    fn family(&self) -> Family {
        Family::FirstOrder
    }

    fn tunable(&self) -> &'static [&'static str] {
        &["learning_rate", "beta1", "beta2", "clip_norm"]
    }
}

/// Adam with decoupled weight decay: −η [m̂/(√v̂ + ε) + λW], elementwise. As with every method here biases, the last column of
/// a map, decay with its other weights.
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
    /// AdamW before its first step.
    pub fn new(settings: AdamWSettings) -> Self {
        Self {
            settings,
            moments: AdaptiveMoments::new(settings.beta1, settings.beta2),
        }
    }
}

impl Stateful for AdamW {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("moments", &mut self.moments)
    }
}

impl Optimizer for AdamW {
    fn curvature_paths(&self, _step: usize) -> usize {
        0
    }

    fn propose(&mut self, batch: &Batch<'_>) -> Result<Proposal> {
        let rate = self.settings.rate.at(batch);
        let gradient = clipped(batch.gradient, self.settings.rate.clip_norm);
        let mut change = self.moments.direction(&gradient, -rate);
        add_scaled(
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
