//! `runs merge`: one run of all shards of a job.

use super::compare::compared;
use super::cross::crossed;
use super::output::{Output, note};
use super::progress::carried_out;
use super::stop::Stop;
use super::walk_forward::finish;
use crate::distributed::Ranks;
use crate::error::Result;
use crate::experiment::Prepared;
use crate::runs::merge::Shards;
use crate::runs::metrics::Request;
use crate::runs::store::{self, RunFolder};
use crate::walk_forward;
use std::path::Path;

/// Makes one run under `root` of the shards that are named, and deletes these if `delete` says so.
pub fn run(root: &Path, shards: &[String], delete: bool, world: &Ranks) -> Result<Output> {
    let folders = shards.iter().map(|shard| store::open(root, shard));
    let shards = Shards::of(folders.collect::<Result<_>>()?)?;
    let stop = Stop::on_signals()?;
    let command = &shards.request().command;
    let output = if command == Request::WALK_FORWARD {
        let prepared = walk_forward::Prepared::merged(&shards, root)?;
        announce(&shards, &prepared.folder);
        finish(&prepared, &stop, world)?
    } else {
        let prepared = Prepared::merged(&shards, root)?;
        announce(&shards, prepared.folder());
        let results = match command == Request::CROSS {
            true => crossed,
            false => compared,
        };
        carried_out(&prepared, &stop, world, results)?
    };
    if delete {
        shards.delete()?;
    }
    Ok(output)
}

/// Says that the run has what the shards trained, and will be measured.
fn announce(shards: &Shards, run: &RunFolder) {
    note(&format!(
        "deephedge: run `{}` has the {} trainings of {} shards, which are measured now",
        run.id(),
        shards.request().all_trainings(),
        shards.folders().len()
    ));
}
