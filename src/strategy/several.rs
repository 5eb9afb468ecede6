//! Several assets in the section `market`.

use super::market::{self, MarketSection};
use crate::error::{Error, Fault, Result};
use crate::market::{Asset, Assets, Correlation, Curve, Market, Model};
use crate::settings;
use serde::de::Error as _;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// Assets at most: the network sees and trades all of them.
const MOST: usize = 64;

/// What a market of several assets says beside its first one.
#[derive(Debug, Clone, PartialEq)]
pub struct SeveralSection {
    /// The names of all assets, in the order of the file.
    pub names: Vec<String>,
    /// The assets after the first.
    pub others: Vec<AssetSection>,
    /// The correlation of the shocks of the spots, in the order of the names.
    pub correlation: Vec<Vec<f64>>,
}

/// One asset of several: a model with its parameters, a spot and a dividend yield.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AssetSection {
    /// The model of the spot, with its parameters.
    #[serde(flatten)]
    pub model: Model,
    /// The price of the asset when the contract is sold.
    #[serde(default = "market::spot")]
    pub spot: f64,
    /// The dividend yield, continuously compounded.
    #[serde(default)]
    pub dividend: Curve,
}

/// The section as it is written for one asset.
#[derive(Serialize, Deserialize)]
struct One {
    #[serde(flatten)]
    model: Model,
    #[serde(default = "market::spot")]
    spot: f64,
    #[serde(default)]
    rate: Curve,
    #[serde(default)]
    dividend: Curve,
}

/// The named assets in their order.
struct Named<'a>(&'a [String], Vec<&'a AssetSection>);

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, asset) in self.0.iter().zip(&self.1) {
            map.serialize_entry(name, asset)?;
        }
        map.end()
    }
}

impl Serialize for MarketSection {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let Some(several) = &self.several else {
            return One {
                model: self.model.clone(),
                spot: self.spot,
                rate: self.rate.clone(),
                dividend: self.dividend.clone(),
            }
            .serialize(serializer);
        };
        let first = AssetSection {
            model: self.model.clone(),
            spot: self.spot,
            dividend: self.dividend.clone(),
        };
        let assets = std::iter::once(&first).chain(&several.others).collect();
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("rate", &self.rate)?;
        map.serialize_entry("correlation", &several.correlation)?;
        map.serialize_entry("assets", &Named(&several.names, assets))?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for MarketSection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Several {
            #[serde(default)]
            rate: Curve,
            correlation: Option<Vec<Vec<f64>>>,
            assets: toml::Table,
        }
        let table = toml::Table::deserialize(deserializer)?;
        if !table.contains_key("assets") {
            let one: One = table.try_into().map_err(D::Error::custom)?;
            return Ok(Self {
                model: one.model,
                spot: one.spot,
                rate: one.rate,
                dividend: one.dividend,
                several: None,
            });
        }
        let written: Several = table.try_into().map_err(D::Error::custom)?;
        let (mut names, mut assets) = (Vec::new(), Vec::new());
        for (name, asset) in written.assets {
            names.push(name);
            assets.push(asset.try_into::<AssetSection>().map_err(D::Error::custom)?);
        }
        if assets.is_empty() {
            return Err(D::Error::custom("`market.assets` must name an asset"));
        }
        let first = assets.remove(0);
        let correlation = written.correlation.unwrap_or_else(|| {
            let count = names.len();
            Correlation::independent(count).matrix().to_vec()
        });
        Ok(Self {
            model: first.model,
            spot: first.spot,
            rate: written.rate,
            dividend: first.dividend,
            several: Some(SeveralSection {
                names,
                others: assets,
                correlation,
            }),
        })
    }
}

impl MarketSection {
    /// The dotted names of the sections of the assets.
    pub(super) fn sections(&self) -> Vec<String> {
        match &self.several {
            None => vec!["market".into()],
            Some(several) => {
                let names = several.names.iter();
                names.map(|name| format!("market.assets.{name}")).collect()
            }
        }
    }

    /// All assets, if the section names them.
    ///
    /// # Errors
    /// [`Error::Setting`] at `market.correlation` if no shocks have these correlations.
    pub(super) fn assets(&self) -> Result<Option<Assets>> {
        let Some(several) = &self.several else {
            return Ok(None);
        };
        let others = several.others.iter().map(|asset| Market {
            model: asset.model.clone(),
            spot: asset.spot,
            rate: self.rate.clone(),
            dividend: asset.dividend.clone(),
        });
        let markets = std::iter::once(self.market()).chain(others);
        let list = several.names.iter().zip(markets);
        let list = list.map(|(name, market)| Asset {
            name: name.clone(),
            market,
        });
        let correlation = Correlation::new(several.correlation.clone())?;
        Assets::new(list.collect(), correlation).map(Some)
    }
}

/// The schema of an asset under one model: that of the market without the rate, which all assets share.
fn of_asset(mut market: Value) -> Value {
    if let Some(properties) = market["properties"].as_object_mut() {
        properties.shift_remove("rate");
    }
    market
}

/// The schema of `market.assets.NAME` under the model of that name, or under the first one.
pub(super) fn asset_schema(model: &str) -> Value {
    of_asset(market::schema_of(model).clone())
}

/// The schema of `market.assets.NAME` under every model.
pub(super) fn asset_schemas() -> Vec<Value> {
    let schemas = market::schemas().iter();
    schemas
        .map(|(_, schema)| of_asset(schema.clone()))
        .collect()
}

/// The schema of the section where it names its assets, which may be anything.
pub(super) fn schema() -> &'static Value {
    static SEVERAL: LazyLock<Value> = LazyLock::new(|| {
        json!({
            "type": "object",
            "properties": {
                "rate": market::common()["properties"]["rate"],
                "correlation": {
                    "type": "array",
                    "title": "Correlation",
                    "description": "The correlation of the shocks of the assets' spots, a row for every asset in the order of their \
                        names: `[[1.0, 0.5], [0.5, 1.0]]`. Several assets need it.",
                    "items": { "type": "array", "items": { "type": "number", "minimum": -1.0, "maximum": 1.0 } },
                },
                "assets": {
                    "type": "object",
                    "title": "Assets",
                    "description": "The assets by name; the first one is that of the contract's own strike.",
                    "additionalProperties": true,
                },
            },
            "required": ["assets"],
            "additionalProperties": false,
        })
    });
    &SEVERAL
}

/// The schema of what a further market may change where the strategy's names its assets.
pub(super) fn changes() -> &'static Value {
    static CHANGES: LazyLock<Value> = LazyLock::new(|| {
        let mut schema = schema().clone();
        if let Some(schema) = schema.as_object_mut() {
            schema.remove("required");
        }
        let assets = &mut schema["properties"]["assets"];
        assets["description"] = json!(
            "What is different of each asset: any key of any model, and its spot and dividend yield."
        );
        assets["additionalProperties"] = of_asset(market::changes().clone());
        schema
    });
    &CHANGES
}

/// Writes the keys of `change` over those of a market of several assets, those of each asset over its own.
///
/// # Errors
/// The key of an asset that the market has not.
pub(super) fn apply(change: &toml::Table, table: &mut toml::Table, section: &str) -> Result<()> {
    for (key, value) in change {
        let (Some(toml::Value::Table(known)), Some(assets)) =
            (table.get_mut(key), value.as_table())
        else {
            table.insert(key.clone(), value.clone());
            continue;
        };
        for (name, change) in assets {
            let own = known.get_mut(name).and_then(toml::Value::as_table_mut);
            let (Some(own), Some(change)) = (own, change.as_table()) else {
                let words = "is no table of an asset of `market.assets`";
                return Err(Error::key(format!("{section}.{key}.{name}"), words));
            };
            market::apply(change, own);
        }
    }
    Ok(())
}

/// Checks the keys of a market that names its assets.
///
/// # Errors
/// [`Error::Setting`] with key, value and bound.
pub(super) fn check(section: &str, table: &toml::Table) -> Result<()> {
    let own = &schema()["properties"];
    let of_one = &market::changes()["properties"];
    let foreign =
        |key: &&String| own.get(key.as_str()).is_none() && of_one.get(key.as_str()).is_some();
    if let Some(key) = table.keys().find(foreign) {
        let beside = format!("beside `{section}.assets`: it is a key of each asset");
        return Err(Error::setting(
            format!("{section}.{key}"),
            Fault::NoMeaning { beside },
        ));
    }
    market::check_curves(section, table)?;
    settings::check(schema(), &toml::Value::Table(table.clone()), section)?;
    let assets = table["assets"].as_table();
    let assets: Vec<_> = assets.into_iter().flatten().collect();
    let key = format!("{section}.assets");
    if assets.is_empty() || assets.len() > MOST {
        return Err(Error::key(
            key,
            format!("must name 1 to {MOST} assets, was {}", assets.len()),
        ));
    }
    for (name, asset) in &assets {
        let key = format!("{key}.{name}");
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || !name.chars().all(plain) {
            return Err(Error::key(
                key,
                ": a name must be of letters, digits, - and _",
            ));
        }
        let Some(asset) = asset.as_table() else {
            return Err(Error::key(
                key,
                "must be a table of a model and its parameters",
            ));
        };
        if asset.contains_key("rate") {
            let beside = format!("in an asset: all of them have `{section}.rate`");
            return Err(Error::setting(
                format!("{key}.rate"),
                Fault::NoMeaning { beside },
            ));
        }
        market::check(&key, asset)?;
    }
    if assets.len() > 1 && !table.contains_key("correlation") {
        return Err(Error::setting(
            format!("{section}.correlation"),
            Fault::Missing,
        ));
    }
    Ok(())
}

#[cfg(test)]
#[path = "several_tests.rs"]
mod tests;
