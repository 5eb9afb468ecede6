//! The training loop: simulate, sweep forward, measure the risk, sweep back, step.

#[cfg(test)]
mod methods_tests;
#[cfg(test)]
mod tests;

use crate::error::{Error, Result};
use crate::hedging::Ledger;
use crate::market::{PathSource, Paths, Simulator};
use crate::network::{Features, Parameters, Record, Sweep};
use crate::optimizer::{Batch, Optimizer, WeightAverage};
use crate::random::Purpose;
use crate::risk::{Curvature, Evaluation};
use crate::runs::metrics::TrainingPoint;
use crate::simd::{BLOCK, Lane, Real};
use crate::strategy::{Length, OptimizerPlan, Plan};
use faer::Mat;
use std::time::{Duration, Instant};

/// A trained policy.
pub struct Trained {
    pub parameters: Parameters,
    pub points: Vec<TrainingPoint>,
    /// Seconds of training, validation excluded.
    pub seconds: f64,
}

/// Trains the plan's policy from the initial weights and on the paths that `seed` gives; optimizers with the
/// same number of paths a step see the same ones. `progress` is called after every step with the share of the
/// training that is done and the step's point of the training curve.
///
/// # Errors
/// If the risk is no longer finite, or an operation fails.
pub fn train(
    plan: &Plan,
    optimizer: &OptimizerPlan,
    seed: u64,
    progress: impl FnMut(f64, &TrainingPoint),
) -> Result<Trained> {
    let training = Simulator {
        sampling: plan.sampling,
        ..plan.simulator(seed, Purpose::Training)
    };
    let validation = plan.simulator(seed, Purpose::Validation);
    let sources = Sources {
        training: &training,
        validation: &validation,
    };
    let initial = Parameters::random(plan.shape, seed)?;
    train_on(plan, optimizer, sources, initial, progress)
}

/// Where paths come from.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    pub training: &'a dyn PathSource,
    pub validation: &'a dyn PathSource,
}

/// Trains the plan's policy like [`train`], from weights and on paths that are given.
///
/// # Errors
/// Those of [`train`].
pub fn train_on(
    plan: &Plan,
    optimizer: &OptimizerPlan,
    sources: Sources<'_>,
    initial: Parameters,
    mut progress: impl FnMut(f64, &TrainingPoint),
) -> Result<Trained> {
    let mut parameters = initial;
    let mut step = Step::new(plan, optimizer, sources.training);
    let validation = (plan.validation.paths > 0).then(|| {
        let count = plan.validation.paths;
        let mut paths = Paths::with_instruments(count, plan.contract.steps, &plan.instruments());
        sources.validation.fill(0, &mut paths);
        (paths, sources.validation.premiums(0, count))
    });
    let steps = plan.steps(optimizer);
    // As many measurements for every optimizer, however many its steps.
    let period = (plan.validation.period as f64 * optimizer.relative_steps).ceil() as usize;
    let mut points: Vec<TrainingPoint> = Vec::with_capacity(steps.unwrap_or(0));
    let mut spent = Duration::ZERO;
    let share = |done: usize, spent: Duration| match (steps, plan.length) {
        (Some(steps), _) => done as f64 / steps as f64,
        (None, Length::Seconds(seconds)) => spent.as_secs_f64() / seconds,
        (None, Length::Steps(_)) => unreachable!("a length in steps gives a number of steps"),
    };
    let mut average = WeightAverage::new(optimizer.averaging);
    let mut done = 0.0;
    while done < 1.0 {
        let start = Instant::now();
        let mut point = step.take(&mut parameters, points.len(), done)?;
        let over = share(points.len() + 1, spent + start.elapsed());
        average.update(&parameters.matrices()?, over);
        spent += start.elapsed();
        done = share(points.len() + 1, spent);
        point.seconds = spent.as_secs_f64();
        if let Some((paths, premiums)) = &validation
            && ((points.len() + 1).is_multiple_of(period) || done >= 1.0)
        {
            point.validation_risk = Some(
                step.risk(
                    &averaged(&parameters, &average)?,
                    paths,
                    premiums.as_deref(),
                )?
                .0
                .value,
            );
        }
        progress(done.min(1.0), &point);
        points.push(point);
    }
    Ok(Trained {
        parameters: averaged(&parameters, &average)?,
        points,
        seconds: spent.as_secs_f64(),
    })
}

/// The average weights, or the present ones where nothing is averaged.
fn averaged(parameters: &Parameters, average: &WeightAverage) -> Result<Parameters> {
    match average.weights() {
        Some(weights) => Parameters::new(parameters.shape(), weights.to_vec()),
        None => Ok(parameters.clone()),
    }
}

/// What a step of one training run needs, allocated once.
struct Step<'a> {
    plan: &'a Plan,
    optimizer: Box<dyn Optimizer>,
    sweep: Box<dyn Sweep<f32>>,
    ledger: Ledger,
    source: &'a dyn PathSource,
    paths: Paths<f32>,
    /// The paths of the step after.
    next: Paths<f32>,
    record: Record<f32>,
}

impl<'a> Step<'a> {
    fn new(plan: &'a Plan, optimizer: &OptimizerPlan, source: &'a dyn PathSource) -> Self {
        let instruments = plan.instruments();
        let mut next = Paths::with_instruments(optimizer.paths, plan.contract.steps, &instruments);
        source.fill(0, &mut next);
        Self {
            plan,
            optimizer: optimizer.settings.build(),
            sweep: plan.engine.sweep(),
            ledger: plan.ledger(&plan.market, plan.model_premium()),
            source,
            paths: Paths::with_instruments(optimizer.paths, plan.contract.steps, &instruments),
            next,
            record: Record::default(),
        }
    }

    /// The risk of hedging `paths`, whose contracts are sold for `premiums` beyond the ledger's, and their P&L.
    fn risk(
        &self,
        parameters: &Parameters,
        paths: &Paths<f32>,
        premiums: Option<&[f64]>,
    ) -> Result<(Evaluation, Vec<f64>)> {
        let forward = self
            .sweep
            .forward(parameters, &self.plan.features, paths, false)?;
        let mut pnl = pnl(&self.ledger, paths, &forward.positions);
        for (z, premium) in pnl.iter_mut().zip(premiums.unwrap_or(&[])) {
            *z += premium;
        }
        Ok((self.plan.risk.evaluate(&pnl), pnl))
    }

    /// Moves the parameters by one step; the point that it gives does not know the time yet.
    fn take(
        &mut self,
        parameters: &mut Parameters,
        step: usize,
        progress: f64,
    ) -> Result<TrainingPoint> {
        std::mem::swap(&mut self.paths, &mut self.next);
        let first_block = (step * self.paths.blocks()) as u64;
        let premiums = self.source.premiums(first_block, self.paths.count());
        let (risk, pnl) = self.risk(parameters, &self.paths, premiums.as_deref())?;
        if !risk.value.is_finite() {
            return Err(Error::Computation(format!(
                "the risk is {} at step {step}",
                risk.value
            )));
        }
        // Paths are exchangeable, so the first ones are a random sample.
        let sampled = self
            .optimizer
            .curvature_paths(step)
            .min(self.paths.count() / BLOCK * BLOCK);
        // What the sampled paths add to the gradient is had from their record.
        let mut unrecorded = risk.weights.clone();
        unrecorded[..sampled].fill(0.0);
        let mut gradient = risk_gradient(
            self.sweep.as_ref(),
            parameters,
            &self.plan.features,
            &self.ledger,
            &self.paths,
            &unrecorded,
        )?;
        let mut curvature_scale = 1.0;
        if sampled > 0 {
            let sample = self.paths.gather(&(0..sampled).collect::<Vec<_>>());
            let seeds = |block: usize, positions: &[Lane<f32>], out: &mut [Lane<f32>]| {
                self.ledger.derivative(&sample.block(block), positions, out);
            };
            let features = &self.plan.features;
            let record = &mut self.record;
            self.sweep
                .record(parameters, features, &sample, &seeds, record)?;
            for (sum, part) in gradient.iter_mut().zip(record.gradient(&risk.weights)) {
                *sum += part;
            }
            let weights = self.optimizer.weights();
            let Curvature { weights, scale } =
                self.plan
                    .risk
                    .curvature(weights, &pnl, &risk.weights, sampled);
            let roots: Vec<f64> = weights.iter().map(|h| h.sqrt()).collect();
            record.scale(&roots);
            curvature_scale = scale;
        }
        let weights = parameters.matrices()?;
        let batch = Batch {
            gradient: &gradient,
            record: (sampled > 0).then_some(&self.record),
            curvature: curvature_scale,
            parameters: &weights,
            step,
            progress,
        };
        // Decompositions leave threads idle, which the next batch can use.
        let next_block = ((step + 1) * self.paths.blocks()) as u64;
        let (optimizer, source, next) = (&mut self.optimizer, self.source, &mut self.next);
        let (proposal, ()) = rayon::join(
            || optimizer.propose(&batch),
            || source.fill(next_block, next),
        );
        let proposal = proposal?;
        parameters.add(&proposal.change)?;
        if self.optimizer.wants_trial(step) {
            let after = self
                .risk(parameters, &self.paths, premiums.as_deref())?
                .0
                .value;
            self.optimizer.trial(risk.value, after);
        }
        Ok(TrainingPoint {
            step,
            seconds: 0.0,
            risk: risk.value,
            validation_risk: None,
            statistics: proposal.statistics,
        })
    }
}

/// ∂ρ/∂W for every linear map: Σ_b w_b J_b, by a backward sweep over the paths with weight w_b = ∂ρ/∂z_b alone.
///
/// # Errors
/// Those of the sweep.
pub fn risk_gradient<R: Real>(
    sweep: &dyn Sweep<R>,
    parameters: &Parameters,
    features: &Features,
    ledger: &Ledger,
    paths: &Paths<R>,
    weights: &[f64],
) -> Result<Vec<Mat<f64>>> {
    let weighted: Vec<usize> = (0..weights.len())
        .filter(|&path| weights[path] != 0.0)
        .collect();
    if weighted.is_empty() {
        let maps = parameters.shape().maps().into_iter();
        return Ok(maps
            .map(|(_, rows, columns)| Mat::zeros(rows, columns))
            .collect());
    }
    let selected = paths.gather(&weighted);
    let seeds = |block: usize, positions: &[Lane<R>], out: &mut [Lane<R>]| {
        ledger.derivative(&selected.block(block), positions, out);
        for lane in 0..BLOCK {
            let weight = weighted
                .get(block * BLOCK + lane)
                .map_or(0.0, |&path| weights[path]);
            out.iter_mut().for_each(|seed| seed[lane] *= R::of(weight));
        }
    };
    sweep.gradient(parameters, features, &selected, &seeds)
}

/// The P&L of every path that counts.
fn pnl<R: Real>(ledger: &Ledger, paths: &Paths<R>, positions: &[Lane<R>]) -> Vec<f64> {
    let mut pnl = Vec::with_capacity(paths.count());
    let size = paths.steps() * ledger.instruments();
    for (block, positions) in positions.chunks_exact(size).enumerate() {
        let settled = ledger.settle(&paths.block(block), positions);
        pnl.extend(
            settled.pnl[..paths.active(block)]
                .iter()
                .map(|z| z.into_f64()),
        );
    }
    pnl
}
