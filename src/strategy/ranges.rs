//! Settings that are ranges: every path draws a value of its own.

use super::contract::{check_payments, contract};
use super::file::Strategy;
use super::market::check_simulation;
use super::schema;
use crate::contract::{Contract, Member, Range};
use crate::error::{Error, Fault, Result};
use crate::market::Assets;
use crate::products;
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The settings that are ranges, by their dotted names, with both ends.
///
/// A file writes `[low, high]` where else a number stands. Every other reader of the strategy sees one number: the longest time
/// to expiry, and of all other ranges the middle.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ranges(BTreeMap<String, (f64, f64)>);

/// The contracts of a family, where each has a price by formula or transform.
const QUICK: usize = 1024;
/// The contracts of a family, where each price is simulated.
const SIMULATED: usize = 64;

/// The time to expiry, of which others see the longest.
const EXPIRY: &str = "contract.expiry_days";
/// The variance at the sale, the one key of the market that may be a range.
const VARIANCE: &str = "market.v0";

impl Ranges {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes the ranges out of a file's table and leaves the number that others see.
    ///
    /// # Errors
    /// [`Error::Key`] for a range that falls, and [`Error::Setting`] for one whose ends are none of the values that the key takes.
    pub(super) fn take(table: &mut toml::Table) -> Result<Self> {
        let mut found = BTreeMap::new();
        if let Some(toml::Value::Table(contract)) = table.get_mut("contract") {
            let lists = |key: &str| products::properties()[key]["type"] == "array";
            take("contract", contract, &mut found, &|key| {
                !products::properties().contains_key(key) || !lists(key)
            })?;
        }
        if let Some(toml::Value::Table(market)) = table.get_mut("market")
            && !market.contains_key("assets")
        {
            take("market", market, &mut found, &|key| key == "v0")?;
        }
        let ranges = Self(found);
        ranges.check(table)?;
        Ok(ranges)
    }

    /// Checks that both ends of every range are values that its key takes in `table`, which has one number for each.
    ///
    /// # Errors
    /// [`Error::Setting`] with key, value and bound.
    pub(super) fn check(&self, table: &toml::Table) -> Result<()> {
        for (key, (low, high)) in &self.0 {
            for end in [*low, *high] {
                let mut table = table.clone();
                set(&mut table, key, end.into());
                schema::check(&table)?;
            }
        }
        Ok(())
    }

    /// Writes the ranges into a table that has one number for each.
    pub(super) fn write(&self, table: &mut toml::Table) {
        for (key, (low, high)) in &self.0 {
            set(
                table,
                key,
                toml::Value::Array(vec![(*low).into(), (*high).into()]),
            );
        }
    }

    /// The keys that are ranges.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// Takes the ranges of a section and of the tables in it.
fn take(
    section: &str,
    table: &mut toml::Table,
    found: &mut BTreeMap<String, (f64, f64)>,
    may_be: &dyn Fn(&str) -> bool,
) -> Result<()> {
    for (name, value) in table.iter_mut() {
        if !may_be(name) {
            continue;
        }
        let key = format!("{section}.{name}");
        if let toml::Value::Table(inner) = value {
            take(&key, inner, found, &|_| true)?;
            continue;
        }
        let Some((low, high)) = ends(value) else {
            continue;
        };
        if low > high || !low.is_finite() || !high.is_finite() {
            return Err(Error::key(
                key,
                format!("must be [low, high] with low at most high, was [{low}, {high}]"),
            ));
        }
        if name == "delta" {
            let beside = "as a range: give { moneyness = [low, high] }".into();
            return Err(Error::setting(key, Fault::NoMeaning { beside }));
        }
        *value = match key == EXPIRY {
            true => high.into(),
            false => (0.5 * (low + high)).into(),
        };
        found.insert(key, (low, high));
    }
    Ok(())
}

/// The numbers of a list of two.
fn ends(value: &toml::Value) -> Option<(f64, f64)> {
    let number = |value: &toml::Value| match value {
        toml::Value::Integer(number) => Some(*number as f64),
        toml::Value::Float(number) => Some(*number),
        _ => None,
    };
    let [low, high] = &value.as_array()?[..] else {
        return None;
    };
    number(low).zip(number(high))
}

/// Lets the schema of a section allow `[low, high]` where a number of a contract, or `v0` of a market, stands.
pub(super) fn allow(section: &str, schema: &mut Value) {
    let properties = schema["properties"].as_object_mut().into_iter().flatten();
    for (name, property) in properties {
        let is_range = match section {
            "market" => name == "v0",
            _ => !matches!(
                name.as_str(),
                "steps" | "days_per_year" | "premium" | "fixings"
            ),
        };
        if is_range {
            allow_of(property);
        }
    }
}

fn allow_of(property: &mut Value) {
    let range = json!({
        "type": "array", "items": { "type": "number" }, "minItems": 2, "maxItems": 2,
        "description": "The ends of a range: every path draws its own value.",
    });
    if property["type"] == "number" {
        let Some(fields) = property.as_object_mut() else {
            return;
        };
        let mut number = Map::new();
        for keyword in [
            "type",
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
        ] {
            number.extend(fields.remove_entry(keyword));
        }
        fields.insert("anyOf".into(), json!([number, range]));
        return;
    }
    if let Some(alternatives) = property["anyOf"].as_array_mut() {
        let numbers = alternatives.iter().any(|one| one["type"] == "number");
        for one in alternatives.iter_mut() {
            for (name, inner) in one["properties"].as_object_mut().into_iter().flatten() {
                if name == "moneyness" {
                    allow_of(inner);
                }
            }
        }
        if numbers {
            alternatives.push(range);
        }
    }
    if property["additionalProperties"].is_object() {
        allow_of(&mut property["additionalProperties"]);
    }
}

/// Sets a key by its dotted name, if its section is there.
fn set(table: &mut toml::Table, key: &str, value: toml::Value) {
    let Some((section, rest)) = key.split_once('.') else {
        table.insert(key.to_owned(), value);
        return;
    };
    if let Some(toml::Value::Table(inner)) = table.get_mut(section) {
        set(inner, rest, value);
    }
}

/// The contract of the strategy with one of its family on every path; `longest` as it is where no setting is a range.
///
/// The values of a family's contracts are spread evenly: number k has in range j the share frac(½ + k/φʲ) of the way from its
/// lower end, φ being the positive root of φ^{d+1} = φ + 1 for d ranges. Times to expiry are whole numbers of hedging periods.
///
/// # Errors
/// [`Error::Setting`] or [`Error::Key`] naming the range.
///
/// # References
/// M. Roberts (2018), "The unreasonable effectiveness of quasirandom sequences", for the additive recurrence.
pub(super) fn family(strategy: &Strategy, assets: &Assets, longest: Contract) -> Result<Contract> {
    let ranges = &strategy.ranges;
    if ranges.is_empty() {
        return Ok(longest);
    }
    for (key, given) in [
        ("walk_forward", strategy.walk_forward.is_some()),
        ("markets", !strategy.markets.is_empty()),
    ] {
        if given {
            let beside = format!(
                "beside `{}` as a range",
                ranges.keys().next().unwrap_or_default()
            );
            return Err(Error::setting(key, Fault::NoMeaning { beside }));
        }
    }
    let has_formula = longest.legs().is_some()
        || assets.formula(&longest).is_some()
            && assets
                .list()
                .iter()
                .all(|one| one.market.model.lognormal().is_some());
    let count = if has_formula { QUICK } else { SIMULATED };
    let written = strategy.to_single_table()?;
    let shares = shares(ranges.0.len());
    let (steps, days) = (longest.steps, strategy.contract.expiry_days);
    let member = |k: usize| -> Result<Member> {
        let mut table = written.clone();
        let mut values = Vec::with_capacity(shares.len());
        for ((key, (low, high)), share) in ranges.0.iter().zip(&shares) {
            let share = (0.5 + k as f64 * share).fract();
            let value = if key == EXPIRY {
                let period = days / steps as f64;
                // Rounding of the year fraction makes no life longer.
                let least = (low / period * (1.0 - 1e-9)).ceil().max(1.0);
                let life = (least + share * (steps as f64 - least + 1.0)).floor();
                set(&mut table, "contract.steps", (life as i64).into());
                life * period
            } else {
                low + share * (high - low)
            };
            set(&mut table, key, value.into());
            if key != VARIANCE {
                values.push(value);
            }
        }
        let mut own = Strategy::of_single_table(table)?;
        if !ranges.0.contains_key(VARIANCE) {
            // It may know a past, which no table holds.
            own.market.model = strategy.market.model.clone();
        }
        let market = own.market.market();
        let names: Vec<String> = assets.list().iter().map(|one| one.name.clone()).collect();
        let terms = contract(&mut own.contract, &market, &names, false)?;
        if assets.count() == 1 {
            check_simulation("market", &market, &terms.contract)?;
        }
        check_payments(assets, &terms.contract)?;
        let varies = ranges.0.contains_key(VARIANCE);
        Ok(Member {
            contract: terms.contract,
            values,
            variance: varies.then(|| market.model.variance_process().now()),
        })
    };
    let members = (0..count).into_par_iter().map(member);
    let members = members.collect::<Result<Vec<Member>>>()?;
    let range = |(key, (low, high)): (&String, &(f64, f64))| Range {
        key: key.clone(),
        low: *low,
        high: *high,
    };
    let of_contract = ranges.0.iter().filter(|(key, _)| *key != VARIANCE);
    longest.of_family(of_contract.map(range).collect(), members)
}

/// 1/φʲ for j = 1 … d
fn shares(ranges: usize) -> Vec<f64> {
    let mut root = 2.0_f64;
    for _ in 0..64 {
        root = (1.0 + root).powf(1.0 / (ranges as f64 + 1.0));
    }
    (1..=ranges as i32).map(|j| root.powi(-j)).collect()
}

#[cfg(test)]
#[path = "ranges_tests.rs"]
mod tests;
