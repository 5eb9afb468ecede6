use super::first_order::{RateSettings, clipped, statistics};
use super::{
    AdaptiveMoments, Batch, Build, Family, Optimizer, Proposal, Settings, State, Stateful,
};
use crate::error::Result;
use crate::linalg::add_scaled;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Settings of [`Lamb`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LambSettings {
    /// Its learning rate is the length of a step of a map relative to the length of its weights.
    #[serde(flatten)]
    pub rate: RateSettings,
    /// Decay of the average of gradients.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub beta1: f64,
    /// Decay of the average of their squares.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub beta2: f64,
    /// Share of the weights that joins Adam's direction before its length is set.
    #[schemars(range(min = 0.0))]
    pub weight_decay: f64,
}

impl Default for LambSettings {
    fn default() -> Self {
        Self {
            rate: RateSettings::of(0.03),
            beta1: 0.8,
            beta2: 0.95,
            weight_decay: 0.1,
        }
    }
}

impl Settings for LambSettings {}

impl Build for LambSettings {
    fn build(&self) -> Box<dyn Optimizer> {
        Box::new(Lamb::new(*self))
    }

    fn family(&self) -> Family {
        Family::FirstOrder
    }
}

/// LAMB: Adam's direction of every map, of a length in proportion to the length of the map's weights.
///
/// u = m̂/(√v̂ + ε) + λW, biases among the weights W, gives the step −η (‖W‖/‖u‖) u; the trust ratio ‖W‖/‖u‖ is 1 where
/// either length is 0.
///
/// # Long trainings
/// Noise makes weights longer, and longer weights make longer steps: without decay 5,000 steps on a GBM call over ten dates
/// (CVaR 50 %, four units, three seeds) ended at 1.11 ± 0.02 on batches of 32 paths and 1.08 ± 0.04 on 256, where Adam ends at
/// 0.684 and 0.671. The default λ = 0.1 ends at 0.699 ± 0.005 and 0.688 ± 0.005, and is level with λ = 0 after 200 steps of the
/// Heston call.
///
/// # References
/// You et al. (2020), "Large batch optimization for deep learning: training BERT in 76 minutes", algorithm 2 with
/// φ(x) = x.
#[derive(Debug, Clone)]
pub struct Lamb {
    settings: LambSettings,
    moments: AdaptiveMoments,
}

impl Lamb {
    /// LAMB before its first step.
    pub fn new(settings: LambSettings) -> Self {
        Self {
            settings,
            moments: AdaptiveMoments::new(settings.beta1, settings.beta2),
        }
    }
}

impl Stateful for Lamb {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("moments", &mut self.moments)
    }
}

impl Optimizer for Lamb {
    fn curvature_paths(&self, _step: usize) -> usize {
        0
    }

    fn propose(&mut self, batch: &Batch<'_>) -> Result<Proposal> {
        let rate = self.settings.rate.at(batch);
        let gradient = clipped(batch.gradient, self.settings.rate.clip_norm);
        let mut change = self.moments.direction(&gradient, 1.0);
        add_scaled(&mut change, self.settings.weight_decay, batch.parameters);
        let (mut least, mut greatest) = (f64::INFINITY, 0.0_f64);
        for (direction, weights) in change.iter_mut().zip(batch.parameters) {
            let (weight, length) = (weights.norm_l2(), direction.norm_l2());
            let ratio = if weight > 0.0 && length > 0.0 {
                weight / length
            } else {
                1.0
            };
            *direction = faer::Scale(-rate * ratio) * &*direction;
            (least, greatest) = (least.min(ratio), greatest.max(ratio));
        }
        let mut statistics = statistics(batch, rate);
        statistics.insert("least_trust_ratio".into(), json!(least));
        statistics.insert("greatest_trust_ratio".into(), json!(greatest));
        Ok(Proposal { change, statistics })
    }
}
