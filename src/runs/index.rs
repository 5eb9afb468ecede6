//! `index.sqlite`: what the run folders say, for lists and searches, and what they do not hold: tags, notes and the
//! queue of jobs.
//!
//! The folders are the truth. Rows about them are made again whenever a folder has changed, and a lost index costs tags,
//! notes and the queue alone.

use super::metrics::Metrics;
use super::progress;
use super::shard::Share;
use super::store::{self, RunFolder, State};
use crate::error::{Error, Result};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

/// The name of the file under the root of runs.
pub const INDEX: &str = "index.sqlite";

/// What makes a database of schema n from one of schema n − 1, from nothing to the present one.
pub(super) const SCHEMAS: [&str; 3] = [
    "CREATE TABLE runs (
         id TEXT PRIMARY KEY, stamp TEXT NOT NULL, state TEXT NOT NULL, name TEXT NOT NULL, summary TEXT NOT NULL);
     CREATE TABLE tags (run TEXT NOT NULL, tag TEXT NOT NULL, PRIMARY KEY (run, tag)) WITHOUT ROWID;
     CREATE TABLE notes (run TEXT PRIMARY KEY, note TEXT NOT NULL);",
    "CREATE TABLE jobs (
         run TEXT PRIMARY KEY, place INTEGER NOT NULL, state TEXT NOT NULL, created TEXT NOT NULL, started TEXT,
         ended TEXT, message TEXT);",
    "ALTER TABLE runs ADD COLUMN created TEXT NOT NULL DEFAULT '';
     UPDATE runs SET stamp = '';",
];

/// The index of the runs under one root.
#[derive(Debug)]
pub struct Index {
    root: PathBuf,
    connection: Mutex<Connection>,
    summarise: fn(&Metrics) -> Value,
}

/// A run as lists show it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The id of the run.
    pub id: String,
    /// `complete`, `running`, `queued`, `trained`, `stopped` or `unreadable`.
    pub state: &'static str,
    /// The name of its strategy; empty if it is unknown.
    pub name: String,
    /// [`RunFolder::created`].
    pub created: String,
    /// What the caller's function makes of its metrics; the message of an unreadable run; which shard it is.
    pub summary: Value,
    /// The tags, in the order of the alphabet.
    pub tags: Vec<String>,
    /// The note; empty if there is none.
    pub note: String,
    /// How far the run is, if it is a shard without results.
    pub share: Option<Share>,
}

/// Which runs a list is about; all of them by default.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The tag that runs must have.
    pub tag: Option<String>,
    /// The state that runs must be in.
    pub state: Option<String>,
    /// Part of the id or the name, without regard to case.
    pub search: Option<String>,
}

impl Index {
    /// Opens the index under `root`, which is made if need be; one of an older schema is brought to the present one.
    ///
    /// # Errors
    /// [`Error::Input`] if the root cannot be written to, the file is no index, or a newer version of the program made
    /// it.
    pub fn open(root: &Path, summarise: fn(&Metrics) -> Value) -> Result<Self> {
        const PATIENCE: Duration = Duration::from_secs(10);
        let path = root.join(INDEX);
        let refused =
            |why: &dyn std::fmt::Display| Error::input(format!("{}: {why}", path.display()));
        std::fs::create_dir_all(root).map_err(|error| refused(&error))?;
        let prepare = || -> rusqlite::Result<(Connection, usize)> {
            let mut connection = Connection::open(&path)?;
            connection.busy_timeout(PATIENCE)?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            // A power cut may lose the last changes, which is no worse than losing them a moment earlier.
            connection.pragma_update(None, "synchronous", "NORMAL")?;
            let change =
                connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            let version: i64 = change.query_row("PRAGMA user_version", [], |row| row.get(0))?;
            let version = usize::try_from(version).unwrap_or(usize::MAX);
            for (older, schema) in SCHEMAS.iter().enumerate().skip(version) {
                change.execute_batch(schema)?;
                change.pragma_update(None, "user_version", older as i64 + 1)?;
            }
            change.commit()?;
            Ok((connection, version))
        };
        let (connection, version) = prepare().map_err(|error| {
            refused(&format!(
                "{error}; move the file away, and the index is made anew without tags and notes"
            ))
        })?;
        if version > SCHEMAS.len() {
            return Err(refused(&format!(
                "has schema {version} of a newer deephedge; this one knows schemas up to {}",
                SCHEMAS.len()
            )));
        }
        Ok(Self {
            root: root.to_owned(),
            connection: Mutex::new(connection),
            summarise,
        })
    }

    /// The folder of the runs.
    pub fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn database(&self) -> MutexGuard<'_, Connection> {
        // A panic elsewhere leaves a connection whose transaction was rolled back.
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn failed(&self, error: &rusqlite::Error) -> Error {
        Error::Computation(format!("{}: {error}", self.root.join(INDEX).display()))
    }

    /// The runs that pass the filter, newest first.
    ///
    /// # Errors
    /// If the root or the index cannot be read.
    pub fn list(&self, filter: &Filter) -> Result<Vec<Entry>> {
        let folders = store::folders(&self.root)?;
        let rows = self
            .synchronised(&folders)
            .map_err(|error| self.failed(&error))?;
        let mut entries = Vec::with_capacity(rows.len());
        let search = filter.search.as_ref().map(|text| text.to_lowercase());
        for (folder, mut entry) in folders.iter().zip(rows) {
            if entry.state != "complete" && entry.summary.get("shard").is_some() {
                // Asked each time: a training may have ended since the row was made.
                entry.share = folder.share().ok().flatten();
            }
            if entry.state == "stopped" && progress::is_running(folder) {
                entry.state = "running";
            } else if entry.state == "stopped" && entry.share.is_some_and(|s| s.is_trained()) {
                entry.state = "trained";
            }
            let found = |text: &String| {
                [&entry.id, &entry.name]
                    .iter()
                    .any(|of| of.to_lowercase().contains(text))
            };
            let wanted = filter
                .tag
                .as_ref()
                .is_none_or(|tag| entry.tags.contains(tag))
                && filter
                    .state
                    .as_ref()
                    .is_none_or(|state| entry.state == state)
                && search.as_ref().is_none_or(found);
            if wanted {
                entries.push(entry);
            }
        }
        entries.sort_by(|a, b| (&b.created, &b.id).cmp(&(&a.created, &a.id)));
        Ok(entries)
    }

    /// Every tag that a run has, in alphabetical order.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn tags(&self) -> Result<Vec<String>> {
        let database = self.database();
        let read = || -> rusqlite::Result<Vec<String>> {
            let mut rows = database.prepare_cached("SELECT DISTINCT tag FROM tags ORDER BY tag")?;
            rows.query_map([], |row| row.get(0))?.collect()
        };
        read().map_err(|error| self.failed(&error))
    }

    /// The rows of `folders`, in their order, after those that have changed were made again.
    fn synchronised(&self, folders: &[RunFolder]) -> rusqlite::Result<Vec<Entry>> {
        let mut database = self.database();
        let mut known: HashMap<String, String> = HashMap::new();
        {
            let mut rows = database.prepare_cached("SELECT id, stamp FROM runs")?;
            for row in rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))? {
                let (id, stamp) = row?;
                known.insert(id, stamp);
            }
        }
        let mut changed = Vec::new();
        for folder in folders {
            let stamp = stamp(folder);
            if known.remove(folder.id()).as_ref() != Some(&stamp) {
                changed.push((folder, stamp));
            }
        }
        if !changed.is_empty() || !known.is_empty() {
            let change = database.transaction()?;
            for (folder, stamp) in changed {
                let (state, name, summary) = match folder.state() {
                    State::Complete(metrics) => {
                        ("complete", metrics.name.clone(), (self.summarise)(&metrics))
                    }
                    State::Incomplete => {
                        let shard = folder.share().ok().flatten().map(|share| share.shard);
                        let summary = shard.map_or(Value::Null, |shard| json!({ "shard": shard }));
                        ("stopped", folder.name().unwrap_or_default(), summary)
                    }
                    State::Unreadable(why) => ("unreadable", String::new(), Value::String(why)),
                };
                change.execute(
                    "INSERT OR REPLACE INTO runs (id, stamp, state, name, summary, created)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    params![
                        folder.id(),
                        stamp,
                        state,
                        name,
                        summary.to_string(),
                        folder.created()
                    ],
                )?;
            }
            for id in known.into_keys() {
                forget(&change, &id)?;
            }
            change.commit()?;
        }
        let mut tags: HashMap<String, Vec<String>> = HashMap::new();
        let mut rows = database.prepare_cached("SELECT run, tag FROM tags ORDER BY tag")?;
        for row in rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))? {
            let (run, tag): (String, String) = row?;
            tags.entry(run).or_default().push(tag);
        }
        let mut rows = database.prepare_cached(
            "SELECT runs.id, runs.state, runs.name, summary, coalesce(note, ''), coalesce(jobs.state, ''), runs.created
             FROM runs LEFT JOIN notes ON notes.run = id LEFT JOIN jobs ON jobs.run = id",
        )?;
        let mut entries: HashMap<String, Entry> = HashMap::new();
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            let (id, state, job): (String, String, String) =
                (row.get(0)?, row.get(1)?, row.get(5)?);
            let state = match (state.as_str(), job.as_str()) {
                ("complete", _) => "complete",
                ("unreadable", _) => "unreadable",
                (_, "queued") => "queued",
                _ => "stopped",
            };
            let summary: String = row.get(3)?;
            let entry = Entry {
                state,
                name: row.get(2)?,
                summary: serde_json::from_str(&summary).unwrap_or(Value::Null),
                tags: tags.remove(&id).unwrap_or_default(),
                note: row.get(4)?,
                share: None,
                created: row.get(6)?,
                id: id.clone(),
            };
            entries.insert(id, entry);
        }
        // Every folder has a row by now.
        Ok(folders
            .iter()
            .filter_map(|folder| entries.remove(folder.id()))
            .collect())
    }

    /// Replaces tags and note of a run, where they are given.
    ///
    /// # Errors
    /// If the index cannot be written.
    pub fn label(&self, run: &str, tags: Option<&[String]>, note: Option<&str>) -> Result<()> {
        let mut database = self.database();
        let mut write = || -> rusqlite::Result<()> {
            let change = database.transaction()?;
            if let Some(tags) = tags {
                change.execute("DELETE FROM tags WHERE run = ?1", [run])?;
                for tag in tags {
                    change.execute(
                        "INSERT OR IGNORE INTO tags (run, tag) VALUES (?1, ?2)",
                        [run, tag],
                    )?;
                }
            }
            if let Some(note) = note {
                change.execute(
                    "INSERT OR REPLACE INTO notes (run, note) VALUES (?1, ?2)",
                    [run, note],
                )?;
            }
            change.commit()
        };
        write().map_err(|error| self.failed(&error))
    }

    /// Tags and note of a run.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn labels(&self, run: &str) -> Result<(Vec<String>, String)> {
        let database = self.database();
        let read = || -> rusqlite::Result<(Vec<String>, String)> {
            let mut rows =
                database.prepare_cached("SELECT tag FROM tags WHERE run = ?1 ORDER BY tag")?;
            let tags = rows
                .query_map([run], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            let note = database
                .query_row("SELECT note FROM notes WHERE run = ?1", [run], |row| {
                    row.get(0)
                })
                .optional()?;
            Ok((tags, note.unwrap_or_default()))
        };
        read().map_err(|error| self.failed(&error))
    }

    /// Deletes a run, and all that the index knows of it.
    ///
    /// # Errors
    /// Those of [`store::delete`]; [`Error::Input`] if some process is carrying the run out.
    pub fn delete(&self, run: &str) -> Result<()> {
        let folder = store::open_exact(&self.root, run)?;
        let held = progress::hold(&folder)?;
        store::delete(&self.root, run)?;
        drop(held);
        let mut database = self.database();
        let mut write = || -> rusqlite::Result<()> {
            let change = database.transaction()?;
            forget(&change, run)?;
            change.commit()
        };
        write().map_err(|error| self.failed(&error))
    }
}

/// Deletes every row about a run.
fn forget(change: &Connection, run: &str) -> rusqlite::Result<()> {
    change.execute("DELETE FROM runs WHERE id = ?1", [run])?;
    for table in ["tags", "notes", "jobs"] {
        change.execute(&format!("DELETE FROM {table} WHERE run = ?1"), [run])?;
    }
    Ok(())
}

/// Changes whenever what the index says about the folder may have changed.
fn stamp(folder: &RunFolder) -> String {
    match std::fs::metadata(folder.path().join(store::METRICS)) {
        Ok(file) => {
            let modified = file
                .modified()
                .ok()
                .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            format!("{}-{}", modified.unwrap_or_default().as_nanos(), file.len())
        }
        Err(_) if folder.path().join(store::STRATEGY).is_file() => "begun".into(),
        Err(_) => "new".into(),
    }
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
