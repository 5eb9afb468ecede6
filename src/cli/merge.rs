//! `runs merge`: one run of all shards of a job.

use super::compare::compared;
use super::cross::crossed;
use super::output::{Output, note};
use super::progress::carried_out;
use super::stop::Stop;
use crate::error::Result;
use crate::experiment::Prepared;
use crate::runs::merge::Shards;
use crate::runs::metrics::Request;
use crate::runs::store;
use std::path::Path;

/// Makes one run under `root` of the shards that are named, and deletes these if `delete` says so.
pub fn run(root: &Path, shards: &[String], delete: bool) -> Result<Output> {
    let folders = shards.iter().map(|shard| store::open(root, shard));
    let shards = Shards::of(folders.collect::<Result<_>>()?)?;
    let prepared = Prepared::merged(&shards, root)?;
    note(&format!(
        "deephedge: run `{}` has the {} trainings of {} shards, which are now measured",
        prepared.folder().id(),
        shards.request().trainings,
        shards.folders().len()
    ));
    let stop = Stop::on_signals()?;
    let results = match shards.request().command == Request::CROSS {
        true => crossed,
        false => compared,
    };
    let output = carried_out(&prepared, &stop, results)?;
    if delete {
        shards.delete()?;
    }
    Ok(output)
}
