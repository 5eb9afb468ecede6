//! A strategy as the fields of a form.

use super::file::table;
use super::{market, optimizer, schema, several};
use crate::error::{Error, Result};
use crate::optimizer::Method;
use crate::products::with_types;
use crate::settings::{Key, keys};
use serde_json::{Map, Value};

/// A section of a strategy in a form.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// Its dotted name, empty for keys that stand before all sections.
    pub name: String,
    /// What a form calls it.
    pub title: String,
    /// What it says, in a sentence.
    pub help: String,
    /// Its keys, in their order.
    pub fields: Vec<Field>,
}

/// A key of a strategy in a form.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name, help, unit, default and bounds.
    pub key: Key,
    /// What the strategy says, if it says anything.
    pub value: Option<Value>,
    /// Whether the keys of its section depend on its value.
    pub decides: bool,
}

/// Every key that the strategy may have under its models and methods, with what it says. It need not be valid, so that a
/// form can show what it lacks; keys that are not known are left out.
///
/// # Errors
/// [`Error::Input`] if the text is no TOML.
pub fn sections(strategy: &str) -> Result<Vec<Section>> {
    let mut written = table(strategy)?;
    if let Some(toml::Value::Table(contract)) = written.get_mut("contract") {
        with_types(contract, false);
    }
    let root = schema::root();
    let section = |name: &str, help: &str, schema: &Value, section: Option<&toml::Value>| Section {
        name: name.to_owned(),
        title: title(root, name),
        help: help.to_owned(),
        fields: keys(schema, name)
            .into_iter()
            .map(|key| field(key, name, section))
            .collect(),
    };
    let mut general = Section {
        name: String::new(),
        title: "Strategy".into(),
        help: "What the strategy is called, and the seed of its random numbers.".into(),
        fields: Vec::new(),
    };
    let mut sections = Vec::new();
    for (name, property) in root["properties"].as_object().into_iter().flatten() {
        let said = written.get(name);
        let help = property["description"].as_str().unwrap_or_default();
        let tables = said.and_then(toml::Value::as_table).into_iter().flatten();
        match name.as_str() {
            "market" if said.is_some_and(|market| market.get("assets").is_some()) => {
                sections.push(section(name, help, several::schema(), said));
                let assets = said.and_then(|market| market["assets"].as_table());
                for (asset, said) in assets.into_iter().flatten() {
                    let name = format!("market.assets.{asset}");
                    let model = said.get("model").and_then(toml::Value::as_str);
                    let schema = several::asset_schema(model.unwrap_or_default());
                    sections.push(section(&name, help, &schema, Some(said)));
                }
            }
            "market" => {
                let model = said.and_then(|market| market.get("model"));
                let model = model.and_then(toml::Value::as_str).unwrap_or_default();
                let mut made = section(name, help, market::schema_of(model), said);
                decide(&mut made, "market.model", &market::any_model());
                sections.push(made);
            }
            "markets" => {
                for (market, change) in tables {
                    let name = format!("markets.{market}");
                    let own = written.get("market");
                    let several = own.is_some_and(|market| market.get("assets").is_some());
                    sections.push(section(&name, help, schema::changes(several), Some(change)));
                }
            }
            "optimizers" => {
                for (name, said) in tables {
                    let method = said.get("method").and_then(toml::Value::as_str);
                    let method = Method::named("", method.unwrap_or(name)).unwrap_or(Method::Adam);
                    let section_name = format!("optimizers.{name}");
                    let mut made =
                        section(&section_name, help, optimizer::schema(method), Some(said));
                    let key = format!("{section_name}.method");
                    decide(&mut made, &key, &optimizer::any_method());
                    if let Some(field) = made.fields.iter_mut().find(|field| field.key.key == key) {
                        field.value = Some(method.name().into());
                    }
                    sections.push(made);
                }
            }
            // What is sold on history needs files, so that a form cannot begin it from defaults.
            "backtest" | "walk_forward" if said.is_none() => {}
            _ if property["properties"].is_object() => {
                sections.push(section(name, help, property, said));
            }
            name => general.fields.extend(
                keys(root, "")
                    .into_iter()
                    .filter(|key| key.key == name)
                    .map(|key| field(key, "", Some(&toml::Value::Table(written.clone())))),
            ),
        }
    }
    sections.insert(0, general);
    Ok(sections)
}

/// What a form calls a section; of one that has a name of the file's own, that too.
fn title(root: &Value, section: &str) -> String {
    let (first, own) = section.split_once('.').unwrap_or((section, ""));
    let title = root["properties"][first]["title"].as_str();
    format!("{} {own}", title.unwrap_or(first))
        .trim_end()
        .to_owned()
}

fn field(key: Key, section: &str, written: Option<&toml::Value>) -> Field {
    let name = key.key.strip_prefix(section).unwrap_or(&key.key);
    let value = written.and_then(|section| section.get(name.trim_start_matches('.')));
    Field {
        value: value.and_then(|value| serde_json::to_value(value).ok()),
        key,
        decides: false,
    }
}

/// Gives the key that decides about the others of its section all its choices, not only the one that is chosen.
fn decide(section: &mut Section, key: &str, all: &Value) {
    let schema = serde_json::json!({ "properties": { key: all } });
    let Some(all) = keys(&schema, "").pop() else {
        return;
    };
    let mut fields = section.fields.iter_mut();
    if let Some(field) = fields.find(|field| field.key.key == key) {
        field.key.choices = all.choices;
        field.key.bound = all.bound;
        field.decides = true;
    }
}

/// A strategy file from values by dotted keys; empty texts and nulls are left out.
///
/// # Errors
/// [`Error::Input`] if a key is no dotted name or leads through a value.
pub fn to_toml(fields: &Map<String, Value>) -> Result<String> {
    let mut strategy = toml::Table::new();
    for (key, value) in fields {
        let wrong = |what: &str| Error::key(key, what);
        if value.is_null() || value.as_str() == Some("") {
            continue;
        }
        let value = toml::Value::try_from(value).map_err(|error| wrong(&error.to_string()))?;
        let mut parts: Vec<&str> = key.split('.').collect();
        let name = parts.pop().unwrap_or_default();
        if name.is_empty() || parts.iter().any(|part| part.is_empty()) {
            return Err(wrong("must be names with dots between them"));
        }
        let mut table = &mut strategy;
        for part in parts {
            let inner = table
                .entry(part)
                .or_insert_with(|| toml::Table::new().into());
            table = inner
                .as_table_mut()
                .ok_or_else(|| wrong("leads through a value"))?;
        }
        if table.get(name).is_some_and(toml::Value::is_table) {
            return Err(wrong("must have a value of its own"));
        }
        table.insert(name.into(), value);
    }
    toml::to_string(&strategy).map_err(|error| Error::Computation(format!("strategy: {error}")))
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
