//! All keys of a strategy, for who looks one up.

use super::{market, optimizer, schema, several};
use crate::error::{Error, Fault, Result};
use crate::market::Correlation;
use crate::optimizer::{Family, Method};
use crate::settings::{self, Key};
use serde::Serialize;
use serde_json::Value;

/// The keys of a section, in the order of a file.
#[derive(Debug, Clone)]
pub struct KeyGroup {
    /// The dotted name of the section: `market`, `optimizers.NAME`; empty for what stands before all sections.
    pub section: String,
    /// What the section says, in a sentence.
    pub help: String,
    /// Its keys.
    pub keys: Vec<KeyEntry>,
}

/// A key, and which models or methods have it.
#[derive(Debug, Clone, Serialize)]
pub struct KeyEntry {
    /// The key; its default is that of the first model or method that has it.
    #[serde(flatten)]
    pub key: Key,
    /// The models or the methods that have it, empty if all do or there are none.
    pub of: Vec<&'static str>,
    /// Its defaults by model or method, where those differ.
    pub defaults: Vec<(&'static str, Value)>,
}

/// All keys of a strategy, section by section in the order of a file. What several models or methods share is listed once.
pub fn keys() -> Vec<KeyGroup> {
    let root = schema::root();
    let mut groups = vec![KeyGroup {
        section: String::new(),
        help: "What stands before all sections.".into(),
        keys: Vec::new(),
    }];
    for (name, property) in root["properties"].as_object().into_iter().flatten() {
        let help = property["description"].as_str().unwrap_or_default();
        let group = |section: &str, keys| KeyGroup {
            section: section.to_owned(),
            help: help.to_owned(),
            keys,
        };
        match name.as_str() {
            "market" => {
                let of_model = |(name, schema): &(&'static str, Value)| (*name, schema.clone());
                let all = market::schemas().iter().map(of_model);
                let model = market::any_model();
                let mut keys = merged(name, all.collect(), ("model", &model));
                let together = settings::keys(several::schema(), name).into_iter();
                let together = together.filter(|key| key.key == Correlation::KEY);
                keys.extend(together.map(KeyEntry::alone));
                groups.push(group(name, keys));
                groups.push(KeyGroup {
                    section: "market.assets.NAME".into(),
                    help: "One asset of several: the keys of `market` but for its rate and correlation.".into(),
                    keys: Vec::new(),
                });
            }
            "optimizers" => {
                let of_method = |(name, method): &(&'static str, Method)| {
                    (*name, optimizer::schema(*method).clone())
                };
                let all = Method::ALL.iter().map(of_method).collect();
                let method = optimizer::any_method();
                let keys = merged("optimizers.NAME", all, ("method", &method));
                groups.push(group("optimizers.NAME", keys));
            }
            // Its keys are those of `market`.
            "markets" => groups.push(group("markets.NAME", Vec::new())),
            section if property["properties"].is_object() => {
                let keys = settings::keys(property, section)
                    .into_iter()
                    .map(KeyEntry::alone);
                groups.push(group(section, keys.collect()));
            }
            name => {
                let keys = settings::keys(root, "").into_iter();
                let own = keys.filter(|key| key.key == name).map(KeyEntry::alone);
                groups[0].keys.extend(own);
            }
        }
    }
    groups
}

/// The keys whose names begin with `prefix`; `optimizers.kfac` are those of the method, with its defaults.
///
/// # Errors
/// [`Fault::Unknown`] if there are none.
pub fn keys_of(prefix: &str) -> Result<Vec<KeyGroup>> {
    let rest = prefix.strip_prefix("optimizers.").unwrap_or_default();
    let name = rest.split('.').next().unwrap_or_default();
    let method = Method::ALL.iter().find(|(known, _)| *known == name);
    let wanted = match method {
        Some(_) => prefix.replacen(name, "NAME", 1),
        None => prefix.to_owned(),
    };
    let begins = |key: &str| {
        key.strip_prefix(&wanted).is_some_and(|rest| {
            wanted.is_empty() || rest.is_empty() || rest.starts_with('.') || rest.starts_with('_')
        })
    };
    let mut groups = keys();
    let sections: Vec<String> = groups.iter().map(|group| group.section.clone()).collect();
    for group in &mut groups {
        group.keys.retain(|entry| begins(&entry.key.key));
        if let Some((method, _)) = method {
            group
                .keys
                .retain(|entry| entry.of.is_empty() || entry.of.contains(method));
            group.keys.iter_mut().for_each(|entry| entry.narrow(method));
        }
    }
    groups.retain(|group| {
        !group.keys.is_empty() || begins(&group.section) && !group.section.is_empty()
    });
    if groups.is_empty() {
        let known = sections
            .into_iter()
            .filter(|section| !section.is_empty())
            .collect();
        return Err(Error::setting(
            prefix,
            Fault::Unknown {
                nearest: None,
                known,
            },
        ));
    }
    Ok(groups)
}

impl KeyEntry {
    fn alone(key: Key) -> Self {
        Self {
            key,
            of: Vec::new(),
            defaults: Vec::new(),
        }
    }

    /// The default in words, each with who has it where they differ.
    pub fn default_words(&self) -> String {
        let mut words: Vec<(String, Vec<&str>)> = Vec::new();
        for (name, default) in &self.defaults {
            let default = settings::plain(default);
            match words.iter_mut().find(|(known, _)| *known == default) {
                Some((_, names)) => names.push(name),
                None => words.push((default, vec![name])),
            }
        }
        if words.is_empty() {
            return self.key.default_words();
        }
        // What most have is said first, and of whom the others are.
        words.sort_by_key(|(_, names)| std::cmp::Reverse(names.len()));
        let (most, rest) = words.split_first().expect("there is one");
        let rest = rest
            .iter()
            .map(|(default, names)| format!("{default} ({})", names.join(", ")));
        std::iter::once(most.0.clone())
            .chain(rest)
            .collect::<Vec<_>>()
            .join("; ")
    }

    /// Which models or methods have the key, in words; nothing if all have it.
    pub fn of_words(&self) -> Option<String> {
        let methods = |family: Family| {
            let all = Method::ALL.iter();
            let of_family = all.filter(move |(_, method)| method.family() == family);
            of_family.map(|(name, _)| *name)
        };
        if self.of.is_empty() {
            None
        } else if methods(Family::FirstOrder).eq(self.of.iter().copied()) {
            Some("all first-order methods".into())
        } else if methods(Family::Curvature).eq(self.of.iter().copied()) {
            Some("all methods that use curvature".into())
        } else {
            Some(self.of.join(", "))
        }
    }

    /// Keeps what concerns one of those that have the key.
    fn narrow(&mut self, name: &str) {
        if let Some((_, default)) = self.defaults.iter().find(|(one, _)| *one == name) {
            self.key.default = Some(default.clone());
        }
        self.defaults.clear();
        self.of.clear();
    }
}

/// The keys of several models or methods, those that mean the same once; `decides` is the key that names one of them.
fn merged(
    section: &str,
    all: Vec<(&'static str, Value)>,
    (decides, choices): (&str, &Value),
) -> Vec<KeyEntry> {
    let count = all.len();
    let mut entries: Vec<(KeyEntry, Vec<(&'static str, Value)>)> = Vec::new();
    for (name, mut schema) in all {
        schema["properties"][decides] = choices.clone();
        for key in settings::keys(&schema, section) {
            let default = key.default.clone().unwrap_or(Value::Null);
            let same = |entry: &KeyEntry| {
                Key {
                    default: entry.key.default.clone(),
                    ..key.clone()
                } == entry.key
            };
            match entries.iter_mut().find(|(entry, _)| same(entry)) {
                Some((entry, defaults)) => {
                    entry.of.push(name);
                    defaults.push((name, default));
                }
                None => {
                    let mut entry = KeyEntry::alone(key);
                    entry.of.push(name);
                    entries.push((entry, vec![(name, default)]));
                }
            }
        }
    }
    let finish = |(mut entry, defaults): (KeyEntry, Vec<(&'static str, Value)>)| {
        if defaults
            .iter()
            .any(|(_, default)| *default != defaults[0].1)
        {
            entry.defaults = defaults;
        }
        if entry.of.len() == count {
            entry.of.clear();
        }
        entry
    };
    // What all have comes first.
    let mut entries: Vec<KeyEntry> = entries.into_iter().map(finish).collect();
    entries.sort_by_key(|entry| !entry.of.is_empty());
    entries
}
