//! How the index follows the folders: rows of those that have changed are made again.

use super::differences::{Setting, Written, settings};
use super::index::{Index, RESULTS, forget};
use super::store::{self, RunFolder, State};
use rayon::prelude::*;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::UNIX_EPOCH;

/// What the index says of a folder.
struct Row {
    state: &'static str,
    name: String,
    created: String,
    summary: Value,
    settings: Vec<Setting>,
}

impl Index {
    /// Makes the rows of those `folders` again that have changed, and forgets the runs that are gone.
    pub(super) fn synchronise(
        &self,
        database: &mut Connection,
        folders: &[RunFolder],
    ) -> rusqlite::Result<()> {
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
        if changed.is_empty() && known.is_empty() {
            return Ok(());
        }
        // A long list of results takes a while to be read.
        let rows: Vec<Row> = changed
            .par_iter()
            .map(|(folder, _)| self.row(folder))
            .collect();
        let change = database.transaction()?;
        for ((folder, stamp), row) in changed.iter().zip(&rows) {
            write(&change, folder.id(), stamp, row)?;
        }
        for id in known.into_keys() {
            forget(&change, &id)?;
        }
        change.execute(
            "DELETE FROM keys WHERE NOT EXISTS (SELECT 1 FROM settings WHERE settings.key = keys.number)",
            [],
        )?;
        change.commit()
    }

    fn row(&self, folder: &RunFolder) -> Row {
        let strategy = folder.strategy().ok().flatten();
        let mut settings = strategy.as_deref().map(settings).unwrap_or_default();
        let (state, name, summary) = match folder.state() {
            State::Complete(metrics) => {
                let summary = (self.summarise)(&metrics, strategy.as_deref());
                let results = RESULTS.iter().zip(summary.results);
                settings.extend(results.filter_map(|(key, value)| {
                    let number = value.filter(|value| value.is_finite())?;
                    Some(Setting {
                        key: (*key).to_owned(),
                        value: Written {
                            text: number.to_string(),
                            number: Some(number),
                        },
                        entries: Vec::new(),
                    })
                }));
                ("complete", metrics.name.clone(), summary.said)
            }
            State::Incomplete => {
                let shard = folder.share().ok().flatten().map(|share| share.shard);
                let summary = shard.map_or(Value::Null, |shard| json!({ "shard": shard }));
                let name = settings.iter().find(|setting| setting.key == "name");
                let name = name.map(|setting| setting.value.text.clone());
                ("stopped", name.unwrap_or_default(), summary)
            }
            State::Unreadable(why) => ("unreadable", String::new(), Value::String(why)),
        };
        Row {
            state,
            name,
            created: folder.created(),
            summary,
            settings,
        }
    }
}

fn write(change: &Connection, id: &str, stamp: &str, row: &Row) -> rusqlite::Result<()> {
    let number: i64 = change
        .prepare_cached(
            "INSERT INTO runs (id, stamp, state, name, summary, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (id) DO UPDATE SET stamp = ?2, state = ?3, name = ?4, summary = ?5, created = ?6
             RETURNING number",
        )?
        .query_row(
            params![
                id,
                stamp,
                row.state,
                row.name,
                row.summary.to_string(),
                row.created
            ],
            |row| row.get(0),
        )?;
    change.execute("DELETE FROM settings WHERE run = ?1", [number])?;
    let mut insert = change.prepare_cached("INSERT INTO settings VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for setting in &row.settings {
        let key = key_number(change, &setting.key)?;
        let values = std::iter::once(&setting.value).chain(&setting.entries);
        for (
            place,
            Written {
                text,
                number: value,
            },
        ) in values.enumerate()
        {
            insert.execute(params![number, key, place as i64, text, value])?;
        }
    }
    Ok(())
}

/// The number of a key, which is new if need be.
fn key_number(change: &Connection, key: &str) -> rusqlite::Result<i64> {
    let mut known = change.prepare_cached("SELECT number FROM keys WHERE key = ?1")?;
    if let Some(number) = known.query_row([key], |row| row.get(0)).optional()? {
        return Ok(number);
    }
    let mut new = change.prepare_cached("INSERT INTO keys (key) VALUES (?1) RETURNING number")?;
    new.query_row([key], |row| row.get(0))
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
