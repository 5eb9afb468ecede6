//! The queue of jobs, in the index. A job is a run folder that says what it asks for, waiting to be carried out.

use super::index::Index;
use super::progress;
use super::store;
use crate::error::{Error, Result};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// How far a job came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// The job waits.
    Queued,
    /// The job is carried out.
    Running,
    /// The job was stopped and can go on.
    Paused,
    /// The job was given up and can be taken up again.
    Cancelled,
    /// The server ended while the job ran.
    Interrupted,
    /// The job failed.
    Failed,
    /// The job is done.
    Finished,
}

impl JobState {
    const NAMES: [(Self, &str); 7] = [
        (Self::Queued, "queued"),
        (Self::Running, "running"),
        (Self::Paused, "paused"),
        (Self::Cancelled, "cancelled"),
        (Self::Interrupted, "interrupted"),
        (Self::Failed, "failed"),
        (Self::Finished, "finished"),
    ];

    /// The name in files and addresses.
    pub fn name(self) -> &'static str {
        let find = Self::NAMES.iter().find(|(state, _)| *state == self);
        find.map_or("failed", |(_, name)| name)
    }

    fn named(name: &str) -> Self {
        let find = Self::NAMES.iter().find(|(_, known)| *known == name);
        find.map_or(Self::Failed, |(state, _)| *state)
    }

    /// Whether it can be put into the queue again.
    pub fn can_resume(self) -> bool {
        !matches!(self, Self::Queued | Self::Running | Self::Finished)
    }
}

/// A job, named by its run.
#[derive(Debug, Clone)]
pub struct Job {
    /// The run that the job carries out.
    pub run: String,
    /// How far the job is.
    pub state: JobState,
    /// Times in RFC 3339.
    pub created: String,
    /// When the job was started last, in RFC 3339.
    pub started: Option<String>,
    /// When the job ended, in RFC 3339.
    pub ended: Option<String>,
    /// Why it failed.
    pub message: Option<String>,
}

const COLUMNS: &str = "run, state, created, started, ended, message";

fn job(row: &Row<'_>) -> rusqlite::Result<Job> {
    let state: String = row.get(1)?;
    Ok(Job {
        run: row.get(0)?,
        state: JobState::named(&state),
        created: row.get(2)?,
        started: row.get(3)?,
        ended: row.get(4)?,
        message: row.get(5)?,
    })
}

fn now() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

fn full(most: usize) -> Error {
    Error::input(format!("the queue is full: {most} jobs are waiting"))
}

fn waiting(database: &Connection) -> rusqlite::Result<i64> {
    database.query_row(
        "SELECT count(*) FROM jobs WHERE state = 'queued'",
        [],
        |row| row.get(0),
    )
}

impl Index {
    /// Whether another job may wait beside `most` others.
    ///
    /// # Errors
    /// [`Error::Input`] if `most` jobs are waiting; if the index cannot be read.
    pub fn check_room(&self, most: usize) -> Result<()> {
        let waiting = waiting(&self.database()).map_err(|error| self.failed(&error))?;
        if waiting < most as i64 {
            Ok(())
        } else {
            Err(full(most))
        }
    }

    /// Puts a run at the end of the queue, again if it was there before.
    ///
    /// # Errors
    /// [`Error::Input`] if `most` jobs are waiting; if the index cannot be written.
    pub fn enqueue(&self, run: &str, most: usize) -> Result<()> {
        let mut database = self.database();
        let mut write = || -> rusqlite::Result<bool> {
            let change = database.transaction()?;
            if waiting(&change)? >= most as i64 {
                return Ok(false);
            }
            change.execute(
                "INSERT INTO jobs (run, place, state, created)
                 VALUES (?1, (SELECT coalesce(max(place), 0) + 1 FROM jobs), 'queued', ?2)
                 ON CONFLICT (run) DO UPDATE SET
                     place = excluded.place, state = 'queued', ended = NULL, message = NULL",
                params![run, now()],
            )?;
            change.commit()?;
            Ok(true)
        };
        if write().map_err(|error| self.failed(&error))? {
            Ok(())
        } else {
            Err(full(most))
        }
    }

    /// The job that has waited longest, which is running from now on.
    ///
    /// # Errors
    /// If the index cannot be written.
    pub fn next_job(&self) -> Result<Option<Job>> {
        let database = self.database();
        // One statement, so that two servers never take the same job.
        let taken = database
            .query_row(
                &format!(
                    "UPDATE jobs SET state = 'running', started = ?1, ended = NULL, message = NULL
                     WHERE state = 'queued' AND place = (SELECT min(place) FROM jobs WHERE state = 'queued')
                     RETURNING {COLUMNS}"
                ),
                [now()],
                job,
            )
            .optional();
        taken.map_err(|error| self.failed(&error))
    }

    /// Changes the state of a job that is still in one of `from`; whether it was.
    ///
    /// # Errors
    /// If the index cannot be written.
    pub fn change_job(
        &self,
        run: &str,
        from: JobState,
        to: JobState,
        message: Option<&str>,
    ) -> Result<bool> {
        let database = self.database();
        let changed = database.execute(
            "UPDATE jobs SET state = ?3, ended = ?4, message = ?5 WHERE run = ?1 AND state = ?2",
            params![run, from.name(), to.name(), now(), message],
        );
        changed
            .map(|rows| rows > 0)
            .map_err(|error| self.failed(&error))
    }

    /// The job of that run.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn job(&self, run: &str) -> Result<Option<Job>> {
        let database = self.database();
        let found = database
            .query_row(
                &format!("SELECT {COLUMNS} FROM jobs WHERE run = ?1"),
                [run],
                job,
            )
            .optional();
        found
            .map(|job| job.map(|job| self.as_it_is(job)))
            .map_err(|error| self.failed(&error))
    }

    /// All jobs, those that were queued last first.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn jobs(&self) -> Result<Vec<Job>> {
        let database = self.database();
        let read = || -> rusqlite::Result<Vec<Job>> {
            let mut rows = database
                .prepare_cached(&format!("SELECT {COLUMNS} FROM jobs ORDER BY place DESC"))?;
            rows.query_map([], job)?.collect()
        };
        let jobs = read().map_err(|error| self.failed(&error))?;
        Ok(jobs.into_iter().map(|job| self.as_it_is(job)).collect())
    }

    /// A job that is said to run although its results are there, or no process works on it, ended with its server.
    fn as_it_is(&self, mut job: Job) -> Job {
        if job.state == JobState::Running
            && let Ok(folder) = store::open_exact(self.root(), &job.run)
            && !progress::is_running(&folder)
        {
            job.state = if folder.is_complete() {
                JobState::Finished
            } else {
                JobState::Interrupted
            };
        }
        job
    }
}
