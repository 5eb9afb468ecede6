//! Runs as JSON.

use super::answer::{JSON, answer, json as as_json};
use super::app::{App, Root, blocking, find, off_thread};
use super::body::Body;
use super::charts::{complete, no_results};
use super::described::{RUNS, Refusal};
use super::pages::{JudgedQuery, judged};
use super::problem::{Problem, invalid, missing};
use super::tails;
use crate::error::{Error, excerpt};
use crate::report::verdict::{Asked, RunVerdict};
use crate::runs::export;
use crate::runs::index::{Entry, Filter, Order};
use crate::runs::metrics::{ExamplePath, Metrics};
use axum::Json;
use axum::extract::{Path as Segment, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

/// Which runs, and which part of their list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Page, from 1.
    #[param(minimum = 1)]
    page: Option<usize>,
    /// Runs of a page, at most 500; 50 unless given.
    #[param(minimum = 1, maximum = 500)]
    per_page: Option<usize>,
    /// Only runs with this tag.
    tag: Option<String>,
    /// Only runs in this state.
    #[param(inline)]
    state: Option<Stage>,
    /// Only runs with all of this, separated by commas: words that the id or the name contains, and conditions on keys of the
    /// strategy or on results, such as `market.model = heston`, `training.steps >= 300` or `results.cvar < 2`.
    search: Option<String>,
    /// `made`, `name`, `variance`, `cost`, `sharpe`, `cvar` or a key of the strategy; `made` unless given.
    sort: Option<String>,
    /// From the least to the greatest unless given; from the newest to the oldest if nothing is sorted by.
    #[param(inline)]
    order: Option<Direction>,
}

/// Which end of a sorted list comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The least comes first.
    Ascending,
    /// The greatest comes first.
    Descending,
}

/// How far a run came.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The run has results.
    Complete,
    /// The run goes on.
    Running,
    /// The run waits in the queue.
    Queued,
    /// The run is a shard that has all its trainings, and waits to be merged with the others.
    Trained,
    /// The run was stopped and can go on.
    Stopped,
    /// A file of the run is damaged.
    Unreadable,
}

impl Stage {
    /// Every stage.
    pub const ALL: [Self; 6] = [
        Self::Complete,
        Self::Running,
        Self::Queued,
        Self::Trained,
        Self::Stopped,
        Self::Unreadable,
    ];

    /// The name in files and addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Running => "running",
            Self::Queued => "queued",
            Self::Trained => "trained",
            Self::Stopped => "stopped",
            Self::Unreadable => "unreadable",
        }
    }
}

/// One page of the list of runs.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunList {
    #[schema(value_type = Vec<Object>)]
    runs: Vec<Value>,
    page: usize,
    per_page: usize,
    /// Runs on all pages.
    total: usize,
}

const PER_PAGE: usize = 50;
const MOST_PER_PAGE: usize = 500;

/// The runs, newest first unless sorted otherwise: state, tags and note of each, and of a complete one the CVaR of every strategy and the changes
/// against the baseline; of a shard its number, and how many of its trainings are done.
#[utoipa::path(get, path = "/api/v1/runs", tag = RUNS, params(ListQuery),
    responses((status = 200, body = RunList), (status = 422, body = Refusal)))]
pub async fn list(
    State(app): State<App>,
    Query(query): Query<ListQuery>,
) -> Result<Json<RunList>, Problem> {
    let (page, per_page) = (query.page.unwrap_or(1), query.per_page.unwrap_or(PER_PAGE));
    if page == 0 {
        return Err(invalid("page", "`page` must be at least 1, was 0"));
    }
    if !(1..=MOST_PER_PAGE).contains(&per_page) {
        let message = format!("`per_page` must be from 1 to {MOST_PER_PAGE}, was {per_page}");
        return Err(invalid("per_page", message));
    }
    let filter = Filter {
        tag: query.tag,
        state: query.state.map(|state| state.name().to_owned()),
        search: query.search,
    };
    let order = match (query.sort, query.order) {
        (None, None) => Order::default(),
        (by, direction) => Order {
            by: by.unwrap_or(Order::default().by),
            descending: direction == Some(Direction::Descending),
        },
    };
    let first = (page - 1).saturating_mul(per_page);
    let places = first..first.saturating_add(per_page);
    let listed = off_thread(move || match app.index.page(&filter, &order, places) {
        Err(error @ Error::Setting(_)) => {
            let field = error.at_key().unwrap_or_default();
            Err(invalid(field, error.to_string()))
        }
        listed => Ok(listed?),
    });
    let listed = listed.await?;
    Ok(Json(RunList {
        runs: listed.entries.iter().map(self::listed).collect(),
        page,
        per_page,
        total: listed.total,
    }))
}

fn listed(entry: &Entry) -> Value {
    let mut run =
        json!({ "run": entry.id, "state": entry.state, "tags": entry.tags, "note": entry.note });
    if let Some(share) = entry.share {
        run["trained"] = share.trained.into();
        run["trainings"] = share.trainings.into();
    }
    match &entry.summary {
        Value::Object(summary) => {
            for (key, value) in summary {
                run[key] = value.clone();
            }
        }
        Value::String(why) => run["message"] = why.clone().into(),
        _ => {}
    }
    run
}

/// The results of a run, and what they say.
#[derive(Debug, Serialize, ToSchema)]
pub struct Judged {
    /// The contents of `metrics.json`; where another baseline is asked for, the comparisons are those against it.
    #[serde(flatten)]
    metrics: Metrics,
    /// What was hedged, one sentence, and two strategies with their difference on every kind of paths; absent where the run has
    /// results of fewer than two strategies.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<RunVerdict>,
}

/// `metrics.json` of one run, with its verdict.
#[utoipa::path(get, path = "/api/v1/runs/{id}", tag = RUNS,
    params(("id" = String, Path, description = "Run"), JudgedQuery),
    responses((status = 200, body = Judged), (status = 404, body = Refusal),
              (status = 409, description = "No results yet", body = Refusal),
              (status = 422, description = "No such strategy", body = Refusal)))]
pub async fn metrics(
    State(app): State<App>,
    Segment(id): Segment<String>,
    Query(asked): Query<JudgedQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asked = Asked::from(asked);
    let what = (format!("metrics {}", asked.key()), JSON);
    let ids = [id.as_str()];
    let made = answer(&app, &headers, what, &ids, move |folders| {
        let (_, metrics) = complete(&folders[0])?;
        let (metrics, verdict) = judged(&folders[0], metrics, &asked)?;
        as_json(&Judged { metrics, verdict })
    });
    made.await
}

/// Tags and note of a run; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    /// At most 20, each of 1 to 40 characters.
    #[schema(max_items = 20)]
    tags: Option<Vec<String>>,
    /// At most 4,000 characters.
    #[schema(max_length = 4000)]
    note: Option<String>,
}

impl Labels {
    const MOST_TAGS: usize = 20;
    const LONGEST_TAG: usize = 40;
    const LONGEST_NOTE: usize = 4000;

    fn check(&self) -> Result<(), Problem> {
        let tags = self.tags.as_deref().unwrap_or_default();
        if tags.len() > Self::MOST_TAGS {
            let message = format!(
                "`tags` must be at most {}, were {}",
                Self::MOST_TAGS,
                tags.len()
            );
            return Err(invalid("tags", message));
        }
        let plain = |tag: &String| {
            (1..=Self::LONGEST_TAG).contains(&tag.chars().count())
                && tag.trim() == tag
                && !tag.contains(char::is_control)
        };
        if let Some(tag) = tags.iter().find(|tag| !plain(tag)) {
            let most = Self::LONGEST_TAG;
            let message = format!(
                "`tags` must have 1 to {most} printable characters each, was \"{}\"",
                excerpt(tag)
            );
            return Err(invalid("tags", message));
        }
        let length = self.note.as_ref().map_or(0, |note| note.chars().count());
        if length > Self::LONGEST_NOTE {
            let most = Self::LONGEST_NOTE;
            return Err(invalid(
                "note",
                format!("`note` must have at most {most} characters, had {length}"),
            ));
        }
        Ok(())
    }
}

/// The labels of a run.
#[derive(Debug, Serialize, ToSchema)]
pub struct Labelled {
    run: String,
    tags: Vec<String>,
    note: String,
}

/// Tags and note of a run.
#[utoipa::path(get, path = "/api/v1/runs/{id}/labels", tag = RUNS, params(("id" = String, Path, description = "Run")),
    responses((status = 200, body = Labelled), (status = 404, body = Refusal)))]
pub async fn labels(
    State(app): State<App>,
    Segment(id): Segment<String>,
) -> Result<Json<Labelled>, Problem> {
    let read = off_thread(move || {
        find(&app.root, &id)?;
        labelled(&app, id)
    });
    read.await.map(Json)
}

fn labelled(app: &App, run: String) -> Result<Labelled, Problem> {
    let (tags, note) = app.index.labels(&run)?;
    Ok(Labelled { run, tags, note })
}

/// Changes tags and note of a run.
#[utoipa::path(patch, path = "/api/v1/runs/{id}", tag = RUNS, params(("id" = String, Path, description = "Run")),
    request_body = Labels, responses((status = 200, body = Labelled), (status = 404, body = Refusal),
    (status = 422, body = Refusal)))]
pub async fn label(
    State(app): State<App>,
    Segment(id): Segment<String>,
    Body(labels): Body<Labels>,
) -> Result<Json<Labelled>, Problem> {
    let changed = off_thread(move || {
        find(&app.root, &id)?;
        labels.check()?;
        app.index
            .label(&id, labels.tags.as_deref(), labels.note.as_deref())?;
        labelled(&app, id)
    });
    changed.await.map(Json)
}

/// Deletes a run, with its tags and its note.
#[utoipa::path(delete, path = "/api/v1/runs/{id}", tag = RUNS, params(("id" = String, Path, description = "Run")),
    responses((status = 204), (status = 404, body = Refusal), (status = 409, description = "It is queued or running", body = Refusal)))]
pub async fn delete(
    State(app): State<App>,
    Segment(id): Segment<String>,
) -> Result<StatusCode, Problem> {
    let deleted = off_thread(move || {
        let folder = find(&app.root, &id)?;
        let job = app
            .index
            .job(&id)?
            .map(|job| app.queue.as_it_is(job).state.name());
        let busy = match job {
            Some(state @ ("queued" | "running")) => Some(state),
            _ => (tails::state(&folder) == "running").then_some("running"),
        };
        if let Some(state) = busy {
            return Err(Problem {
                status: StatusCode::CONFLICT,
                code: "wrong_state",
                message: format!("run `{id}` is {state}"),
                field: None,
            });
        }
        Ok(app.index.delete(&id)?)
    });
    deleted.await.map(|()| StatusCode::NO_CONTENT)
}

/// `example_path.json` of one run.
#[utoipa::path(get, path = "/api/v1/runs/{id}/example_path", tag = RUNS,
    params(("id" = String, Path, description = "Run")),
    responses((status = 200, body = ExamplePath), (status = 404, body = Refusal)))]
pub async fn example_path(
    State(root): State<Root>,
    Segment(id): Segment<String>,
) -> Result<Json<ExamplePath>, Problem> {
    let found = blocking(root, move |root| {
        find(root, &id)?
            .example_path()?
            .ok_or_else(|| missing(format!("run `{id}` has no example path")))
    });
    found.await.map(Json)
}

/// A table of a run: `evaluation` (one row a path and strategy), `backtest`, `daily` (one a day and strategy),
/// `contract_days` (one a contract, day and strategy), `worst_contracts` (the worst alone, with what was held), `trades` (one a contract and strategy), `crossed`, `results`, `backtest_results`, `backtest_breakdown`, `comparisons`, `backtest_comparisons`, `lengths`,
/// `frontier`, `tuning` or `training` (one a step), as CSV or Parquet.
#[utoipa::path(get, path = "/api/v1/runs/{id}/tables/{file}", tag = RUNS,
    params(("id" = String, Path, description = "Run"),
           ("file" = String, Path, description = "Name of the table with `.csv` or `.parquet`", example = "results.csv")),
    responses((status = 200, content_type = "text/csv", body = String),
              (status = 404, body = Refusal), (status = 409, body = Refusal)))]
pub async fn table(
    State(root): State<Root>,
    Segment((id, file)): Segment<(String, String)>,
) -> Result<Response, Problem> {
    let made = blocking(root, move |root| {
        let folder = find(root, &id)?;
        let none = || missing(format!("run `{id}` has no table `{}`", excerpt(&file)));
        let (name, format) = file.rsplit_once('.').ok_or_else(none)?;
        let format = export::Format::named(format).ok_or_else(none)?;
        let table = export::named(name).ok_or_else(none)?;
        if !folder.is_complete() {
            return Err(no_results(&folder));
        }
        let bytes = table.read(&folder, format)?.ok_or_else(none)?;
        let headers = [
            (header::CONTENT_TYPE, format.content_type().to_owned()),
            (
                header::CONTENT_DISPOSITION,
                format!("attachment; filename=\"{id}-{file}\""),
            ),
        ];
        Ok((headers, bytes).into_response())
    });
    made.await
}
