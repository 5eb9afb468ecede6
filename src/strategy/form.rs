//! A strategy as the fields of a form, with the bounds that its validation checks.

use super::Plan;
use crate::bounds::{Bound, recorded};
use crate::error::{Error, Result, excerpt};
use serde_json::{Map, Value};

/// A key of a strategy.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Dotted, as in errors: `market.kappa`.
    pub key: String,
    /// The default, or what the strategy says.
    pub value: Value,
    pub bound: Option<Bound>,
}

/// Every key of the strategy, defaults written out.
///
/// # Errors
/// Those of [`Plan::parse`].
pub fn fields(strategy: &str) -> Result<Vec<Field>> {
    let (plan, bounds) = recorded(|| Plan::parse(strategy, |_| {}));
    let text = plan?.to_toml()?;
    let read = |text: &str| -> Result<toml::Table> {
        toml::from_str(text).map_err(|error| Error::Computation(format!("strategy: {error}")))
    };
    let mut table = read(&text)?;
    // A path stays as it is written; the plan's is absolute.
    let written = read(strategy)?;
    let data = written
        .get("backtest")
        .and_then(|backtest| backtest.get("data"));
    if let (Some(data), Some(backtest)) = (data, table.get_mut("backtest")) {
        backtest["data"] = data.clone();
    }
    let mut fields = Vec::new();
    flatten(&table, "", &bounds, &mut fields);
    Ok(fields)
}

fn flatten(table: &toml::Table, within: &str, bounds: &[Bound], fields: &mut Vec<Field>) {
    for (name, value) in table {
        let key = format!("{within}{name}");
        if let toml::Value::Table(table) = value {
            flatten(table, &format!("{key}."), bounds, fields);
            continue;
        }
        // The last check is the narrowest.
        let bound = bounds.iter().rfind(|bound| bound.key == key).cloned();
        let value = serde_json::to_value(value).unwrap_or(Value::Null);
        fields.push(Field { key, value, bound });
    }
}

/// A strategy file from values by dotted keys; empty texts and nulls are left out.
///
/// # Errors
/// [`Error::Input`] if a key is no dotted name or leads through a value.
pub fn to_toml(fields: &Map<String, Value>) -> Result<String> {
    let mut strategy = toml::Table::new();
    for (key, value) in fields {
        let wrong = |what: &str| Error::input(format!("`{}` {what}", excerpt(key)));
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
mod tests {
    use super::*;

    const STRATEGY: &str = include_str!("../../strategies/heston_call.toml");

    fn field(key: &str) -> Field {
        let fields = fields(STRATEGY).unwrap();
        fields.into_iter().find(|field| field.key == key).unwrap()
    }

    /// The form says of a key what the validation says of it.
    #[test]
    fn fields_have_defaults_and_bounds() {
        assert_eq!(field("market.rho").bound.unwrap().text, "in (-1, 1)");
        let kappa = field("market.kappa").bound.unwrap().text;
        assert_eq!(kappa, "in [0.0001, 105000.0000] over 0.1190 years");
        let measure = field("risk.measure");
        assert_eq!(measure.value, "cvar");
        assert_eq!(
            measure.bound.unwrap().choices,
            [
                "cvar",
                "entropic",
                "mean_variance",
                "monotone_mean_variance"
            ]
        );
        // A default that the file does not state.
        assert_eq!(field("training.validation_period").value, 10);
    }

    /// Fields written back are the same strategy.
    #[test]
    fn fields_make_the_strategy_again() {
        let made: Map<String, Value> = fields(STRATEGY)
            .unwrap()
            .into_iter()
            .map(|field| (field.key, field.value))
            .collect();
        let again = Plan::parse(&to_toml(&made).unwrap(), |_| {}).unwrap();
        let first = Plan::parse(STRATEGY, |_| {}).unwrap();
        assert_eq!(again.to_toml().unwrap(), first.to_toml().unwrap());
    }

    #[test]
    fn keys_that_are_no_paths_are_refused() {
        for keys in [
            &["market."][..],
            &["a", "a.b"],
            &["a.b", "a"],
            &["."],
            &[""],
        ] {
            let fields = keys
                .iter()
                .map(|key| ((*key).to_owned(), Value::from(1)))
                .collect();
            assert_eq!(to_toml(&fields).unwrap_err().exit_code(), 2, "{keys:?}");
        }
    }
}
