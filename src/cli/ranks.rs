//! Commands on several ranks, as `mpirun` starts them: the first one does what the arguments say, and the others follow it.

use super::Command;
use super::output::note;
use super::stop::Stop;
use crate::distributed::Ranks;
use crate::error::{Error, Result};
use crate::groups::{Assignment, Order, read_message, send_message};
use crate::runs::metrics::Request;
use crate::{experiment, walk_forward};
use std::time::Duration;

/// How long a rank that fails waits for the first one to say why, which has failed for the same reason if it can.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a command makes of several ranks.
enum Sharing {
    /// All of them do it.
    Shared,
    /// The first one does it, and the others wait.
    ByFirst,
    /// It goes on for ever, so that the others would wait for ever.
    #[cfg(feature = "dashboard")]
    Refused(&'static str),
}

impl Command {
    fn sharing(&self) -> Sharing {
        match self {
            Self::Compare { .. }
            | Self::Train { .. }
            | Self::Cross { .. }
            | Self::WalkForward(_)
            | Self::Job { .. } => Sharing::Shared,
            Self::Backtest { walk_forward, .. } => match walk_forward {
                true => Sharing::Shared,
                false => Sharing::ByFirst,
            },
            Self::Runs { action, .. } => match action.measures() {
                true => Sharing::Shared,
                false => Sharing::ByFirst,
            },
            #[cfg(feature = "dashboard")]
            Self::Serve { .. } => Sharing::Refused("serve"),
            Self::Calibrate(_)
            | Self::Data { .. }
            | Self::Hedge(_)
            | Self::Keys { .. }
            | Self::Schema
            | Self::Simulate { .. }
            | Self::Report { .. }
            | Self::Price { .. } => Sharing::ByFirst,
        }
    }
}

/// Says where several ranks are no use to a command.
///
/// # Errors
/// [`Error::Input`] if there must be one process alone.
pub fn shared(command: &Command, world: &Ranks) -> Result<()> {
    if world.is_alone() {
        return Ok(());
    }
    let ranks = world.size();
    match command.sharing() {
        Sharing::Shared => {}
        Sharing::ByFirst => note(&format!(
            "deephedge: this command is not shared among ranks: the first of {ranks} does it, the others wait"
        )),
        #[cfg(feature = "dashboard")]
        Sharing::Refused(name) => {
            return Err(Error::input(format!(
                "{name}: must be one process, was started as {ranks} ranks"
            )));
        }
    }
    Ok(())
}

/// The first rank ends with this exit code, and tells the others to, where all have come to an end together.
pub fn dismiss(world: &Ranks, code: u8) {
    for rank in 1..world.size() {
        send_message(world, rank, &Order::End { code });
    }
}

/// Any other rank: does what the first one says until that ends. The exit code.
pub fn follow(world: &Ranks) -> u8 {
    let stop = match Stop::on_signals() {
        Ok(stop) => stop,
        Err(error) => return failed(world, &error),
    };
    loop {
        let (_, message) = world.wait();
        match read_message(&message) {
            Order::TakePart(assignment) => match take_part(world, &assignment, &stop) {
                Ok(()) | Err(Error::Stopped(_)) => {}
                Err(error) => return failed(world, &error),
            },
            Order::End { code } => return code,
            // The first rank has ended the run already.
            Order::Stop => {}
            order @ (Order::Begin { .. } | Order::Over { .. }) => {
                unreachable!("{order:?} outside of a run")
            }
        }
    }
}

fn take_part(world: &Ranks, assignment: &Assignment, stop: &Stop) -> Result<()> {
    let stop = || stop.check();
    if assignment.request.command == Request::WALK_FORWARD {
        return walk_forward::take_part(world, assignment, &stop);
    }
    experiment::take_part(world, assignment, &stop)
}

/// Says why this rank has failed, unless the first one does meanwhile, which ends the job.
fn failed(world: &Ranks, error: &Error) -> u8 {
    std::thread::sleep(PATIENCE);
    note(&format!("deephedge: rank {}: {error}", world.rank()));
    error.exit_code()
}
