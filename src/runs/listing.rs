//! Lists of runs: filtered and sorted in the index, over all pages.

use super::differences::Written;
use super::index::{Entry, Filter, Index, Order, Page, RESULTS, Sweep};
use super::progress;
use super::question::{Clauses, Key, Sorting, clauses, is_column, sorting};
use super::search::Search;
use super::store;
use crate::error::Result;
use rusqlite::{Connection, params_from_iter};
use serde_json::Value;
use std::collections::BTreeMap;

/// A row of the list before its state is looked at.
struct Light {
    number: i64,
    entry: Entry,
}

impl Index {
    /// The runs that pass the filter, newest first.
    ///
    /// # Errors
    /// Those of [`Index::page`].
    pub fn list(&self, filter: &Filter) -> Result<Vec<Entry>> {
        let page = self.page(filter, &Order::default(), 0..usize::MAX)?;
        Ok(page.entries)
    }

    /// The runs at these places of the list of those that pass the filter, in that order; of equal ones the newest first.
    ///
    /// # Errors
    /// [`Error::Setting`] at `search` or `sort` if that is no search, or names a key that no run has; otherwise if the root
    /// or the index cannot be read.
    pub fn page(
        &self,
        filter: &Filter,
        order: &Order,
        places: std::ops::Range<usize>,
    ) -> Result<Page> {
        let search = Search::parse(filter.search.as_deref().unwrap_or_default())?;
        let folders = store::folders(self.root())?;
        let mut database = self.database();
        self.synchronise(&mut database, &folders)
            .map_err(|error| self.failed(&error))?;
        let known = self.known_keys(&database)?;
        let (clauses, mut keys) = clauses(filter.tag.as_deref(), &search, &known)?;
        let sorting = sorting(order, &known)?;
        if let Sorting::Key(number, _) = sorting {
            let by = known.iter().find(|(_, key)| *key == number);
            // Whoever sorts by a key wants to see it.
            keys.extend(by.filter(|by| is_column(by) && !keys.contains(by)).cloned());
        }
        let failed = |error: rusqlite::Error| self.failed(&error);
        let mut light = light(&database, &clauses, &sorting).map_err(failed)?;
        light.retain_mut(|row| self.is_wanted(&mut row.entry, &search, filter.state.as_deref()));
        let total = light.len();
        let shown = places.start.min(total)..places.end.min(total);
        let mut page = Page {
            total,
            ..Page::default()
        };
        for mut row in light.drain(shown) {
            fill(&database, &mut row, &keys).map_err(failed)?;
            page.entries.push(row.entry);
        }
        page.keys = keys.into_iter().map(|(key, _)| key).collect();
        Ok(page)
    }

    /// The complete runs that pass the filter beside each other, newest first; at most so many.
    ///
    /// # Errors
    /// Those of [`Index::page`].
    pub fn sweep(&self, filter: &Filter, most: usize) -> Result<Sweep> {
        let complete = Filter {
            state: Some("complete".into()),
            ..filter.clone()
        };
        let page = self.page(&complete, &Order::default(), 0..most)?;
        let database = self.database();
        let read = || -> rusqlite::Result<Vec<Vec<(String, Written)>>> {
            let mut rows = database.prepare_cached(
                "SELECT keys.key, text, value FROM settings JOIN keys ON keys.number = settings.key
                 WHERE run = (SELECT number FROM runs WHERE id = ?1) AND place = 0",
            )?;
            let of = |entry: &Entry| {
                let row = |row: &rusqlite::Row<'_>| {
                    let written = Written {
                        text: row.get(1)?,
                        number: row.get(2)?,
                    };
                    Ok((row.get(0)?, written))
                };
                rows.query_map([&entry.id], row)?.collect()
            };
            page.entries.iter().map(of).collect()
        };
        let settings = read().map_err(|error| self.failed(&error))?;
        Ok(sweep(page.entries, settings))
    }

    /// Every key that a strategy or a result of some run has, in the order of the alphabet.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn keys(&self) -> Result<Vec<String>> {
        let known = self.known_keys(&self.database())?;
        Ok(known.into_iter().map(|(key, _)| key).collect())
    }

    fn known_keys(&self, database: &Connection) -> Result<Vec<Key>> {
        let read = || -> rusqlite::Result<_> {
            let mut rows = database.prepare_cached("SELECT key, number FROM keys ORDER BY key")?;
            let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
            rows.query_map([], row)?.collect()
        };
        read().map_err(|error| self.failed(&error))
    }

    /// Whether the run has the words and is in the state, which is looked at for a run without results.
    fn is_wanted(&self, entry: &mut Entry, search: &Search, state: Option<&str>) -> bool {
        let (id, name) = (entry.id.to_lowercase(), entry.name.to_lowercase());
        let has = |word: &String| id.contains(word) || name.contains(word);
        if !search.words.iter().all(has) {
            return false;
        }
        if entry.state != "complete"
            && let Ok(folder) = store::open_exact(self.root(), &entry.id)
        {
            if entry.summary.get("shard").is_some() {
                // Asked each time: a training may have ended since the row was made.
                entry.share = folder.share().ok().flatten();
            }
            if entry.state == "stopped" && progress::is_running(&folder) {
                entry.state = "running";
            } else if entry.state == "stopped" && entry.share.is_some_and(|s| s.is_trained()) {
                entry.state = "trained";
            }
        }
        state.is_none_or(|state| entry.state == state)
    }
}

/// All rows that the clauses mean, in their order, with what decides about their states.
fn light(
    database: &Connection,
    clauses: &Clauses,
    sorting: &Sorting,
) -> rusqlite::Result<Vec<Light>> {
    let direction = |descending: bool| if descending { "DESC" } else { "ASC" };
    let (join, by) = match sorting {
        Sorting::Column(column, descending) => (
            String::new(),
            format!("{column} {}", direction(*descending)),
        ),
        Sorting::Key(key, descending) => {
            let direction = direction(*descending);
            let join = format!(
                "LEFT JOIN settings AS sorted ON sorted.run = runs.number AND sorted.key = {key} AND sorted.place = 0"
            );
            // What has nothing there is last, and texts come after numbers, whichever way it is sorted.
            let by = format!(
                "sorted.text IS NULL, sorted.value IS NULL, sorted.value {direction}, sorted.text {direction}"
            );
            (join, by)
        }
    };
    let question = format!(
        "SELECT runs.number, runs.id, runs.state, runs.name, coalesce(jobs.state, ''),
             CASE runs.state WHEN 'complete' THEN 'null' ELSE runs.summary END, runs.created
         FROM runs LEFT JOIN jobs ON jobs.run = runs.id {join}
         WHERE 1{} ORDER BY {by}, runs.created DESC, runs.id DESC",
        clauses.text
    );
    let mut rows = database.prepare_cached(&question)?;
    let light = |row: &rusqlite::Row<'_>| {
        let (state, job): (String, String) = (row.get(2)?, row.get(4)?);
        let state = match (state.as_str(), job.as_str()) {
            ("complete", _) => "complete",
            ("unreadable", _) => "unreadable",
            (_, "queued") => "queued",
            _ => "stopped",
        };
        let summary: String = row.get(5)?;
        Ok(Light {
            number: row.get(0)?,
            entry: Entry {
                id: row.get(1)?,
                state,
                name: row.get(3)?,
                created: row.get(6)?,
                summary: serde_json::from_str(&summary).unwrap_or(Value::Null),
                tags: Vec::new(),
                note: String::new(),
                share: None,
                values: Vec::new(),
            },
        })
    };
    rows.query_map(params_from_iter(&clauses.parameters), light)?
        .collect()
}

/// Adds what a shown row has beside: summary, labels, and the values at `keys`.
fn fill(database: &Connection, row: &mut Light, keys: &[Key]) -> rusqlite::Result<()> {
    let entry = &mut row.entry;
    let mut rest = database.prepare_cached(
        "SELECT summary, coalesce(note, '') FROM runs LEFT JOIN notes ON notes.run = runs.id WHERE number = ?1",
    )?;
    let (summary, note): (String, String) =
        rest.query_row([row.number], |row| Ok((row.get(0)?, row.get(1)?)))?;
    entry.summary = serde_json::from_str(&summary).unwrap_or(Value::Null);
    entry.note = note;
    let mut tags = database.prepare_cached("SELECT tag FROM tags WHERE run = ?1 ORDER BY tag")?;
    entry.tags = tags
        .query_map([&entry.id], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut value = database
        .prepare_cached("SELECT text FROM settings WHERE run = ?1 AND key = ?2 AND place = 0")?;
    for (_, key) in keys {
        let mut found = value.query_map([row.number, *key], |row| row.get(0))?;
        entry.values.push(found.next().transpose()?);
    }
    Ok(())
}

/// The runs beside each other, at the keys in which they differ.
fn sweep(entries: Vec<Entry>, mut settings: Vec<Vec<(String, Written)>>) -> Sweep {
    // Of every key the first value, how many runs have the key, and whether their values differ.
    let mut found: BTreeMap<&String, (&Written, usize, bool)> = BTreeMap::new();
    for (key, value) in settings.iter().flatten() {
        let (first, count, differs) = found.entry(key).or_insert((value, 0, false));
        *count += 1;
        *differs |= *first != value;
    }
    let runs = entries.len();
    found.retain(|key, (_, count, differs)| {
        (*differs || *count < runs) && !RESULTS.contains(&key.as_str())
    });
    let keys: Vec<String> = found.into_keys().cloned().collect();
    let values = |settings: &mut Vec<(String, Written)>| {
        let at = |key: &String| {
            let place = settings.iter().position(|(of, _)| of == key)?;
            Some(settings.swap_remove(place).1)
        };
        keys.iter().map(at).collect()
    };
    let values: Vec<Vec<_>> = settings.iter_mut().map(values).collect();
    Sweep {
        runs: entries.into_iter().zip(values).collect(),
        keys,
    }
}
