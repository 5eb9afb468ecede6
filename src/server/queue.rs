//! Carries queued jobs out, one at a time, each in a process of its own.

use super::on_done;
use crate::error::{Error, Result};
use crate::program::Program;
use crate::runs::index::Index;
use crate::runs::queue::{Job, JobState};
use std::io::Write;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use tokio::sync::{Notify, watch};

/// Jobs that may wait.
const MOST_WAITING: usize = 16;
/// How long a process may take to write its checkpoint when it is asked to stop.
const PATIENCE: Duration = Duration::from_secs(20);
/// Exit code of a process that stopped because it was asked to.
const STOPPED: i32 = 3;

/// What the running job was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Pause,
    Cancel,
}

/// The queue and the job that runs.
pub struct Queue {
    index: Arc<Index>,
    /// The program that carries a run out as `job RUN --runs ROOT`.
    program: Program,
    /// What is run when a job has finished or failed.
    on_done: Option<String>,
    running: Mutex<Option<(String, watch::Sender<Option<Wish>>)>>,
    news: Notify,
}

/// Why a job cannot be changed as asked.
pub enum Refused {
    /// No such job.
    Unknown,
    /// Its state does not allow it.
    State(&'static str),
    /// The index could not be read or written.
    Failed(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Queue {
    /// The queue in the index, whose jobs `program` carries out.
    pub fn new(index: Arc<Index>, program: Program, on_done: Option<String>) -> Self {
        Self {
            index,
            program,
            on_done,
            running: Mutex::default(),
            news: Notify::new(),
        }
    }

    /// Whether another job may wait.
    ///
    /// # Errors
    /// [`Error::Input`] if the queue is full; if the index cannot be read.
    pub fn check_room(&self) -> Result<()> {
        self.index.check_room(MOST_WAITING)
    }

    /// Puts a run at the end of the queue.
    ///
    /// # Errors
    /// [`Error::Input`] if the queue is full; if the index cannot be written.
    pub fn add(&self, run: &str) -> Result<()> {
        self.index.enqueue(run, MOST_WAITING)?;
        self.news.notify_one();
        Ok(())
    }

    /// The job as it is: a job that has just been started has no lock on its folder yet, but it runs.
    pub fn as_it_is(&self, mut job: Job) -> Job {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.as_ref().is_some_and(|(run, _)| *run == job.run) {
            job.state = JobState::Running;
        }
        job
    }

    fn job(&self, run: &str) -> Result<Job, Refused> {
        let job = self.index.job(run)?.ok_or(Refused::Unknown)?;
        Ok(self.as_it_is(job))
    }

    /// Stops a job so that it can go on; a waiting one leaves the queue.
    ///
    /// # Errors
    /// If it neither waits nor runs here.
    pub fn pause(&self, run: &str) -> Result<(), Refused> {
        self.stop(run, Wish::Pause, JobState::Paused)
    }

    /// Stops a job for good, as far as anything is: it can be resumed from its last checkpoint.
    ///
    /// # Errors
    /// If it neither waits nor runs here, nor is paused.
    pub fn cancel(&self, run: &str) -> Result<(), Refused> {
        self.stop(run, Wish::Cancel, JobState::Cancelled)
    }

    fn stop(&self, run: &str, wish: Wish, state: JobState) -> Result<(), Refused> {
        let job = self.job(run)?;
        let change = |from| self.index.change_job(run, from, state, None);
        match job.state {
            JobState::Queued if change(JobState::Queued)? => return Ok(()),
            JobState::Paused if wish == Wish::Cancel && change(JobState::Paused)? => return Ok(()),
            // A job that waited a moment ago may run by now.
            JobState::Queued | JobState::Running => {}
            other => return Err(Refused::State(other.name())),
        }
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        match &*running {
            Some((current, wishes)) if current == run => {
                wishes.send_replace(Some(wish));
                Ok(())
            }
            _ => Err(Refused::State(job.state.name())),
        }
    }

    /// Puts a job that was stopped or failed into the queue again.
    ///
    /// # Errors
    /// If it waits, runs, or is finished; if the queue is full.
    pub fn resume(&self, run: &str) -> Result<(), Refused> {
        let job = self.job(run)?;
        if !job.state.can_resume() {
            return Err(Refused::State(job.state.name()));
        }
        Ok(self.add(run)?)
    }

    /// Carries jobs out until `ending` says so; the job that runs then is stopped, and can be resumed.
    pub async fn work(self: Arc<Self>, mut ending: watch::Receiver<bool>) {
        /// The index may be locked by another process for a while.
        const LATER: Duration = Duration::from_secs(1);
        while !*ending.borrow() {
            let next = {
                // Held until the job is known to run, so that it never seems interrupted in between.
                let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
                self.index.next_job().map(|job| {
                    job.map(|job| {
                        let (sender, wishes) = watch::channel(None);
                        *running = Some((job.run.clone(), sender));
                        (job.run, wishes)
                    })
                })
            };
            match next {
                Ok(Some((run, wishes))) => {
                    let (state, message) = self.carry_out(&run, wishes, ending.clone()).await;
                    // An index that cannot be written leaves a job that is shown as interrupted.
                    let _ =
                        self.index
                            .change_job(&run, JobState::Running, state, message.as_deref());
                    *self.running.lock().unwrap_or_else(PoisonError::into_inner) = None;
                    self.tell(&run, state);
                }
                Ok(None) => tokio::select! {
                    () = self.news.notified() => {}
                    _ = ending.wait_for(|ending| *ending) => {}
                },
                Err(_) => tokio::time::sleep(LATER).await,
            }
        }
    }

    /// Runs the operator's command about a job that has finished or failed, beside the queue.
    fn tell(&self, run: &str, state: JobState) {
        if let (Some(command), JobState::Finished | JobState::Failed) = (&self.on_done, state) {
            let folder = self.index.root().join(run);
            tokio::spawn(on_done::run(command.clone(), run.to_owned(), state, folder));
        }
    }

    async fn carry_out(
        &self,
        run: &str,
        wishes: watch::Receiver<Option<Wish>>,
        ending: watch::Receiver<bool>,
    ) -> (JobState, Option<String>) {
        let started = Command::from(self.program.command())
            .args(["job", run, "--runs"])
            .arg(self.index.root())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut child = match started {
            Ok(child) => child,
            Err(error) => {
                let message = format!("{}: {error}", self.program.file.display());
                return (JobState::Failed, Some(message));
            }
        };
        let errors = child.stderr.take();
        let said = tokio::spawn(async move {
            let mut said = Vec::new();
            if let Some(errors) = errors {
                const MOST: u64 = 64 << 10;
                let _ = errors.take(MOST).read_to_end(&mut said).await;
            }
            said
        });
        let (code, wish, ended) = supervise(&mut child, wishes, ending).await;
        let said = said.await.unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        match (code, wish) {
            (Some(0), _) => (JobState::Finished, None),
            (_, Some(Wish::Cancel)) => (JobState::Cancelled, None),
            (_, Some(Wish::Pause)) => (JobState::Paused, None),
            (Some(STOPPED), None) => (JobState::Interrupted, None),
            _ if ended => (JobState::Interrupted, None),
            (code, None) => {
                let reason = reason(&said).unwrap_or_else(|| {
                    // For whoever runs the server, and for nobody else.
                    let _ = writeln!(std::io::stderr(), "job {run}: {}", said.trim_end());
                    match code {
                        Some(code) => format!(
                            "the process ended with exit code {code}; the server's standard error says why"
                        ),
                        None => "the process was killed".to_owned(),
                    }
                });
                (JobState::Failed, Some(reason))
            }
        }
    }
}

/// Why a process failed, of what it wrote to standard error: its own message, or what the allocator said. What a panic
/// says is not for users.
fn reason(said: &str) -> Option<String> {
    let own = said
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("deephedge: "));
    let memory = said
        .lines()
        .find(|line| line.starts_with("memory allocation of "));
    own.or(memory).map(str::to_owned)
}

/// Waits for the process, and asks it to stop if that is wished or the server ends: by closing its standard input, then
/// by killing it. Its exit code, the wish, and whether the server ended.
async fn supervise(
    child: &mut Child,
    mut wishes: watch::Receiver<Option<Wish>>,
    mut ending: watch::Receiver<bool>,
) -> (Option<i32>, Option<Wish>, bool) {
    let code =
        |status: std::io::Result<std::process::ExitStatus>| status.ok().and_then(|s| s.code());
    let input = child.stdin.take();
    let ended = tokio::select! {
        status = child.wait() => return (code(status), None, false),
        _ = wishes.wait_for(Option::is_some) => false,
        _ = ending.wait_for(|ending| *ending) => true,
    };
    drop(input);
    let status = match tokio::time::timeout(PATIENCE, child.wait()).await {
        Ok(status) => code(status),
        Err(_) => {
            let _ = child.kill().await;
            None
        }
    };
    let wish = *wishes.borrow();
    (status, wish, ended)
}

#[cfg(test)]
mod tests {
    use super::reason;

    /// A failed job gives the message of the program, or what went wrong where it could not say it itself.
    #[test]
    fn a_failed_process_gives_its_reason() {
        for (said, expected) in [
            ("", None),
            (
                "warning\ndeephedge: `a` must be positive, was 0\n",
                Some("`a` must be positive, was 0"),
            ),
            (
                "\nthread 'main' panicked at src/a.rs:1:2:\ncapacity overflow\nstack backtrace:\n  0: f\nnote: run with\n",
                None,
            ),
            (
                "memory allocation of 8 bytes failed\n",
                Some("memory allocation of 8 bytes failed"),
            ),
        ] {
            assert_eq!(reason(said).as_deref(), expected);
        }
    }
}
