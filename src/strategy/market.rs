//! The section `market`.

use super::several::{self, SeveralSection};
use crate::bounds::{self, outside, shown};
use crate::contract::Contract;
use crate::error::{Error, Fault, Result, excerpt};
use crate::market::{Curve, GbmParameters, Market, Model};
use crate::settings;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// The market that paths are simulated in: a model with its parameters, and what is the same under every model. With several
/// assets these are those of the first one.
#[derive(Debug, Clone, PartialEq, JsonSchema)]
pub struct MarketSection {
    /// The model of the spot, with its parameters.
    #[schemars(skip)]
    pub model: Model,
    /// The price of the underlying when the contract is sold.
    #[serde(default = "spot")]
    #[schemars(title = "Spot", range(min = 1e-6, max = 1e9), extend("x-unit" = "currency"))]
    pub spot: f64,
    /// The riskless rate, continuously compounded: a number from −1 to 1, or zero rates as pairs of days and rate,
    /// `[[91, 0.02], [365, 0.03]]`. The days are those of the calendar after the sale, 365 a year.
    #[serde(default)]
    #[schemars(title = "Interest rate", extend("x-unit" = "annualised"))]
    pub rate: Curve,
    /// The dividend yield, continuously compounded: a number from −1 to 1, or pairs of days and the yield until then, as for
    /// `rate`.
    #[serde(default)]
    #[schemars(title = "Dividend yield", extend("x-unit" = "annualised"))]
    pub dividend: Curve,
    /// The further assets, if the section names its assets.
    #[schemars(skip)]
    pub several: Option<SeveralSection>,
}

pub(super) fn spot() -> f64 {
    MarketSection::default().spot
}

impl MarketSection {
    /// The market of a model at a spot of 100, without interest and dividends.
    pub fn of(model: impl Into<Model>) -> Self {
        Self {
            model: model.into(),
            spot: 100.0,
            rate: Curve::default(),
            dividend: Curve::default(),
            several: None,
        }
    }

    /// The market that is simulated, of several assets that of the first.
    pub fn market(&self) -> Market {
        Market {
            model: self.model.clone(),
            spot: self.spot,
            rate: self.rate.clone(),
            dividend: self.dividend.clone(),
        }
    }

    /// This market with the keys of `change` instead; the parameters of another model begin from nothing. `section` names
    /// the change in errors.
    ///
    /// # Errors
    /// [`Error::Setting`] with key, value and bound.
    pub(super) fn changed(&self, change: &toml::Table, section: &str) -> Result<Self> {
        let failed = |error: &dyn std::fmt::Display| {
            Error::Computation(format!("`{section}` as TOML: {error}"))
        };
        let mut table = toml::Table::try_from(self).map_err(|error| failed(&error))?;
        match self.several {
            Some(_) => several::apply(change, &mut table, section)?,
            None => apply(change, &mut table),
        }
        check(section, &table)?;
        table
            .try_into()
            .map_err(|error: toml::de::Error| failed(&error))
    }
}

/// Writes the keys of `change` over those of a market of one asset, or of one of several; the parameters of another model begin
/// from nothing.
pub(super) fn apply(change: &toml::Table, table: &mut toml::Table) {
    if change
        .get("model")
        .is_some_and(|model| table.get("model") != Some(model))
    {
        let common = common();
        table.retain(|name, _| common["properties"].get(name).is_some());
    }
    table.extend(change.clone());
}

impl Default for MarketSection {
    fn default() -> Self {
        Self::of(GbmParameters { volatility: 0.2 })
    }
}

/// The schema of the keys that every model has.
pub(super) fn common() -> &'static Value {
    static COMMON: LazyLock<Value> = LazyLock::new(|| settings::schema(&MarketSection::default()));
    &COMMON
}

/// The schema of the section for every model, by the model's name.
pub(super) fn schemas() -> &'static [(&'static str, Value)] {
    static SCHEMAS: LazyLock<Vec<(&'static str, Value)>> = LazyLock::new(|| {
        let models = Model::schemas().into_iter();
        let of_model = |(name, help, parameters): (&'static str, _, _)| {
            (name, of_model(name, help, &parameters))
        };
        models.map(of_model).collect()
    });
    &SCHEMAS
}

/// The schema of the section under the model of that name, or under the first one.
pub(super) fn schema_of(name: &str) -> &'static Value {
    let schemas = schemas();
    let found = schemas.iter().find(|(one, _)| *one == name);
    &found.unwrap_or(&schemas[0]).1
}

/// The schema of the section under one model: its name, its parameters and the keys that every model has.
fn of_model(name: &str, help: &str, parameters: &Value) -> Value {
    let mut properties = serde_json::Map::new();
    properties.insert(
        "model".into(),
        json!({ "type": "string", "title": "Model", "enum": [name],
                "description": "The model of the spot, which decides what other keys the section has.",
                "x-taplo": { "docs": { "enumValues": [help] } } }),
    );
    for schema in [common(), parameters] {
        let own = schema["properties"].as_object().cloned();
        properties.extend(own.unwrap_or_default());
    }
    let mut required = vec![json!("model")];
    required.extend(
        parameters["required"]
            .as_array()
            .cloned()
            .unwrap_or_default(),
    );
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// The schema of what a further market may change: any key of any model.
pub(super) fn changes() -> &'static Value {
    static CHANGES: LazyLock<Value> = LazyLock::new(|| {
        let mut properties = serde_json::Map::new();
        let mut models = Vec::new();
        for (name, schema) in schemas() {
            models.push((
                json!(name),
                schema["properties"]["model"]["x-taplo"]["docs"]["enumValues"][0].clone(),
            ));
            let own = schema["properties"]
                .as_object()
                .cloned()
                .unwrap_or_default();
            for (key, mut property) in own {
                if let Some(property) = property.as_object_mut() {
                    property.remove("default");
                    property.insert("x-default".into(), json!(format!("`market.{key}`")));
                }
                properties.entry(key).or_insert(property);
            }
        }
        let (names, help): (Vec<Value>, Vec<Value>) = models.into_iter().unzip();
        properties["model"]["enum"] = names.into();
        properties["model"]["x-taplo"] = json!({ "docs": { "enumValues": help } });
        json!({ "type": "object", "properties": properties, "additionalProperties": false })
    });
    &CHANGES
}

/// The schema of the key that names a model.
pub(super) fn any_model() -> Value {
    let mut model = changes()["properties"]["model"].clone();
    if let Some(model) = model.as_object_mut() {
        model.remove("x-default");
    }
    model
}

/// Checks the keys of a market under its model.
///
/// # Errors
/// [`Error::Setting`] with key, value and bound.
pub(super) fn check(section: &str, table: &toml::Table) -> Result<()> {
    if table.contains_key("assets") {
        return several::check(section, table);
    }
    let key = |name: &str| format!("{section}.{name}");
    let model = table.get("model");
    let model = model.ok_or_else(|| Error::setting(key("model"), Fault::Missing))?;
    settings::check(&changes()["properties"]["model"], model, &key("model"))?;
    check_curves(section, table)?;
    let known = |schema: &Value, name: &str| schema["properties"].get(name).is_some();
    for (name, schema) in schemas() {
        if model.as_str() != Some(*name) {
            continue;
        }
        let foreign = |key: &&String| !known(schema, key) && known(changes(), key);
        if let Some(foreign) = table.keys().find(foreign) {
            let beside = format!("for the model \"{name}\"");
            return Err(Error::setting(key(foreign), Fault::NoMeaning { beside }));
        }
        settings::check(schema, &toml::Value::Table(table.clone()), section)?;
    }
    Ok(())
}

/// Checks the term structures of a section.
///
/// # Errors
/// [`Error::Setting`] with the entry at fault.
pub(super) fn check_curves(section: &str, table: &toml::Table) -> Result<()> {
    for name in ["rate", "dividend"] {
        let key = format!("{section}.{name}");
        let Some(list) = table.get(name).filter(|value| value.is_array()) else {
            continue;
        };
        let entries = list.as_array().into_iter().flatten();
        if let Some((place, entry)) = (1..).zip(entries).find(|(_, entry)| !entry.is_array()) {
            let value = excerpt(&entry.to_string());
            return Err(outside(
                &format!("{key}[{place}]"),
                "a pair [days, rate]",
                value,
            ));
        }
        // What is no list of lists of numbers, the schema refuses.
        if let Ok(pairs) = Vec::<Vec<f64>>::deserialize(list.clone()) {
            Curve::of_pillars(&key, &pairs)?;
        }
    }
    Ok(())
}

/// Checks that the contract's life lies in the region where the model's simulation is right: the model's own
/// [`Model::limits`], and rates and yields that discount by at most e^{±10}.
pub(super) fn check_simulation(section: &str, market: &Market, contract: &Contract) -> Result<()> {
    const MOST_GROWTH: f64 = 10.0;
    let life = contract.expiry;
    for (key, curve) in [
        ("market.rate".to_owned(), &market.rate),
        (format!("{section}.dividend"), &market.dividend),
    ] {
        // Between pillars and the expiry an integral of piecewise constant rates is greatest at one of them.
        let pillars = curve.pillars().take_while(|time| *time < life);
        for time in pillars.chain([life]) {
            let (rate, most) = (curve.average(0.0, time), MOST_GROWTH / time);
            if rate.abs() > most {
                let bound = format!("in [{:.4}, {most:.4}] over {time:.4} years", -most);
                return Err(outside(&key, bound, shown(rate)));
            }
        }
    }
    for limit in market.model.limits(life, contract.steps) {
        let key = format!("{section}.{}", limit.parameter);
        bounds::check(&key, limit.value, limit.holds, &limit.bound)?;
    }
    Ok(())
}

/// Checks that options have prices after the sale, which `what` under `key` needs.
pub(super) fn check_prices(market: &Market, key: &str, what: &str) -> Result<()> {
    if market.model.prices_every_state() {
        return Ok(());
    }
    Err(Error::key(
        key,
        format!(
            ": {what} needs prices after the sale, and under the model \"{}\" spot and variance do not determine them",
            market.model.name()
        ),
    ))
}

#[cfg(test)]
#[path = "market_tests.rs"]
mod tests;
