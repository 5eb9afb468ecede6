//! Lists of runs: filtered and sorted in the index, over all pages.

use super::index::Index;
use super::progress;
use super::search::{self, Condition, Relation, Search};
use super::shard::Share;
use super::store;
use crate::error::{Error, Result, excerpt};
use crate::settings::nearest;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, params_from_iter};
use serde_json::Value;

/// The results that lists sort and search by, as keys beside those of strategies: P&L variance, mean transaction cost, Sharpe
/// ratio and CVaR of the hedge that the run is about.
pub const RESULTS: [&str; 4] = [
    "results.variance",
    "results.cost",
    "results.sharpe",
    "results.cvar",
];

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
    /// Words and conditions, see [`Search`].
    pub search: Option<String>,
}

/// How a list is sorted; runs that have nothing to be sorted by come last.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// `made`, `name`, or a key of strategies or of results: the whole dotted name or its end.
    pub by: String,
    /// From the greatest to the least.
    pub descending: bool,
}

impl Default for Order {
    fn default() -> Self {
        Self {
            by: "made".into(),
            descending: true,
        }
    }
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
    /// The runs, and what each has at the keys: a text and, where it is one, a number.
    pub runs: Vec<(Entry, Vec<Option<(String, Option<f64>)>>)>,
}

/// A row of the list before its state is looked at.
struct Light {
    number: i64,
    entry: Entry,
}

/// The part of a question in SQL that says which runs are meant.
#[derive(Default)]
struct Clauses {
    text: String,
    parameters: Vec<Sql>,
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
        let read = || -> rusqlite::Result<Vec<Vec<(String, (String, Option<f64>))>>> {
            let mut rows = database.prepare_cached(
                "SELECT keys.key, text, value FROM settings JOIN keys ON keys.number = settings.key
                 WHERE run = (SELECT number FROM runs WHERE id = ?1) AND place = 0",
            )?;
            let of = |entry: &Entry| {
                let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)));
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

    fn known_keys(&self, database: &Connection) -> Result<Vec<(String, i64)>> {
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

/// Those of `known` that a search or an order names; an error says which is spelled almost so.
fn named<'a>(
    field: &str,
    asked: &str,
    known: &'a [(String, i64)],
) -> Result<Vec<&'a (String, i64)>> {
    let keys: Vec<String> = known.iter().map(|(key, _)| key.clone()).collect();
    let found = search::named(asked, &keys);
    if found.is_empty() {
        // The end of a key is what is spelled, so ends are what it is compared with.
        let parts = asked.split('.').count();
        let end = |key: &String| {
            let mut end: Vec<&str> = key.rsplit('.').take(parts).collect();
            end.reverse();
            end.join(".")
        };
        let ends: Vec<String> = keys.iter().map(end).collect();
        let nearest = nearest(asked, &ends).map(|near| format!("; did you mean `{near}`?"));
        let words = format!(
            "names the key `{}`, which no run has{}",
            excerpt(asked),
            nearest.unwrap_or_default()
        );
        return Err(Error::key(field, words));
    }
    let is_found = |(key, _): &&(String, i64)| found.contains(&key);
    Ok(known.iter().filter(is_found).collect())
}

/// Which runs a search means, and the keys that it names.
fn clauses(
    tag: Option<&str>,
    search: &Search,
    known: &[(String, i64)],
) -> Result<(Clauses, Vec<(String, i64)>)> {
    let mut clauses = Clauses::default();
    let mut keys: Vec<(String, i64)> = Vec::new();
    if let Some(tag) = tag {
        clauses.and("EXISTS (SELECT 1 FROM tags WHERE tags.run = runs.id AND tag = ?)");
        clauses.parameters.push(Sql::Text(tag.to_owned()));
    }
    for condition in &search.conditions {
        let of = named("search", &condition.key, known)?;
        clauses.condition(condition, &of);
        for key in of {
            if is_column(key) && !keys.contains(key) {
                keys.push(key.clone());
            }
        }
    }
    Ok((clauses, keys))
}

/// Whether a key has a column of its own where it is asked for: results have one anyway.
fn is_column((key, _): &(String, i64)) -> bool {
    !RESULTS.contains(&key.as_str())
}

impl Clauses {
    fn and(&mut self, clause: &str) {
        self.text.push_str(" AND ");
        self.text.push_str(clause);
    }

    fn condition(&mut self, condition: &Condition, keys: &[&(String, i64)]) {
        let numbers: Vec<String> = keys.iter().map(|(_, number)| number.to_string()).collect();
        let has = format!(
            "EXISTS (SELECT 1 FROM settings WHERE settings.run = runs.number AND settings.key IN ({})",
            numbers.join(", ")
        );
        if let Some(operator) = condition.relation.between_numbers() {
            self.and(&format!("{has} AND value {operator} ?)"));
            self.parameters
                .push(condition.number.map_or(Sql::Null, Sql::Real));
            return;
        }
        if condition.relation == Relation::Unlike {
            self.and(&format!("{has})"));
            self.text.push_str(" AND NOT");
        } else {
            self.text.push_str(" AND");
        }
        self.text
            .push_str(&format!(" {has} AND (text = ? OR value = ?))"));
        self.parameters.push(Sql::Text(condition.value.clone()));
        self.parameters
            .push(condition.number.map_or(Sql::Null, Sql::Real));
    }
}

/// What lists are sorted by: a column, or what is set at a key.
enum Sorting {
    Column(&'static str, bool),
    Key(i64, bool),
}

fn sorting(order: &Order, known: &[(String, i64)]) -> Result<Sorting> {
    let Order { by, descending } = order;
    match by.as_str() {
        "made" => return Ok(Sorting::Column("runs.created", *descending)),
        "name" => return Ok(Sorting::Column("runs.name COLLATE NOCASE", *descending)),
        _ => {}
    }
    // No run may have results yet.
    let result = RESULTS.iter().find(|result| {
        let end = result.trim_start_matches("results.");
        by == *result || by == end
    });
    match result {
        Some(result) => {
            let key = known.iter().find(|(key, _)| key == result);
            Ok(Sorting::Key(
                key.map_or(-1, |(_, number)| *number),
                *descending,
            ))
        }
        None => {
            let found = named("sort", by, known)?;
            match found.as_slice() {
                [(_, number)] => Ok(Sorting::Key(*number, *descending)),
                several => {
                    let keys: Vec<&str> = several.iter().map(|(key, _)| key.as_str()).collect();
                    let words = format!("must name one key, named {}", keys.join(", "));
                    Err(Error::key("sort", words))
                }
            }
        }
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
fn fill(database: &Connection, row: &mut Light, keys: &[(String, i64)]) -> rusqlite::Result<()> {
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
fn sweep(entries: Vec<Entry>, mut settings: Vec<Vec<(String, (String, Option<f64>))>>) -> Sweep {
    let mut first: std::collections::BTreeMap<String, (String, usize, bool)> =
        std::collections::BTreeMap::new();
    for (key, (text, _)) in settings.iter().flatten() {
        let (value, count, differs) = first
            .entry(key.clone())
            .or_insert_with(|| (text.clone(), 0, false));
        *count += 1;
        *differs |= value != text;
    }
    let runs = entries.len();
    first.retain(|key, (_, count, differs)| {
        (*differs || *count < runs) && !RESULTS.contains(&key.as_str())
    });
    let keys: Vec<String> = first.into_keys().collect();
    let values = |settings: &mut Vec<(String, (String, Option<f64>))>| {
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
