//! `cross`: policies trained in several markets and tested in all of them.

use super::changes::Changes;
use super::output::Output;
use super::progress::{carried_out, output};
use super::stop::Stop;
use crate::distributed::Ranks;
use crate::error::Result;
use crate::experiment::{Finished, Prepared, Scope, with_named};
use crate::runs::metrics::Request;
use crate::runs::shard::Shard;
use crate::runs::store;
use crate::strategy::Plan;
use serde_json::json;
use std::path::Path;

/// What `cross` has beside its strategy.
#[derive(Debug, clap::Args)]
pub struct Crossing {
    /// Only these optimizers, separated by commas.
    #[arg(long, value_delimiter = ',')]
    optimizers: Option<Vec<String>>,
    /// Train with this many seeds, beginning with the strategy's.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Train share K of N of the trainings alone, into a run that waits for `runs merge`: for job arrays.
    #[arg(long, value_name = "K/N")]
    shard: Option<Shard>,
    #[command(flatten)]
    changes: Changes,
}

/// Compares policies across the markets of a strategy file.
pub fn run(strategy: &Path, crossing: &Crossing, root: &Path, world: &Ranks) -> Result<Output> {
    let changes = crossing.changes.changes();
    let plan = Plan::load(strategy, |strategy| changes.apply(strategy))?;
    let plan = with_named(plan, "--optimizers", crossing.optimizers.as_deref())?;
    let scope = Scope {
        seeds: (plan.seed..plan.seed + crossing.seeds).collect(),
        shard: crossing.shard,
        ..Scope::default()
    };
    let prepared = Prepared::crossing(&plan, &scope, root)?;
    carried_out(&prepared, &Stop::on_signals()?, world, crossed)
}

/// Goes on with a comparison across markets that was stopped.
pub fn resume(run: &str, root: &Path, world: &Ranks) -> Result<Output> {
    let prepared = Prepared::again(store::open(root, run)?, Some(Request::CROSS))?;
    carried_out(&prepared, &Stop::on_signals()?, world, crossed)
}

/// The result of a comparison across markets.
pub fn crossed(finished: &Finished) -> Output {
    let metrics = &finished.metrics;
    let document = json!({
        "run": metrics.run,
        "risk": metrics.risk,
        "results": metrics.crossed,
        "best_classical": metrics.best_classical,
    });
    output(finished, document)
}
