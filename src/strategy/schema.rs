//! The schema of a strategy: that of its sections, of every method's settings and of every model's parameters.

use super::backtest::BacktestSection;
use super::file::Strategy;
use super::walk_forward::WalkForwardSection;
use super::{market, optimizer, ranges, several};
use crate::error::Result;
use crate::optimizer::Method;
use crate::products;
use crate::settings;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// The schema of all sections whose keys do not depend on a model or a method; those of the others take any key.
pub(super) fn root() -> &'static Value {
    static ROOT: LazyLock<Value> = LazyLock::new(|| {
        let every_section = Strategy {
            backtest: Some(BacktestSection::default()),
            walk_forward: Some(WalkForwardSection::default()),
            ..Strategy::default()
        };
        let mut schema = settings::schema(&every_section);
        schema["additionalProperties"] = json!(false);
        for section in ["market", "optimizers", "markets"] {
            let property = &mut schema["properties"][section];
            let (title, help) = (property["title"].take(), property["description"].take());
            *property = json!({ "type": "object", "title": title, "description": help, "additionalProperties": true });
        }
        let contract = &mut schema["properties"]["contract"]["properties"];
        let mut keys = products::properties().clone();
        keys.extend(contract.as_object().cloned().unwrap_or_default());
        *contract = keys.into();
        schema
    });
    &ROOT
}

/// Checks every key of a strategy.
pub(super) fn check(table: &toml::Table) -> Result<()> {
    let tables = |name: &str| table.get(name).and_then(toml::Value::as_table);
    // A market that is missing is asked for by its model.
    let none = toml::Table::new();
    market::check("market", tables("market").unwrap_or(&none))?;
    settings::check(root(), &toml::Value::Table(table.clone()), "")?;
    products::check(tables("contract").unwrap_or(&none), "contract")?;
    let several = tables("market").is_some_and(|market| market.contains_key("assets"));
    for (name, change) in tables("markets").into_iter().flatten() {
        let section = format!("markets.{name}");
        if let Some(change) = change.as_table() {
            market::check_curves(&section, change)?;
        }
        settings::check(changes(several), change, &section)?;
    }
    for (name, section) in tables("optimizers").into_iter().flatten() {
        optimizer::check(name, section)?;
    }
    Ok(())
}

/// The schema of what a further market may change, of one asset or of several.
pub(super) fn changes(several: bool) -> &'static Value {
    match several {
        true => several::changes(),
        false => market::changes(),
    }
}

/// The JSON Schema (draft 07) of a strategy file. TOML language servers follow its `oneOf` when they complete keys.
pub fn document() -> Value {
    let mut schema = root().clone();
    schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    schema["title"] = json!("deephedge strategy");
    let properties = &mut schema["properties"];
    ranges::allow("contract", &mut properties["contract"]);
    let help = properties["market"]["description"].take();
    let models = market::schemas().iter().map(|(_, one)| one.clone());
    let mut models: Vec<Value> = models.collect();
    for model in &mut models {
        ranges::allow("market", model);
    }
    let mut assets = several::schema().clone();
    assets["properties"]["assets"]["additionalProperties"] =
        json!({ "oneOf": several::asset_schemas() });
    models.push(assets);
    properties["market"] = json!({ "description": help, "oneOf": models });
    properties["markets"]["additionalProperties"] =
        json!({ "anyOf": [market::changes(), several::changes()] });
    let any = json!({ "$ref": "#/definitions/optimizer" });
    // The name of an optimizer is its method unless it says otherwise.
    let named = |name: &str| json!({ "anyOf": [method_reference(name), any.clone()] });
    let methods = Method::ALL.iter().map(|(name, _)| *name);
    let by_name: Map<String, Value> = methods.clone().map(|n| (n.to_owned(), named(n))).collect();
    let optimizers = &mut properties["optimizers"];
    optimizers["properties"] = by_name.into();
    optimizers["additionalProperties"] = any;
    let stated =
        |name: &str| json!({ "allOf": [method_reference(name), { "required": ["method"] }] });
    let mut definitions: Map<String, Value> = Method::ALL
        .iter()
        .map(|(name, method)| (format!("method_{name}"), optimizer::schema(*method).clone()))
        .collect();
    let any_method: Vec<Value> = methods.map(stated).collect();
    definitions.insert("optimizer".into(), json!({ "oneOf": any_method }));
    schema["definitions"] = definitions.into();
    schema
}

fn method_reference(name: &str) -> Value {
    json!({ "$ref": format!("#/definitions/method_{name}") })
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
