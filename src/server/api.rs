//! Runs as JSON.

use super::{Failure, Problem, Runs, blocking, find, missing};
use crate::report::summary::{Statistic, lines, main_level};
use crate::runs::metrics::{ExamplePath, Metrics};
use crate::runs::store::{self, State as RunState};
use axum::Json;
use axum::extract::{Path as Segment, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

/// One object per run, newest first.
pub async fn list(State(root): Runs) -> Result<Json<Value>, Failure> {
    let listed = blocking(root, |root| Ok(store::list(root)?)).await;
    let runs: Vec<Value> = listed
        .map_err(Failure::Json)?
        .iter()
        .map(|entry| {
            let id = entry.folder.id();
            match &entry.state {
                RunState::Complete(metrics) => summary(id, metrics),
                RunState::Incomplete => json!({"run": id, "state": "incomplete"}),
                RunState::Unreadable(why) => {
                    json!({"run": id, "state": "unreadable", "message": why})
                }
            }
        })
        .collect();
    Ok(Json(json!({"runs": runs})))
}

fn summary(id: &str, metrics: &Metrics) -> Value {
    let rows = if metrics.evaluation.is_empty() {
        &metrics.backtest
    } else {
        &metrics.evaluation
    };
    let cvar = Statistic::Cvar(main_level(metrics).to_owned());
    let strategies: Vec<Value> = lines(rows)
        .iter()
        .map(|line| {
            let estimate = line.estimate(&cvar);
            json!({
                "strategy": line.strategy,
                "cvar": estimate.map(|e| e.value),
                "cvar_standard_error": estimate.map(|e| e.standard_error),
            })
        })
        .collect();
    json!({
        "run": id,
        "state": "complete",
        "name": metrics.name,
        "command": metrics.command,
        "created": metrics.created,
        "risk": metrics.risk,
        "cvar_level": main_level(metrics),
        "strategies": strategies,
        "comparisons": metrics.comparisons,
    })
}

/// `metrics.json` of one run.
pub async fn metrics(
    State(root): Runs,
    Segment(id): Segment<String>,
) -> Result<Json<Metrics>, Failure> {
    let found = blocking(root, move |root| match find(root, &id)?.state() {
        RunState::Complete(metrics) => Ok(*metrics),
        RunState::Incomplete => Err(Problem {
            status: StatusCode::CONFLICT,
            code: "incomplete",
            message: format!("run `{id}` has no results yet"),
        }),
        RunState::Unreadable(message) => Err(Problem {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            code: "unreadable",
            message,
        }),
    });
    found.await.map(Json).map_err(Failure::Json)
}

/// `example_path.json` of one run.
pub async fn example_path(
    State(root): Runs,
    Segment(id): Segment<String>,
) -> Result<Json<ExamplePath>, Failure> {
    let found = blocking(root, move |root| {
        find(root, &id)?
            .example_path()?
            .ok_or_else(|| missing(format!("run `{id}` has no example path")))
    });
    found.await.map(Json).map_err(Failure::Json)
}
