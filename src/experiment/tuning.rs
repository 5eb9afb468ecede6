//! Successive halving over the settings of an optimizer, on seeds of its own.

use crate::error::{Error, Result};
use crate::groups::{Crew, Keeper, Work};
use crate::random::{Purpose, sequential};
use crate::runs::metrics::Trial;
use crate::runs::store::{RunFolder, from_json};
use crate::strategy::{Length, OptimizerPlan, Plan};
use crate::training::train;
use rand::RngExt;
use std::cell::RefCell;

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
    crew: &mut Crew<'_>,
) -> Result<(OptimizerPlan, Vec<Trial>)> {
    let file = format!("tuning/{}.json", optimizer.name);
    let mut kept: Vec<Trial> = match crew.read(&file)? {
        Some(bytes) => from_json(&bytes).map_err(|why| Error::input(format!("{file}: {why}")))?,
        None => Vec::new(),
    };
    let rungs = rungs(candidates);
    let survivors = [candidates, rungs[0].survivors, rungs[1].survivors];
    let total: u64 = rungs
        .iter()
        .zip(survivors)
        .map(|(rung, field)| rung.seeds * field.min(candidates) as u64)
        .sum();
    let mut field = field_of(plan, optimizer, candidates)?;
    let mut trials = Vec::new();
    for (number, rung) in rungs.iter().enumerate() {
        let mut short = plan.clone();
        short.length = match plan.length {
            Length::Steps(steps) => {
                Length::Steps(((steps as f64 * rung.share).round() as usize).max(1))
            }
            Length::Seconds(seconds) => Length::Seconds(seconds * rung.share),
        };
        short.validation.period = usize::MAX;
        let seeds = (0..rung.seeds).map(|seed| plan.seed + SEED_OFFSET + seed);
        let asked = field.iter().flat_map(|candidate| {
            seeds.clone().map(|seed| Trial {
                strategy: optimizer.name.clone(),
                rung: number,
                share: rung.share,
                seed,
                risk: f64::NAN,
                paths: candidate.paths,
                settings: candidate.keys.clone(),
            })
        });
        let round = Round {
            plan: &short,
            field: &field,
            seeds: rung.seeds as usize,
            all: total as usize,
            file: &file,
            trials: RefCell::new(Trials::new(trials, &mut kept, asked.collect())),
        };
        let results = crew.each(&round, plan.ranks_per_training)?;
        let risks;
        (trials, risks) = round.trials.into_inner().end(&results);
        let sums = risks.chunks(rung.seeds as usize);
        let sums = sums.map(|risks| risks.iter().sum::<f64>());
        let order = |sum: f64| if sum.is_finite() { sum } else { f64::INFINITY };
        let mut scored: Vec<(f64, OptimizerPlan)> = sums.map(order).zip(field).collect();
        // The order is stable, so that the file's own settings, which come first, win ties.
        scored.sort_by(|a, b| a.0.total_cmp(&b.0));
        field = survivors_of(scored, rung.survivors, &optimizer.keys);
    }
    Ok((field.remove(0), trials))
}

/// The trials of one rung.
struct Round<'a> {
    plan: &'a Plan,
    field: &'a [OptimizerPlan],
    /// Trials of every candidate.
    seeds: usize,
    /// The number of trials of all rungs.
    all: usize,
    /// The file of the run that trials are kept in.
    file: &'a str,
    trials: RefCell<Trials>,
}

impl Work for Round<'_> {
    fn pieces(&self) -> usize {
        self.trials.borrow().asked.len()
    }

    fn is_done(&self, piece: usize, _folder: &RunFolder) -> Result<bool> {
        Ok(self.trials.borrow().is_kept(piece))
    }

    fn needs(&self, _piece: usize) -> Vec<String> {
        Vec::new()
    }

    fn carry_out(&self, piece: usize, keeper: &mut dyn Keeper) -> Result<Vec<u8>> {
        let candidate = &self.field[piece / self.seeds];
        let (seed, count) = {
            let trials = self.trials.borrow();
            let count = (trials.before.len() + piece + 1, self.all);
            (trials.asked[piece].seed, count)
        };
        let plan = self.plan.with_ranks(keeper.ranks().clone());
        let trained = train(&plan, candidate, seed, |training| {
            keeper.tuning(&candidate.name, count, training.done())
        });
        let risk = match trained {
            Ok(trained) => trained.points.last().and_then(|last| last.validation_risk),
            Err(Error::Computation(_)) => None,
            Err(error) => return Err(error),
        };
        Ok(risk.unwrap_or(f64::NAN).to_le_bytes().to_vec())
    }

    fn ended(&self, piece: usize, result: &[u8], folder: &RunFolder) -> Result<()> {
        let mut trials = self.trials.borrow_mut();
        if trials.add(piece, risk_of(result)) {
            folder.write_json(self.file, &trials.kept())?;
        }
        Ok(())
    }
}

/// A risk from the bytes of a result.
fn risk_of(result: &[u8]) -> f64 {
    result.try_into().map_or(f64::NAN, f64::from_le_bytes)
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

/// The trials of a search, in their order: those of earlier rungs, and those that a rung asks for.
pub(super) struct Trials {
    before: Vec<Trial>,
    /// The trials of the rung, with their risks as far as these are known.
    asked: Vec<Trial>,
    /// Which of them are done.
    done: Vec<bool>,
    /// How many of them, from the first on, are kept.
    kept: usize,
}

impl Trials {
    /// What a rung asks for after the trials `before`. Of `kept`, which were done earlier, by this process or by one that was
    /// stopped, those that it asks for are taken. What another search left, of another version of this program, is forgotten from
    /// its first trial that is not asked for.
    pub fn new(before: Vec<Trial>, kept: &mut Vec<Trial>, asked: Vec<Trial>) -> Self {
        let same = |(kept, asked): &(&Trial, &Trial)| {
            (kept.rung, kept.seed, kept.paths) == (asked.rung, asked.seed, asked.paths)
                && kept.share.to_bits() == asked.share.to_bits()
                && kept.settings == asked.settings
        };
        let count = kept.iter().zip(&asked).take_while(same).count();
        if count < asked.len() {
            kept.truncate(count);
        }
        let mut asked = asked;
        let taken: Vec<Trial> = kept.drain(..count).collect();
        asked.splice(..count, taken);
        Self {
            before,
            done: (0..asked.len()).map(|place| place < count).collect(),
            asked,
            kept: count,
        }
    }

    /// Whether a trial of the rung was done earlier.
    pub fn is_kept(&self, place: usize) -> bool {
        self.done[place]
    }

    /// The risk of a trial of the rung; true if there are more to keep.
    pub fn add(&mut self, place: usize, risk: f64) -> bool {
        self.asked[place].risk = risk;
        self.done[place] = true;
        let before = self.kept;
        let known = self.done.iter().take_while(|done| **done);
        self.kept = known.count();
        self.kept > before
    }

    /// All trials before the first that is not done.
    pub fn kept(&self) -> Vec<Trial> {
        let known = &self.asked[..self.kept];
        self.before.iter().chain(known).cloned().collect()
    }

    /// All trials up to the end of the rung, and the risks of the rung, of which `results` has those that were found now.
    fn end(mut self, results: &[Option<Vec<u8>>]) -> (Vec<Trial>, Vec<f64>) {
        for (trial, result) in self.asked.iter_mut().zip(results) {
            if let Some(result) = result {
                trial.risk = risk_of(result);
            }
        }
        let risks = self.asked.iter().map(|trial| trial.risk).collect();
        self.before.append(&mut self.asked);
        (self.before, risks)
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
