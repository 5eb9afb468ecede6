//! What the state of a run is called, in the same words on every page and in the terminal.

use super::progress::{self, Event};
use super::queue::JobState;
use super::store::RunFolder;

/// The word for a state as files and the API name it: what has results is finished, and what is queued waits.
pub fn word(state: &'static str) -> &'static str {
    match state {
        "complete" => "finished",
        "queued" => "waiting",
        other => other,
    }
}

/// The word for a run without results: that of its job, if it is one, and otherwise that it failed or was stopped.
pub fn unfinished(folder: &RunFolder, job: Option<JobState>) -> &'static str {
    match job {
        Some(JobState::Queued) => "waiting",
        Some(JobState::Paused) => "paused",
        Some(JobState::Cancelled) => "cancelled",
        Some(JobState::Running) => "running",
        Some(JobState::Interrupted) => "interrupted",
        Some(JobState::Failed) => "failed",
        Some(JobState::Finished) | None => match progress::newest(folder) {
            Ok(Some(Event::Failed { .. })) => "failed",
            Ok(_) | Err(_) => "stopped",
        },
    }
}
