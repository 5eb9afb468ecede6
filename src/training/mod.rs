//! The training loop: simulate, sweep forward, measure the risk, sweep back, step.

use crate::error::{Error, Result};
use crate::hedging::Ledger;
use crate::market::{Paths, Simulator};
use crate::network::{BlockSweep, Parameters, Sweep};
use crate::optimizer::Batch;
use crate::random::Purpose;
use crate::runs::metrics::TrainingPoint;
use crate::simd::{BLOCK, Lane};
use crate::strategy::{OptimizerPlan, Plan};
use std::time::Instant;

/// A trained policy.
pub struct Trained {
    pub parameters: Parameters,
    pub points: Vec<TrainingPoint>,
    pub seconds: f64,
}

/// Trains the plan's policy from the initial weights and on the paths that `seed` gives; all optimizers
/// see the same ones. `progress` is called after every step with the risk of its batch.
///
/// # Errors
/// If the risk is no longer finite, or an operation fails.
pub fn train(
    plan: &Plan,
    optimizer: &OptimizerPlan,
    seed: u64,
    mut progress: impl FnMut(usize, f64),
) -> Result<Trained> {
    let parameters = Parameters::random(plan.shape, seed)?;
    let mut optimizer = optimizer.build();
    let sweep = BlockSweep::<f32>::new();
    let ledger = Ledger::new(plan.contract, plan.costs, &plan.market, plan.premium);
    let simulator = Simulator {
        market: plan.market,
        steps: plan.contract.steps,
        dt: plan.contract.dt(),
        seed,
        purpose: Purpose::Training,
    };
    let mut paths = Paths::<f32>::zeros(plan.batch_paths, plan.contract.steps);
    let mut points = Vec::with_capacity(plan.steps);
    let start = Instant::now();
    for step in 0..plan.steps {
        simulator.fill((step * paths.blocks()) as u64, &mut paths);
        let forward = sweep.forward(&parameters, &plan.features, &paths, false)?;
        let mut pnl = Vec::with_capacity(plan.batch_paths);
        for (block, positions) in forward
            .positions
            .chunks_exact(plan.contract.steps)
            .enumerate()
        {
            let settled = ledger.settle(&paths.block(block), positions);
            pnl.extend(
                settled.pnl[..paths.active(block)]
                    .iter()
                    .map(|z| f64::from(*z)),
            );
        }
        let risk = plan.risk.evaluate(&pnl);
        if !risk.value.is_finite() {
            return Err(Error::Computation(format!(
                "the risk is {} at step {step}",
                risk.value
            )));
        }

        // Only paths that carry weight have a gradient.
        let weighted: Vec<usize> = (0..pnl.len())
            .filter(|&path| risk.weights[path] != 0.0)
            .collect();
        let selected = paths.gather(&weighted);
        let seeds = |block: usize, positions: &[Lane<f32>], out: &mut [Lane<f32>]| {
            ledger.derivative(&selected.block(block), positions, out);
            for lane in 0..BLOCK {
                let weight = weighted
                    .get(block * BLOCK + lane)
                    .map_or(0.0, |&path| risk.weights[path]);
                out.iter_mut().for_each(|seed| seed[lane] *= weight as f32);
            }
        };
        let gradient = sweep
            .backward(&parameters, &plan.features, &selected, &seeds, false)?
            .gradient;

        // Paths are exchangeable, so the first ones are a random sample.
        let curvature = optimizer
            .curvature_paths(step)
            .min(plan.batch_paths / BLOCK * BLOCK);
        let record = if curvature > 0 {
            let sample = paths.gather(&(0..curvature).collect::<Vec<_>>());
            let seeds = |block: usize, positions: &[Lane<f32>], out: &mut [Lane<f32>]| {
                ledger.derivative(&sample.block(block), positions, out);
            };
            let backward = sweep.backward(&parameters, &plan.features, &sample, &seeds, true)?;
            backward.record.map(|mut record| {
                record.scale(&curvature_scales(&risk.weights[..curvature], pnl.len()));
                record
            })
        } else {
            None
        };
        let batch = Batch {
            gradient: &gradient,
            record: record.as_ref(),
            step,
            steps: plan.steps,
        };
        let proposal = optimizer.propose(&batch)?;
        parameters.add(&proposal.change)?;
        points.push(TrainingPoint {
            step,
            seconds: start.elapsed().as_secs_f64(),
            risk: risk.value,
            validation_risk: None,
            statistics: proposal.statistics,
        });
        progress(step, risk.value);
    }
    Ok(Trained {
        parameters,
        points,
        seconds: start.elapsed().as_secs_f64(),
    })
}

/// √h for the paths of the curvature sample: h = ½ + ½ min(n|w|, 10), normalised to mean 1.
///
/// The uniform half keeps the metric from resting on the few paths of a tail, the capped half bends it
/// towards those that the risk weights.
fn curvature_scales(weights: &[f64], paths: usize) -> Vec<f64> {
    const CAP: f64 = 10.0;
    let mixed: Vec<f64> = weights
        .iter()
        .map(|w| 0.5 + 0.5 * (paths as f64 * w.abs()).min(CAP))
        .collect();
    let mean = mixed.iter().sum::<f64>() / mixed.len() as f64;
    mixed.iter().map(|h| (h / mean).sqrt()).collect()
}
