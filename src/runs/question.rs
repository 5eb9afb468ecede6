//! What a search and an order mean in SQL: which runs, and what they are sorted by.

use super::search::{self, Condition, Order, RESULTS, Relation, Search};
use crate::error::{Error, Result, excerpt};
use crate::settings::nearest;
use rusqlite::types::Value as Sql;

/// A key with its number in the index.
pub(super) type Key = (String, i64);

/// The part of a question in SQL that says which runs are meant.
#[derive(Default)]
pub(super) struct Clauses {
    /// The conditions, each behind an `AND`.
    pub(super) text: String,
    /// The values of their question marks.
    pub(super) parameters: Vec<Sql>,
}

/// Those of `known` that a search or an order names; an error says which is spelled almost so.
fn named<'a>(field: &str, asked: &str, known: &'a [Key]) -> Result<Vec<&'a Key>> {
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
    let is_found = |(key, _): &&Key| found.contains(&key);
    Ok(known.iter().filter(is_found).collect())
}

/// Which runs a search means, and the keys that it names.
pub(super) fn clauses(
    tag: Option<&str>,
    search: &Search,
    known: &[Key],
) -> Result<(Clauses, Vec<Key>)> {
    let mut clauses = Clauses::default();
    let mut keys: Vec<Key> = Vec::new();
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
pub(super) fn is_column((key, _): &Key) -> bool {
    !RESULTS.contains(&key.as_str())
}

impl Clauses {
    fn and(&mut self, clause: &str) {
        self.text.push_str(" AND ");
        self.text.push_str(clause);
    }

    fn condition(&mut self, condition: &Condition, keys: &[&Key]) {
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
pub(super) enum Sorting {
    /// A column, and whether the greatest comes first.
    Column(&'static str, bool),
    /// The number of a key, and whether the greatest comes first.
    Key(i64, bool),
}

/// What an order sorts by.
pub(super) fn sorting(order: &Order, known: &[Key]) -> Result<Sorting> {
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
