use super::first_order::{RateSettings, clipped, statistics};
use super::{
    AdaptiveMoments, Batch, Build, Family, Optimizer, Proposal, Settings, State, Stateful,
};
use crate::error::Result;
use faer::Mat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of [`Adam`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AdamSettings {
    /// The learning rate, its schedule and the clipping of gradients.
    #[serde(flatten)]
    pub rate: RateSettings,
    /// Decay of the average of gradients.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub beta1: f64,
    /// Decay of the average of their squares.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub beta2: f64,
}

impl Default for AdamSettings {
    fn default() -> Self {
        Self {
            rate: RateSettings {
                clip_norm: 5.0,
                ..RateSettings::of(0.1)
            },
            beta1: 0.8,
            beta2: 0.99,
        }
    }
}

impl Settings for AdamSettings {}

impl Build for AdamSettings {
    fn build(&self) -> Box<dyn Optimizer> {
        Box::new(Adam::new(*self))
    }

    fn family(&self) -> Family {
        Family::FirstOrder
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
    /// Adam before its first step.
    pub fn new(settings: AdamSettings) -> Self {
        Self {
            settings,
            moments: AdaptiveMoments::new(settings.beta1, settings.beta2),
        }
    }

    /// The change for a gradient at a given learning rate.
    pub(super) fn change(&mut self, gradient: &[Mat<f64>], rate: f64) -> Vec<Mat<f64>> {
        let gradient = clipped(gradient, self.settings.rate.clip_norm);
        self.moments.direction(&gradient, -rate)
    }
}

impl Stateful for Adam {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("moments", &mut self.moments)
    }
}

impl Optimizer for Adam {
    fn curvature_paths(&self, _step: usize) -> usize {
        0
    }

    fn propose(&mut self, batch: &Batch<'_>) -> Result<Proposal> {
        let rate = self.settings.rate.at(batch);
        Ok(Proposal {
            change: self.change(batch.gradient, rate),
            statistics: statistics(batch, rate),
        })
    }
}
