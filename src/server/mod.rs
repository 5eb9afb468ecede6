//! The dashboard: pages, JSON and events about the runs in one folder, and jobs that make runs.

pub mod access;
mod api;
mod assets;
mod body;
mod cache;
mod charts;
mod compare;
mod connections;
mod events;
mod files;
mod form;
mod guard;
mod job_page;
mod job_view;
mod jobs;
mod list;
mod live;
mod login;
mod openapi;
mod pages;
mod place;
mod problem;
pub mod public;
mod queue;
mod sessions;
mod tries;
mod walked;

use crate::error::{Error, Result, excerpt};
use crate::runs::index::Index;
pub use api::summary;
pub use connections::{Limits, limits};

use access::Access;
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef, Request, State};
use axum::http::Uri;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use place::Place;
use problem::{Problem, invalid, missing};
use queue::Queue;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::watch;

/// Where the server listens unless told otherwise.
pub const DEFAULT_BIND: &str = "127.0.0.1:8080";

/// What the paths of the server begin with.
const FIRST_PARTS: [&str; 7] = [
    "api", "assets", "compare", "jobs", "login", "logout", "runs",
];

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
    limits: Limits,
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
    pub fn new(root: PathBuf, program: PathBuf, access: Access, limits: Limits) -> Result<Self> {
        let index = Arc::new(Index::open(&root, summary)?);
        let (end, ending) = watch::channel(false);
        Ok(Self {
            root: Arc::new(root),
            queue: Arc::new(Queue::new(index.clone(), program)),
            index,
            tails: Arc::default(),
            access: Arc::new(access),
            cache: Arc::default(),
            limits,
            ending,
            end: Arc::new(end),
        })
    }

    /// Where the page at `path` stands.
    fn place(&self, path: &str) -> Place {
        Place::of(path, self.access.asks())
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
    limits: Limits,
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
    let app = App::new(runs_root, program, access, limits)?;
    let listener = tokio::net::TcpListener::bind(bind)
        .await
        .map_err(|error| Error::input(format!("bind address {bind}: cannot listen: {error}")))?;
    // Port 0 asks the system for a free one, so the address is told from the socket.
    let address = listener.local_addr().map_err(failed)?;
    listening(address);
    tokio::task::spawn_blocking(assets::prepare);
    let jobs = tokio::spawn(app.queue.clone().work(app.ending.clone()));
    let ending = app.ending.clone();
    let end = app.end.clone();
    tokio::spawn(async move {
        asked_to_end().await;
        end.send_replace(true);
    });
    connections::serve(listener, router(app), limits, ending).await;
    let _ = jobs.await;
    Ok(())
}

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
    let access = app.access.clone();
    let routes = Router::new()
        .route("/", get(list::list))
        .route("/runs/{id}", get(pages::run))
        .route("/runs/{id}/live", get(live::page))
        .route("/jobs", get(job_page::page))
        .route("/runs/{id}/report.html", get(pages::report))
        .route("/runs/{id}/figures/{name}", get(pages::figure))
        .route("/login", get(login::page).post(login::log_in))
        .route("/logout", post(login::log_out))
        .route("/compare", get(compare::page))
        .route("/assets/{version}/{name}", get(assets::serve))
        .merge(api)
        .fallback(nowhere)
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(from_fn_with_state(access.clone(), guard::guard))
        .with_state(app);
    if access.public().is_none() {
        return routes;
    }
    // A layer of routes comes after the choice of one, which hangs on the path.
    Router::new()
        .fallback_service(routes)
        .layer(from_fn_with_state(access, without_base))
}

/// Takes the path of `--public-url` away that a proxy has left in front of the server's own.
async fn without_base(
    State(access): State<Arc<Access>>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(public) = access.public()
        && let Some(below) = public.below(request.uri().path())
    {
        if below.is_empty() {
            // Relative links of the first page begin at its slash.
            return access::see_other(&public.first_page());
        }
        let query = request.uri().query();
        let address = match query {
            Some(query) => format!("{below}?{query}"),
            None => below.to_owned(),
        };
        if let Ok(uri) = address.parse::<Uri>() {
            *request.uri_mut() = uri;
        }
    }
    next.run(request).await
}

async fn nowhere(uri: Uri) -> Problem {
    missing(format!("nothing at `{}`", excerpt(uri.path())))
}

/// Runs file work off the threads that answer requests.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(Problem::internal()))
}

async fn blocking<T: Send + 'static>(
    root: Root,
    work: impl FnOnce(&Path) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    off_thread(move || work(&root)).await
}

/// The run with exactly this id; anything else, also ids that are no ids, is not there.
fn find(root: &Path, id: &str) -> Result<crate::runs::store::RunFolder, Problem> {
    crate::runs::store::open_exact(root, id)
        .map_err(|_| missing(format!("no run `{}`", excerpt(id))))
}

type Runs = State<Root>;

#[cfg(test)]
mod access_tests;
#[cfg(test)]
mod api_tests;
#[cfg(test)]
mod connections_tests;
#[cfg(test)]
mod fuzz_requests;
#[cfg(test)]
mod fuzz_tests;
#[cfg(test)]
mod live_tests;
#[cfg(test)]
mod page_tests;
#[cfg(test)]
mod tests;
