//! What all curvature methods share: when curvature is renewed, damping, momentum and the length of a step.

mod control;
mod quadratic;
#[cfg(test)]
mod tests;

pub use control::{ControlSettings, DampingRule, StepRule};

use super::first_order::clipped;
use super::{Adam, AdamSettings, Batch, Optimizer, Proposal, State, Stateful, cosine_with_warm_up};
use crate::distributed::Workers;
use crate::error::Result;
use crate::linalg::{add_scaled, inner, paired, scaled};
use crate::network::Record;
use crate::risk::CurvatureWeights;
use crate::simd::BLOCK;
use faer::Mat;
use quadratic::root_mean_square;
use serde_json::{Map, Value, json};
use std::fmt::Debug;

/// An approximation F̂ of the metric F = (1/n) Σ_b h_b J_b J_bᵀ, mean h = 1, averaged over renewals.
///
/// Nothing can be solved before it is damped: solutions come from a [`MetricInverse`], and that from [`Self::invert`] alone.
pub trait Metric: Stateful + Clone + Debug + Send {
    /// What (F̂ + λ)⁻¹ is applied by.
    type Inverse: MetricInverse;

    /// Averages in a record whose gradients are scaled by √h; `damping` λ is that of the step, for methods whose averages have
    /// it in them. Gives the share of the past in the new average, 0 where there is no past.
    ///
    /// # Errors
    /// If a decomposition fails.
    fn update(&mut self, record: &Record<f32>, damping: f64) -> Result<f64>;

    /// The inverse (F̂ + λ)⁻¹ of what is averaged so far, for the maps of the records. What is made of every map by itself
    /// is placed on `workers`.
    ///
    /// # Errors
    /// If a decomposition fails.
    fn invert(&self, damping: f64, workers: &Workers) -> Result<Self::Inverse>;
}

/// The inverse (F̂ + λ)⁻¹ of a [`Metric`].
pub trait MetricInverse: Debug + Send {
    /// The inverse times a gradient; `record` is that of the present step, if there is one.
    ///
    /// # Errors
    /// If a decomposition fails.
    ///
    /// # Panics
    /// If the gradient has not the maps of the records that were averaged.
    fn solve(&self, gradient: &[Mat<f64>], record: Option<&Record<f32>>) -> Result<Vec<Mat<f64>>>;

    /// The norm √(dᵀ(F̂ + λ)d) of the solution d for a gradient m, by default √(dᵀm); in units of money.
    fn norm(&self, solution: &[Mat<f64>], gradient: &[Mat<f64>]) -> f64 {
        inner(solution, gradient).max(0.0).sqrt()
    }

    /// [`Self::solve`], with what is known of the solution beside its direction.
    ///
    /// # Errors
    /// Those of [`Self::solve`].
    fn solution(&self, gradient: &[Mat<f64>], record: Option<&Record<f32>>) -> Result<Solution> {
        self.solve(gradient, record).map(Solution::from)
    }

    /// What the method has to say of itself.
    fn statistics(&self, _statistics: &mut Map<String, Value>) {}
}

/// What a [`MetricInverse`] makes of a gradient.
#[derive(Debug, Clone)]
pub struct Solution {
    /// The inverse times the gradient.
    pub direction: Vec<Mat<f64>>,
    /// By what the record of the present step makes the direction too short: above 1 where it was fitted to the paths of that
    /// record, which the length of the step is measured on.
    pub underestimate: f64,
    /// What the method has to say of the solution.
    pub statistics: Vec<(&'static str, Value)>,
}

impl From<Vec<Mat<f64>>> for Solution {
    /// A direction that was fitted to no record.
    fn from(direction: Vec<Mat<f64>>) -> Self {
        Self {
            direction,
            underestimate: 1.0,
            statistics: Vec::new(),
        }
    }
}

/// What is averaged over renewals.
#[derive(Debug, Clone)]
struct Averaged<M> {
    metric: M,
    /// J̄, averaged with the same shares as the metric, if that is centred.
    mean: Vec<Mat<f64>>,
}

impl<M: Metric> Averaged<M> {
    fn update(
        &mut self,
        record: &Record<f32>,
        control: &ControlSettings,
        damping: f64,
    ) -> Result<()> {
        let share = self.metric.update(record, damping)?;
        if control.centred {
            let new = record.mean();
            self.mean = if self.mean.is_empty() {
                new
            } else {
                paired(&self.mean, &new, |past, new| {
                    faer::Scale(share) * past + faer::Scale(1.0 - share) * new
                })
            };
        }
        Ok(())
    }
}

impl<M: Metric> Stateful for Averaged<M> {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("metric", &mut self.metric)?;
        state.field("mean", &mut self.mean)
    }
}

/// (F̂ + λ)⁻¹ or, where there is a J̄, (F̂ + λ − J̄J̄ᵀ)⁻¹.
#[derive(Debug)]
struct Solver<I> {
    inverse: I,
    centre: Option<Centre>,
}

/// J̄ and (F̂ + λ)⁻¹J̄.
#[derive(Debug)]
struct Centre {
    mean: Vec<Mat<f64>>,
    solved: Vec<Mat<f64>>,
}

impl<I: MetricInverse> Solver<I> {
    fn new<M: Metric<Inverse = I>>(
        averaged: &Averaged<M>,
        damping: f64,
        workers: &Workers,
    ) -> Result<Self> {
        let inverse = averaged.metric.invert(damping, workers)?;
        let centre = match averaged.mean.as_slice() {
            [] => None,
            mean => Some(Centre {
                mean: mean.to_vec(),
                solved: inverse.solve(mean, None)?,
            }),
        };
        Ok(Self { inverse, centre })
    }

    fn solve(&self, gradient: &[Mat<f64>], record: Option<&Record<f32>>) -> Result<Solution> {
        let mut solution = self.inverse.solution(gradient, record)?;
        if let Some(Centre { mean, solved }) = &self.centre {
            centre(&mut solution.direction, mean, solved);
        }
        Ok(solution)
    }
}

/// A curvature method: its metric under the shared control.
///
/// d = −(F̂ + λ)⁻¹ m with m the bias-corrected average of gradients. Under the radius rule the step is
/// `trust_radius · schedule · d / rms_b(√h_b J_b·d)`, so that its length is measured in units of money: rms_b(√h_b J_b·d) is the root
/// mean square of the change of P&L over paths that count h_b times; by Cauchy and Schwarz it is |gᵀd|/[`Batch::steepest`] at least, and that is
/// taken where a record of few paths has less. See [`StepRule`] and [`ControlSettings::radius_paths`]. The schedule is a warm-up and a half cosine, over
/// √(1 + (k/n)²) at step k, n = [`ControlSettings::radius_steps`]. Beside
/// the step `weight_decay · schedule` of the weights is taken away, which neither model nor predicted change sees.
#[derive(Debug)]
pub struct Curvature<M: Metric> {
    control: ControlSettings,
    averaged: Averaged<M>,
    /// What was averaged at the last renewal that was decomposed, if not all are.
    decomposed: Option<Averaged<M>>,
    /// Renewals since then.
    renewals: usize,
    /// Of the metric and the damping as they are; absent once either has changed.
    solver: Option<Solver<M::Inverse>>,
    adam: Adam,
    average: Vec<Mat<f64>>,
    count: i32,
    damping: f64,
    last_change: Vec<Mat<f64>>,
    /// rms_b(√h_b J_b·d) over √(dᵀ(F̂ + λ)d) at the last step with a record.
    calibration: f64,
    /// The change of the risk that the quadratic model predicts for the present step.
    predicted: f64,
    ratio: Option<f64>,
    /// The change of the risk at the last trial.
    actual: Option<f64>,
}

impl<M: Metric> Curvature<M> {
    /// The method before its first step.
    pub fn new(control: ControlSettings, metric: M) -> Self {
        let averaged = Averaged {
            metric,
            mean: Vec::new(),
        };
        Self {
            control,
            decomposed: (control.inverse_period > 1).then(|| averaged.clone()),
            averaged,
            renewals: 0,
            solver: None,
            adam: Adam::new(AdamSettings::default()),
            average: Vec::new(),
            count: 0,
            damping: control.damping,
            last_change: Vec::new(),
            calibration: 1.0,
            predicted: 0.0,
            ratio: None,
            actual: None,
        }
    }

    /// The first steps, when every batch counts, and the first step that uses curvature.
    fn is_early(&self, step: usize) -> bool {
        step < self.control.early_steps || step == self.control.start_steps
    }

    /// New curvature early and then periodically.
    fn renews(&self, step: usize) -> bool {
        self.is_early(step) || step.is_multiple_of(self.control.factor_period)
    }

    /// Averages in a record, and takes the result for the solutions if its turn has come.
    fn renew(&mut self, step: usize, record: &Record<f32>) -> Result<()> {
        self.averaged.update(record, &self.control, self.damping)?;
        self.renewals += 1;
        if !self.is_early(step) && self.renewals < self.control.inverse_period {
            return Ok(());
        }
        if let Some(decomposed) = &mut self.decomposed {
            decomposed.clone_from(&self.averaged);
        }
        self.renewals = 0;
        self.solver = None;
        Ok(())
    }

    /// −m, the bias-corrected average of gradients turned downhill.
    fn downhill(&mut self, gradient: &[Mat<f64>]) -> Vec<Mat<f64>> {
        let momentum = self.control.momentum;
        if self.average.is_empty() {
            self.average = scaled(gradient, 0.0);
        }
        let gradient = clipped(gradient, self.control.clip_norm);
        self.average = paired(&self.average, &gradient, |average, gradient| {
            faer::Scale(momentum) * average + faer::Scale(1.0 - momentum) * gradient
        });
        self.count += 1;
        scaled(&self.average, -1.0 / (1.0 - momentum.powi(self.count)))
    }
}

/// Turns M⁻¹z into (M − J̄J̄ᵀ)⁻¹z = M⁻¹z + M⁻¹J̄ (J̄ᵀM⁻¹z)/(1 − J̄ᵀM⁻¹J̄), given J̄ and M⁻¹J̄, by the formula of Sherman and
/// Morrison (1950).
///
/// For the exact metric J̄ᵀM⁻¹J̄ is below 1. An approximation may leave nothing of the direction J̄, along which a solution
/// becomes at most ten times as long.
fn centre(solution: &mut [Mat<f64>], mean: &[Mat<f64>], solved_mean: &[Mat<f64>]) {
    const LEAST: f64 = 0.1;
    let left = (1.0 - inner(mean, solved_mean)).max(LEAST);
    let factor = inner(mean, solution) / left;
    add_scaled(solution, factor, solved_mean);
}

/// The solver is made anew from the metric and the damping, to the same bits.
impl<M: Metric> Stateful for Curvature<M> {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("averaged", &mut self.averaged)?;
        if let Some(decomposed) = &mut self.decomposed {
            state.field("decomposed", decomposed)?;
            state.field("renewals", &mut self.renewals)?;
        }
        state.field("adam", &mut self.adam)?;
        state.field("average", &mut self.average)?;
        state.field("count", &mut self.count)?;
        state.field("damping", &mut self.damping)?;
        state.field("last_change", &mut self.last_change)?;
        state.field("calibration", &mut self.calibration)?;
        state.field("ratio", &mut self.ratio)?;
        state.field("actual", &mut self.actual)
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
            self.renew(batch.step, record)?;
        }
        if batch.step < self.control.start_steps {
            let rate = self.control.start_learning_rate;
            let change = self.adam.change(batch.gradient, rate);
            return Ok(Proposal { change, statistics });
        }
        let downhill = self.downhill(batch.gradient);
        let solver: &Solver<M::Inverse> = match &self.solver {
            Some(solver) => solver,
            None => {
                let averaged = self.decomposed.as_ref().unwrap_or(&self.averaged);
                let solver = Solver::new(averaged, self.damping, batch.workers)?;
                self.solver.insert(solver)
            }
        };
        let Solution {
            direction,
            underestimate,
            statistics: of_solution,
        } = solver.solve(&downhill, batch.record)?;
        let done = batch.step - self.control.start_steps;
        let warm_up = ((done + 1) as f64 / self.control.warm_up_steps.max(1) as f64).min(1.0);
        let schedule = warm_up * cosine_with_warm_up(batch.step, batch.progress, 1);
        let schedule = schedule / (done as f64 / self.control.radius_steps as f64).hypot(1.0);
        let step = quadratic::Step {
            gradient: batch.gradient,
            scale: batch.curvature,
            steepest: batch.steepest,
            damping: self.damping,
            radius: self.control.trust_radius * schedule / underestimate,
        };
        let norm = solver.inverse.norm(&direction, &downhill);
        let taken = match (self.control.step_rule, batch.record) {
            (StepRule::Radius, None) => step.of_size(direction, self.calibration * norm),
            (StepRule::Radius, Some(record)) => {
                let size = root_mean_square(&record.directional(&direction));
                self.calibration = if norm > 0.0 { size / norm } else { 1.0 };
                step.of_size(direction, size)
            }
            (StepRule::Quadratic, Some(record)) => {
                step.minimise(record, direction, &self.last_change)
            }
            (StepRule::Quadratic, None) => unreachable!("its settings ask for a record"),
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
        if let Some(actual) = self.actual {
            statistics.insert("actual_change".into(), json!(actual));
        }
        solver.inverse.statistics(&mut statistics);
        let of_solution = of_solution.into_iter();
        statistics.extend(of_solution.map(|(name, value)| (name.to_owned(), value)));
        self.last_change.clone_from(&taken.change);
        let mut change = taken.change;
        if self.control.weight_decay > 0.0 {
            let decay = self.control.weight_decay * schedule;
            add_scaled(&mut change, -decay, batch.parameters);
        }
        Ok(Proposal { change, statistics })
    }

    fn weights(&self) -> CurvatureWeights {
        self.control.weights
    }

    fn wants_steepest(&self) -> bool {
        true
    }

    fn wants_trial(&self, step: usize) -> bool {
        self.control.damping_rule == DampingRule::LevenbergMarquardt
            && step >= self.control.start_steps
            && step.is_multiple_of(self.control.damping_period)
    }

    /// Levenberg and Marquardt, as in Martens and Grosse (2015), section 6.5: with ρ the actual over the predicted change, λ shrinks by ω = decay^period where
    /// ρ > ¾ and grows by 1/ω where ρ < ¼, or where there is no ρ because the risk is no longer a number.
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
        let damping = if ratio > 0.75 {
            self.damping * factor
        } else if ratio >= 0.25 {
            self.damping
        } else {
            self.damping / factor
        };
        self.damping = damping.clamp(LEAST, MOST);
        self.solver = None;
        self.ratio = Some(ratio);
        self.actual = Some(after - before);
    }
}
