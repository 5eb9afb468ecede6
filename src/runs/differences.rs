//! The settings of a strategy by their dotted names, and those in which several strategies differ.

use crate::numbers::significant;
use std::collections::HashMap;
use toml::Value;

/// One setting of a strategy.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The dotted name: `market.model`; tables of a list are numbered from 1: `contract.payments.1.amount`.
    pub key: String,
    /// The value as a strategy file has it, texts without their quotes.
    pub value: Written,
    /// The entries of a list, in their order; nothing of any other value.
    pub entries: Vec<Written>,
}

/// A value as it is written. A number is equal to the same number that is written otherwise.
#[derive(Debug, Clone)]
pub struct Written {
    /// The value in words.
    pub text: String,
    /// The value, if it is a finite number.
    pub number: Option<f64>,
}

impl PartialEq for Written {
    fn eq(&self, other: &Self) -> bool {
        match (self.number, other.number) {
            (Some(number), Some(other)) => number == other,
            _ => self.text == other.text,
        }
    }
}

impl Written {
    /// A number with four digits; absent if it is none.
    pub fn of(number: f64) -> Option<Self> {
        number.is_finite().then(|| Self {
            text: significant(number, 4),
            number: Some(number),
        })
    }

    /// The value as a strategy file has it.
    pub fn new(value: &Value) -> Self {
        let number = match value {
            Value::Integer(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            Value::String(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Array(_)
            | Value::Table(_) => None,
        };
        Self {
            text: words(value),
            number: number.filter(|number| number.is_finite()),
        }
    }
}

/// A value as a strategy file has it, where a text stands alone without its quotes, and a number without digits that say
/// nothing.
fn words(value: &Value) -> String {
    /// Beyond these a number is shorter with a power of ten.
    const PLAIN: std::ops::Range<f64> = 1e-6..1e15;
    match value {
        Value::String(text) => text.clone(),
        Value::Float(number) if *number == 0.0 || PLAIN.contains(&number.abs()) => {
            number.to_string()
        }
        Value::Float(number) => format!("{number:e}"),
        Value::Array(entries) => {
            let entries: Vec<String> = entries.iter().map(words).collect();
            format!("[{}]", entries.join(", "))
        }
        Value::Integer(_) | Value::Boolean(_) | Value::Datetime(_) | Value::Table(_) => {
            value.to_string()
        }
    }
}

/// Every setting of a strategy file in its order; none of a text that is no TOML.
pub fn settings(strategy: &str) -> Vec<Setting> {
    let mut found = Vec::new();
    if let Ok(table) = strategy.parse::<toml::Table>() {
        collect(String::new(), &Value::Table(table), &mut found);
    }
    found
}

fn collect(key: String, value: &Value, found: &mut Vec<Setting>) {
    let below = |name: &str| match key.as_str() {
        "" => name.to_owned(),
        key => format!("{key}.{name}"),
    };
    match value {
        Value::Table(table) => {
            for (name, value) in table {
                collect(below(name), value, found);
            }
        }
        Value::Array(tables) if tables.first().is_some_and(Value::is_table) => {
            for (index, value) in tables.iter().enumerate() {
                collect(below(&(index + 1).to_string()), value, found);
            }
        }
        value => found.push(Setting {
            key,
            value: Written::new(value),
            entries: match value {
                Value::Array(entries) => entries.iter().map(Written::new).collect(),
                Value::String(_)
                | Value::Integer(_)
                | Value::Float(_)
                | Value::Boolean(_)
                | Value::Datetime(_)
                | Value::Table(_) => Vec::new(),
            },
        }),
    }
}

/// A key that strategies differ in.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The dotted name.
    pub key: String,
    /// What each strategy has there, in their order; nothing where one has no such key.
    pub values: Vec<Option<Written>>,
}

/// The keys whose values differ between strategies, section by section, in the order in which the files have them. Numbers are
/// compared as numbers, so that 1 and 1.0 are the same.
pub fn differences(strategies: &[Vec<Setting>]) -> Vec<Difference> {
    let mut found: Vec<Difference> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut sections: HashMap<&str, usize> = HashMap::new();
    for (index, settings) in strategies.iter().enumerate() {
        for setting in settings {
            let next = sections.len();
            sections.entry(section(&setting.key)).or_insert(next);
            let place = *places.entry(&setting.key).or_insert_with(|| {
                found.push(Difference {
                    key: setting.key.clone(),
                    values: vec![None; strategies.len()],
                });
                found.len() - 1
            });
            found[place].values[index] = Some(setting.value.clone());
        }
    }
    found.retain(|difference| {
        difference
            .values
            .iter()
            .any(|value| *value != difference.values[0])
    });
    found.sort_by_key(|difference| sections[section(&difference.key)]);
    found
}

/// The part of a key before its first dot; nothing of a key that stands before all sections.
fn section(key: &str) -> &str {
    key.split_once('.').map_or("", |(section, _)| section)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(differences: &[Difference]) -> Vec<(&str, Vec<Option<&str>>)> {
        differences
            .iter()
            .map(|difference| {
                let values = difference.values.iter();
                let values = values.map(|value| value.as_ref().map(|value| value.text.as_str()));
                (difference.key.as_str(), values.collect())
            })
            .collect()
    }

    /// A strategy does not differ from itself, nor from one that writes the same numbers otherwise; of two that differ,
    /// exactly the keys come back that differ, with a gap where one has none.
    #[test]
    fn only_what_differs_is_a_difference() {
        let first = settings(
            "name = \"a\"\n[market]\nmodel = \"heston\"\nsigma = 0.3\nspot = 100\n[policy]\nhedges = [\"spot\", \"call\"]",
        );
        let second = settings(
            "name = \"a\"\n[market]\nmodel = \"gbm\"\nspot = 100.0\nvolatility = 2e-7\n[policy]\nhedges = [\"spot\"]",
        );
        assert_eq!(differences(&[first.clone(), first.clone()]), []);
        let found = differences(&[first, second]);
        assert_eq!(
            texts(&found),
            [
                ("market.model", vec![Some("heston"), Some("gbm")]),
                ("market.sigma", vec![Some("0.3"), None]),
                ("market.volatility", vec![None, Some("2e-7")]),
                ("policy.hedges", vec![Some("[spot, call]"), Some("[spot]")]),
            ]
        );
    }

    /// Tables of a list have their numbers in their names, and a list of values its entries.
    #[test]
    fn lists_are_reached() {
        let all = settings(
            "lengths = [100, 400]\n[[payments]]\namount = \"S\"\n[[payments]]\namount = \"2 * S\"",
        );
        let keys: Vec<&str> = all.iter().map(|setting| setting.key.as_str()).collect();
        assert_eq!(keys, ["lengths", "payments.1.amount", "payments.2.amount"]);
        let entries: Vec<f64> = all[0].entries.iter().filter_map(|e| e.number).collect();
        assert_eq!((entries, all[0].value.number), (vec![100.0, 400.0], None));
        assert_eq!(settings("no strategy ="), []);
    }
}
