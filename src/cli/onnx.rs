//! `runs onnx`: a policy of a run as an ONNX model.

use super::output::{Output, warn};
use super::stop::Stop;
use crate::atomic::Destination;
use crate::error::{Error, Result, escaped};
use crate::experiment::{ExportedPolicy, LoadedPolicy};
use crate::live::{WindowOf, policies_of};
use crate::runs::export::Format;
use crate::runs::store;
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
    let window = exported.window.map(WindowOf::Number);
    let (policies, warning) = policies_of(&run, window, argument)?;
    if let Some(warning) = warning {
        warn(&warning);
    }
    let policy = LoadedPolicy::new(policies, which, argument)?;
    let (optimizer, seed) = policy.trained();
    let policy = ExportedPolicy::new(&policy)?;
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
