//! `job`: what a run folder asks for, in a process that a server has begun.

use super::compare::compared;
use super::output::Output;
use super::progress::carried_out;
use super::stop::Stop;
use super::walk_forward;
use crate::distributed::Ranks;
use crate::error::Result;
use crate::experiment::Prepared;
use crate::program;
use crate::runs::metrics::Request;
use crate::runs::store;
use std::path::Path;

/// Carries out what a run folder asks for, until standard input ends. The server's answers come first.
pub fn run(run: &str, root: &Path, world: &Ranks) -> Result<Output> {
    program::give_way();
    let stop = Stop::on_signals()?;
    stop.on_end_of_input();
    let folder = store::open_exact(root, run)?;
    let request = folder.request()?;
    if request.is_some_and(|request| request.command == Request::WALK_FORWARD) {
        return walk_forward::job(folder, &stop, world);
    }
    let prepared = Prepared::again(folder, None)?;
    carried_out(&prepared, &stop, world, compared)
}
