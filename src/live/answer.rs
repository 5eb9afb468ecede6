//! What a book is to hold today, as programs read it.

use crate::error::Result;
use polars::prelude::{Column, DataFrame};
use serde::Serialize;
use std::collections::BTreeMap;

/// The hedge of a book today.
///
/// # Units
/// Positions and trades in units of an instrument, of all contracts of a row together; money in the currency of the prices. Signs are
/// those of who sold the contracts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct Answer {
    /// The id of the run.
    pub run: String,
    /// The last day of the prices, today.
    pub date: String,
    /// The optimizer whose policies hedge.
    pub optimizer: String,
    /// How it was chosen.
    pub chosen: &'static str,
    /// The seeds of its policies, whose mean is held.
    pub seeds: Vec<u64>,
    /// The classical hedge beside them, by its name in the run; absent if the run has none, or windows have different ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub benchmark: Option<String>,
    /// First and last day of the returns that the market's parameters are estimated from; absent if the strategy gives them, or every
    /// window has its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated: Option<[String; 2]>,
    /// The windows of a walk-forward whose policies hedge.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<AnsweringWindow>,
    /// The instruments by their names in columns.
    pub instruments: Vec<String>,
    /// Every contract of the book, in its order.
    pub contracts: Vec<Hedged>,
    /// What all of them come to, one for each thing that is traded.
    pub net: Vec<Net>,
    /// The greatest distance between the positions of two seeds, in units a contract, up to which their mean is held.
    pub disagreement: f64,
    /// Positions at other spots of today, if they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub what_if: Vec<WhatIf>,
    /// What the answer must not be used without knowing.
    pub warnings: Vec<String>,
}

/// A window of a walk-forward whose policies hedge contracts of the book.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct AnsweringWindow {
    /// Its number, from 0: that of its folder in the run.
    pub number: usize,
    /// First and last day of the closes that its policies were trained on.
    pub trained: [String; 2],
    /// First and last day on which it sold contracts in the walk-forward.
    pub sold: [String; 2],
    /// The classical hedge beside its policies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub benchmark: Option<String>,
    /// How many contracts of the book its policies hedge.
    pub contracts: usize,
}

/// Where a contract is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Today is one of its hedging dates.
    Trades,
    /// It lives, and today is none of its hedging dates: what was held is held on.
    Holds,
    /// It has expired or ended, and nothing is held.
    Ended,
}

impl Standing {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trades => "trades",
            Self::Holds => "holds",
            Self::Ended => "ended",
        }
    }
}

/// Whose position is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum HeldBy {
    /// The mean of the policies.
    Policy,
    /// The benchmark, since the policies disagree.
    Benchmark,
}

impl HeldBy {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Benchmark => "benchmark",
        }
    }
}

/// One contract today.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct Hedged {
    /// What the book calls it.
    pub id: String,
    /// The day of its sale.
    pub sold: String,
    /// The day of its expiry; of one in the future that of a calendar on which every usual weekday is open.
    pub expiry: String,
    /// How many were sold.
    pub quantity: f64,
    /// Its strike in the money of the prices; absent where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strike: Option<f64>,
    /// Its terms that lie in ranges in the run's contract, as the book has them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub terms: BTreeMap<String, f64>,
    /// The last hedging date of its life up to today, 0 for its sale, and how many there are.
    pub hedging_date: [usize; 2],
    /// Where it is in its life.
    pub standing: Standing,
    /// Whose positions they are.
    pub held_by: HeldBy,
    /// The number of the window whose policies hedge it, of a walk-forward.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<usize>,
    /// Every instrument.
    pub positions: Vec<Position>,
    /// What one contract is worth by the model, and how that changes; absent if it has no price on every date, or no
    /// finite one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// What of it lies outside of what the policies were trained on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outside: Vec<String>,
}

/// What is held of one instrument against a contract.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct Position {
    /// The instrument: `spot`, or the kind of an option, its strike and its day of expiry.
    pub instrument: String,
    /// The price of one unit; of an option by the model or the surface of the day.
    pub price: f64,
    /// What is to be held.
    pub position: f64,
    /// What is held now: what the book says or else what the policies held on the hedging date before.
    pub held: f64,
    /// Whether the book says it.
    pub held_known: bool,
    /// What is to be bought; sold, where it is below 0.
    pub trade: f64,
    /// What that costs by the strategy's costs, if it is traded alone.
    pub cost: f64,
    /// What the benchmark holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub benchmark: Option<f64>,
    /// What every policy holds, in the order of the seeds.
    pub by_seed: Vec<f64>,
    /// The distance between the greatest and the least of these, a contract.
    pub spread: f64,
}

/// What one contract is worth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct Value {
    /// Its price by the model.
    pub price: f64,
    /// ∂V/∂S.
    pub delta: f64,
    /// ∂²V/∂S².
    pub gamma: f64,
    /// ∂V/∂σ for a volatility of 1, σ the root of the model's instantaneous variance or, on an implied-volatility surface, the level of all of its
    /// volatilities.
    pub vega: f64,
    /// What it changes by as a hedging period passes.
    pub theta: f64,
}

/// What the whole book holds of one thing that is traded.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct Net {
    /// `spot`, or the kind of an option, its strike and its day of expiry.
    pub instrument: String,
    /// The price of one unit.
    pub price: f64,
    /// What is to be held against all contracts.
    pub position: f64,
    /// What is held now.
    pub held: f64,
    /// What is to be bought; sold, where it is below 0.
    pub trade: f64,
    /// What the netted trade costs.
    pub cost: f64,
    /// What the trades of all contracts cost, each traded alone.
    pub cost_separate: f64,
    /// What the benchmark holds against all contracts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub benchmark: Option<f64>,
}

/// Positions at another spot of today, at the same variance.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct WhatIf {
    /// The move of today's spot, as a fraction.
    #[serde(rename = "move")]
    pub moved: f64,
    /// The spot.
    pub spot: f64,
    /// What the mean of the policies would hold of every instrument against every contract, `[contracts][instruments]`.
    pub positions: Vec<Vec<f64>>,
    /// What it would hold of every instrument against all contracts; options of several contracts are not one thing, and are counted
    /// together.
    pub net: Vec<f64>,
}

impl Answer {
    /// The names of the terms that lie in ranges in the run's contract.
    pub fn terms(&self) -> impl Iterator<Item = &str> {
        let first = self.contracts.first();
        first
            .into_iter()
            .flat_map(|one| one.terms.keys().map(String::as_str))
    }

    /// A table of the contracts, a row for each.
    ///
    /// # Errors
    /// If it has no such form.
    pub fn table(&self) -> Result<DataFrame> {
        let all = &self.contracts;
        let text = |name: &str, of: &dyn Fn(&Hedged) -> String| {
            Column::new(name.into(), all.iter().map(of).collect::<Vec<String>>())
        };
        let number = |name: String, of: &dyn Fn(&Hedged) -> Option<f64>| {
            Column::new(
                name.into(),
                all.iter().map(of).collect::<Vec<Option<f64>>>(),
            )
        };
        let mut columns = vec![
            text("id", &|one| one.id.clone()),
            text("sold", &|one| one.sold.clone()),
            text("expiry", &|one| one.expiry.clone()),
            number("quantity".into(), &|one| Some(one.quantity)),
            number("strike".into(), &|one| one.strike),
        ];
        let others = self.terms().filter(|name| *name != "strike");
        columns.extend(others.map(|name| {
            let of = |one: &Hedged| one.terms.get(name).copied();
            number(name.to_owned(), &of)
        }));
        columns.extend([
            text("standing", &|one| one.standing.name().into()),
            text("held_by", &|one| one.held_by.name().into()),
        ]);
        if !self.windows.is_empty() {
            let windows = all.iter().map(|one| one.window.map(|number| number as u32));
            columns.push(Column::new(
                "window".into(),
                windows.collect::<Vec<Option<u32>>>(),
            ));
        }
        for (place, name) in self.instruments.iter().enumerate() {
            let of = |what: &str, of: fn(&Position) -> Option<f64>| {
                number(format!("{what}_{name}"), &|one| of(&one.positions[place]))
            };
            // The spot is the same for all.
            if place > 0 {
                columns.push(text(name, &|one| one.positions[place].instrument.clone()));
            }
            columns.extend([
                of("price", |one| Some(one.price)),
                of("position", |one| Some(one.position)),
                of("held", |one| Some(one.held)),
                of("trade", |one| Some(one.trade)),
                of("cost", |one| Some(one.cost)),
                of("benchmark", |one| one.benchmark),
                of("spread", |one| Some(one.spread)),
            ]);
        }
        let value = |of: fn(&Value) -> f64| move |one: &Hedged| one.value.as_ref().map(of);
        columns.extend([
            number("value".into(), &value(|one| one.price)),
            number("delta".into(), &value(|one| one.delta)),
            number("gamma".into(), &value(|one| one.gamma)),
            number("vega".into(), &value(|one| one.vega)),
            number("theta".into(), &value(|one| one.theta)),
            text("outside", &|one| one.outside.join("; ")),
        ]);
        Ok(DataFrame::new(all.len(), columns)?)
    }
}
