use super::first_order::{Rate, check_rate, clipped, statistics, zeros};
use super::{Batch, Build, Optimizer, Proposal, Schedule, Settings};
use crate::bounds::{check, fraction};
use crate::error::Result;
use crate::linalg::inner;
use faer::Mat;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Settings of [`Sgd`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SgdSettings {
    pub learning_rate: f64,
    /// Share μ of the velocity that a step keeps; 0 for plain gradient descent.
    pub momentum: f64,
    /// Nesterov's momentum instead of the heavy ball.
    pub nesterov: bool,
    /// The gradient is scaled down to this Euclidean norm.
    pub clip_norm: f64,
    pub warm_up_steps: usize,
    pub schedule: Schedule,
}

impl Default for SgdSettings {
    fn default() -> Self {
        Self {
            learning_rate: 0.1,
            momentum: 0.9,
            nesterov: true,
            clip_norm: 1.0,
            warm_up_steps: 10,
            schedule: Schedule::Cosine,
        }
    }
}

impl Settings for SgdSettings {
    fn check(&self, key: &dyn Fn(&str) -> String) -> Result<()> {
        check_rate(key, self.learning_rate, self.clip_norm)?;
        fraction(&key("momentum"), self.momentum)?;
        let moves = !self.nesterov || self.momentum > 0.0;
        check(
            &key("momentum"),
            self.momentum,
            moves,
            "positive with `nesterov`",
        )?;
        Ok(())
    }
}

impl Build for SgdSettings {
    fn build(&self) -> Box<dyn Optimizer> {
        Box::new(Sgd::new(*self))
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
    pub fn new(settings: SgdSettings) -> Self {
        Self {
            settings,
            velocity: Vec::new(),
        }
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
        let rate = Rate {
            learning_rate: self.settings.learning_rate,
            schedule: self.settings.schedule,
            warm_up_steps: self.settings.warm_up_steps,
        }
        .at(batch);
        if self.velocity.is_empty() {
            self.velocity = zeros(batch.gradient);
        }
        let gradient = clipped(batch.gradient, self.settings.clip_norm);
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
