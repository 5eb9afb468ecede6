//! `train`: one policy.

use super::changes::Changes;
use super::output::Output;
use super::progress::{carried_out, output};
use super::stop::Stop;
use crate::distributed::Ranks;
use crate::error::Result;
use crate::experiment::{Finished, Prepared, trained_alone};
use crate::runs::store;
use crate::strategy::Plan;
use serde_json::json;
use std::path::Path;

/// Trains one optimizer of a strategy file.
pub fn run(
    strategy: &Path,
    optimizer: Option<&str>,
    changes: &Changes,
    root: &Path,
    world: &Ranks,
) -> Result<Output> {
    let changes = changes.changes();
    let plan = Plan::load(strategy, |strategy| changes.apply(strategy))?;
    let place = strategy.display().to_string();
    let name = trained_alone(&plan, ("--optimizer", optimizer), &place)?;
    let prepared = Prepared::training(&plan, name, root)?;
    carried_out(&prepared, &Stop::on_signals()?, world, trained)
}

/// Goes on with a training that was stopped.
pub fn resume(run: &str, root: &Path, world: &Ranks) -> Result<Output> {
    let prepared = Prepared::again(store::open(root, run)?, Some("train"))?;
    carried_out(&prepared, &Stop::on_signals()?, world, trained)
}

fn trained(finished: &Finished) -> Output {
    let document = json!({
        "run": finished.metrics.run,
        "evaluation": finished.metrics.evaluation,
    });
    output(finished, document)
}
