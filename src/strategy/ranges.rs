//! Settings that are ranges: every path draws a value of its own.

use super::contract::{check_payments, contract};
use super::file::Strategy;
use super::instruments::QuoteCache;
use super::market::check_simulation;
use super::{Plan, schema};
use crate::bounds::outside;
use crate::contract::{Contract, Member, Range};
use crate::error::{Error, Fault, Result};
use crate::market::Assets;
use crate::products;
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

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

    /// Those of the contract.
    fn of_contract(&self) -> Vec<Range> {
        let own = self.0.iter().filter(|(key, _)| *key != VARIANCE);
        own.map(|(key, (low, high))| Range {
            key: key.clone(),
            low: *low,
            high: *high,
        })
        .collect()
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
        if TermUnit::of(&key).is_none() {
            let beside = "as a range".into();
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
    let members = Members::new(strategy, assets, longest.steps)?;
    let shares = shares(ranges.0.len());
    let member = |k: usize| -> Result<Member> {
        let each = ranges.0.iter().zip(&shares);
        let drawn = each.map(|((key, (low, high)), share)| {
            let share = (0.5 + k as f64 * share).fract();
            match key == EXPIRY {
                true => members.life(*low, share),
                false => low + share * (high - low),
            }
        });
        members.of(&drawn.collect::<Vec<f64>>())
    };
    let members = (0..count).into_par_iter().map(member);
    let members = members.collect::<Result<Vec<Member>>>()?;
    longest.of_family(ranges.of_contract(), members)
}

/// The names of the assets.
fn names(assets: &Assets) -> Vec<String> {
    assets.list().iter().map(|one| one.name.clone()).collect()
}

/// Makes contracts of a strategy whose settings are ranges.
struct Members<'a> {
    strategy: &'a Strategy,
    assets: &'a Assets,
    /// The strategy with one number for every range.
    table: toml::Table,
    /// Periods of the longest contract.
    steps: usize,
    /// The days of a hedging period.
    period: f64,
}

impl<'a> Members<'a> {
    fn new(strategy: &'a Strategy, assets: &'a Assets, steps: usize) -> Result<Self> {
        Ok(Self {
            strategy,
            assets,
            table: strategy.to_single_table()?,
            steps,
            period: strategy.contract.expiry_days / steps as f64,
        })
    }

    /// The days of a whole number of periods, from the least number that is not below `low` days a share of the way to the greatest.
    fn life(&self, low: f64, share: f64) -> f64 {
        // Rounding of the year fraction makes no life longer.
        let least = (low / self.period * (1.0 - 1e-9)).ceil().max(1.0);
        (least + share * (self.steps as f64 - least + 1.0)).floor() * self.period
    }

    /// The table of the contract with these values of all ranges.
    fn table_of(&self, values: &[f64]) -> toml::Table {
        let mut table = self.table.clone();
        for (key, value) in self.strategy.ranges.0.keys().zip(values) {
            if key == EXPIRY {
                let life = (value / self.period).round();
                set(&mut table, "contract.steps", (life as i64).into());
            }
            set(&mut table, key, (*value).into());
        }
        table
    }

    /// The contract with these values of all ranges.
    fn of(&self, values: &[f64]) -> Result<Member> {
        let Self {
            strategy, assets, ..
        } = self;
        let ranges = &strategy.ranges;
        let mut own = Strategy::of_single_table(self.table_of(values))?;
        let varies = ranges.0.contains_key(VARIANCE);
        if !varies {
            // It may know a past, which no table holds.
            own.market.model = strategy.market.model.clone();
        }
        let market = own.market.market();
        let terms = contract(&mut own.contract, &market, &names(assets), false)?;
        if assets.count() == 1 {
            check_simulation("market", &market, &terms.contract)?;
        }
        check_payments(assets, &terms.contract)?;
        let of_contract = ranges.0.keys().zip(values);
        let of_contract = of_contract.filter(|(key, _)| *key != VARIANCE);
        Ok(Member {
            contract: terms.contract,
            values: of_contract.map(|(_, value)| *value).collect(),
            variance: varies.then(|| market.model.variance_process().now()),
        })
    }

    /// The contract with these values of the terms that are ranges, each of which must be one that its key takes.
    fn given(&self, terms: &[Term], values: &[f64]) -> Result<Member> {
        for (term, value) in terms.iter().zip(values) {
            let life = value / self.period;
            let whole = (life - life.round()).abs() < 1e-6 && life >= 0.5;
            if term.unit == TermUnit::Days && !(whole && life.round() <= self.steps as f64) {
                let most = self.period * self.steps as f64;
                let bound = format!(
                    "whole hedging periods of {} days, up to {most} days",
                    self.period
                );
                return Err(outside(&term.key, &bound, value.to_string()));
            }
        }
        let mut own = values.iter();
        let all = self.strategy.ranges.0.iter().map(|(key, (low, high))| {
            let middle = 0.5 * (low + high);
            // The variance at the sale is known on history.
            let of_contract = (key != VARIANCE).then(|| own.next()).flatten();
            of_contract.copied().unwrap_or(middle)
        });
        let all: Vec<f64> = all.collect();
        schema::check(&self.table_of(&all))?;
        self.of(&all)
    }
}

/// A term of the contracts of a family, as a table of contracts has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// The name of its column: `strike`, `barrier`, `expiry_days`, `parameters_K`.
    pub column: String,
    /// The setting that it is.
    pub key: String,
    /// The least and the greatest value that training draws, as the strategy counts.
    pub ends: [f64; 2],
    /// What its values are.
    pub unit: TermUnit,
}

/// What the values of a term are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TermUnit {
    /// Money.
    Money,
    /// Money that the strategy counts in spots at the sale.
    Spots,
    /// Days to expiry.
    Days,
    /// Numbers.
    Number,
}

impl TermUnit {
    /// That of a setting, by its dotted name; none if it is counted in what no column is.
    fn of(key: &str) -> Option<Self> {
        if key == EXPIRY {
            return Some(Self::Days);
        }
        let names: Vec<&str> = key.split('.').skip(1).collect();
        match products::unit(&names) {
            Some("currency") => Some(Self::Money),
            Some("spots") => Some(Self::Spots),
            // These and numbers without a unit are the same at any spot.
            Some("annualised" | "days") | None => Some(Self::Number),
            Some(_) => None,
        }
    }
}

impl Plan {
    /// The terms of the contract that lie in ranges, in the order of [`crate::contract::Family::ranges`].
    pub fn terms(&self) -> Vec<Term> {
        let family = self.contract.family();
        let ranges = family.map_or(&[][..], |family| family.ranges());
        let term = |range: &Range| {
            let names = range.key.split('.').skip(1);
            let names: Vec<&str> = names.filter(|name| *name != "moneyness").collect();
            Term {
                column: names.join("_"),
                key: range.key.clone(),
                ends: [range.low, range.high],
                unit: TermUnit::of(&range.key).expect("others are refused as ranges"),
            }
        };
        ranges.iter().map(term).collect()
    }

    /// The same plan with a family of other contracts: one for each of `values`, of which every one has a value for every term
    /// ([`Self::terms`]) as the strategy counts. Policies see what they saw before. Nothing changes where there is no family, or no contract.
    ///
    /// # Errors
    /// [`Error::Setting`] with key, value and bound for the first of `values` that is no contract, as `named` makes it of its place; those of
    /// [`Self::seen`].
    pub fn with_contracts(
        &self,
        values: &[Vec<f64>],
        named: impl Fn(usize, Error) -> Error + Sync,
    ) -> Result<Self> {
        let Some(family) = self.contract.family().filter(|_| !values.is_empty()) else {
            return Ok(self.clone());
        };
        let mut strategy = self.strategy.clone();
        let (assets, on_history) = (self.assets(), strategy.backtest.is_some());
        let longest = contract(
            &mut strategy.contract,
            &self.market,
            &names(&assets),
            on_history,
        )?
        .contract;
        let members = Members::new(&self.strategy, &assets, longest.steps)?;
        let terms = self.terms();
        let own = values.par_iter().enumerate().map(|(place, values)| {
            let member = members.given(&terms, values);
            member.map_err(|error| named(place, error))
        });
        // One thread or many, the error is that of the first.
        let own = own.collect::<Vec<_>>().into_iter().collect::<Result<_>>()?;
        let mut plan = self.clone();
        plan.features = (*self.seen()?).clone();
        plan.contract = longest.of_family(family.ranges().to_vec(), own)?;
        plan.quotes = QuoteCache::default();
        plan.whole = Some(Arc::new(self.fitted_for().clone()));
        Ok(plan)
    }
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
