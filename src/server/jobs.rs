//! Jobs over HTTP: what is asked for, validated before it waits.

use super::app::{App, find, off_thread};
use super::body::Body;
use super::data::job_data::{JobData, Located};
use super::described::{JOBS, Refusal};
use super::form::{Fields, rejected, strategy_text};
use super::job_view::{JobList, JobView};
use super::problem::{Problem, invalid, missing};
use super::queue::Refused;
use crate::error::{Error, excerpt};
use crate::experiment::{self, Prepared, Scope};
use crate::runs::progress;
use crate::runs::store;
use crate::strategy::{Plan, Strategy};
use crate::walk_forward;
use axum::Json;
use axum::extract::{Path as Segment, State};
use axum::http::StatusCode;
use serde::Deserialize;
use std::path::Path;
use utoipa::ToSchema;

/// What a job is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Train the strategy's optimizers and compare them with classical hedges.
    Compare,
    /// Train one optimizer.
    Train,
    /// Test the policies of a run on history.
    Backtest,
    /// Calibrate on a window of history, train, hedge what is sold after, roll.
    WalkForward,
}

/// A new job. `compare`, `train` and `walk_forward` need a `strategy` or `fields`, `backtest` a `run`, or one of these to backtest
/// classical hedges alone.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewJob {
    /// What the job does.
    pub command: Command,
    /// A strategy file (TOML).
    pub strategy: Option<String>,
    /// The strategy as values by dotted keys, as in the form.
    #[schema(value_type = Option<Object>)]
    pub fields: Option<Fields>,
    /// The optimizer to train; `kfac`, or else the first, unless given.
    pub optimizer: Option<String>,
    /// Number of seeds of a comparison, beginning with the strategy's; 1 unless given, at most 100.
    #[schema(minimum = 1, maximum = 100)]
    pub seeds: Option<u64>,
    /// Search each optimizer's settings first, from so many candidates: a power of two from 4 to 256.
    #[schema(minimum = 4, maximum = 256)]
    pub tune: Option<usize>,
    /// CVaR levels or risk aversions to train for too.
    pub frontier: Option<Vec<f64>>,
    /// The run whose policies are tested.
    pub run: Option<String>,
    /// Uploaded files to take the place of the strategy's, or of the run's.
    pub data: Option<JobData>,
}

impl NewJob {
    /// Makes the run folder.
    fn prepare(self, app: &App) -> Result<String, Problem> {
        let data = self.data.map(|data| data.located(app)).transpose()?;
        let history = if data.is_some() { "data" } else { "run" };
        let is_named = self.strategy.is_some() || self.fields.is_some();
        let plan = |data| plan(app, self.strategy, self.fields, data);
        let prepared = match self.command {
            Command::Backtest => {
                let (plan, run) = match self.run {
                    Some(run) => {
                        let folder = find(&app.root, &run)?;
                        let plan = experiment::plan_of(&folder, |strategy| {
                            if let Some(data) = data {
                                data.apply(strategy);
                            }
                        });
                        (plan.map_err(|error| rejected(error, "run"))?, Some(folder))
                    }
                    None if is_named => (plan(data)?, None),
                    None => return Err(invalid("run", "`run` is missing")),
                };
                Prepared::backtest_over(plan, run.as_ref(), &app.root)
                    .map_err(|error| rejected(error, history))?
            }
            Command::Compare => {
                let plan = plan(data)?;
                let scope = scope(&plan, self.seeds, self.tune, self.frontier)?;
                Prepared::comparison(&plan, &scope, &app.root)
                    .map_err(|error| rejected(error, "strategy"))?
            }
            Command::Train => {
                let plan = plan(data)?;
                let names: Vec<&str> = plan.optimizers.iter().map(|o| o.name.as_str()).collect();
                let optimizer = match &self.optimizer {
                    Some(name) if names.contains(&name.as_str()) => name.as_str(),
                    Some(name) => {
                        let names = names.join(", ");
                        let message = format!(
                            "`optimizer` must be one of {names}, was \"{}\"",
                            excerpt(name)
                        );
                        return Err(invalid("optimizer", message));
                    }
                    None => plan
                        .default_optimizer()
                        .ok_or_else(|| invalid("optimizers", "`optimizers` is missing"))?,
                };
                Prepared::training(&plan, optimizer, &app.root)
                    .map_err(|error| rejected(error, "strategy"))?
            }
            Command::WalkForward => {
                let plan = plan(data)?;
                if plan.backtest.is_none() {
                    return Err(invalid("backtest", "`backtest` is missing"));
                }
                let prepared = walk_forward::Prepared::new(plan, None, &app.root, None);
                let prepared = prepared.map_err(|error| rejected(error, "strategy"))?;
                return Ok(prepared.folder.id().to_owned());
            }
        };
        Ok(prepared.folder().id().to_owned())
    }
}

fn plan(
    app: &App,
    strategy: Option<String>,
    fields: Option<Fields>,
    data: Option<Located>,
) -> Result<Plan, Problem> {
    let text = strategy_text(strategy, fields)?;
    let find = |key: &str, file: &Path| app.data.find(key, file);
    let history = data.map(|data| |strategy: &mut Strategy| data.apply(strategy));
    let plan = Plan::parse_sent(&text, &find, history);
    plan.map_err(|error| rejected(error, "strategy"))
}

fn scope(
    plan: &Plan,
    seeds: Option<u64>,
    tune: Option<usize>,
    frontier: Option<Vec<f64>>,
) -> Result<Scope, Problem> {
    const MOST_SEEDS: u64 = 100;
    let seeds = seeds.unwrap_or(1);
    if !(1..=MOST_SEEDS).contains(&seeds) {
        let message = format!("`seeds` must be from 1 to {MOST_SEEDS}, was {seeds}");
        return Err(invalid("seeds", message));
    }
    let last = plan.seed.checked_add(seeds);
    let last = last.ok_or_else(|| invalid("seed", "`seed` is too large for as many seeds"))?;
    if let Some(count) = tune
        && !((4..=256).contains(&count) && count.is_power_of_two())
    {
        let message = format!("`tune` must be a power of two from 4 to 256, was {count}");
        return Err(invalid("tune", message));
    }
    let frontier = frontier.unwrap_or_default();
    for &parameter in &frontier {
        plan.risk
            .check_parameter("frontier", parameter)
            .map_err(|error| rejected(error, "frontier"))?;
    }
    Ok(Scope {
        seeds: (plan.seed..last).collect(),
        candidates: tune,
        frontier,
        shard: None,
    })
}

fn refused(run: &str, refused: Refused) -> Problem {
    match refused {
        Refused::Unknown => missing(format!("no job `{}`", excerpt(run))),
        Refused::State(state) => Problem {
            status: StatusCode::CONFLICT,
            code: "wrong_state",
            message: format!("job `{run}` is {state}"),
            field: None,
        },
        Refused::Failed(error) => queue_full(error),
    }
}

fn queue_full(error: Error) -> Problem {
    match error {
        Error::Input(message) => Problem {
            status: StatusCode::TOO_MANY_REQUESTS,
            code: "queue_full",
            message,
            field: None,
        },
        error => error.into(),
    }
}

/// The jobs of the queue and the runs that other processes carry out.
#[utoipa::path(get, path = "/api/v1/jobs", tag = JOBS, responses((status = 200, body = JobList)))]
pub async fn list(State(app): State<App>) -> Result<Json<JobList>, Problem> {
    let list = off_thread(move || JobList::of(&app));
    list.await.map(Json)
}

/// One job.
#[utoipa::path(get, path = "/api/v1/jobs/{id}", tag = JOBS,
    params(("id" = String, Path, description = "The run that the job carries out")),
    responses((status = 200, body = JobView), (status = 404, body = Refusal)))]
pub async fn show(
    State(app): State<App>,
    Segment(id): Segment<String>,
) -> Result<Json<JobView>, Problem> {
    let found = off_thread(move || JobView::of(&app, &id));
    found.await.map(Json)
}

/// Queues a job. Its run folder is made at once; what is wrong with the strategy is said at once too.
#[utoipa::path(post, path = "/api/v1/jobs", tag = JOBS, request_body = NewJob,
    responses((status = 202, body = JobView), (status = 400, body = Refusal), (status = 404, body = Refusal),
              (status = 413, body = Refusal), (status = 422, body = Refusal), (status = 429, body = Refusal)))]
pub async fn create(
    State(app): State<App>,
    Body(new): Body<NewJob>,
) -> Result<(StatusCode, Json<JobView>), Problem> {
    let made = off_thread(move || {
        app.queue.check_room().map_err(queue_full)?;
        let run = new.prepare(&app)?;
        app.queue.add(&run).map_err(|error| {
            // Best effort: the folder of a job that nobody will carry out.
            let _ = app.index.delete(&run);
            queue_full(error)
        })?;
        JobView::of(&app, &run)
    });
    made.await.map(|job| (StatusCode::ACCEPTED, Json(job)))
}

/// Stops a job at its next step, after a checkpoint; a waiting one leaves the queue. It can be resumed.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/pause", tag = JOBS,
    params(("id" = String, Path, description = "The run that the job carries out")),
    responses((status = 202, body = JobView), (status = 404, body = Refusal), (status = 409, body = Refusal)))]
pub async fn pause(
    app: State<App>,
    id: Segment<String>,
) -> Result<(StatusCode, Json<JobView>), Problem> {
    change(app, id, |app, run| app.queue.pause(run)).await
}

/// Puts a job that was paused, cancelled or interrupted, or failed, at the end of the queue. It goes on from its last
/// checkpoint.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/resume", tag = JOBS,
    params(("id" = String, Path, description = "The run that the job carries out")),
    responses((status = 202, body = JobView), (status = 404, body = Refusal), (status = 409, body = Refusal),
              (status = 429, body = Refusal)))]
pub async fn resume(
    app: State<App>,
    id: Segment<String>,
) -> Result<(StatusCode, Json<JobView>), Problem> {
    change(app, id, |app, run| {
        if app.index.job(run)?.is_none()
            && let Ok(folder) = store::open_exact(&app.root, run)
            && folder.request()?.is_some()
            && !folder.is_complete()
            && !progress::is_running(&folder)
        {
            // A run of the command line that was stopped becomes a job.
            return Ok(app.queue.add(run)?);
        }
        app.queue.resume(run)
    })
    .await
}

/// Stops a job, by force if it does not end within 20 seconds. It can be resumed from its last checkpoint.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/cancel", tag = JOBS,
    params(("id" = String, Path, description = "The run that the job carries out")),
    responses((status = 202, body = JobView), (status = 404, body = Refusal), (status = 409, body = Refusal)))]
pub async fn cancel(
    app: State<App>,
    id: Segment<String>,
) -> Result<(StatusCode, Json<JobView>), Problem> {
    change(app, id, |app, run| app.queue.cancel(run)).await
}

async fn change(
    State(app): State<App>,
    Segment(id): Segment<String>,
    change: impl FnOnce(&App, &str) -> Result<(), Refused> + Send + 'static,
) -> Result<(StatusCode, Json<JobView>), Problem> {
    let changed = off_thread(move || {
        change(&app, &id).map_err(|error| refused(&id, error))?;
        JobView::of(&app, &id)
    });
    changed.await.map(|job| (StatusCode::ACCEPTED, Json(job)))
}
