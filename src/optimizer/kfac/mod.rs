//! K-FAC for recurrent networks, on the exact Gauss–Newton metric of per-path P&L.
//!
//! The metric is Σ_b h_b J_b J_bᵀ with J_b = vec(Σ_t g_{t,b} a_{t,b}ᵀ). A map's block is approximated by
//! Kronecker products: of independent dates (*expand*), of sums over dates (*reduce*), or of the linear-Gaussian
//! chain, symmetric with T dates (Option 1) or general for T → ∞ (Option 2).

mod chain;
mod factors;
#[cfg(test)]
mod factors_tests;
mod symmetric;
#[cfg(test)]
mod tests;

pub use chain::LinearGaussianChain;
pub use factors::MapFactors;
pub use symmetric::SymmetricChain;

use super::{Adam, AdamSettings, Batch, Optimizer, Proposal, cosine_with_warm_up};
use crate::error::Result;
use crate::linalg::{inner, scaled};
use faer::Mat;
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

/// How correlation in time enters the metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approximation {
    /// Independent in time: F = T A₀ ⊗ G₀.
    Expand,
    /// Inputs that hardly vary in time: F = A ⊗ G with A = E ā āᵀ of mean inputs and G = E γγᵀ of γ = Σ_t g_t.
    Reduce,
    /// The symmetric linear-Gaussian chain of T dates, Option 1 of Martens, Ba and Johnson (2018).
    SymmetricChain,
    /// The linear-Gaussian chain for T → ∞, Option 2 of Martens, Ba and Johnson (2018).
    Chain,
}

/// The inverse of one map's approximate metric.
#[derive(Debug, Clone)]
pub enum Inverse {
    /// Option 1, and independent dates as its case ψ = 0.
    Symmetric(SymmetricChain),
    /// Option 2.
    Limit(LinearGaussianChain),
}

impl Inverse {
    /// The inverse metric times a gradient `[d_G, d_A]`.
    pub fn apply(&self, gradient: &Mat<f64>) -> Mat<f64> {
        match self {
            Self::Symmetric(chain) => chain.apply(gradient),
            Self::Limit(chain) => chain.apply(gradient),
        }
    }
}

/// Settings of [`Kfac`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KfacSettings {
    pub approximation: Approximation,
    /// Tikhonov damping λ of the metric, split between the factors by π.
    pub damping: f64,
    /// Root-mean-square change of P&L of a full step, in currency per contract.
    pub trust_radius: f64,
    /// Decay of the average of past gradients.
    pub momentum: f64,
    pub factor_decay: f64,
    pub factor_period: usize,
    /// Paths whose record gives the factors.
    pub curvature_paths: usize,
    /// Paths whose record gives the step length at steps without new factors.
    pub radius_paths: usize,
    pub warm_up_steps: usize,
    /// Adam steps at the start, while factors accumulate already.
    pub start_steps: usize,
    pub start: AdamSettings,
}

/// K-FAC with momentum and a trust region on the change of P&L.
///
/// d = −F̂⁻¹ m with m the bias-corrected average of gradients; the step is
/// `trust_radius · schedule · d / rms_b(√h_b J_b·d)`, so that its length is measured in money.
#[derive(Debug, Clone)]
pub struct Kfac {
    settings: KfacSettings,
    adam: Adam,
    maps: Vec<MapFactors>,
    inverses: Vec<Inverse>,
    average: Vec<Mat<f64>>,
    count: i32,
}

impl Kfac {
    pub fn new(settings: KfacSettings) -> Self {
        Self {
            settings,
            adam: Adam::new(settings.start),
            maps: Vec::new(),
            inverses: Vec::new(),
            average: Vec::new(),
            count: 0,
        }
    }

    /// New factors at the first steps, when every batch counts, and then periodically.
    fn renews_factors(&self, step: usize) -> bool {
        const EARLY: usize = 5;
        step < EARLY || step.is_multiple_of(self.settings.factor_period)
    }

    fn precondition(&self, gradient: &[Mat<f64>]) -> Vec<Mat<f64>> {
        gradient
            .iter()
            .zip(&self.inverses)
            .map(|(gradient, inverse)| inverse.apply(gradient))
            .collect()
    }
}

impl Optimizer for Kfac {
    fn curvature_paths(&self, step: usize) -> usize {
        if self.renews_factors(step) {
            self.settings.curvature_paths
        } else if step < self.settings.start_steps {
            0
        } else {
            self.settings.radius_paths
        }
    }

    fn propose(&mut self, batch: &Batch<'_>) -> Result<Proposal> {
        let KfacSettings {
            approximation,
            damping,
            factor_decay,
            ..
        } = self.settings;
        let mut statistics = Map::new();
        statistics.insert(
            "gradient_norm".into(),
            json!(inner(batch.gradient, batch.gradient).sqrt()),
        );
        if let (true, Some(record)) = (self.renews_factors(batch.step), batch.record) {
            let reduced = (approximation == Approximation::Reduce).then(|| record.reduced());
            let record = reduced.as_ref().unwrap_or(record);
            self.maps
                .resize_with(record.sizes().len(), MapFactors::default);
            self.inverses.clear();
            for (map, factors) in self.maps.iter_mut().enumerate() {
                factors.update(record, map, factor_decay);
                self.inverses.push(factors.inverse(approximation, damping)?);
            }
        }
        if batch.step < self.settings.start_steps {
            let change = self
                .adam
                .change(batch.gradient, self.settings.start.learning_rate);
            return Ok(Proposal { change, statistics });
        }
        let momentum = self.settings.momentum;
        if self.average.is_empty() {
            self.average = scaled(batch.gradient, 0.0);
        }
        for (average, gradient) in self.average.iter_mut().zip(batch.gradient) {
            *average = faer::Scale(momentum) * &*average + faer::Scale(1.0 - momentum) * gradient;
        }
        self.count += 1;
        let corrected = scaled(&self.average, -1.0 / (1.0 - momentum.powi(self.count)));
        let direction = self.precondition(&corrected);
        let record = batch
            .record
            .expect("curvature_paths asks for a record at every step after the start");
        let changes = record.directional(&direction);
        let size = (changes.iter().map(|c| c * c).sum::<f64>() / changes.len() as f64).sqrt();
        let done = batch.step - self.settings.start_steps;
        let warm_up = ((done + 1) as f64 / self.settings.warm_up_steps.max(1) as f64).min(1.0);
        let schedule = warm_up * cosine_with_warm_up(batch.step, batch.progress, 1);
        let length = if size > 0.0 {
            self.settings.trust_radius * schedule / size
        } else {
            0.0
        };
        statistics.insert("pnl_change".into(), json!(length * size));
        statistics.insert("step_length".into(), json!(length));
        statistics.insert(
            "predicted_change".into(),
            json!(length * inner(batch.gradient, &direction)),
        );
        Ok(Proposal {
            change: scaled(&direction, length),
            statistics,
        })
    }
}
