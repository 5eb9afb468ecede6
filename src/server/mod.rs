//! The dashboard: pages and JSON about the runs in one folder, for this machine only.

mod api;
mod assets;
mod charts;
mod compare;
mod guard;
mod pages;
mod walked;

use crate::error::{Error, Result};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the server listens unless told otherwise.
pub const DEFAULT_BIND: &str = "127.0.0.1:8080";

type Root = Arc<PathBuf>;

/// Serves the runs below `runs_root` until interrupted; `listening` is told the address once there is one.
///
/// # Errors
/// [`Error::Input`] if `bind` is not a loopback address or cannot be listened on,
/// [`Error::Computation`] if the server fails later.
pub async fn serve(
    bind: SocketAddr,
    runs_root: PathBuf,
    listening: impl FnOnce(SocketAddr),
) -> Result<()> {
    if !bind.ip().is_loopback() {
        return Err(Error::input(format!(
            "bind address {bind}: must be a loopback address (127.0.0.1 or [::1]), because the \
             server asks nobody who they are"
        )));
    }
    let listener = tokio::net::TcpListener::bind(bind)
        .await
        .map_err(|error| Error::input(format!("bind address {bind}: cannot listen: {error}")))?;
    let failed = |error: std::io::Error| Error::Computation(format!("server: {error}"));
    // Port 0 asks the system for a free one, so the address is told from the socket.
    let address = listener.local_addr().map_err(failed)?;
    listening(address);
    tokio::task::spawn_blocking(assets::prepare);
    axum::serve(listener, router(runs_root))
        .with_graceful_shutdown(async {
            // Without a signal handler the server would only stop by being killed.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        })
        .await
        .map_err(failed)
}

/// The routes of the server with their guards.
pub fn router(runs_root: PathBuf) -> Router {
    Router::new()
        .route("/", get(pages::list))
        .route("/runs/{id}", get(pages::run))
        .route("/runs/{id}/report.html", get(pages::report))
        .route("/runs/{id}/figures/{name}", get(pages::figure))
        .route("/api/runs", get(api::list))
        .route("/api/runs/{id}", get(api::metrics))
        .route("/api/runs/{id}/example_path", get(api::example_path))
        .route("/api/v1/runs/{id}/charts/{name}", get(charts::chart))
        .route("/api/v1/runs/{id}/paths", get(charts::path))
        .route("/api/v1/runs/{id}/hedge_map", get(charts::hedge_map))
        .route("/compare", get(compare::page))
        .route("/api/v1/charts/{name}", get(compare::chart_of_runs))
        .route("/assets/{version}/{name}", get(assets::serve))
        .fallback(nowhere)
        .layer(axum::middleware::from_fn(guard::guard))
        .with_state(Arc::new(runs_root))
}

async fn nowhere(uri: Uri) -> Failure {
    let problem = missing(format!("nothing at `{}`", uri.path()));
    if uri.path().starts_with("/api/") {
        Failure::json(problem)
    } else {
        Failure::page(problem)
    }
}

/// What went wrong with a request.
#[derive(Debug)]
struct Problem {
    status: StatusCode,
    code: &'static str,
    message: String,
}

fn missing(message: String) -> Problem {
    Problem {
        status: StatusCode::NOT_FOUND,
        code: "not_found",
        message,
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            code: "failed",
            message: error.to_string(),
        }
    }
}

/// A problem in the form that the asker reads.
enum Failure {
    Json(Problem),
    Page(Problem),
}

impl Failure {
    fn json(problem: impl Into<Problem>) -> Self {
        Self::Json(problem.into())
    }

    fn page(problem: impl Into<Problem>) -> Self {
        Self::Page(problem.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Json(problem) => {
                let error = json!({"code": problem.code, "message": problem.message});
                (problem.status, axum::Json(json!({"error": error}))).into_response()
            }
            Self::Page(problem) => {
                let page = pages::problem(problem.status, &problem.message);
                (problem.status, axum::response::Html(page)).into_response()
            }
        }
    }
}

/// Runs file work off the threads that answer requests.
async fn blocking<T: Send + 'static>(
    root: Root,
    work: impl FnOnce(&Path) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(move || work(&root))
        .await
        .unwrap_or_else(|error| {
            Err(Problem {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                code: "failed",
                message: format!("the request could not be answered: {error}"),
            })
        })
}

/// The run with exactly this id; anything else, also ids that are no ids, is not there.
fn find(root: &Path, id: &str) -> Result<crate::runs::store::RunFolder, Problem> {
    crate::runs::store::open_exact(root, id).map_err(|_| missing(format!("no run `{id}`")))
}

type Runs = State<Root>;

#[cfg(test)]
mod tests;
