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

use super::{Adam, AdamSettings, Batch, Build, Optimizer, Proposal, Settings, cosine_with_warm_up};
use crate::bounds::{at_least, check, fraction, positive};
use crate::error::Result;
use crate::linalg::{inner, scaled};
use crate::simd::BLOCK;
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
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KfacSettings {
    pub approximation: Approximation,
    /// Tikhonov damping λ of the metric, split between the factors by π.
    pub damping: f64,
    /// Root-mean-square change of P&L of a full step, in currency per contract.
    pub trust_radius: f64,
    /// Decay of the average of past gradients.
    pub momentum: f64,
    /// Decay of the average of past factors at each renewal.
    pub factor_decay: f64,
    /// Steps between renewals of the factors.
    pub factor_period: usize,
    /// Paths whose record gives the factors, moved up to whole blocks.
    pub curvature_paths: usize,
    /// Paths whose record gives the step length at steps without new factors, moved up to whole blocks.
    pub radius_paths: usize,
    pub warm_up_steps: usize,
    /// Adam steps at the start, while factors accumulate already.
    pub start_steps: usize,
    pub start_learning_rate: f64,
}

impl Default for KfacSettings {
    fn default() -> Self {
        Self {
            approximation: Approximation::Chain,
            damping: 3e-4,
            trust_radius: 0.1,
            momentum: 0.9,
            factor_decay: 0.6,
            factor_period: 10,
            curvature_paths: 512,
            radius_paths: 256,
            warm_up_steps: 10,
            start_steps: 10,
            start_learning_rate: 0.05,
        }
    }
}

impl Settings for KfacSettings {
    fn check(&self, key: &dyn Fn(&str) -> String) -> Result<()> {
        let decay = self.factor_decay;
        positive(&key("damping"), self.damping)?;
        positive(&key("trust_radius"), self.trust_radius)?;
        fraction(&key("momentum"), self.momentum)?;
        check(
            &key("factor_decay"),
            decay,
            (0.0..=1.0).contains(&decay),
            "in [0, 1]",
        )?;
        at_least(&key("factor_period"), self.factor_period, 1)?;
        at_least(&key("curvature_paths"), self.curvature_paths, 1)?;
        at_least(&key("radius_paths"), self.radius_paths, 1)?;
        positive(&key("start_learning_rate"), self.start_learning_rate)?;
        Ok(())
    }
}

impl Build for KfacSettings {
    fn build(&self) -> Box<dyn Optimizer> {
        Box::new(Kfac::new(*self))
    }

    /// Curvature comes from whole blocks of the batch.
    fn least_paths(&self) -> usize {
        BLOCK
    }
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
            adam: Adam::new(AdamSettings {
                learning_rate: settings.start_learning_rate,
                ..AdamSettings::default()
            }),
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
        let paths = if self.renews_factors(step) {
            self.settings.curvature_paths
        } else if step < self.settings.start_steps {
            0
        } else {
            self.settings.radius_paths
        };
        paths.next_multiple_of(BLOCK)
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
                .change(batch.gradient, self.settings.start_learning_rate);
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
