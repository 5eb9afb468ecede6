//! Jobs as they are shown.

use super::app::{App, find};
use super::problem::{Problem, missing};
use super::tails;
use crate::error::excerpt;
use crate::runs::index::Filter;
use crate::runs::progress::{self, Event};
use crate::runs::queue::{Job, JobState};
use crate::runs::store::{self, RunFolder};
use serde::Serialize;
use utoipa::ToSchema;

/// A job.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobView {
    /// The run that it carries out, which names the job too.
    pub run: String,
    /// What its strategy is called.
    pub name: Option<String>,
    /// `queued`, `running`, `paused`, `cancelled`, `interrupted`, `failed` or `finished`; `stopped` for a run of the
    /// command line that is none of these.
    pub state: &'static str,
    /// `queue`, or `command_line` for a run that another process carries out, or did.
    pub origin: &'static str,
    /// `compare`, `train`, `backtest` or `walk_forward`; absent for a run that cannot be a job.
    pub command: Option<String>,
    /// Its place among those that wait, from 1.
    pub position: Option<usize>,
    /// Trainings that are done, and all of them.
    pub trained: usize,
    /// All trainings of the run.
    pub trainings: usize,
    /// The share of the trainings that is done.
    pub progress: f64,
    /// The share of the measuring that is done, which follows the trainings; absent before.
    pub measured: Option<f64>,
    /// When it was queued first, started last, and ended, in RFC 3339.
    pub created: Option<String>,
    /// When it was started last, in RFC 3339.
    pub started: Option<String>,
    /// When it ended, in RFC 3339.
    pub ended: Option<String>,
    /// Why it failed.
    pub message: Option<String>,
}

/// All jobs, those that were queued last first.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobList {
    /// The jobs, those that were queued last first.
    pub jobs: Vec<JobView>,
}

impl JobList {
    /// The jobs of the queue and the runs that other processes carry out.
    pub fn of(app: &App) -> Result<Self, Problem> {
        let jobs = jobs(app)?;
        let running = Filter {
            state: Some("running".into()),
            ..Filter::default()
        };
        let others = app.index.list(&running)?;
        let mut views: Vec<JobView> = others
            .iter()
            .filter(|entry| jobs.iter().all(|job| job.run != entry.id))
            .map(|entry| JobView::new(app, &entry.id, "running"))
            .collect();
        views.extend(jobs.iter().map(|job| JobView::queued(app, job, &jobs)));
        Ok(Self { jobs: views })
    }
}

/// The queue, those that were queued last first.
fn jobs(app: &App) -> Result<Vec<Job>, Problem> {
    let jobs = app.index.jobs()?.into_iter();
    Ok(jobs.map(|job| app.queue.as_it_is(job)).collect())
}

impl JobView {
    /// The job of a run; of a run of the command line, what a job would be.
    pub fn of(app: &App, run: &str) -> Result<Self, Problem> {
        let jobs = jobs(app)?;
        if let Some(job) = jobs.iter().find(|job| job.run == run) {
            return Ok(Self::queued(app, job, &jobs));
        }
        let folder =
            find(&app.root, run).map_err(|_| missing(format!("no job `{}`", excerpt(run))))?;
        let state = match tails::state(&folder) {
            "complete" | "trained" => "finished",
            state => state,
        };
        Ok(Self::new(app, run, state))
    }

    fn queued(app: &App, job: &Job, jobs: &[Job]) -> Self {
        let waiting = |job: &Job| job.state == JobState::Queued;
        let before = jobs.iter().rev().take_while(|other| other.run != job.run);
        Self {
            origin: "queue",
            position: waiting(job).then(|| 1 + before.filter(|job| waiting(job)).count()),
            created: Some(job.created.clone()),
            started: job.started.clone(),
            ended: job.ended.clone(),
            message: job.message.clone(),
            ..Self::new(app, &job.run, job.state.name())
        }
    }

    fn new(app: &App, run: &str, state: &'static str) -> Self {
        let folder = store::open_exact(&app.root, run).ok();
        let request = folder.as_ref().and_then(|folder| folder.request().ok()?);
        let (trained, trainings) = folder
            .as_ref()
            .and_then(|folder| folder.trainings().ok()?)
            .unwrap_or_default();
        let newest = folder
            .as_ref()
            .and_then(|folder| progress::newest(folder).ok()?);
        let current = match &newest {
            Some(Event::Step { done, .. }) if trained < trainings && *done < 1.0 => *done,
            _ => 0.0,
        };
        let measured = match newest {
            Some(Event::Measuring) => Some(0.0),
            Some(Event::Measured { done, of }) => Some(done as f64 / of.max(1) as f64),
            _ => None,
        };
        Self {
            run: run.to_owned(),
            name: folder.as_ref().and_then(RunFolder::name),
            state,
            origin: "command_line",
            command: request.map(|request| request.command),
            position: None,
            trained,
            trainings,
            progress: if trainings == 0 {
                0.0
            } else {
                (trained as f64 + current) / trainings as f64
            },
            measured,
            created: None,
            started: None,
            ended: None,
            message: None,
        }
    }
}
