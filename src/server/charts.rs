//! Charts of a run, its strategies on one path, and their hedge maps, as JSON.

use super::{Failure, Problem, Runs, blocking, find, missing};
use crate::charts::{self, Figure, Source};
use crate::error::Error;
use crate::experiment::replay::{HedgeMap, PathReplay, Replay};
use crate::report::palette::Palette;
use crate::report::summary::strategies;
use crate::runs::metrics::Metrics;
use crate::runs::store::{RunFolder, State as RunState};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path as Segment, Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

type Asked<T> = Result<Query<T>, QueryRejection>;

#[derive(Deserialize)]
pub struct ChartQuery {
    /// The statistic that the chart `statistics` shows.
    key: Option<String>,
}

/// One chart of a run.
pub async fn chart(
    State(root): Runs,
    Segment((id, name)): Segment<(String, String)>,
    query: Asked<ChartQuery>,
) -> Result<Json<Figure>, Failure> {
    let made = async {
        let key = asked(query)?.key;
        blocking(root, move |root| {
            let (folder, metrics) = complete(find(root, &id)?)?;
            let figure = Source::new(&folder, &metrics)?.draw(&name, key.as_deref())?;
            figure.ok_or_else(|| missing(format!("run `{id}` has no chart `{name}`")))
        })
        .await
    };
    made.await.map(Json).map_err(Failure::Json)
}

#[derive(Deserialize)]
pub struct PathQuery {
    #[serde(default)]
    path: usize,
}

#[derive(Serialize)]
pub struct PathAnswer {
    #[serde(flatten)]
    replay: PathReplay,
    figures: Vec<Figure>,
}

/// Every strategy of a run on one of its test paths, with charts of it.
pub async fn path(
    State(root): Runs,
    Segment(id): Segment<String>,
    query: Asked<PathQuery>,
) -> Result<Json<PathAnswer>, Failure> {
    let made = async {
        let index = asked(query)?.path;
        blocking(root, move |root| {
            let (folder, metrics) = complete(find(root, &id)?)?;
            let palette = Palette::new(strategies(&metrics));
            let replay = Replay::open(&folder, &metrics).and_then(|replay| replay.path(index));
            let replay = replay.map_err(refused)?;
            let figures = charts::path(&replay, &palette);
            Ok(PathAnswer { replay, figures })
        })
        .await
    };
    made.await.map(Json).map_err(Failure::Json)
}

#[derive(Deserialize)]
pub struct MapQuery {
    strategy: String,
}

#[derive(Serialize)]
pub struct MapAnswer {
    #[serde(flatten)]
    map: HedgeMap,
    figures: [Figure; 3],
}

/// The hedge ratio of a strategy over spot and time, beside Black–Scholes', with charts of both and of their difference.
pub async fn hedge_map(
    State(root): Runs,
    Segment(id): Segment<String>,
    query: Asked<MapQuery>,
) -> Result<Json<MapAnswer>, Failure> {
    let made = async {
        let strategy = asked(query)?.strategy;
        blocking(root, move |root| {
            let (folder, metrics) = complete(find(root, &id)?)?;
            let map =
                Replay::open(&folder, &metrics).and_then(|replay| replay.hedge_map(&strategy));
            let map = map.map_err(refused)?;
            let figures = charts::hedge_map(&map);
            Ok(MapAnswer { map, figures })
        })
        .await
    };
    made.await.map(Json).map_err(Failure::Json)
}

fn asked<T>(query: Asked<T>) -> Result<T, Problem> {
    let bad = |rejected: QueryRejection| bad_request(rejected.body_text());
    query.map(|Query(query)| query).map_err(bad)
}

fn bad_request(message: String) -> Problem {
    Problem {
        status: StatusCode::BAD_REQUEST,
        code: "bad_request",
        field: None,
        message,
    }
}

/// Input errors are the asker's, all others the server's.
fn refused(error: Error) -> Problem {
    if error.exit_code() == 2 {
        bad_request(error.to_string())
    } else {
        error.into()
    }
}

/// A run with its results, or why there are none.
pub fn complete(folder: RunFolder) -> Result<(RunFolder, Metrics), Problem> {
    match folder.state() {
        RunState::Complete(metrics) => Ok((folder, *metrics)),
        RunState::Incomplete => Err(Problem {
            status: StatusCode::CONFLICT,
            code: "incomplete",
            field: None,
            message: format!("run `{}` has no results yet", folder.id()),
        }),
        RunState::Unreadable(message) => Err(Problem {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            code: "unreadable",
            field: None,
            message,
        }),
    }
}
