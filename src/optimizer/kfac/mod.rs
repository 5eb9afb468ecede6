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
pub use factors::{MapFactors, balance, factored_damping};
pub use symmetric::SymmetricChain;

use super::curvature::{ControlSettings, Curvature, Metric};
use super::{Build, Optimizer, Settings, State, Stateful};
use crate::bounds::unit_interval;
use crate::error::Result;
use crate::network::Record;
use crate::simd::BLOCK;
use faer::Mat;
use serde::{Deserialize, Serialize};

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

/// Settings of K-FAC.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct KfacSettings {
    pub approximation: Approximation,
    /// Decay of the average of past factors at each renewal.
    pub factor_decay: f64,
    #[serde(flatten)]
    pub control: ControlSettings,
}

impl Default for KfacSettings {
    fn default() -> Self {
        Self {
            approximation: Approximation::Chain,
            factor_decay: 0.6,
            control: ControlSettings::default(),
        }
    }
}

impl Settings for KfacSettings {
    fn check(&self, key: &dyn Fn(&str) -> String) -> Result<()> {
        unit_interval(&key("factor_decay"), self.factor_decay)?;
        self.control.check(key)
    }
}

impl Build for KfacSettings {
    fn build(&self) -> Box<dyn Optimizer> {
        Box::new(Curvature::new(self.control, KfacMetric::new(self)))
    }

    fn tunable(&self) -> &'static [&'static str] {
        &["damping", "trust_radius", "momentum", "start_learning_rate"]
    }

    /// Curvature comes from whole blocks of the batch.
    fn least_paths(&self) -> usize {
        BLOCK
    }
}

/// A Kronecker approximation of every map's block, with exponentially averaged factors.
#[derive(Debug, Clone)]
pub struct KfacMetric {
    approximation: Approximation,
    decay: f64,
    maps: Vec<MapFactors>,
    inverses: Vec<Inverse>,
}

impl KfacMetric {
    pub fn new(settings: &KfacSettings) -> Self {
        Self {
            approximation: settings.approximation,
            decay: settings.factor_decay,
            maps: Vec::new(),
            inverses: Vec::new(),
        }
    }
}

/// The inverses follow from the factors and the damping.
impl Stateful for KfacMetric {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("maps", &mut self.maps)
    }
}

impl Metric for KfacMetric {
    fn update(&mut self, record: &Record<f32>) -> Result<()> {
        let reduced = (self.approximation == Approximation::Reduce).then(|| record.reduced());
        let record = reduced.as_ref().unwrap_or(record);
        self.maps
            .resize_with(record.sizes().len(), MapFactors::default);
        for (map, factors) in self.maps.iter_mut().enumerate() {
            factors.update(record, map, self.decay, self.approximation);
        }
        Ok(())
    }

    fn damp(&mut self, damping: f64) -> Result<()> {
        self.inverses = self
            .maps
            .iter()
            .map(|factors| factors.inverse(self.approximation, damping))
            .collect::<Result<_>>()?;
        Ok(())
    }

    fn solve(&self, gradient: &[Mat<f64>], _record: Option<&Record<f32>>) -> Result<Vec<Mat<f64>>> {
        Ok(gradient
            .iter()
            .zip(&self.inverses)
            .map(|(gradient, inverse)| inverse.apply(gradient))
            .collect())
    }
}
