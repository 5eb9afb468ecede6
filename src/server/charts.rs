//! Charts of a run, its strategies on one path, and their hedge maps, as JSON.

use super::answer::{JSON, answer, json};
use super::app::App;
use super::described::{RUNS, Refusal};
use super::problem::{Problem, missing};
use crate::charts::{self, ChartName, Figure, RunData};
use crate::error::{Error, excerpt};
use crate::experiment::replay::{HedgeMap, PathReplay, Replay};
use crate::report::palette::Palette;
use crate::report::summary::strategies;
use crate::runs::metrics::Metrics;
use crate::runs::store::{RunFolder, State as RunState};
use axum::extract::{Path as Segment, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Answers in JSON with what `make` makes of a run that has its results, as [`answer`] does.
pub async fn of_results(
    app: &App,
    asked: &HeaderMap,
    what: String,
    id: &str,
    make: impl FnOnce(&RunFolder, &Metrics) -> Result<Vec<u8>, Problem> + Send + 'static,
) -> Result<Response, Problem> {
    answer(app, asked, (what, JSON), &[id], move |folders| {
        let (folder, metrics) = complete(&folders[0])?;
        make(folder, &metrics)
    })
    .await
}

/// What a chart shows one of.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ChartQuery {
    /// What the chart shows one of: the statistic of `statistics`, the smoothing of `loss_steps`, the baseline of `pnl_difference`
    /// and of `relative_pnl`, the strategy of `monthly_pnl` or two of them with ` less ` between; the first one that the page offers
    /// unless given.
    key: Option<String>,
}

/// A chart of a run.
#[utoipa::path(get, path = "/api/v1/runs/{id}/charts/{name}", tag = RUNS,
    params(("id" = String, Path, description = "Run"), ("name" = inline(ChartName), Path, description = "Chart"), ChartQuery),
    responses((status = 200, body = Figure), (status = 404, body = Refusal),
              (status = 409, description = "No results yet", body = Refusal)))]
pub async fn chart(
    State(app): State<App>,
    Segment((id, name)): Segment<(String, String)>,
    Query(query): Query<ChartQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let what = format!("chart {name} {}", query.key.as_deref().unwrap_or_default());
    of_results(&app, &headers, what, &id, move |folder, metrics| {
        let none = || {
            missing(format!(
                "run `{}` has no chart `{}`",
                folder.id(),
                excerpt(&name)
            ))
        };
        let chart = charts::named(&name).ok_or_else(none)?;
        let figure = (chart.draw)(&RunData::new(folder, metrics)?, query.key.as_deref())?;
        json(&figure.ok_or_else(none)?)
    })
    .await
}

/// Which test path is shown.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PathQuery {
    /// Number of the path, from 0.
    #[serde(default)]
    #[param(maximum = 4294967295u32)]
    path: u32,
}

/// Every strategy on one path, and charts of spot, volatility, positions, trades, costs and P&L.
#[derive(Debug, Serialize, ToSchema)]
pub struct PathAnswer {
    #[serde(flatten)]
    replay: PathReplay,
    figures: Vec<Figure>,
}

/// Every strategy of a run on one of its test paths, with charts of it.
#[utoipa::path(get, path = "/api/v1/runs/{id}/paths", tag = RUNS,
    params(("id" = String, Path, description = "Run"), PathQuery),
    responses((status = 200, body = PathAnswer), (status = 400, body = Refusal), (status = 404, body = Refusal),
              (status = 409, description = "No results yet", body = Refusal)))]
pub async fn path(
    State(app): State<App>,
    Segment(id): Segment<String>,
    Query(query): Query<PathQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let what = format!("path {}", query.path);
    of_results(&app, &headers, what, &id, move |folder, metrics| {
        let palette = Palette::new(strategies(metrics));
        let replay = Replay::open(folder, metrics)?;
        let replay = replay.path(query.path as usize).map_err(refused)?;
        let figures = charts::path(&replay, &palette);
        json(&PathAnswer { replay, figures })
    })
    .await
}

/// Whose hedge map is shown.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MapQuery {
    /// A strategy of the run.
    strategy: String,
}

/// A hedge map, and charts of the ratio, of Black–Scholes' and of their difference.
#[derive(Debug, Serialize, ToSchema)]
pub struct MapAnswer {
    #[serde(flatten)]
    map: HedgeMap,
    figures: Vec<Figure>,
}

/// The hedge ratio of a strategy over spot and time, beside Black–Scholes', with charts of both and of their difference.
#[utoipa::path(get, path = "/api/v1/runs/{id}/hedge_map", tag = RUNS,
    params(("id" = String, Path, description = "Run"), MapQuery),
    responses((status = 200, body = MapAnswer), (status = 400, body = Refusal), (status = 404, body = Refusal),
              (status = 409, description = "No results yet", body = Refusal)))]
pub async fn hedge_map(
    State(app): State<App>,
    Segment(id): Segment<String>,
    Query(query): Query<MapQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let what = format!("hedge map {}", query.strategy);
    of_results(&app, &headers, what, &id, move |folder, metrics| {
        let replay = Replay::open(folder, metrics)?;
        let map = replay.hedge_map(&query.strategy).map_err(refused)?;
        let figures = charts::hedge_map(&map).into();
        json(&MapAnswer { map, figures })
    })
    .await
}

/// Why a question cannot be answered: the fault of a parameter, whose name is `field`.
pub fn bad_request(field: Option<&str>, message: String) -> Problem {
    Problem {
        status: StatusCode::BAD_REQUEST,
        code: "bad_request",
        field: field.map(str::to_owned),
        message,
    }
}

/// Input errors are the asker's, all others the server's.
fn refused(error: Error) -> Problem {
    match error.exit_code() {
        2 => bad_request(error.at_key(), error.to_string()),
        _ => error.into(),
    }
}

/// A run with its results, or why there are none.
pub fn complete(folder: &RunFolder) -> Result<(&RunFolder, Metrics), Problem> {
    match folder.state() {
        RunState::Complete(metrics) => Ok((folder, *metrics)),
        RunState::Incomplete => Err(no_results(folder)),
        RunState::Unreadable(message) => Err(Problem {
            status: StatusCode::CONFLICT,
            code: "unreadable",
            field: None,
            message,
        }),
    }
}

/// The refusal of what a run without results does not have.
pub fn no_results(folder: &RunFolder) -> Problem {
    Problem {
        status: StatusCode::CONFLICT,
        code: "incomplete",
        field: None,
        message: folder.without_results(),
    }
}
