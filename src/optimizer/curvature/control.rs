use crate::bounds::at_least;
use crate::error::Result;
use crate::risk::CurvatureWeights;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How long a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepRule {
    /// The root mean square of the change of P&L, over paths that count h_b times, is the scheduled trust radius.
    Radius,
    /// α and μ minimise the quadratic model of the risk over α d + μ (last step), with the exact metric through
    /// J·d; the trust radius is a bound.
    Quadratic,
}

/// How the damping λ changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DampingRule {
    /// It stays as it is.
    Fixed,
    /// By the ratio of actual to predicted change of the risk on the same paths.
    LevenbergMarquardt,
}

/// The settings that all curvature methods share.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ControlSettings {
    /// How much each path counts in the metric.
    pub weights: CurvatureWeights,
    /// Whether the metric is that of derivatives less their mean, F − J̄J̄ᵀ with J̄ = (1/n) Σ_b h_b J_b: what is left of the
    /// second derivative of an optimised certainty equivalent once its level η is eliminated. With `measure` it is the
    /// Hessian of mean–variance, of its monotone form and of the entropic risk. J̄ is averaged over renewals with the same shares
    /// as the metric.
    pub centred: bool,
    /// Tikhonov damping λ of the metric, in squared units of money (see [`crate::strategy::Plan::money_unit`]).
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub damping: f64,
    /// How the damping changes along the training.
    pub damping_rule: DampingRule,
    /// Factor of the damping for each step between trials.
    #[schemars(extend("exclusiveMinimum" = 0.0, "exclusiveMaximum" = 1.0, "x-when" = {"damping_rule": ["levenberg_marquardt"]}))]
    pub damping_decay: f64,
    /// Steps between trials of the damping.
    #[schemars(range(min = 1), extend("x-when" = {"damping_rule": ["levenberg_marquardt"]}))]
    pub damping_period: usize,
    /// How the length of a step is chosen.
    pub step_rule: StepRule,
    /// √((1/n) Σ_b h_b (J_b·d)²) of a full step d, the root mean square of the change of P&L over paths that count h_b times, in
    /// units of money.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub trust_radius: f64,
    /// Steps after which the trust radius goes down like one over steps: it is divided by √(1 + (k/n)²) at step k for this n.
    /// Steps of a fixed length wander: noise turns them, and their number, not the gradient, says how far they come.
    #[schemars(range(min = 1))]
    pub radius_steps: usize,
    /// Decay of the average of past gradients.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    pub momentum: f64,
    /// Each gradient is scaled down to this Euclidean norm, in units of money per unit of weight, before it is averaged: in a tail one batch can weigh as much as
    /// a hundred others.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub clip_norm: f64,
    /// Share of the weights, biases among them, that a full step takes away, decoupled from the metric. Where curvature is small, noise carries
    /// the weights far: without a decay one of ten long trainings on two of the study's problems came to where derivatives
    /// explode from date to date, and did not find out again.
    #[schemars(range(min = 0.0))]
    pub weight_decay: f64,
    /// Steps between renewals of the curvature.
    #[schemars(range(min = 1))]
    pub factor_period: usize,
    /// Steps at the start that each renew the curvature, when every batch counts.
    pub early_steps: usize,
    /// Renewals between decompositions of the curvature for solutions, from the first step that solves on.
    #[schemars(range(min = 1))]
    pub inverse_period: usize,
    /// Paths whose record gives the curvature, moved up to whole blocks.
    #[schemars(range(min = 1))]
    pub curvature_paths: usize,
    /// Paths whose record gives the step length at steps without new curvature, moved up to whole blocks. With 0 it comes
    /// from the metric's own norm √(dᵀ(F̂ + λ)d), calibrated on the record of the last renewal; the quadratic model, which
    /// quadratic steps and adapted damping need, cannot do without. Either way a step is never taken for shorter than the gradient of the
    /// whole batch says that it is.
    pub radius_paths: usize,
    /// Steps with curvature over which the length of a step rises linearly at the start.
    pub warm_up_steps: usize,
    /// Adam steps at the start, while curvature accumulates already.
    pub start_steps: usize,
    /// Learning rate of the Adam steps at the start. On a network of attention it is 0.005 unless it is given.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub start_learning_rate: f64,
}

impl Default for ControlSettings {
    fn default() -> Self {
        Self {
            weights: CurvatureWeights::ByMeasure,
            centred: false,
            damping: 3e-4,
            damping_rule: DampingRule::Fixed,
            damping_decay: 0.95,
            damping_period: 5,
            step_rule: StepRule::Radius,
            trust_radius: 0.1,
            radius_steps: 400,
            momentum: 0.9,
            clip_norm: 3.0,
            weight_decay: 1e-4,
            factor_period: 10,
            early_steps: 5,
            inverse_period: 1,
            curvature_paths: 512,
            radius_paths: 256,
            warm_up_steps: 10,
            start_steps: 10,
            start_learning_rate: 0.05,
        }
    }
}

impl ControlSettings {
    /// Checks what depends on several settings; `key` gives the full name of a key for the error.
    ///
    /// # Errors
    /// In one line: the key, the value and its bound.
    pub fn check(&self, key: &dyn Fn(&str) -> String) -> Result<()> {
        let models = self.step_rule == StepRule::Quadratic
            || self.damping_rule == DampingRule::LevenbergMarquardt;
        if models {
            at_least(&key("radius_paths"), self.radius_paths, 1)?;
        }
        Ok(())
    }
}
