//! A table as it is written, checked against the schema of its settings.

use super::key::{When, expected, limits};
use crate::bounds::{outside, shown};
use crate::error::{Error, Fault, Result, excerpt};
use serde_json::Value;

/// Checks names, types, bounds and meaning of everything in `written`; `key` is its dotted name, empty for a whole file.
///
/// # Errors
/// The first [`Fault`] that is found.
pub fn check(schema: &Value, written: &toml::Value, key: &str) -> Result<()> {
    if let Some(alternatives) = alternatives(schema) {
        let mut fitting = alternatives.iter().filter(|one| has_type(one, written));
        // A table is the alternative that has most of its names.
        let shared = |one: &Value| written.as_table().map_or(0, |table| shared(one, table));
        let most = fitting.clone().map(shared).max().unwrap_or(0);
        let named = |one: &&Value| shared(one) == most;
        // Of a choice of words and any other text, the choice if it is one.
        let taken =
            |one: &&Value| named(one) && (!one["enum"].is_array() || is_choice(one, written));
        let chosen = fitting
            .clone()
            .find(taken)
            .or_else(|| fitting.clone().find(named))
            .or_else(|| fitting.next());
        return match chosen {
            Some(one) if one["enum"].is_array() && !is_choice(one, written) => {
                Err(wrong(key, schema, written))
            }
            Some(one) => check(one, written, key),
            None => Err(wrong(key, schema, written)),
        };
    }
    if !has_type(schema, written) || (schema["enum"].is_array() && !is_choice(schema, written)) {
        return Err(wrong(key, schema, written));
    }
    match written {
        toml::Value::Integer(number) => check_limits(schema, *number as f64, key),
        toml::Value::Float(number) => check_limits(schema, *number, key),
        toml::Value::Array(items) => {
            let least = schema["minItems"].as_u64().unwrap_or(0);
            if (items.len() as u64) < least {
                return Err(outside(
                    key,
                    format!("a list of at least {least}"),
                    items.len().to_string(),
                ));
            }
            items
                .iter()
                .try_for_each(|item| check(&schema["items"], item, key))
        }
        toml::Value::Table(table) => check_table(schema, table, key),
        toml::Value::String(_) | toml::Value::Boolean(_) | toml::Value::Datetime(_) => Ok(()),
    }
}

fn check_table(schema: &Value, table: &toml::Table, section: &str) -> Result<()> {
    let named = |name: &str| match section {
        "" => name.to_owned(),
        section => format!("{section}.{name}"),
    };
    for (name, value) in table {
        let property = schema["properties"].get(name);
        let other = || schema.get("additionalProperties");
        match property.or_else(other) {
            Some(property) if property.is_object() => check(property, value, &named(name))?,
            // Any value, which another schema checks.
            Some(Value::Bool(true)) => {}
            _ => return Err(unknown(schema, name, named(name))),
        }
    }
    let required = schema["required"].as_array().into_iter().flatten();
    for name in required.filter_map(Value::as_str) {
        if !table.contains_key(name) {
            let inner = &schema["properties"][name];
            let first = inner["required"][0].as_str();
            // Of a section that must be there, the key that is missed first.
            let key = first.map_or(named(name), |first| named(&format!("{name}.{first}")));
            return Err(Error::setting(key, Fault::Missing));
        }
    }
    // At its default it says nothing, as where every default is written out.
    let at_default = |(name, _): &(String, When)| is_default(schema, name, &table[name]);
    let refused = meaningless(schema, table)
        .into_iter()
        .find(|one| !at_default(one));
    if let Some((name, when)) = refused {
        return Err(Error::setting(
            named(&name),
            Fault::NoMeaning {
                beside: when.refused(schema, table),
            },
        ));
    }
    Ok(())
}

/// The keys of `table` that have no meaning beside its others, each with the reason.
fn meaningless(schema: &Value, table: &toml::Table) -> Vec<(String, When)> {
    let names = table.keys();
    let found = names.filter_map(|name| {
        let unmet = When::of(&schema["properties"][name.as_str()])
            .into_iter()
            .find(|when| !when.holds(schema, table))?;
        Some((name.clone(), unmet))
    });
    found.collect()
}

/// Takes away what has no meaning beside the other keys and is at its default: what is left says no more than it means.
pub fn prune(schema: &Value, table: &mut toml::Table) {
    for (name, _) in meaningless(schema, table) {
        if is_default(schema, &name, &table[&name]) {
            table.remove(&name);
        }
    }
    for (name, value) in table.iter_mut() {
        if let toml::Value::Table(inner) = value {
            prune(&schema["properties"][name.as_str()], inner);
        }
    }
}

fn is_default(schema: &Value, name: &str, written: &toml::Value) -> bool {
    let default = &schema["properties"][name]["default"];
    match written {
        // A whole number stands for a number.
        toml::Value::Integer(number) => default.as_f64() == Some(*number as f64),
        written => serde_json::to_value(written).is_ok_and(|written| written == *default),
    }
}

fn alternatives(schema: &Value) -> Option<&Vec<Value>> {
    schema["anyOf"]
        .as_array()
        .or_else(|| schema["oneOf"].as_array())
}

fn has_type(schema: &Value, written: &toml::Value) -> bool {
    let Some(name) = schema["type"].as_str() else {
        return true;
    };
    match written {
        toml::Value::Integer(_) => name == "integer" || name == "number",
        toml::Value::Float(_) => name == "number",
        toml::Value::Boolean(_) => name == "boolean",
        toml::Value::String(_) => name == "string",
        toml::Value::Array(_) => name == "array",
        toml::Value::Table(_) => name == "object",
        toml::Value::Datetime(_) => false,
    }
}

/// How many of a table's names a schema has.
fn shared(schema: &Value, table: &toml::Table) -> usize {
    let properties = schema["properties"].as_object().into_iter();
    properties
        .map(|properties| {
            table
                .keys()
                .filter(|name| properties.contains_key(*name))
                .count()
        })
        .sum()
}

fn is_choice(schema: &Value, written: &toml::Value) -> bool {
    let choices = schema["enum"].as_array().into_iter().flatten();
    choices
        .filter_map(Value::as_str)
        .any(|choice| written.as_str() == Some(choice))
}

fn check_limits(schema: &Value, number: f64, key: &str) -> Result<()> {
    let bound = |keyword: &str| schema[keyword].as_f64();
    let holds = number.is_finite()
        && bound("minimum").is_none_or(|least| number >= least)
        && bound("maximum").is_none_or(|most| number <= most)
        && bound("exclusiveMinimum").is_none_or(|below| number > below)
        && bound("exclusiveMaximum").is_none_or(|above| number < above);
    if holds {
        return Ok(());
    }
    let bound = limits(schema).unwrap_or_else(|| "finite".into());
    Err(outside(key, bound, shown(number)))
}

/// The error of a value that is none of what the key takes.
fn wrong(key: &str, schema: &Value, written: &toml::Value) -> Error {
    let value = match written {
        toml::Value::Float(number) => shown(*number),
        other => excerpt(&other.to_string()),
    };
    outside(key, expected(schema), value)
}

fn unknown(schema: &Value, name: &str, key: String) -> Error {
    let known = schema["properties"].as_object();
    let known: Vec<String> = known
        .into_iter()
        .flatten()
        .map(|(k, _)| k.clone())
        .collect();
    Error::setting(
        key,
        Fault::Unknown {
            nearest: nearest(name, &known),
            known,
        },
    )
}

/// The name that is spelled almost as `name`: at most a third of its letters are others, or stand elsewhere.
pub(crate) fn nearest(name: &str, known: &[String]) -> Option<String> {
    const LONGEST: usize = 64;
    if name.len() > LONGEST {
        return None;
    }
    let distance = |other: &str| strsim::damerau_levenshtein(name, other);
    let nearest = known.iter().min_by_key(|other| distance(other))?;
    let most = (name.chars().count() / 3).max(1);
    (distance(nearest) <= most).then(|| nearest.clone())
}
