//! `runs onnx`: a policy of a run as an ONNX model.

use super::changes::settings;
use super::output::{Output, warn};
use super::stop::Stop;
use crate::atomic::Destination;
use crate::backtest::{self, Calendar};
use crate::error::{Error, Result, escaped};
use crate::experiment::{self, ExportedPolicy, SavedPolicy};
use crate::runs::export::Format;
use crate::runs::store::{self, RunFolder};
use crate::walk_forward::{Walked, WindowHistory};
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Which policy is written, and where.
#[derive(Debug, clap::Args)]
pub struct Exported {
    /// Run id, a unique beginning of it, a path, or `latest`.
    run: String,
    /// The optimizer that trained the policy; `kfac` or else the strategy's first, unless given.
    #[arg(long, value_name = "NAME")]
    optimizer: Option<String>,
    /// The seed that it was trained with; the first of the run's, unless given.
    #[arg(long)]
    seed: Option<u64>,
    /// The window of a walk-forward whose policy is written, from 0 as their folders are called.
    #[arg(long, value_name = "N")]
    window: Option<usize>,
    /// File to write (ONNX).
    #[arg(long)]
    out: PathBuf,
    /// Write what the policy sees and holds on test paths too, date by date: a table (.csv or .parquet) to check a program by.
    #[arg(long, value_name = "TABLE")]
    positions: Option<PathBuf>,
    /// The number of test paths in that table, the first ones; 1,000 unless given, or all that there are.
    #[arg(long, value_name = "N", requires = "positions")]
    paths: Option<usize>,
}

/// Writes the model and, if asked for, the table of positions.
pub fn run(root: &Path, exported: &Exported) -> Result<Output> {
    const PATHS: usize = 1000;
    let destination = Destination::new(&exported.out)?;
    let table = exported.positions.as_deref().map(table_at).transpose()?;
    let stop = Stop::on_signals()?;
    let run = store::open(root, &exported.run)?;
    let which = (exported.optimizer.as_deref(), exported.seed);
    let policy = match run.path().join(RunFolder::WINDOWS).is_dir() {
        true => of_window(&run, exported.window, which)?,
        false if exported.window.is_some() => {
            return Err(Error::key(
                "--window",
                format!(": run `{}` is no walk-forward", run.id()),
            ));
        }
        false => ExportedPolicy::open(&run, which, argument)?,
    };
    let table = match table {
        None => None,
        Some((destination, format)) => {
            let all = policy.test_paths();
            let paths = exported.paths.unwrap_or(PATHS.min(all));
            let rows = policy.hedged(paths, &mut || stop.check())?;
            Some((destination, format.bytes(rows)?, paths))
        }
    };
    let model = policy.to_onnx();
    destination.write(|file| file.write_all(&model))?;
    let (optimizer, seed) = policy.trained();
    let out = exported.out.display().to_string();
    let mut text = format!(
        "{}: {optimizer}, seed {seed}; {} bytes; inputs {}",
        escaped(&out),
        model.len(),
        policy.inputs().join(", ")
    );
    let mut document = json!({
        "file": out,
        "optimizer": optimizer,
        "seed": seed,
        "bytes": model.len(),
        "inputs": policy.inputs(),
    });
    if let (Some((destination, bytes, paths)), Some(place)) = (table, &exported.positions) {
        destination.write(|file| file.write_all(&bytes))?;
        let place = place.display().to_string();
        text += &format!("\n{}: positions on {paths} test paths", escaped(&place));
        document["positions"] = json!({ "file": place, "paths": paths });
    }
    Ok(Output { text, document })
}

/// A policy of a window of a walk-forward, in the market that was known before the window began to sell.
fn of_window(
    run: &RunFolder,
    window: Option<usize>,
    which: (Option<&str>, Option<u64>),
) -> Result<ExportedPolicy> {
    let plan = experiment::plan_of(run, |_| {})?;
    let settings = settings(&plan, run.id())?;
    let walked = Walked::open(run, &plan)?;
    let last = walked.windows().len() - 1;
    let number = window.filter(|number| *number <= last).ok_or_else(|| {
        let was = window.map_or("none".to_owned(), |number| number.to_string());
        let words = format!("must be from 0 to {last}, a window of the walk-forward, was {was}");
        Error::key("--window", words)
    })?;
    let histories = backtest::load(&plan, settings)?;
    let closes = WindowHistory {
        settings,
        histories: &histories,
        calendar: &Calendar::new(&histories[0], &plan, settings)?,
    };
    let before = walked.before(number, closes)?;
    if let Some(differs) = walked.differs(&before) {
        warn(&differs);
    }
    let policies = walked.policies(number)?.into_iter();
    let policies = policies.map(|one| SavedPolicy::new(one.optimizer, one.seed, one.parameters));
    let plan = before.plan().clone();
    ExportedPolicy::of(run, plan, policies.collect(), which, argument)
}

/// An argument as it is typed.
fn argument(name: &str) -> String {
    format!("--{name}")
}

/// Where a table is written, and in which form: that of its name.
fn table_at(path: &Path) -> Result<(Destination, Format)> {
    let end = path.extension().and_then(|end| end.to_str());
    let format = end.and_then(Format::named).ok_or_else(|| {
        Error::key(
            "--positions",
            format!(" {}: must end in .csv or .parquet", path.display()),
        )
    })?;
    Ok((Destination::new(path)?, format))
}
