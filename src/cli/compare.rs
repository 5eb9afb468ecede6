//! `compare`: optimizers and classical hedges beside each other.

use super::changes::Changes;
use super::output::Output;
use super::progress::{carried_out, output};
use super::stop::Stop;
use super::values::candidates;
use crate::distributed::Ranks;
use crate::error::{Error, Result};
use crate::experiment::{Finished, Prepared, Scope, TrainingChanges, with_named};
use crate::runs::shard::Shard;
use crate::runs::store;
use crate::strategy::Plan;
use serde_json::{Value, json};
use std::path::Path;

/// What `compare` has beside its strategy.
#[derive(Debug, clap::Args)]
pub struct Comparison {
    /// Only these optimizers, separated by commas.
    #[arg(long, value_delimiter = ',')]
    optimizers: Option<Vec<String>>,
    /// Train with this many seeds, beginning with the strategy's.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// First search each optimizer's settings by successive halving from this many candidates (16 unless given), on
    /// seeds of its own; the same number of trainings and of steps for all.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "16", value_parser = candidates)]
    tune: Option<usize>,
    /// Train every optimizer for these numbers of steps too, each with its own whole schedule; instead of the
    /// strategy's `lengths`.
    #[arg(long, value_delimiter = ',', conflicts_with = "budget")]
    lengths: Option<Vec<usize>>,
    /// Train for these CVaR levels or risk aversions too: cost against risk.
    #[arg(long, value_delimiter = ',')]
    frontier: Vec<f64>,
    /// Train share K of N of the trainings alone, into a run that waits for `runs merge`: for job arrays.
    #[arg(long, value_name = "K/N")]
    shard: Option<Shard>,
    #[command(flatten)]
    changes: Changes,
}

/// Compares what a strategy file asks for.
pub fn run(strategy: &Path, comparison: &Comparison, root: &Path, world: &Ranks) -> Result<Output> {
    if comparison.shard.is_some() && comparison.tune.is_some() {
        return Err(Error::input(
            "--shard: what is trained depends on the search of --tune; search first, without --shard, and share out the \
             strategy.toml of that run",
        ));
    }
    let changes = TrainingChanges {
        lengths: comparison.lengths.clone(),
        ..comparison.changes.changes()
    };
    let plan = Plan::load(strategy, |strategy| changes.apply(strategy))?;
    let plan = with_named(plan, "--optimizers", comparison.optimizers.as_deref())?;
    for &parameter in &comparison.frontier {
        plan.risk.check_parameter("--frontier", parameter)?;
    }
    let scope = Scope {
        seeds: (plan.seed..plan.seed + comparison.seeds).collect(),
        candidates: comparison.tune,
        frontier: comparison.frontier.clone(),
        shard: comparison.shard,
    };
    let prepared = Prepared::comparison(&plan, &scope, root)?;
    carried_out(&prepared, &Stop::on_signals()?, world, compared)
}

/// Goes on with a comparison that was stopped.
pub fn resume(run: &str, root: &Path, world: &Ranks) -> Result<Output> {
    let prepared = Prepared::again(store::open(root, run)?, Some("compare"))?;
    carried_out(&prepared, &Stop::on_signals()?, world, compared)
}

/// The result of a comparison.
pub fn compared(finished: &Finished) -> Output {
    let metrics = &finished.metrics;
    let against_adam = metrics
        .comparisons
        .first()
        .map_or(Value::Null, |c| json!(c));
    let document = json!({
        "run": metrics.run,
        "evaluation": metrics.evaluation,
        "lengths": metrics.lengths,
        "frontier": metrics.frontier,
        "backtest": metrics.backtest,
        "comparisons": metrics.comparisons,
        "backtest_comparisons": metrics.backtest_comparisons,
        "backtest_breakdown": metrics.backtest_breakdown,
        "against_adam": against_adam,
        "hedges": metrics.hedges,
        "best_classical": metrics.best_classical,
    });
    output(finished, document)
}
