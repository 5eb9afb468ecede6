//! Which trainings of a walk-forward a shard has.

use super::window::trainings;
use crate::error::Result;
use crate::runs::shard::{Piece, Shard, owners};
use crate::strategy::{Plan, WalkForwardPlan};

/// The number of the shard, from 1, that does each training of a walk-forward that is cut into `of` shards: window by window, and
/// in each in the order of [`trainings`].
///
/// Trainings that begin with the weights of the window before depend on it. So with a warm start a shard has whole optimizers and
/// seeds, each with all windows; otherwise it has single trainings.
///
/// # Errors
/// Those of [`owners`].
pub fn shared_out(
    plan: &Plan,
    walk: &WalkForwardPlan,
    windows: usize,
    of: usize,
) -> Result<Vec<usize>> {
    let each = trainings(plan, walk);
    let pieces = each.iter().map(|(optimizer, _)| Piece {
        work: plan.work(optimizer),
        kind: &optimizer.name,
    });
    let pieces: Vec<Piece<'_>> = pieces.collect();
    match walk.warm_start {
        true => Ok(owners(&pieces, of)?.repeat(windows)),
        false => owners(&pieces.repeat(windows), of),
    }
}

/// Whether a run does each training of a walk-forward, in the order of [`shared_out`]: all of them, or those of its shard.
///
/// # Errors
/// Those of [`shared_out`].
pub fn own(
    plan: &Plan,
    walk: &WalkForwardPlan,
    windows: usize,
    shard: Option<Shard>,
) -> Result<Vec<bool>> {
    let Some(shard) = shard else {
        return Ok(vec![true; windows * trainings(plan, walk).len()]);
    };
    let owners = shared_out(plan, walk, windows, shard.of)?;
    let own = owners.into_iter().map(|owner| owner == shard.number);
    Ok(own.collect())
}
