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

/// How many candidates are trained to the end.
const FINALISTS: usize = 3;

/// A share of the training's length, after which the better candidates go on.
struct Rung {
    share: f64,
    seeds: u64,
    survivors: usize,
}

fn rungs(candidates: usize) -> [Rung; 3] {
    let rung = |share, seeds, survivors| Rung {
        share,
        seeds,
        survivors,
    };
    [
        rung(0.25, 1, (candidates / 2).max(FINALISTS)),
        rung(0.5, 1, FINALISTS),
        rung(1.0, 4, 1),
    ]
}

/// The optimizer with the best settings found, and every trial.
///
/// The candidates — the file's own settings and random ones, each tunable key (or its distance from 1, for decays)
/// times 2^u with u uniform in [−2, 2], and where the file says so half, all or twice the paths a step in as many steps
/// as make the same number of paths — are trained for a quarter of the length with its own schedule; the better half
/// goes on to half of the length, and three of those to all of it with four seeds. They are judged by the mean risk on
/// validation paths at the end. The file's own settings go on whatever their rank: a short training favours larger steps
/// than a long one needs, and one seed does not show the settings that fail on another. Every method gets the same number
/// of trials. Trials are kept in the folder, and not repeated if they are there.
///
/// # Errors
/// The errors of the training, other than a risk that is no longer finite, which loses.
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
    let mut trials = Trials {
        kept: folder.read_json(&file)?.unwrap_or_default(),
        taken: 0,
        file,
        folder,
    };
    let rungs = rungs(candidates);
    let survivors = [candidates, rungs[0].survivors, rungs[1].survivors];
    let total: u64 = rungs
        .iter()
        .zip(survivors)
        .map(|(rung, field)| rung.seeds * field.min(candidates) as u64)
        .sum();
    let mut field = field_of(plan, optimizer, candidates)?;
    for (number, rung) in rungs.iter().enumerate() {
        let mut short = plan.clone();
        short.length = match plan.length {
            Length::Steps(steps) => {
                Length::Steps(((steps as f64 * rung.share).round() as usize).max(1))
            }
            Length::Seconds(seconds) => Length::Seconds(seconds * rung.share),
        };
        short.validation.period = usize::MAX;
        let mut scored = Vec::with_capacity(field.len());
        for candidate in field {
            let mut sum = 0.0;
            for seed in (0..rung.seeds).map(|seed| plan.seed + SEED_OFFSET + seed) {
                let asked = Trial {
                    strategy: optimizer.name.clone(),
                    rung: number,
                    share: rung.share,
                    seed,
                    risk: f64::NAN,
                    paths: candidate.paths,
                    settings: candidate.keys.clone(),
                };
                let count = (trials.taken + 1, total as usize);
                sum += trials.risk(asked, || {
                    let trained = train(&short, &candidate, seed, |training| {
                        watch.tuning(&optimizer.name, count, training.done())
                    });
                    match trained {
                        Ok(trained) => Ok(trained.points.last().and_then(|l| l.validation_risk)),
                        Err(Error::Computation(_)) => Ok(None),
                        Err(error) => Err(error),
                    }
                })?;
            }
            let order = if sum.is_finite() { sum } else { f64::INFINITY };
            scored.push((order, candidate));
        }
        // The order is stable, so that the file's own settings, which come first, win ties.
        scored.sort_by(|a, b| a.0.total_cmp(&b.0));
        field = survivors_of(scored, rung.survivors, &optimizer.keys);
    }
    Ok((field.remove(0), trials.kept))
}

/// The best `count` in their order; the candidate with the keys `own` takes the last place if it would have none, unless
/// there is one place alone.
pub(super) fn survivors_of(
    mut scored: Vec<(f64, OptimizerPlan)>,
    count: usize,
    own: &toml::Table,
) -> Vec<OptimizerPlan> {
    let place = scored.iter().position(|(_, one)| one.keys == *own);
    if let Some(place) = place.filter(|&place| count > 1 && place >= count) {
        scored[count - 1..=place].rotate_right(1);
    }
    scored.truncate(count);
    scored.into_iter().map(|(_, candidate)| candidate).collect()
}

/// The trials of one search, in their order.
pub(super) struct Trials<'a> {
    /// Trials that were done before, by this process or by one that was stopped.
    pub kept: Vec<Trial>,
    /// How many of them were asked for so far.
    pub taken: usize,
    /// The file of the run that they are kept in.
    pub file: String,
    /// The folder of the run.
    pub folder: &'a RunFolder,
}

impl Trials<'_> {
    /// The risk of the trial that is `asked` for, which is trained unless it was kept. What another search left, of
    /// another version of this program, is forgotten from its first trial that is not asked for.
    pub fn risk(
        &mut self,
        asked: Trial,
        train: impl FnOnce() -> Result<Option<f64>>,
    ) -> Result<f64> {
        let same = |kept: &&Trial| {
            (kept.rung, kept.seed, kept.paths) == (asked.rung, asked.seed, asked.paths)
                && kept.share.to_bits() == asked.share.to_bits()
                && kept.settings == asked.settings
        };
        let kept = self.kept.get(self.taken).filter(same);
        let risk = match kept {
            Some(kept) => kept.risk,
            None => {
                let risk = train()?.unwrap_or(f64::NAN);
                self.kept.truncate(self.taken);
                self.kept.push(Trial { risk, ..asked });
                self.folder.write_json(&self.file, &self.kept)?;
                risk
            }
        };
        self.taken += 1;
        Ok(risk)
    }
}

pub(super) fn field_of(
    plan: &Plan,
    optimizer: &OptimizerPlan,
    count: usize,
) -> Result<Vec<OptimizerPlan>> {
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
