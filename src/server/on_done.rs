//! `serve --on-done`: the operator's command, which is told of a job that has finished or failed.

use crate::runs::queue::JobState;
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// How long the command may take.
const LONGEST: Duration = Duration::from_secs(60);

/// Runs `command` in a shell, with the job, its state and the folder of its run in the environment variables DEEPHEDGE_JOB,
/// DEEPHEDGE_STATE and DEEPHEDGE_RUN. What it writes to standard error is the server's; that it fails is said there.
///
/// Nothing that users write becomes a part of the command: the id of a run is made of letters, digits and `-`.
pub async fn run(command: String, job: String, state: JobState, folder: PathBuf) {
    let (shell, option) = if cfg!(windows) {
        ("cmd", "/C")
    } else {
        ("sh", "-c")
    };
    let folder = std::path::absolute(&folder).unwrap_or(folder);
    let started = Command::new(shell)
        .args([option, &command])
        .env("DEEPHEDGE_JOB", &job)
        .env("DEEPHEDGE_STATE", state.name())
        .env("DEEPHEDGE_RUN", folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    let failed = match started {
        Err(error) => Some(error.to_string()),
        Ok(mut child) => match tokio::time::timeout(LONGEST, child.wait()).await {
            Ok(Ok(status)) if status.success() => None,
            Ok(Ok(status)) => Some(status.to_string()),
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some(format!("killed after {} seconds", LONGEST.as_secs())),
        },
    };
    if let Some(why) = failed {
        let _ = writeln!(std::io::stderr(), "--on-done: job {job}: {why}");
    }
}
