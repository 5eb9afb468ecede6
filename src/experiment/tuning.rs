//! Successive halving over the settings of an optimizer, on seeds of its own.

use super::watch::Watch;
use crate::error::{Error, Result};
use crate::random::{Purpose, sequential};
use crate::runs::metrics::Trial;
use crate::runs::store::RunFolder;
use crate::strategy::{Length, OptimizerPlan, Plan};
use crate::training::train;
use rand::RngExt;

/// Distance of tuning seeds from those of the comparison.
const SEED_OFFSET: u64 = 1 << 32;

/// Share of the training's length and number of survivors of each rung from `candidates`; the last one is run with
/// another seed.
fn rungs(candidates: usize) -> [(f64, usize); 4] {
    let survivors = |rung: u32| (candidates >> rung).max(2);
    [
        (0.25, survivors(1)),
        (0.5, survivors(2)),
        (1.0, 2),
        (1.0, 1),
    ]
}

/// The optimizer with the best settings found, and every trial.
///
/// The candidates — the file's own settings and random ones, each tunable key (or its distance from 1, for decays)
/// times 2^u with u uniform in [−2, 2], and where the file says so half, all or twice the paths a step in as many steps
/// as make the same number of paths — are trained for a quarter of the length with its own schedule; the better half
/// goes on to half of the length, the better half of those to all of it, and the best two once more with another seed.
/// They are judged by the risk on validation paths at the end. Every method gets the same number of trials. Trials are
/// kept in the folder, and not repeated if they are there.
///
/// # Errors
/// Those of the training, other than a risk that is no longer finite, which loses.
///
/// # References
/// Jamieson and Talwalkar (2016), "Non-stochastic best arm identification and hyperparameter optimization".
pub fn tune(
    plan: &Plan,
    optimizer: &OptimizerPlan,
    candidates: usize,
    folder: &RunFolder,
    watch: &mut Watch<'_>,
) -> Result<(OptimizerPlan, Vec<Trial>)> {
    let file = format!("tuning/{}.json", optimizer.name);
    let mut trials: Vec<Trial> = folder.read_json(&file)?.unwrap_or_default();
    let rungs = rungs(candidates);
    let total = candidates + rungs.iter().map(|(_, left)| left).sum::<usize>() - 1;
    let mut field = field_of(plan, optimizer, candidates)?;
    let mut taken = 0;
    for (rung, (share, survivors)) in rungs.into_iter().enumerate() {
        let mut short = plan.clone();
        short.length = match plan.length {
            Length::Steps(steps) => Length::Steps(((steps as f64 * share).round() as usize).max(1)),
            Length::Seconds(seconds) => Length::Seconds(seconds * share),
        };
        short.validation.period = usize::MAX;
        let seed = plan.seed + SEED_OFFSET + u64::from(rung + 1 == rungs.len());
        let mut scored = Vec::with_capacity(field.len());
        for candidate in field {
            if taken == trials.len() {
                let trial = (taken + 1, total);
                let trained = train(&short, &candidate, seed, |training| {
                    watch.tuning(&optimizer.name, trial, training.done())
                });
                let risk = match trained {
                    Ok(trained) => trained.points.last().and_then(|last| last.validation_risk),
                    Err(Error::Computation(_)) => None,
                    Err(error) => return Err(error),
                };
                trials.push(Trial {
                    strategy: optimizer.name.clone(),
                    rung,
                    share,
                    seed,
                    risk: risk.unwrap_or(f64::NAN),
                    paths: candidate.paths,
                    settings: candidate.keys.clone(),
                });
                folder.write_json(&file, &trials)?;
            }
            let risk = trials[taken].risk;
            taken += 1;
            let order = if risk.is_finite() {
                risk
            } else {
                f64::INFINITY
            };
            scored.push((order, candidate));
        }
        scored.sort_by(|a, b| a.0.total_cmp(&b.0));
        scored.truncate(survivors);
        field = scored.into_iter().map(|(_, candidate)| candidate).collect();
    }
    Ok((field.remove(0), trials))
}

fn field_of(plan: &Plan, optimizer: &OptimizerPlan, count: usize) -> Result<Vec<OptimizerPlan>> {
    const OCTAVES: f64 = 2.0;
    const MOST: f64 = 0.999;
    let mut generator = sequential(plan.seed, Purpose::Tuning);
    let mut field = vec![optimizer.clone()];
    while field.len() < count {
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
        let mut candidate = optimizer.with_keys(keys)?;
        if optimizer.tune_paths {
            candidate = candidate.with_paths(2f64.powi(generator.random_range(-1..=1)));
        }
        field.push(candidate);
    }
    Ok(field)
}
