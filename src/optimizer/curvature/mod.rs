//! What all curvature methods share: when curvature is renewed, damping, momentum and the length of a step.

mod control;
mod quadratic;
#[cfg(test)]
mod tests;

pub use control::{ControlSettings, DampingRule, StepRule};

use super::{Adam, AdamSettings, Batch, Optimizer, Proposal, cosine_with_warm_up};
use crate::error::Result;
use crate::linalg::{inner, scaled};
use crate::network::Record;
use crate::risk::CurvatureWeights;
use crate::simd::BLOCK;
use faer::Mat;
use serde_json::{Map, Value, json};
use std::fmt::Debug;

/// An approximation F̂ of the metric F = (1/n) Σ_b h_b J_b J_bᵀ, mean h = 1.
pub trait Metric: Debug + Send {
    /// Averages in a record whose gradients are scaled by √h.
    ///
    /// # Errors
    /// If a decomposition fails.
    fn update(&mut self, record: &Record<f32>) -> Result<()>;

    /// Prepares F̂ + λ for [`Self::solve`].
    ///
    /// # Errors
    /// If a decomposition fails.
    fn damp(&mut self, damping: f64) -> Result<()>;

    /// (F̂ + λ)⁻¹ times a gradient; `record` is that of the present step.
    ///
    /// # Errors
    /// If a decomposition fails.
    fn solve(&self, gradient: &[Mat<f64>], record: &Record<f32>) -> Result<Vec<Mat<f64>>>;

    /// What the method has to say of itself.
    fn statistics(&self, _statistics: &mut Map<String, Value>) {}
}

/// A curvature method: its metric under the shared control.
///
/// d = −(F̂ + λ)⁻¹ m with m the bias-corrected average of gradients. Under the radius rule the step is
/// `trust_radius · schedule · d / rms_b(√h_b J_b·d)`, so that its length is measured in money; see [`StepRule`].
#[derive(Debug)]
pub struct Curvature<M> {
    control: ControlSettings,
    metric: M,
    adam: Adam,
    average: Vec<Mat<f64>>,
    count: i32,
    damping: f64,
    last_change: Vec<Mat<f64>>,
    /// The change of the risk that the quadratic model predicts for the present step.
    predicted: f64,
    ratio: Option<f64>,
}

impl<M: Metric> Curvature<M> {
    pub fn new(control: ControlSettings, metric: M) -> Self {
        Self {
            control,
            metric,
            adam: Adam::new(AdamSettings::default()),
            average: Vec::new(),
            count: 0,
            damping: control.damping,
            last_change: Vec::new(),
            predicted: 0.0,
            ratio: None,
        }
    }

    /// New curvature at the first steps, when every batch counts, and then periodically.
    fn renews(&self, step: usize) -> bool {
        const EARLY: usize = 5;
        step < EARLY || step.is_multiple_of(self.control.factor_period)
    }

    /// −m, the bias-corrected average of gradients turned downhill.
    fn downhill(&mut self, gradient: &[Mat<f64>]) -> Vec<Mat<f64>> {
        let momentum = self.control.momentum;
        if self.average.is_empty() {
            self.average = scaled(gradient, 0.0);
        }
        for (average, gradient) in self.average.iter_mut().zip(gradient) {
            *average = faer::Scale(momentum) * &*average + faer::Scale(1.0 - momentum) * gradient;
        }
        self.count += 1;
        scaled(&self.average, -1.0 / (1.0 - momentum.powi(self.count)))
    }
}

impl<M: Metric> Optimizer for Curvature<M> {
    fn curvature_paths(&self, step: usize) -> usize {
        let paths = if self.renews(step) {
            self.control.curvature_paths
        } else if step < self.control.start_steps {
            0
        } else {
            self.control.radius_paths
        };
        paths.next_multiple_of(BLOCK)
    }

    fn propose(&mut self, batch: &Batch<'_>) -> Result<Proposal> {
        let mut statistics = Map::new();
        let norm = inner(batch.gradient, batch.gradient).sqrt();
        statistics.insert("gradient_norm".into(), json!(norm));
        if let (true, Some(record)) = (self.renews(batch.step), batch.record) {
            self.metric.update(record)?;
            self.metric.damp(self.damping)?;
        }
        if batch.step < self.control.start_steps {
            let rate = self.control.start_learning_rate;
            let change = self.adam.change(batch.gradient, rate);
            return Ok(Proposal { change, statistics });
        }
        let record = batch
            .record
            .expect("curvature_paths asks for a record at every step after the start");
        let downhill = self.downhill(batch.gradient);
        let direction = self.metric.solve(&downhill, record)?;
        let done = batch.step - self.control.start_steps;
        let warm_up = ((done + 1) as f64 / self.control.warm_up_steps.max(1) as f64).min(1.0);
        let schedule = warm_up * cosine_with_warm_up(batch.step, batch.progress, 1);
        let step = quadratic::Step {
            record,
            gradient: batch.gradient,
            scale: batch.curvature,
            damping: self.damping,
            radius: self.control.trust_radius * schedule,
        };
        let taken = match self.control.step_rule {
            StepRule::Radius => step.to_radius(direction),
            StepRule::Quadratic => step.minimise(direction, &self.last_change),
        };
        self.predicted = taken.predicted;
        statistics.insert("pnl_change".into(), json!(taken.pnl_change));
        statistics.insert("radius_use".into(), json!(taken.pnl_change / step.radius));
        statistics.insert("step_length".into(), json!(taken.length));
        statistics.insert("predicted_change".into(), json!(taken.predicted));
        statistics.insert("damping".into(), json!(self.damping));
        if let Some(ratio) = self.ratio {
            statistics.insert("reduction_ratio".into(), json!(ratio));
        }
        self.metric.statistics(&mut statistics);
        self.last_change.clone_from(&taken.change);
        Ok(Proposal {
            change: taken.change,
            statistics,
        })
    }

    fn weights(&self) -> CurvatureWeights {
        self.control.weights
    }

    fn wants_trial(&self, step: usize) -> bool {
        self.control.damping_rule == DampingRule::LevenbergMarquardt
            && step >= self.control.start_steps
            && step.is_multiple_of(self.control.damping_period)
    }

    /// Levenberg and Marquardt: with ρ the actual over the predicted change, λ shrinks by ω = decay^period where
    /// ρ > ¾ and grows by 1/ω where ρ < ¼.
    fn trial(&mut self, before: f64, after: f64) {
        const LEAST: f64 = 1e-8;
        const MOST: f64 = 1e4;
        if self.predicted >= 0.0 {
            return;
        }
        let ratio = (after - before) / self.predicted;
        let factor = self
            .control
            .damping_decay
            .powi(self.control.damping_period as i32);
        if ratio > 0.75 {
            self.damping *= factor;
        } else if ratio < 0.25 {
            self.damping /= factor;
        }
        self.damping = self.damping.clamp(LEAST, MOST);
        self.ratio = Some(ratio);
    }
}
