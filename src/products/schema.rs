//! What files may say of a contract by its name.

use super::{PortfolioLeg, Product};
use crate::error::Result;
use crate::settings::{self, declared};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// The keys of all types, `type` first; each says for which of them it has a meaning.
pub fn properties() -> &'static Map<String, Value> {
    static PROPERTIES: LazyLock<Map<String, Value>> = LazyLock::new(|| {
        let schemas = Product::schemas();
        let (names, help): (Vec<_>, Vec<_>) =
            schemas.iter().map(|(name, help, _)| (*name, *help)).unzip();
        let mut properties = Map::new();
        properties.insert(
            "type".into(),
            json!({
                "type": "string", "title": "Type", "enum": names, "default": Product::default().name(),
                "description": "What is sold; `term_sheet` and `portfolio` need not be written where `payoff`, `payments` or `legs` is.",
                "x-taplo": { "docs": { "enumValues": help } },
            }),
        );
        for (name, _, schema) in schemas {
            for (key, property) in schema["properties"].as_object().into_iter().flatten() {
                let known = properties.entry(key.clone()).or_insert_with(|| {
                    let mut property = property.clone();
                    property["x-when"] = json!({ "type": [] });
                    property
                });
                if let Some(types) = known["x-when"]["type"].as_array_mut() {
                    types.push(name.into());
                }
            }
        }
        properties
    });
    &PROPERTIES
}

/// The unit of a number of a contract whose key inside the section has these names, `["strike", "moneyness"]` or `["parameters", "K"]`; none where
/// it has no unit.
pub fn unit(key: &[&str]) -> Option<&'static str> {
    let (first, inner) = key.split_first()?;
    let property = inner
        .iter()
        .try_fold(properties().get(*first)?, |outer, name| {
            let written = outer["anyOf"].as_array().into_iter().flatten();
            let mut written = written.filter_map(|one| one["properties"].get(*name));
            written.next().or_else(|| outer.get("additionalProperties"))
        });
    property?["x-unit"].as_str()
}

/// Fills in the types that the keys of a contract and of its legs imply; where they imply none, that of the default if
/// `always`.
pub fn with_types(contract: &mut toml::Table, always: bool) {
    let has = |key: &str| contract.contains_key(key);
    let implied = if has("payoff") || has("payments") {
        Some("term_sheet")
    } else if has("legs") {
        Some("portfolio")
    } else if always {
        Some(Product::default().name())
    } else {
        None
    };
    if let (Some(name), false) = (implied, has("type")) {
        contract.insert("type".into(), name.into());
    }
    let legs = contract.get_mut("legs").and_then(toml::Value::as_array_mut);
    for leg in legs.into_iter().flatten() {
        if let toml::Value::Table(leg) = leg {
            with_types(leg, always);
        }
    }
}

/// Checks the keys of the legs of a portfolio.
///
/// # Errors
/// [`crate::Error::Setting`] with key, value and bound.
pub fn check(contract: &toml::Table, section: &str) -> Result<()> {
    static LEG: LazyLock<Value> = LazyLock::new(|| {
        let mut schema = declared::<PortfolioLeg>();
        let own = schema["properties"]
            .as_object()
            .cloned()
            .unwrap_or_default();
        let mut all = properties().clone();
        all.extend(own);
        schema["properties"] = all.into();
        schema["additionalProperties"] = json!(false);
        schema
    });
    let legs = contract.get("legs").and_then(toml::Value::as_array);
    for (index, leg) in legs.into_iter().flatten().enumerate() {
        settings::check(&LEG, leg, &format!("{section}.legs.{}", index + 1))?;
    }
    Ok(())
}
