//! What a history makes of each of several assets.

use super::precision::Precision;
use crate::market::Assets;
use crate::numbers::Rounding;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One of several assets as contracts on history suppose it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct AssetMarket {
    /// The name of the asset.
    pub name: String,
    /// The parameters of its model by name.
    #[cfg_attr(feature = "dashboard", schema(value_type = Object))]
    pub parameters: Map<String, Value>,
    /// How precisely they were estimated, if they were.
    #[serde(flatten)]
    pub precision: Precision,
    /// The correlation of its spot with that of every asset before it, by their names.
    pub correlation: Vec<(String, f64)>,
}

impl AssetMarket {
    /// Those of `assets`, with the precision of each; none where there is one asset.
    pub fn of_several(assets: &Assets, precisions: impl Iterator<Item = Precision>) -> Vec<Self> {
        if assets.count() == 1 {
            return Vec::new();
        }
        let names = assets.list().iter().map(|asset| asset.name.clone());
        let rows = assets.correlation().matrix().iter();
        let known = assets.list().iter().zip(rows).zip(precisions);
        known
            .map(|((asset, row), precision)| Self {
                name: asset.name.clone(),
                parameters: parameters(&asset.market.model),
                precision,
                correlation: names
                    .clone()
                    .zip(row.iter().copied())
                    .take_while(|(name, _)| *name != asset.name)
                    .collect(),
            })
            .collect()
    }

    /// Its parameters and correlations as people write them: `volatility = 0.2000, correlation with spx = -0.71`.
    pub fn words(&self) -> String {
        let correlation = self.correlation.iter();
        let correlation = correlation.map(|(name, c)| format!("correlation with {name} = {c:.3}"));
        let all: Vec<String> = written(&self.parameters).chain(correlation).collect();
        all.join(", ")
    }
}

/// The parameters of a model by their names, its own among them.
pub fn parameters(model: &impl Serialize) -> Map<String, Value> {
    match serde_json::json!(model) {
        Value::Object(parameters) => parameters,
        _ => Map::new(),
    }
}

/// Parameters as a strategy writes them: `kappa = 1.500`.
pub fn written(parameters: &Map<String, Value>) -> impl Iterator<Item = String> {
    parameters.iter().map(|(name, value)| {
        let value = match value.as_f64() {
            Some(number) if !value.is_i64() && !value.is_u64() => {
                Rounding::of_parameter(number).write(number)
            }
            Some(_) | None => value.to_string(),
        };
        format!("{name} = {value}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{Asset, Correlation, GbmParameters, Market};

    /// Every asset has its own parameters and the correlations with those before it alone; one asset is none of several.
    #[test]
    fn assets_are_said_by_name() {
        let named = |name: &str, volatility: f64| Asset {
            name: name.into(),
            market: Market {
                model: GbmParameters { volatility }.into(),
                spot: 100.0,
                rate: 0.0.into(),
                dividend: 0.0.into(),
            },
        };
        let list = vec![named("spx", 0.2), named("dax", 0.25), named("vix", 0.9)];
        let correlation = vec![
            vec![1.0, 0.5, -0.7],
            vec![0.5, 1.0, -0.4],
            vec![-0.7, -0.4, 1.0],
        ];
        let alone = Assets::from(list[0].market.clone());
        let assets = Assets::new(list, Correlation::new(correlation).unwrap()).unwrap();
        let all = AssetMarket::of_several(&assets, std::iter::repeat(Precision::default()));
        let words: Vec<String> = all.iter().map(AssetMarket::words).collect();
        assert_eq!(words[0], "model = \"gbm\", volatility = 0.2000");
        assert_eq!(
            words[2],
            "model = \"gbm\", volatility = 0.9000, correlation with spx = -0.700, correlation with dax = -0.400"
        );
        assert!(AssetMarket::of_several(&alone, std::iter::once(Precision::default())).is_empty());
    }
}
