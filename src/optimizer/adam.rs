use super::{Batch, Build, Optimizer, Proposal, Settings, cosine_with_warm_up};
use crate::bounds::{fraction, positive};
use crate::error::Result;
use crate::linalg::inner;
use faer::Mat;
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

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
}

impl Default for AdamSettings {
    fn default() -> Self {
        Self {
            learning_rate: 0.1,
            beta1: 0.8,
            beta2: 0.99,
            clip_norm: 1.0,
            warm_up_steps: 10,
        }
    }
}

impl Settings for AdamSettings {
    fn check(&self, key: &dyn Fn(&str) -> String) -> Result<()> {
        positive(&key("learning_rate"), self.learning_rate)?;
        fraction(&key("beta1"), self.beta1)?;
        fraction(&key("beta2"), self.beta2)?;
        positive(&key("clip_norm"), self.clip_norm)?;
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

/// Adam with bias correction, gradient clipping, warm-up and cosine decay.
///
/// # References
/// Kingma and Ba (2015), algorithm 1.
#[derive(Debug, Clone)]
pub struct Adam {
    settings: AdamSettings,
    count: i32,
    mean: Vec<Mat<f64>>,
    square: Vec<Mat<f64>>,
}

impl Adam {
    pub fn new(settings: AdamSettings) -> Self {
        Self {
            settings,
            count: 0,
            mean: Vec::new(),
            square: Vec::new(),
        }
    }

    /// The change for a gradient at a given learning rate.
    pub(super) fn change(&mut self, gradient: &[Mat<f64>], rate: f64) -> Vec<Mat<f64>> {
        const EPSILON: f64 = 1e-8;
        let AdamSettings {
            beta1,
            beta2,
            clip_norm,
            ..
        } = self.settings;
        if self.mean.is_empty() {
            self.mean = gradient
                .iter()
                .map(|g| Mat::zeros(g.nrows(), g.ncols()))
                .collect();
            self.square.clone_from(&self.mean);
        }
        let norm = inner(gradient, gradient).sqrt();
        let clip = if norm > clip_norm {
            clip_norm / norm
        } else {
            1.0
        };
        self.count += 1;
        let (correct1, correct2) = (1.0 - beta1.powi(self.count), 1.0 - beta2.powi(self.count));
        gradient
            .iter()
            .zip(self.mean.iter_mut().zip(&mut self.square))
            .map(|(gradient, (mean, square))| {
                Mat::from_fn(gradient.nrows(), gradient.ncols(), |r, c| {
                    let g = clip * gradient[(r, c)];
                    mean[(r, c)] = beta1 * mean[(r, c)] + (1.0 - beta1) * g;
                    square[(r, c)] = beta2 * square[(r, c)] + (1.0 - beta2) * g * g;
                    -rate * (mean[(r, c)] / correct1)
                        / ((square[(r, c)] / correct2).sqrt() + EPSILON)
                })
            })
            .collect()
    }
}

impl Optimizer for Adam {
    fn curvature_paths(&self, _step: usize) -> usize {
        0
    }

    fn propose(&mut self, batch: &Batch<'_>) -> Result<Proposal> {
        let schedule = cosine_with_warm_up(batch.step, batch.progress, self.settings.warm_up_steps);
        let rate = self.settings.learning_rate * schedule;
        let mut statistics = Map::new();
        statistics.insert("learning_rate".into(), json!(rate));
        statistics.insert(
            "gradient_norm".into(),
            json!(inner(batch.gradient, batch.gradient).sqrt()),
        );
        Ok(Proposal {
            change: self.change(batch.gradient, rate),
            statistics,
        })
    }
}
