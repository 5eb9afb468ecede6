//! The trainings of a job in their order, and which of them a shard has.

use super::command::Command;
use super::trainings::{self, Entry};
use super::{Scope, cross};
use crate::error::Result;
use crate::runs::shard::{self, Piece, Shard};
use crate::strategy::Plan;

/// A training and the plan of its market.
pub type Turn<'a> = (&'a Plan, Entry);

/// The markets that a command trains in, by name: those of the strategy, or its own alone.
///
/// # Errors
/// Those of [`cross::markets`].
pub fn markets(command: Command, plan: &Plan) -> Result<Vec<(String, Plan)>> {
    match command {
        Command::Cross => cross::markets(plan),
        Command::Compare | Command::Train | Command::Backtest => {
            Ok(vec![("own".into(), plan.clone())])
        }
    }
}

/// All trainings of a command in `markets`, in their order.
pub fn turns<'a>(command: Command, markets: &'a [(String, Plan)], scope: &Scope) -> Vec<Turn<'a>> {
    match (command, markets) {
        (Command::Cross, markets) => cross::turns(markets, &scope.seeds),
        (Command::Compare | Command::Train, [(_, plan), ..]) => trainings::turns(plan, scope),
        (Command::Compare | Command::Train, []) | (Command::Backtest, _) => Vec::new(),
    }
}

/// Those of `turns` that a run does: all of them, or those of its shard.
///
/// # Errors
/// Those of [`shard::owners`].
pub fn own(turns: Vec<Turn<'_>>, shard: Option<Shard>) -> Result<Vec<Turn<'_>>> {
    let Some(shard) = shard else {
        return Ok(turns);
    };
    let owners = owners(&turns, shard.of)?;
    let owned = turns.into_iter().zip(owners);
    let own = owned.filter(|(_, owner)| *owner == shard.number);
    Ok(own.map(|(turn, _)| turn).collect())
}

/// The number of the shard, from 1, that does each of `turns`, in a job that is cut into `of` shards.
///
/// # Errors
/// Those of [`shard::owners`].
pub fn owners(turns: &[Turn<'_>], of: usize) -> Result<Vec<usize>> {
    let pieces: Vec<Piece<'_>> = turns.iter().map(piece).collect();
    shard::owners(&pieces, of)
}

/// A training as a piece of its job.
fn piece<'a>((plan, entry): &'a Turn<'_>) -> Piece<'a> {
    let optimizer = entry.optimizer();
    Piece {
        work: entry.plan(plan).work(optimizer),
        kind: &optimizer.name,
    }
}
