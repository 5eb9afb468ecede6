//! What the handlers share, and how they do work that takes time.

use super::access::Access;
use super::cache::Cache;
use super::connections::Limits;
use super::data::examiner::Examiner;
use super::data::store::Store;
use super::desks::Desks;
use super::place::Place;
use super::problem::{Problem, missing};
use super::queue::Queue;
use super::summary::summary;
use super::tails::Tails;
use crate::error::{Result, excerpt};
use crate::program::Program;
use crate::runs::index::Index;
use crate::runs::store::{self, RunFolder};
use axum::extract::FromRef;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::watch;

/// The folder of the runs.
pub type Root = Arc<PathBuf>;

/// What whoever starts a server says of it.
#[derive(Debug, Clone)]
pub struct Options {
    /// Bounds on connections.
    pub limits: Limits,
    /// The folder of uploaded files, which is made when it is needed.
    pub data: PathBuf,
    /// The largest upload, in bytes.
    pub most_upload: u64,
    /// The command that is run when a job has finished or failed.
    pub on_done: Option<String>,
    /// What carries out jobs and examines files.
    pub program: Program,
}

/// What the handlers share.
#[derive(Clone)]
pub struct App {
    /// The folder of the runs.
    pub root: Root,
    /// The list of the runs, with their labels and the queue of jobs.
    pub index: Arc<Index>,
    /// The uploaded files.
    pub data: Arc<Store>,
    /// What examines uploaded files.
    pub examiner: Arc<Examiner>,
    /// The jobs that wait, and the one that runs.
    pub queue: Arc<Queue>,
    /// The runs that are watched.
    pub tails: Arc<Tails>,
    /// Who may ask.
    pub access: Arc<Access>,
    /// What was made of finished runs.
    pub cache: Arc<Cache>,
    /// The runs with prices that hedge books.
    pub desks: Arc<Desks>,
    /// Bounds on connections.
    pub limits: Limits,
    /// True once the server is asked to end.
    pub ending: watch::Receiver<bool>,
    /// Where the server is asked to end.
    pub end: Arc<watch::Sender<bool>>,
}

impl FromRef<App> for Root {
    fn from_ref(app: &App) -> Self {
        app.root.clone()
    }
}

impl App {
    /// The runs under `root`.
    ///
    /// # Errors
    /// Those of [`Index::open`].
    pub fn new(root: PathBuf, access: Access, options: Options) -> Result<Self> {
        let index = Arc::new(Index::open(&root, summary)?);
        let (end, ending) = watch::channel(false);
        Ok(Self {
            root: Arc::new(root),
            examiner: Arc::new(Examiner::new(options.program.clone(), options.data.clone())),
            data: Arc::new(Store::new(options.data, options.most_upload)),
            queue: Arc::new(Queue::new(index.clone(), options.program, options.on_done)),
            index,
            tails: Arc::default(),
            access: Arc::new(access),
            cache: Arc::default(),
            desks: Arc::default(),
            limits: options.limits,
            ending,
            end: Arc::new(end),
        })
    }

    /// Where the page at `path` stands.
    pub fn place(&self, path: &str) -> Place {
        Place::of(path, self.access.asks())
    }
}

/// Runs file work off the threads that answer requests.
///
/// # Errors
/// Those of `work`; that of the server if it panics.
pub async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(Problem::internal()))
}

/// Runs file work about the runs under `root` off the threads that answer requests.
///
/// # Errors
/// Those of `work`; that of the server if it panics.
pub async fn blocking<T: Send + 'static>(
    root: Root,
    work: impl FnOnce(&Path) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    off_thread(move || work(&root)).await
}

/// The run with exactly this id; anything else, also ids that are no ids, is not there.
///
/// # Errors
/// That there is no such run.
pub fn find(root: &Path, id: &str) -> Result<RunFolder, Problem> {
    store::open_exact(root, id).map_err(|_| missing(format!("no run `{}`", excerpt(id))))
}
