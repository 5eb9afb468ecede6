use crate::bounds::{at_least, check, fraction, positive};
use crate::error::Result;
use crate::risk::CurvatureWeights;
use serde::{Deserialize, Serialize};

/// How long a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepRule {
    /// The root mean square of the change of P&L, over paths that count h_b times, is the scheduled trust radius.
    Radius,
    /// α and μ minimise the quadratic model of the risk over α d + μ (last step), with the exact metric through
    /// J·d; the trust radius is a bound.
    Quadratic,
}

/// How the damping λ changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DampingRule {
    Fixed,
    /// By the ratio of actual to predicted change of the risk on the same paths.
    LevenbergMarquardt,
}

/// The settings that all curvature methods share.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ControlSettings {
    /// How much each path counts in the metric.
    pub weights: CurvatureWeights,
    /// Whether the metric is that of derivatives less their mean, F − J̄J̄ᵀ with J̄ = (1/n) Σ_b h_b J_b: what is left of the
    /// second derivative of an optimised certainty equivalent once its level η is eliminated. With `measure` it is the
    /// Hessian of mean–variance, of its monotone form and of the entropic risk. J̄ is averaged over renewals with the same shares
    /// as the metric.
    pub centred: bool,
    /// Tikhonov damping λ of the metric, in squared units of money (see [`crate::strategy::Plan::money_unit`]).
    pub damping: f64,
    pub damping_rule: DampingRule,
    /// Factor of the damping for each step between trials.
    pub damping_decay: f64,
    /// Steps between trials of the damping.
    pub damping_period: usize,
    pub step_rule: StepRule,
    /// √((1/n) Σ_b h_b (J_b·d)²) of a full step d, the root mean square of the change of P&L over paths that count h_b times, in
    /// units of money.
    pub trust_radius: f64,
    /// Decay of the average of past gradients.
    pub momentum: f64,
    /// Each gradient is scaled down to this Euclidean norm, in units of money per unit of weight, before it is averaged: in a tail one batch can weigh as much as
    /// a hundred others.
    pub clip_norm: f64,
    /// Share of the weights, biases among them, that a full step takes away, decoupled from the metric. Where curvature is small, noise carries
    /// the weights far: without a decay one of ten long trainings on two of the study's problems came to where derivatives
    /// explode from date to date, and did not find out again.
    pub weight_decay: f64,
    /// Steps between renewals of the curvature.
    pub factor_period: usize,
    /// Renewals between decompositions of the curvature for solutions, from the first step that solves on.
    pub inverse_period: usize,
    /// Paths whose record gives the curvature, moved up to whole blocks.
    pub curvature_paths: usize,
    /// Paths whose record gives the step length at steps without new curvature, moved up to whole blocks. With 0 it comes
    /// from the metric's own norm √(dᵀ(F̂ + λ)d), calibrated on the record of the last renewal; the quadratic model, which
    /// quadratic steps and adapted damping need, cannot do without.
    pub radius_paths: usize,
    pub warm_up_steps: usize,
    /// Adam steps at the start, while curvature accumulates already.
    pub start_steps: usize,
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
            momentum: 0.9,
            clip_norm: 3.0,
            weight_decay: 1e-4,
            factor_period: 10,
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
    /// Checks bounds; `key` gives the full name of a key for the error.
    ///
    /// # Errors
    /// In one line: the key, the value and its bound.
    pub fn check(&self, key: &dyn Fn(&str) -> String) -> Result<()> {
        positive(&key("damping"), self.damping)?;
        positive(&key("damping_decay"), self.damping_decay)?;
        fraction(&key("damping_decay"), self.damping_decay)?;
        at_least(&key("damping_period"), self.damping_period, 1)?;
        positive(&key("trust_radius"), self.trust_radius)?;
        fraction(&key("momentum"), self.momentum)?;
        positive(&key("clip_norm"), self.clip_norm)?;
        let decay = self.weight_decay;
        check(&key("weight_decay"), decay, decay >= 0.0, "at least 0")?;
        at_least(&key("factor_period"), self.factor_period, 1)?;
        at_least(&key("inverse_period"), self.inverse_period, 1)?;
        at_least(&key("curvature_paths"), self.curvature_paths, 1)?;
        let models = self.step_rule == StepRule::Quadratic
            || self.damping_rule == DampingRule::LevenbergMarquardt;
        if models {
            at_least(&key("radius_paths"), self.radius_paths, 1)?;
        }
        positive(&key("start_learning_rate"), self.start_learning_rate)?;
        Ok(())
    }
}
