use crate::error::{Error, Result};
use crate::runs::store::{self, State};
use clap::Subcommand;
use serde_json::json;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub enum Action {
    /// List the runs, newest first.
    List {
        #[arg(long)]
        json: bool,
    },
    /// Show a run's tables.
    Show {
        /// Run id, a unique beginning of it, a path, or `latest`.
        run: String,
        #[arg(long)]
        json: bool,
    },
    /// Delete a run.
    Delete {
        /// The whole run id.
        run: String,
    },
}

pub fn run(root: &Path, action: Action) -> Result<String> {
    match action {
        Action::List { json } => list(root, json),
        Action::Show { run, json } => {
            let metrics = store::open(root, &run)?.metrics()?;
            if json {
                return Ok(json!(metrics).to_string());
            }
            Ok(crate::report::text::tables(
                &metrics,
                crate::report::text::WIDTH,
            ))
        }
        Action::Delete { run } => {
            store::delete(root, &run)?;
            Ok(format!("deleted {run}"))
        }
    }
}

fn list(root: &Path, json: bool) -> Result<String> {
    let runs: Vec<(String, String)> = store::list(root)?
        .into_iter()
        .map(|listed| {
            let state = match listed.state {
                State::Complete(metrics) => metrics.name,
                State::Incomplete => "incomplete".into(),
                State::Unreadable(why) => format!("unreadable: {why}"),
            };
            (listed.folder.id().to_string(), state)
        })
        .collect();
    if json {
        let rows: Vec<_> = runs
            .iter()
            .map(|(run, name)| json!({ "run": run, "name": name }))
            .collect();
        return Ok(json!({ "runs": rows }).to_string());
    }
    let lines: Vec<String> = runs
        .iter()
        .map(|(run, name)| format!("{run:<48} {name}"))
        .collect();
    Ok(lines.join("\n"))
}

/// Writes the figures and the report of a run again.
pub fn report(root: &Path, run: &str) -> Result<String> {
    let report = crate::report::write(&store::open(root, run)?)?;
    Ok(report.display().to_string())
}

/// Serves until interrupted.
pub fn serve(bind: SocketAddr, root: PathBuf) -> Result<String> {
    let runtime =
        tokio::runtime::Runtime::new().map_err(|error| Error::Computation(error.to_string()))?;
    runtime.block_on(crate::server::serve(bind, root))?;
    Ok(String::new())
}
