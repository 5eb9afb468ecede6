//! `index.sqlite`: what the run folders say, for lists and searches, and what they do not hold: tags, notes and the
//! queue of jobs.
//!
//! The folders are the truth. Rows about them are made again whenever a folder has changed, and a lost index costs tags,
//! notes and the queue alone.

pub use super::search::{Order, RESULTS};

use super::differences::Written;
use super::metrics::Metrics;
use super::progress;
use super::shard::Share;
use super::store;
use crate::error::{Error, Result};
use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The name of the file under the root of runs.
pub const INDEX: &str = "index.sqlite";

/// What makes a database of schema n from one of schema n − 1, from nothing to the present one.
pub(super) const SCHEMAS: [&str; 4] = [
    "CREATE TABLE runs (
         id TEXT PRIMARY KEY, stamp TEXT NOT NULL, state TEXT NOT NULL, name TEXT NOT NULL, summary TEXT NOT NULL);
     CREATE TABLE tags (run TEXT NOT NULL, tag TEXT NOT NULL, PRIMARY KEY (run, tag)) WITHOUT ROWID;
     CREATE TABLE notes (run TEXT PRIMARY KEY, note TEXT NOT NULL);",
    "CREATE TABLE jobs (
         run TEXT PRIMARY KEY, place INTEGER NOT NULL, state TEXT NOT NULL, created TEXT NOT NULL, started TEXT,
         ended TEXT, message TEXT);",
    "ALTER TABLE runs ADD COLUMN created TEXT NOT NULL DEFAULT '';
     UPDATE runs SET stamp = '';",
    // Rows about folders are made anew. A list is a row of settings, with place 0, and one for every entry.
    "DROP TABLE runs;
     CREATE TABLE runs (
         number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, stamp TEXT NOT NULL, state TEXT NOT NULL,
         name TEXT NOT NULL, summary TEXT NOT NULL, created TEXT NOT NULL);
     CREATE TABLE keys (number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);
     CREATE TABLE settings (
         run INTEGER NOT NULL, key INTEGER NOT NULL, place INTEGER NOT NULL, text TEXT NOT NULL COLLATE NOCASE,
         value REAL, PRIMARY KEY (run, key, place)) WITHOUT ROWID;",
];

/// Makes what lists say of a complete run of its results and of the text of its strategy file.
pub type Summarise = fn(&Metrics, Option<&str>) -> Summary;

/// What lists say of a complete run.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// What a list shows, as [`Entry::summary`].
    pub said: Value,
    /// The results by which runs are sorted and searched, in the order of [`RESULTS`]; none where it is not a number.
    pub results: [Option<f64>; RESULTS.len()],
}

/// The index of the runs under one root.
#[derive(Debug)]
pub struct Index {
    root: PathBuf,
    connection: Mutex<Connection>,
    pub(super) summarise: Summarise,
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
    /// [`super::store::RunFolder::created`].
    pub created: String,
    /// What the caller's function makes of its metrics; the message of an unreadable run; which shard it is.
    pub summary: Value,
    /// The tags, in the order of the alphabet.
    pub tags: Vec<String>,
    /// The note; empty if there is none.
    pub note: String,
    /// How far the run is, if it is a shard without results.
    pub share: Option<Share>,
    /// What the run has at the keys of [`Page::keys`], in their order.
    pub values: Vec<Option<String>>,
}

/// Which runs a list is about; all of them by default.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The tag that runs must have.
    pub tag: Option<String>,
    /// The state that runs must be in.
    pub state: Option<String>,
    /// Words and conditions, see [`super::search::Search`].
    pub search: Option<String>,
}

/// A part of a list.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The keys that the search names, of which there is a column each.
    pub keys: Vec<String>,
    /// The runs of this part.
    pub entries: Vec<Entry>,
    /// The number of runs of the whole list.
    pub total: usize,
}

/// Runs beside each other, with the settings in which they differ.
#[derive(Debug, Clone, Default)]
pub struct Sweep {
    /// The keys in which the runs differ, in the order of the alphabet.
    pub keys: Vec<String>,
    /// The runs, and what each has at the keys.
    pub runs: Vec<(Entry, Vec<Option<Written>>)>,
}

impl Index {
    /// Opens the index under `root`, which is made if need be; one of an older schema is brought to the present one.
    ///
    /// # Errors
    /// [`Error::Input`] if the root cannot be written to, the file is no index, or a newer version of the program made
    /// it.
    pub fn open(root: &Path, summarise: Summarise) -> Result<Self> {
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
pub(super) fn forget(change: &Connection, run: &str) -> rusqlite::Result<()> {
    change.execute(
        "DELETE FROM settings WHERE run = (SELECT number FROM runs WHERE id = ?1)",
        [run],
    )?;
    change.execute("DELETE FROM runs WHERE id = ?1", [run])?;
    for table in ["tags", "notes", "jobs"] {
        change.execute(&format!("DELETE FROM {table} WHERE run = ?1"), [run])?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
