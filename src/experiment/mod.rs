//! Experiments: policies trained, measured beside classical hedges on the same paths, and written to a run folder.

mod compared;
mod cross;
mod outcome;
mod policies;
mod results;
mod trainings;
mod tuning;

pub use cross::{Crossed, cross};
pub use policies::{SavedPolicy, indifference_prices, saved_policies};

use crate::backtest::Contracts;
use crate::error::{Error, Result};
use crate::runs::metrics::{Metrics, Request, TrainingPoint};
use crate::runs::store::{self, RunFolder};
use crate::strategy::{BacktestPlan, Plan};
use outcome::Bench;
use policies::{classical, recurrent, save_policy};
use results::{Results, finish};
use std::path::Path;

/// How far an experiment has come.
pub enum Progress<'a> {
    /// A policy is being trained: the share that is done, in (0, 1], and the step just taken.
    Training {
        what: &'a str,
        seed: u64,
        done: f64,
        point: &'a TrainingPoint,
    },
    /// Settings are being searched: the number of trainings done, and of all.
    Tuning {
        strategy: &'a str,
        trial: usize,
        trials: usize,
    },
}

/// A finished run: its folder and what `metrics.json` says.
pub struct Finished {
    pub folder: RunFolder,
    pub metrics: Metrics,
}

/// What a comparison has beside its strategy.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    pub seeds: Vec<u64>,
    /// Candidates of the search for each optimizer's settings, if they are searched.
    pub candidates: Option<usize>,
    /// CVaR levels or risk aversions that policies are trained for too.
    pub frontier: Vec<f64>,
}

/// Trains every optimizer of the plan with every seed, for every length and risk, after its settings have been searched
/// where that is asked for, hedges the test paths with the policies and the classical hedges, backtests all of them if
/// the plan says so, and writes the run under `root`.
///
/// # Errors
/// [`Error::Input`] if the folder cannot be written or the history is at fault; errors of the training.
pub fn compare(
    plan: &Plan,
    scope: &Scope,
    root: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Finished> {
    // Before the training, so that what cannot be read or written costs nothing.
    let contracts = contracts(plan)?;
    let folder = store::create(root, &plan.name)?;
    folder.write_request(&Request {
        strategy: plan.to_toml()?,
        seeds: scope.seeds.clone(),
        candidates: scope.candidates,
        frontier: scope.frontier.clone(),
        trainings: trainings::entries(plan, scope).len(),
    })?;
    trained_run("compare", plan, scope, contracts.as_ref(), folder, progress)
}

/// Goes on with a comparison that was stopped, from the trainings and trials in its folder; the result has the bits of
/// one that was not, apart from seconds.
///
/// # Errors
/// [`Error::Input`] if the run is no comparison or is complete; those of [`compare`].
pub fn resume(folder: RunFolder, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Finished> {
    let not = |what: &str| Error::input(format!("run `{}`: {what}", folder.id()));
    let Some(request) = folder.request()? else {
        return Err(not("not a comparison that can be resumed"));
    };
    if folder.is_complete() {
        return Err(not("complete, there is nothing to resume"));
    }
    let plan = Plan::parse(&request.strategy, |_| {})?;
    let scope = Scope {
        seeds: request.seeds,
        candidates: request.candidates,
        frontier: request.frontier,
    };
    let contracts = contracts(&plan)?;
    trained_run(
        "compare",
        &plan,
        &scope,
        contracts.as_ref(),
        folder,
        progress,
    )
}

/// Trains one optimizer of the plan and hedges the test paths with the policy and the classical hedges.
///
/// # Errors
/// Those of [`compare`], and [`Error::Input`] if the plan has no optimizer of that name.
pub fn train_one(
    plan: &Plan,
    optimizer: &str,
    root: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Finished> {
    let mut plan = plan.clone();
    plan.retain(|plan| plan.name == optimizer);
    for optimizer in &mut plan.optimizers {
        optimizer.lengths.clear();
    }
    let folder = store::create(root, &plan.name)?;
    let scope = Scope {
        seeds: vec![plan.seed],
        ..Scope::default()
    };
    trained_run("train", &plan, &scope, None, folder, progress)
}

type Backtest<'a> = Option<(&'a BacktestPlan, &'a Contracts)>;

fn contracts(plan: &Plan) -> Result<Option<Contracts>> {
    let settings = plan.backtest.as_ref();
    settings
        .map(|settings| Contracts::cut(plan, settings))
        .transpose()
}

fn trained_run(
    command: &str,
    plan: &Plan,
    scope: &Scope,
    contracts: Option<&Contracts>,
    folder: RunFolder,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Finished> {
    let mut plan = plan.clone();
    let mut tuning = Vec::new();
    if let Some(candidates) = scope.candidates {
        for optimizer in plan.optimizers.clone() {
            let (best, mut trials) =
                tuning::tune(&plan, &optimizer, candidates, &folder, progress)?;
            tuning.append(&mut trials);
            plan.replace(best);
        }
    }
    let plan = &plan;
    folder.write_strategy(&plan.to_toml()?)?;
    let entries = trainings::entries(plan, scope);
    for entry in &entries {
        trainings::run(plan, entry, &folder, progress)?;
    }
    let bench = Bench {
        plan,
        contracts,
        simulated: true,
    };
    let mut trained = trainings::measure(&bench, scope, &entries, &folder)?;
    let aversion = outcome::aversion(plan)?;
    trained.outcomes.extend(classical(&bench, aversion)?);
    let results = Results {
        seeds: scope.seeds.clone(),
        training: trained.curves,
        tuning,
        lengths: trained.lengths,
        frontier: trained.frontier,
        outcomes: trained.outcomes,
        aversion,
    };
    let backtest = plan.backtest.as_ref().zip(contracts);
    finish(command, plan, folder, results, backtest)
}

/// Hedges contracts sold on history with the policies of a run, if one is given, and the plan's classical hedges.
///
/// # Errors
/// [`Error::Input`] if the history, a policy or the run folder is at fault.
pub fn backtest(
    plan: &Plan,
    settings: &BacktestPlan,
    policies: &[SavedPolicy],
    root: &Path,
) -> Result<Finished> {
    let contracts = Contracts::cut(plan, settings)?;
    let folder = store::create(root, &format!("{}-backtest", plan.name))?;
    folder.write_strategy(&plan.to_toml()?)?;
    let bench = Bench {
        plan,
        contracts: Some(&contracts),
        simulated: false,
    };
    let mut outcomes = policies
        .iter()
        .map(|policy| {
            let SavedPolicy {
                strategy,
                training,
                parameters,
            } = policy;
            // Kept with the run, so that the folder stands alone.
            let id = format!("{strategy}-{}", training.seed);
            save_policy(&folder, plan, &id, (strategy, training.seed), parameters)?;
            recurrent(&bench, strategy, *training, parameters)
        })
        .collect::<Result<Vec<_>>>()?;
    let aversion = outcome::aversion(plan)?;
    outcomes.extend(classical(&bench, aversion)?);
    let mut seeds: Vec<u64> = policies.iter().map(|policy| policy.training.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    let results = Results {
        seeds,
        training: Vec::new(),
        tuning: Vec::new(),
        lengths: Vec::new(),
        frontier: Vec::new(),
        outcomes,
        aversion,
    };
    finish(
        "backtest",
        plan,
        folder,
        results,
        Some((settings, &contracts)),
    )
}
