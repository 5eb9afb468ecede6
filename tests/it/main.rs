//! Black-box runs of the binary, one module for each job.

mod backtest;
mod bad_data;
mod bad_input;
mod book_page;
mod browser;
mod charts_pages;
mod compare;
mod compared_runs;
mod cross;
mod curves;
mod dashboard;
mod data_upload;
mod degenerate;
mod done;
mod exotic_prices;
mod fuzz;
mod given_paths;
mod hedge;
mod killed;
mod login;
mod market;
mod onnx;
mod option_quotes;
mod places;
mod price_files;
mod ranges;
mod serve;
mod shards;
mod streams;
mod surfaces;
mod tear_sheet;
mod verdict_page;
mod volatility_index;
mod walk_forward;

// Made-up option chains are the library's own, which name its modules as its crate does.
use deephedge::{contract, pricing, quotes};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

const SMALL: &str = r#"
name = "small"
seed = 3
[market]
model = "heston"
v0 = 0.04
kappa = 1.5
theta = 0.04
sigma = 0.3
rho = -0.7
[contract]
expiry_days = 10
[costs]
proportional = 0.002
[policy]
hidden = 6
[training]
steps = 14
paths = 256
[evaluation]
paths = 2000
[optimizers.adam]
[optimizers.kfac]
curvature_paths = 64
radius_paths = 64
"#;

/// A folder in Cargo's for tests, empty when the suite begins; what is left in it shows how a test failed.
fn scratch() -> &'static Path {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("it");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    });
    &FOLDER
}

fn strategy(name: &str, text: &str) -> PathBuf {
    let path = scratch().join(format!("{name}.toml"));
    std::fs::write(&path, text).unwrap();
    path
}

fn deephedge(arguments: &[&str], threads: &str) -> Output {
    deephedge_with(arguments, ("RAYON_NUM_THREADS", threads))
}

fn deephedge_with(arguments: &[&str], (variable, value): (&str, &str)) -> Output {
    Command::new(env!("CARGO_BIN_EXE_deephedge"))
        .args(arguments)
        .env(variable, value)
        .output()
        .unwrap()
}

/// Runs with `--json` and a folder of runs beside the strategy; the document, once it has succeeded.
fn document(arguments: &[&str], runs: &Path, threads: &str) -> serde_json::Value {
    document_with(arguments, runs, ("RAYON_NUM_THREADS", threads))
}

fn document_with(arguments: &[&str], runs: &Path, set: (&str, &str)) -> serde_json::Value {
    let mut arguments = arguments.to_vec();
    arguments.extend(["--json", "--runs", runs.to_str().unwrap()]);
    let output = deephedge_with(&arguments, set);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn compare(path: &Path, threads: &str) -> serde_json::Value {
    let runs = path.with_extension("runs");
    document(&["compare", path.to_str().unwrap()], &runs, threads)
}

/// The folder of the one run below `runs`, as soon as it is there.
fn only_run(runs: &Path) -> Option<PathBuf> {
    let mut folders = std::fs::read_dir(runs).ok()?.flatten();
    let named = |name: std::ffi::OsString| !name.as_encoded_bytes().starts_with(b".");
    let is_run = |entry: &std::fs::DirEntry| named(entry.file_name()) && entry.path().is_dir();
    Some(folders.find(is_run)?.path())
}

/// The shipped index history.
const HISTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/market_data/sp500_daily.csv");
