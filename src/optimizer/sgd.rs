use super::first_order::{RateSettings, clipped, statistics, zeros};
use super::{Batch, Build, Family, Optimizer, Proposal, Settings, State, Stateful};
use crate::bounds::check;
use crate::error::Result;
use crate::linalg::inner;
use faer::Mat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Settings of [`Sgd`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SgdSettings {
    /// The learning rate, its schedule and the clipping of gradients.
    #[serde(flatten)]
    pub rate: RateSettings,
    /// Share μ of the velocity that a step keeps; 0 for plain gradient descent.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub momentum: f64,
    /// Nesterov's momentum instead of the heavy ball.
    pub nesterov: bool,
}

impl Default for SgdSettings {
    fn default() -> Self {
        Self {
            rate: RateSettings::of(0.3),
            momentum: 0.9,
            nesterov: true,
        }
    }
}

impl Settings for SgdSettings {
    fn check(&self, key: &dyn Fn(&str) -> String) -> Result<()> {
        let moves = !self.nesterov || self.momentum > 0.0;
        let bound = "positive with `nesterov`";
        check(&key("momentum"), self.momentum, moves, bound).map(|_| ())
    }
}

impl Build for SgdSettings {
    fn build(&self) -> Box<dyn Optimizer> {
        Box::new(Sgd::new(*self))
    }

    fn family(&self) -> Family {
        Family::FirstOrder
    }
}

/// Stochastic gradient descent with momentum: v ← μv + g, then W ← W − ηv (heavy ball) or W ← W − η(g + μv)
/// (Nesterov, written in the point at which the gradient is taken).
///
/// # References
/// Polyak (1964); Nesterov (1983); Sutskever et al. (2013), "On the importance of initialization and momentum in
/// deep learning", section 2, whose velocity is −ηv.
#[derive(Debug, Clone)]
pub struct Sgd {
    settings: SgdSettings,
    velocity: Vec<Mat<f64>>,
}

impl Sgd {
    /// SGD before its first step.
    pub fn new(settings: SgdSettings) -> Self {
        Self {
            settings,
            velocity: Vec::new(),
        }
    }
}

impl Stateful for Sgd {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("velocity", &mut self.velocity)
    }
}

impl Optimizer for Sgd {
    fn curvature_paths(&self, _step: usize) -> usize {
        0
    }

    fn propose(&mut self, batch: &Batch<'_>) -> Result<Proposal> {
        let SgdSettings {
            momentum, nesterov, ..
        } = self.settings;
        let rate = self.settings.rate.at(batch);
        if self.velocity.is_empty() {
            self.velocity = zeros(batch.gradient);
        }
        let gradient = clipped(batch.gradient, self.settings.rate.clip_norm);
        let change = gradient
            .iter()
            .zip(&mut self.velocity)
            .map(|(gradient, velocity)| {
                *velocity = faer::Scale(momentum) * &*velocity + gradient;
                if nesterov {
                    faer::Scale(-rate) * gradient + faer::Scale(-rate * momentum) * &*velocity
                } else {
                    faer::Scale(-rate) * &*velocity
                }
            })
            .collect();
        let mut statistics = statistics(batch, rate);
        statistics.insert(
            "velocity_norm".into(),
            json!(inner(&self.velocity, &self.velocity).sqrt()),
        );
        Ok(Proposal { change, statistics })
    }
}
