//! `runs` and `report`: runs that there are, and their pages.

use super::merge;
use super::onnx;
use super::output::{Output, width};
use crate::atomic::Destination;
use crate::distributed::Ranks;
use crate::error::{Result, at_path};
use crate::report::text;
use crate::runs::progress;
use crate::runs::store::{self, RunFolder, State};
use crate::runs::study::Study;
use clap::Subcommand;
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What is done with runs.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// List the runs, newest first.
    List,
    /// Show a run's tables.
    Show {
        /// Run id, a unique beginning of it, a path, or `latest`.
        run: String,
    },
    /// Write the compact results of a comparison, for `report --markdown`.
    Export {
        /// Run id, a unique beginning of it, a path, or `latest`.
        run: String,
        /// File to write (JSON).
        #[arg(long)]
        out: PathBuf,
    },
    /// Write a trained policy as an ONNX model of one hedging date, for programs that hedge by it.
    Onnx(onnx::Exported),
    /// Make one run of the shards of a job: what they trained is measured together.
    Merge {
        /// All shards of the job: run ids, unique beginnings of them, or paths of folders.
        #[arg(required = true)]
        shards: Vec<String>,
        /// Delete the shards once the run has its results.
        #[arg(long)]
        delete: bool,
    },
    /// Delete a run.
    Delete {
        /// The whole run id.
        run: String,
    },
}

impl Action {
    /// Whether it measures policies, which all ranks of a job do together.
    pub fn measures(&self) -> bool {
        match self {
            Self::Merge { .. } => true,
            Self::List
            | Self::Show { .. }
            | Self::Export { .. }
            | Self::Onnx(_)
            | Self::Delete { .. } => false,
        }
    }
}

/// Does it with the runs under `root`.
pub fn run(root: &Path, action: Action, world: &Ranks) -> Result<Output> {
    match action {
        Action::List => list(root),
        Action::Show { run } => {
            let run = store::open(root, &run)?;
            let (metrics, strategy) = (run.metrics()?, run.strategy()?);
            Ok(Output {
                text: text::run(&metrics, strategy.as_deref(), width()),
                document: json!(metrics),
            })
        }
        Action::Export { run, out } => {
            let destination = Destination::new(&out)?;
            let text = Study::of_run(&store::open(root, &run)?)?.to_json()?;
            destination.write(|file| file.write_all(text.as_bytes()))?;
            Ok(written(&out))
        }
        Action::Onnx(exported) => onnx::run(root, &exported),
        Action::Merge { shards, delete } => merge::run(root, &shards, delete, world),
        Action::Delete { run } => {
            delete(root, &run)?;
            Ok(Output {
                text: format!("deleted {run}"),
                document: json!({ "deleted": run }),
            })
        }
    }
}

/// Deletes a run, and what the index knows of it.
#[cfg(feature = "dashboard")]
fn delete(root: &Path, run: &str) -> Result<()> {
    store::open_exact(root, run)?;
    crate::runs::index::Index::open(root, crate::server::summary)?.delete(run)
}

/// Deletes a run. An index that a dashboard has left forgets it when it is next opened.
#[cfg(not(feature = "dashboard"))]
fn delete(root: &Path, run: &str) -> Result<()> {
    let folder = store::open_exact(root, run)?;
    let _held = progress::hold(&folder)?;
    store::delete(root, run)
}

fn list(root: &Path) -> Result<Output> {
    let (mut lines, mut rows) = (Vec::new(), Vec::new());
    for listed in store::list(root)? {
        let id = listed.folder.id();
        let (state, name) = match &listed.state {
            State::Complete(metrics) => ("complete", metrics.name.clone()),
            State::Incomplete => incomplete(&listed.folder),
            State::Unreadable(why) => ("unreadable", format!("unreadable: {why}")),
        };
        lines.push(format!("{id:<48} {name}"));
        let mut row = json!({ "run": id, "state": state, "name": name });
        if let Ok(Some(share)) = listed.folder.share() {
            row["shard"] = json!(share.shard);
        }
        rows.push(row);
    }
    Ok(Output {
        text: lines.join("\n"),
        document: json!({ "runs": rows }),
    })
}

/// How far a run is that has no results, in a word and in words.
fn incomplete(folder: &RunFolder) -> (&'static str, String) {
    let (going, share) = (progress::is_running(folder), folder.share().ok().flatten());
    match (going, share) {
        (true, None) => ("running", "running".into()),
        (true, Some(share)) => ("running", format!("{share}; running")),
        (false, Some(share)) if share.is_trained() => {
            let next = "`runs merge` makes one run of all shards";
            ("trained", format!("{share}; {next}"))
        }
        (false, _) => ("stopped", unfinished(folder)),
    }
}

/// How far a run came that is not finished, and what can be done with it.
fn unfinished(folder: &RunFolder) -> String {
    let id = folder.id();
    if let Ok((Some(share), Some(request))) = folder
        .share()
        .and_then(|share| Ok((share, folder.request()?)))
    {
        return format!("{share}; go on with `{}`", request.resumption(id));
    }
    match (folder.request(), folder.trainings()) {
        (Ok(Some(request)), Ok(Some((done, all)))) => {
            let trained = match all {
                0 => String::new(),
                _ => format!("{done} of {all} trainings; "),
            };
            format!("stopped: {trained}go on with `{}`", request.resumption(id))
        }
        (Ok(_), Ok(_)) => {
            format!("stopped: nothing says how to go on; remove it with `runs delete {id}`")
        }
        (Err(why), _) | (_, Err(why)) => {
            format!("stopped: {why}; remove it with `runs delete {id}`")
        }
    }
}

/// Writes the page of a study from compact results.
pub fn study(page: &Path, results: &[String]) -> Result<Output> {
    // Its figures come first, and none should if the page cannot.
    Destination::new(page)?;
    let studies: Vec<Study> = results
        .iter()
        .map(|path| Study::read(Path::new(path)))
        .collect::<Result<_>>()?;
    crate::report::study::write(page, &studies)?;
    Ok(written(page))
}

fn written(path: &Path) -> Output {
    let path = path.display().to_string();
    Output {
        document: json!({ "written": path }),
        text: path,
    }
}

/// Writes the figures and the report of a run again, and the report to `html` too.
pub fn report(root: &Path, run: &str, html: Option<&Path>) -> Result<Output> {
    let html = match html {
        Some(path) => Some((path, Destination::new(path)?)),
        None => None,
    };
    let run = store::open(root, run)?;
    // Not while the run goes on, and not twice at a time.
    let _held = progress::hold(&run)?;
    let mut report = crate::report::write(&run)?;
    if let Some((path, destination)) = html {
        let page = std::fs::read(&report);
        let page = at_path(&report, page)?;
        destination.write(|file| file.write_all(&page))?;
        report = path.to_path_buf();
    }
    let report = report.display().to_string();
    Ok(Output {
        document: json!({ "run": run.id(), "report": report }),
        text: report,
    })
}
