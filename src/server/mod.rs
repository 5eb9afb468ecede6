//! The dashboard: pages, JSON and events about the runs in one folder, and jobs that make runs.

pub mod access;
mod api;
mod assets;
mod body;
mod cache;
mod charts;
mod compare;
mod events;
mod files;
mod form;
mod guard;
mod job_page;
mod job_view;
mod jobs;
mod list;
mod live;
mod openapi;
mod pages;
mod queue;
mod walked;

use crate::error::{Error, Result};
use crate::runs::index::Index;
pub use api::summary;

use access::Access;
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use queue::Queue;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Where the server listens unless told otherwise.
pub const DEFAULT_BIND: &str = "127.0.0.1:8080";

/// Greatest body of a request, an uploaded strategy file among them.
const MOST_BYTES: usize = 1 << 20;

type Root = Arc<PathBuf>;

/// What the handlers share.
#[derive(Clone)]
pub struct App {
    root: Root,
    index: Arc<Index>,
    queue: Arc<Queue>,
    tails: Arc<events::Tails>,
    access: Arc<Access>,
    cache: Arc<cache::Cache>,
    /// True once the server is asked to end.
    ending: watch::Receiver<bool>,
    end: Arc<watch::Sender<bool>>,
}

impl FromRef<App> for Root {
    fn from_ref(app: &App) -> Self {
        app.root.clone()
    }
}

impl App {
    /// The runs under `root`; jobs are carried out by `program`.
    ///
    /// # Errors
    /// Those of [`Index::open`].
    pub fn new(root: PathBuf, program: PathBuf, access: Access) -> Result<Self> {
        let index = Arc::new(Index::open(&root, summary)?);
        let (end, ending) = watch::channel(false);
        Ok(Self {
            root: Arc::new(root),
            queue: Arc::new(Queue::new(index.clone(), program)),
            index,
            tails: Arc::default(),
            access: Arc::new(access),
            cache: Arc::default(),
            ending,
            end: Arc::new(end),
        })
    }
}

/// Serves the runs below `runs_root` until interrupted; `listening` is told the address once there is one. At its end
/// streams of events end, and the job that runs is stopped so that it can be resumed.
///
/// # Errors
/// [`Error::Input`] if `bind` is not a loopback address and no token is asked for, if it cannot be listened on, or if
/// the index is at fault; [`Error::Computation`] if the server fails later.
pub async fn serve(
    bind: SocketAddr,
    runs_root: PathBuf,
    access: Access,
    listening: impl FnOnce(SocketAddr),
) -> Result<()> {
    if !bind.ip().is_loopback() && !access.asks() {
        return Err(Error::input(format!(
            "bind address {bind}: must be a loopback address (127.0.0.1 or [::1]), unless a token is asked for with \
             --token-file or DEEPHEDGE_TOKEN"
        )));
    }
    let failed = |error: std::io::Error| Error::Computation(format!("server: {error}"));
    let program = std::env::current_exe().map_err(failed)?;
    let app = App::new(runs_root, program, access)?;
    let listener = tokio::net::TcpListener::bind(bind)
        .await
        .map_err(|error| Error::input(format!("bind address {bind}: cannot listen: {error}")))?;
    // Port 0 asks the system for a free one, so the address is told from the socket.
    let address = listener.local_addr().map_err(failed)?;
    listening(address);
    tokio::task::spawn_blocking(assets::prepare);
    let jobs = tokio::spawn(app.queue.clone().work(app.ending.clone()));
    let mut ending = app.ending.clone();
    let end = app.end.clone();
    tokio::spawn(async move {
        asked_to_end().await;
        end.send_replace(true);
    });
    let served = axum::serve(listener, router(app)).with_graceful_shutdown({
        let mut ending = ending.clone();
        async move {
            let _ = ending.wait_for(|ending| *ending).await;
        }
    });
    let served = async { served.await.map_err(failed) };
    tokio::select! {
        result = served => result?,
        // Connections that do not end by themselves are closed.
        () = async {
            let _ = ending.wait_for(|ending| *ending).await;
            tokio::time::sleep(LAST_ANSWERS).await;
        } => {}
    }
    let _ = jobs.await;
    Ok(())
}

/// How long answers under way may take at the end of the server.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// Waits for SIGINT or SIGTERM.
async fn asked_to_end() {
    let interrupted = async {
        // Without a signal handler the server would only stop by being killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = interrupted => {}
        () = terminated => {}
    }
}

/// The routes of the server with their guards.
pub fn router(app: App) -> Router {
    let (api, _) = openapi::routes().split_for_parts();
    Router::new()
        .route("/", get(list::list))
        .route("/runs/{id}", get(pages::run))
        .route("/runs/{id}/live", get(live::page))
        .route("/jobs", get(job_page::page))
        .route("/runs/{id}/report.html", get(pages::report))
        .route("/runs/{id}/figures/{name}", get(pages::figure))
        .route("/login", get(access::page).post(access::log_in))
        .route("/compare", get(compare::page))
        .route("/assets/{version}/{name}", get(assets::serve))
        .merge(api)
        .fallback(nowhere)
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(axum::middleware::from_fn_with_state(
            app.access.clone(),
            guard::guard,
        ))
        .with_state(app)
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
    /// The field of the request, or the key of a strategy, at fault.
    field: Option<String>,
}

fn missing(message: String) -> Problem {
    Problem {
        status: StatusCode::NOT_FOUND,
        code: "not_found",
        message,
        field: None,
    }
}

fn invalid(field: &str, message: impl Into<String>) -> Problem {
    Problem {
        status: StatusCode::UNPROCESSABLE_ENTITY,
        code: "invalid",
        message: message.into(),
        field: Some(field.to_owned()),
    }
}

impl From<Error> for Problem {
    /// A request is examined before its run is read, so input at fault is then a damaged file of the run.
    fn from(error: Error) -> Self {
        let (status, code) = match error {
            Error::Input(_) | Error::Table(_) => (StatusCode::CONFLICT, "unreadable"),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "failed"),
        };
        Self {
            status,
            code,
            message: error.to_string(),
            field: None,
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
                let error = openapi::Reason {
                    code: problem.code,
                    message: problem.message,
                    field: problem.field,
                };
                (problem.status, axum::Json(openapi::Refusal { error })).into_response()
            }
            Self::Page(problem) => {
                let page = pages::problem(problem.status, &problem.message);
                (problem.status, axum::response::Html(page)).into_response()
            }
        }
    }
}

/// Runs file work off the threads that answer requests.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| {
            Err(Problem {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                code: "failed",
                message: format!("the request could not be answered: {error}"),
                field: None,
            })
        })
}

async fn blocking<T: Send + 'static>(
    root: Root,
    work: impl FnOnce(&Path) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    off_thread(move || work(&root)).await
}

/// The run with exactly this id; anything else, also ids that are no ids, is not there.
fn find(root: &Path, id: &str) -> Result<crate::runs::store::RunFolder, Problem> {
    crate::runs::store::open_exact(root, id).map_err(|_| missing(format!("no run `{id}`")))
}

type Runs = State<Root>;

#[cfg(test)]
mod api_tests;
#[cfg(test)]
mod fuzz_requests;
#[cfg(test)]
mod fuzz_tests;
#[cfg(test)]
mod live_tests;
#[cfg(test)]
mod tests;
