use super::first_order::{RateSettings, clipped, statistics};
use super::{
    AdaptiveMoments, Batch, Build, Family, GradientMoments, Optimizer, Proposal, Settings, State,
    Stateful,
};
use crate::error::Result;
use crate::linalg::symmetric_power;
use faer::Mat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Where the length of a step of Shampoo comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grafting {
    /// The length of Shampoo's own step.
    None,
    /// The length of Adam's step, map by map.
    Adam,
}

/// Settings of [`Shampoo`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ShampooSettings {
    /// The learning rate, its schedule and the clipping of gradients.
    #[serde(flatten)]
    pub rate: RateSettings,
    /// Decay of the average of gradients.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub beta1: f64,
    /// Decay of the average of their squares in the grafted Adam.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub beta2: f64,
    /// Decay of the averages L and R; 1 for sums.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub factor_decay: f64,
    /// Steps between renewals of the inverse roots.
    #[schemars(range(min = 1))]
    pub factor_period: usize,
    /// Ridge on L and R, as a share of their mean eigenvalue.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub damping: f64,
    /// Where the length of a step comes from.
    pub grafting: Grafting,
}

impl Default for ShampooSettings {
    fn default() -> Self {
        Self {
            rate: RateSettings::of(0.05),
            beta1: 0.8,
            beta2: 0.95,
            factor_decay: 0.95,
            factor_period: 1,
            damping: 1e-4,
            grafting: Grafting::Adam,
        }
    }
}

impl Settings for ShampooSettings {}

impl Build for ShampooSettings {
    fn build(&self) -> Box<dyn Optimizer> {
        Box::new(Shampoo::new(*self))
    }

    fn family(&self) -> Family {
        Family::FirstOrder
    }
}

/// Shampoo: −η L^{-1/4} m̂ R^{-1/4} for every map, with L of GGᵀ and R of GᵀG over past gradients and m̂ Adam's average.
///
/// The roots are renewed at each of the first `factor_period` steps and then every `factor_period` steps. L and R get
/// a ridge of `damping` times their mean eigenvalue.
///
/// # References
/// Gupta, Koren and Singer (2018), "Shampoo: preconditioned stochastic tensor optimization", algorithm 1; grafting:
/// Anil et al. (2020), "Scalable second order optimization for deep learning", section 3.
#[derive(Debug, Clone)]
pub struct Shampoo {
    settings: ShampooSettings,
    adam: AdaptiveMoments,
    moments: Vec<GradientMoments>,
    /// The roots (L^{-1/4}, R^{-1/4}) of every map.
    roots: Vec<(Mat<f64>, Mat<f64>)>,
}

impl Shampoo {
    /// Shampoo before its first step.
    pub fn new(settings: ShampooSettings) -> Self {
        Self {
            settings,
            adam: AdaptiveMoments::new(settings.beta1, settings.beta2),
            moments: Vec::new(),
            roots: Vec::new(),
        }
    }

    fn root(&self, side: &Mat<f64>) -> Result<Mat<f64>> {
        let size = side.nrows();
        let trace: f64 = side.diagonal().column_vector().iter().sum();
        let ridge = (self.settings.damping * trace / size as f64).max(f64::MIN_POSITIVE);
        let ridged = side + faer::Scale(ridge) * Mat::<f64>::identity(size, size);
        symmetric_power(&ridged, -0.25, ridge)
    }
}

impl Stateful for Shampoo {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("adam", &mut self.adam)?;
        state.field("moments", &mut self.moments)?;
        state.field("roots", &mut self.roots)
    }
}

impl Optimizer for Shampoo {
    fn curvature_paths(&self, _step: usize) -> usize {
        0
    }

    fn propose(&mut self, batch: &Batch<'_>) -> Result<Proposal> {
        let ShampooSettings {
            factor_decay,
            factor_period,
            grafting,
            ..
        } = self.settings;
        let rate = self.settings.rate.at(batch);
        let gradient = clipped(batch.gradient, self.settings.rate.clip_norm);
        if self.moments.is_empty() {
            let new = |g| GradientMoments::new(factor_decay, g);
            self.moments = gradient.iter().map(new).collect();
        }
        for (moments, gradient) in self.moments.iter_mut().zip(&gradient) {
            moments.update(gradient);
        }
        if batch.step < factor_period || batch.step.is_multiple_of(factor_period) {
            self.roots = (self.moments.iter())
                .map(|moments| {
                    let (left, right) = moments.sides();
                    Ok((self.root(&left)?, self.root(&right)?))
                })
                .collect::<Result<_>>()?;
        }
        let adam = self.adam.direction(&gradient, 1.0);
        let mut statistics = statistics(batch, rate);
        let mut change = Vec::with_capacity(gradient.len());
        for (map, (mean, (left, right))) in self.adam.mean().iter().zip(&self.roots).enumerate() {
            let direction = left * mean * right;
            let length = direction.norm_l2();
            let graft = match grafting {
                Grafting::Adam if length > 0.0 => adam[map].norm_l2() / length,
                _ => 1.0,
            };
            statistics.insert(format!("graft_{map}"), json!(graft));
            change.push(faer::Scale(-rate * graft) * direction);
        }
        Ok(Proposal { change, statistics })
    }
}
