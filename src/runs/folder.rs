//! The files of one run.
//!
//! Every file is written under a temporary name in its own folder, flushed to disk and renamed,
//! so a reader sees a whole file or none. `metrics.json` is written last: a folder without it
//! belongs to a run that is still going or was killed, and is listed as incomplete.

use super::contract_paths::ContractPath;
use super::daily::{ContractDays, DailyTable};
use super::id::{time_of, time_stamp};
use super::metrics::{ExamplePath, Metrics, Request};
use super::parquet::write_parquet;
use super::shard::{Shard, Share};
use super::tables::{BacktestTable, EvaluationTable};
use crate::atomic::write_atomically;
use crate::error::{Error, Result, at_path, excerpt, parser_message};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// The file of the results; a run is complete when it is there.
pub const METRICS: &str = "metrics.json";
const EXAMPLE_PATH: &str = "example_path.json";
const EVALUATION: &str = "evaluation.parquet";
const BACKTEST: &str = "backtest.parquet";
const DAILY: &str = "daily.parquet";
/// The file of the P&L of every contract by day, of a run or of a window.
pub const CONTRACT_DAYS: &str = "contract_days.parquet";
const WORST_CONTRACTS: &str = "worst_contracts.parquet";
/// The file of the resolved strategy.
pub const STRATEGY: &str = "strategy.toml";
/// The file of what the run was asked for.
pub const REQUEST: &str = "comparison.json";

/// What a strategy file calls itself.
pub fn strategy_name(strategy: &str) -> Option<String> {
    let strategy: toml::Table = toml::from_str(strategy).ok()?;
    Some(strategy.get("name")?.as_str()?.to_owned())
}

/// The folder of one run.
#[derive(Debug, Clone)]
pub struct RunFolder {
    pub(super) id: String,
    pub(super) path: PathBuf,
}

/// How far a run came.
#[derive(Debug, Clone)]
pub enum State {
    /// The run has these results.
    Complete(Box<Metrics>),
    /// No `metrics.json`: the run is still going, or was stopped.
    Incomplete,
    /// A `metrics.json` that cannot be read, and why.
    Unreadable(String),
}

/// The number of whole files in a folder: those that are being written begin with a dot.
fn files_in(folder: &Path) -> usize {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files
        .filter(|file| !file.file_name().to_string_lossy().starts_with('.'))
        .count()
}

impl RunFolder {
    /// The id of the run: the name of its folder.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The folder of the run.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where finished trainings of a comparison, and of a window of a walk-forward, are kept, a JSON file each.
    pub const TRAININGS: &str = "trainings";

    /// Where the policies of a run or of a window are kept, a file each.
    pub const POLICIES: &str = "policies";

    /// Where a walk-forward keeps its windows, a folder each.
    pub const WINDOWS: &str = "windows";

    /// Whether the run has its `metrics.json`.
    pub fn is_complete(&self) -> bool {
        self.path.join(METRICS).is_file()
    }

    /// Finished trainings of a comparison, and all that it needs; absent for other runs.
    ///
    /// # Errors
    /// [`Error::Input`] if `comparison.json` is not what it should be.
    pub fn trainings(&self) -> Result<Option<(usize, usize)>> {
        let Some(request) = self.request()? else {
            return Ok(None);
        };
        let done = if request.command == Request::WALK_FORWARD {
            let windows = fs::read_dir(self.path.join(Self::WINDOWS));
            let windows = windows.into_iter().flatten().flatten();
            // Windows of older versions have no mark of each training.
            let trained = |window: &Path| match window.join("window.json").is_file() {
                true => files_in(&window.join(Self::POLICIES)),
                false => files_in(&window.join(Self::TRAININGS)),
            };
            windows.map(|window| trained(&window.path())).sum()
        } else {
            files_in(&self.path.join(Self::TRAININGS))
        };
        Ok(Some((done, request.trainings)))
    }

    /// How far the run is, if it is a shard.
    ///
    /// # Errors
    /// [`Error::Input`] if `comparison.json` is not what it should be.
    pub fn share(&self) -> Result<Option<Share>> {
        let shard = self.request()?.and_then(|request| request.shard);
        shard.map(|shard| self.share_of(shard)).transpose()
    }

    /// How far the run is, which is `shard`.
    ///
    /// # Errors
    /// See [`RunFolder::share`].
    pub fn share_of(&self, shard: Shard) -> Result<Share> {
        let (trained, trainings) = self.trainings()?.unwrap_or_default();
        Ok(Share {
            shard,
            trained,
            trainings,
        })
    }

    /// Why the run has no results.
    pub fn without_results(&self) -> String {
        match self.share() {
            Ok(Some(share)) => format!(
                "run `{}`: {share}; it has no results of its own, `runs merge` makes them of all shards",
                self.id
            ),
            Ok(None) | Err(_) => format!("run `{}`: unfinished, it has no {METRICS}", self.id),
        }
    }

    /// Writes `comparison.json`.
    ///
    /// # Errors
    /// See [`RunFolder::write_json`].
    pub fn write_request(&self, request: &Request) -> Result<()> {
        self.write_json(REQUEST, request)
    }

    /// The contents of `comparison.json`, if the run has one.
    ///
    /// # Errors
    /// [`Error::Input`] if the file is not what it should be.
    pub fn request(&self) -> Result<Option<Request>> {
        self.read_json(REQUEST)
    }

    /// When the folder was made (RFC 3339, the universal time): texts sort as the times do. Folders that do not say it
    /// have the local time in their names.
    pub fn created(&self) -> String {
        /// All that is read of `comparison.json`.
        #[derive(serde::Deserialize)]
        struct Created {
            created: Option<String>,
        }
        let said = self.read_json::<Created>(REQUEST).ok().flatten();
        let named = || time_of(&self.id).map(time_stamp);
        said.and_then(|said| said.created)
            .or_else(named)
            .unwrap_or_default()
    }

    /// How far the run came.
    pub fn state(&self) -> State {
        if !self.is_complete() {
            return State::Incomplete;
        }
        match self.metrics() {
            Ok(metrics) => State::Complete(Box::new(metrics)),
            Err(error) => State::Unreadable(error.to_string()),
        }
    }

    /// Writes a file of the run whole or not at all; `name` may name a folder inside the run.
    ///
    /// # Errors
    /// [`Error::File`] if the file cannot be written.
    pub fn write_bytes(&self, name: &str, bytes: &[u8]) -> Result<()> {
        write_atomically(&self.path.join(name), |file| file.write_all(bytes))
    }

    /// Writes a value as indented JSON, once it has been read back from it: nothing is written that the program cannot
    /// read.
    ///
    /// # Errors
    /// [`Error::Computation`] if the value has no JSON form or cannot be read back, which names the part that is at
    /// fault, such as a number that is not finite where nothing else has a meaning; [`Error::File`] if the file cannot
    /// be written.
    pub fn write_json<T: Serialize + DeserializeOwned>(&self, name: &str, value: &T) -> Result<()> {
        let failed = |why: String| Error::Computation(format!("run `{}`: {name}: {why}", self.id));
        self.write_bytes(name, &to_json(value).map_err(failed)?)
    }

    /// Writes the resolved strategy.
    ///
    /// # Errors
    /// [`Error::File`] if the file cannot be written.
    pub fn write_strategy(&self, toml: &str) -> Result<()> {
        self.write_bytes(STRATEGY, toml.as_bytes())
    }

    /// Writes `metrics.json`, which makes the run complete: call it after every other file.
    ///
    /// # Errors
    /// See [`RunFolder::write_json`].
    pub fn write_metrics(&self, metrics: &Metrics) -> Result<()> {
        self.write_json(METRICS, metrics)
    }

    /// Writes `example_path.json`.
    ///
    /// # Errors
    /// See [`RunFolder::write_json`].
    pub fn write_example_path(&self, path: &ExamplePath) -> Result<()> {
        self.write_json(EXAMPLE_PATH, path)
    }

    /// Writes `evaluation.parquet`.
    ///
    /// # Errors
    /// [`Error::Computation`] if the columns of a book differ in length, otherwise see
    /// [`write_parquet`].
    pub fn write_evaluation(&self, table: &EvaluationTable) -> Result<()> {
        write_parquet(&self.path.join(EVALUATION), table.to_frame()?)
    }

    /// Writes `backtest.parquet`.
    ///
    /// # Errors
    /// See [`RunFolder::write_evaluation`].
    pub fn write_backtest(&self, table: &BacktestTable) -> Result<()> {
        write_parquet(&self.path.join(BACKTEST), table.to_frame()?)
    }

    /// Writes `daily.parquet`, where there are days.
    ///
    /// # Errors
    /// See [`write_parquet`].
    pub fn write_daily(&self, table: &DailyTable) -> Result<()> {
        if table.books.is_empty() {
            return Ok(());
        }
        write_parquet(&self.path.join(DAILY), table.to_frame()?)
    }

    /// Writes `contract_days.parquet` and the `daily.parquet` that follows from it, where there are days.
    ///
    /// # Errors
    /// See [`write_parquet`].
    pub fn write_contract_days(&self, books: &[ContractDays]) -> Result<()> {
        if books.is_empty() {
            return Ok(());
        }
        write_parquet(
            &self.path.join(CONTRACT_DAYS),
            ContractDays::to_frame(books)?,
        )?;
        self.write_daily(&DailyTable::of(books.iter()))
    }

    /// Writes `worst_contracts.parquet`, where there are contracts.
    ///
    /// # Errors
    /// See [`write_parquet`].
    pub fn write_worst_contracts(&self, paths: &[ContractPath]) -> Result<()> {
        if paths.is_empty() {
            return Ok(());
        }
        write_parquet(
            &self.path.join(WORST_CONTRACTS),
            ContractPath::to_frame(paths)?,
        )
    }

    /// Whether the run has the worst contracts as they were hedged.
    pub fn has_worst_contracts(&self) -> bool {
        self.path.join(WORST_CONTRACTS).is_file()
    }

    /// The worst contracts as every strategy hedged them, if the run has them.
    ///
    /// # Errors
    /// See [`RunFolder::evaluation`].
    pub fn worst_contracts(&self) -> Result<Option<Vec<ContractPath>>> {
        let path = self.path.join(WORST_CONTRACTS);
        let has = path.is_file();
        has.then(|| ContractPath::read(&path, |_| true)).transpose()
    }

    /// Whether the run has the P&L of its books by day.
    pub fn has_daily(&self) -> bool {
        self.path.join(DAILY).is_file()
    }

    /// The P&L of the book of all contracts by day, if the run has it.
    ///
    /// # Errors
    /// See [`RunFolder::evaluation`].
    pub fn daily(&self) -> Result<Option<DailyTable>> {
        let path = self.path.join(DAILY);
        path.is_file().then(|| DailyTable::read(&path)).transpose()
    }

    /// The contents of `metrics.json`.
    ///
    /// # Errors
    /// [`Error::Input`] if the run is incomplete or the file is not what it should be.
    pub fn metrics(&self) -> Result<Metrics> {
        self.read_json(METRICS)?
            .ok_or_else(|| Error::input(self.without_results()))
    }

    /// The contents of `example_path.json`, if the run has one.
    ///
    /// # Errors
    /// [`Error::Input`] if the file is not what it should be.
    pub fn example_path(&self) -> Result<Option<ExamplePath>> {
        self.read_json(EXAMPLE_PATH)
    }

    /// The resolved strategy, if the run has one.
    ///
    /// # Errors
    /// [`Error::File`] if the file cannot be read.
    pub fn strategy(&self) -> Result<Option<String>> {
        let Some(bytes) = self.read_bytes(STRATEGY)? else {
            return Ok(None);
        };
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// What the strategy of the run is called, if it has one that says so.
    pub fn name(&self) -> Option<String> {
        strategy_name(&self.strategy().ok()??)
    }

    /// The per-path results on the simulated test paths, if the run has them.
    ///
    /// # Errors
    /// [`Error::Table`] or [`Error::Input`] if the file is not what it should be.
    pub fn evaluation(&self) -> Result<Option<EvaluationTable>> {
        let path = self.path.join(EVALUATION);
        path.is_file()
            .then(|| EvaluationTable::read(&path))
            .transpose()
    }

    /// The per-contract results of the backtest, if the run has them.
    ///
    /// # Errors
    /// See [`RunFolder::evaluation`].
    pub fn backtest(&self) -> Result<Option<BacktestTable>> {
        let path = self.path.join(BACKTEST);
        path.is_file()
            .then(|| BacktestTable::read(&path))
            .transpose()
    }

    /// The bytes of a file of the run, if it is there.
    ///
    /// # Errors
    /// [`Error::File`] if the file is there but cannot be read.
    pub fn read_bytes(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let path = self.path.join(name);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => at_path(&path, Err(error)),
        }
    }

    /// A value from a JSON file of the run, if it is there.
    ///
    /// # Errors
    /// [`Error::Input`] if the file is not what it should be.
    pub fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let Some(bytes) = self.read_bytes(name)? else {
            return Ok(None);
        };
        from_json(&bytes)
            .map(Some)
            .map_err(|why| Error::input(format!("run `{}`: {name}: {why}", self.id)))
    }
}

/// A value as indented JSON, once it has been read back from it, or why that cannot be.
pub fn to_json<T: Serialize + DeserializeOwned>(value: &T) -> std::result::Result<Vec<u8>, String> {
    let mut text = serde_json::to_vec_pretty(value).map_err(|error| error.to_string())?;
    readable::<T>(&text)?;
    text.push(b'\n');
    Ok(text)
}

/// The value of a JSON document, or which part of it is at fault and why.
pub fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> std::result::Result<T, String> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let (part, why) = (
            error.path().to_string(),
            parser_message(&error.inner().to_string()),
        );
        match part.as_str() {
            "." => why,
            part => format!("`{}`: {why}", excerpt(part)),
        }
    })?;
    reader
        .end()
        .map_err(|error| parser_message(&error.to_string()))?;
    Ok(value)
}

/// Whether what is about to be written can be read back, or which part of it cannot and why.
pub fn readable<T: DeserializeOwned>(bytes: &[u8]) -> std::result::Result<(), String> {
    // A number that is not finite is written as null, which a flattened part calls a unit.
    let null = ["null", "unit value"].map(|found| format!("invalid type: {found}, expected f64"));
    let number = |why: String| {
        let plain = |why: String, null| why.replace(null, "not a finite number");
        null.iter().fold(why, plain)
    };
    from_json::<T>(bytes).map(|_| ()).map_err(number)
}
