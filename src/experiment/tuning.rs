//! Successive halving over the settings of an optimizer, on seeds of its own.

use crate::error::Result;
use crate::random::{Purpose, sequential};
use crate::runs::metrics::Trial;
use crate::strategy::{Length, OptimizerPlan, Plan};
use crate::training::train;
use rand::RngExt;

/// Candidates of the first rung, the file's own settings among them.
const CANDIDATES: usize = 16;

/// Share of the training's length and number of survivors of each rung; the last one is run with another seed.
const RUNGS: [(f64, usize); 4] = [(0.25, 8), (0.5, 4), (1.0, 2), (1.0, 1)];

/// Distance of tuning seeds from those of the comparison.
const SEED_OFFSET: u64 = 1 << 32;

/// The optimizer with the best settings found, and every trial.
///
/// Sixteen candidates — the file's own settings and fifteen random ones, each tunable key (or its distance from 1, for
/// decays) times 2^u with u uniform in [−3, 3] — are trained for a quarter of the length with its own schedule; the
/// better half goes on to half of the length, the better half of those to all of it, and the best two once more with
/// another seed. They are judged by the risk on validation paths at the end. Every method gets the same number of steps.
///
/// # Errors
/// Those of the training, other than a risk that is no longer finite, which loses.
///
/// # References
/// Jamieson and Talwalkar (2016), "Non-stochastic best arm identification and hyperparameter optimization".
pub fn tune(
    plan: &Plan,
    optimizer: &OptimizerPlan,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<(OptimizerPlan, Vec<Trial>)> {
    let mut field = candidates(plan, optimizer)?;
    let total = CANDIDATES + RUNGS.iter().map(|(_, left)| left).sum::<usize>() - 1;
    let mut trials = Vec::new();
    for (rung, (share, survivors)) in RUNGS.into_iter().enumerate() {
        let mut short = plan.clone();
        short.length = match plan.length {
            Length::Steps(steps) => Length::Steps(((steps as f64 * share).round() as usize).max(1)),
            Length::Seconds(seconds) => Length::Seconds(seconds * share),
        };
        short.validation.period = usize::MAX;
        let last = rung + 1 == RUNGS.len();
        let seed = plan.seed + SEED_OFFSET + u64::from(last);
        let mut scored = Vec::with_capacity(field.len());
        for candidate in field {
            let trained = train(&short, &candidate, seed, |_, _| {});
            let risk = trained
                .ok()
                .and_then(|trained| trained.points.last()?.validation_risk)
                .filter(|risk| risk.is_finite())
                .unwrap_or(f64::INFINITY);
            trials.push(Trial {
                strategy: optimizer.name.clone(),
                rung,
                share,
                seed,
                risk,
                settings: candidate.keys.clone(),
            });
            progress(trials.len(), total);
            scored.push((risk, candidate));
        }
        scored.sort_by(|a, b| a.0.total_cmp(&b.0));
        scored.truncate(survivors);
        field = scored.into_iter().map(|(_, candidate)| candidate).collect();
    }
    Ok((field.remove(0), trials))
}

fn candidates(plan: &Plan, optimizer: &OptimizerPlan) -> Result<Vec<OptimizerPlan>> {
    const OCTAVES: f64 = 3.0;
    const MOST: f64 = 0.999;
    let mut generator = sequential(plan.seed, Purpose::Tuning);
    let mut field = vec![optimizer.clone()];
    while field.len() < CANDIDATES {
        let mut keys = optimizer.keys.clone();
        for name in optimizer.settings.tunable() {
            let factor = 2f64.powf(generator.random_range(-OCTAVES..OCTAVES));
            let Some(value) = keys.get_mut(*name) else {
                continue;
            };
            let Some(old) = value.as_float() else {
                continue;
            };
            // A decay in [0, 1) is searched by its distance from 1.
            let decays = ["beta1", "beta2", "momentum", "factor_decay"].contains(name);
            let new = if decays {
                (1.0 - (1.0 - old) * factor).clamp(0.0, MOST)
            } else {
                old * factor
            };
            *value = toml::Value::Float(new);
        }
        field.push(optimizer.with_keys(keys)?);
    }
    Ok(field)
}
