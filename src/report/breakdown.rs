//! Where the P&L of contracts sold on history comes from, and how bad it gets.

use super::table::{Cell, Table};
use super::walk_forward::{number, words};
use crate::runs::breakdown::Breakdown;

/// The tables of `breakdowns`; none without any.
pub fn tables<'a>(breakdowns: impl Iterator<Item = &'a Breakdown> + Clone) -> Vec<Table> {
    let Some(first) = breakdowns.clone().next() else {
        return Vec::new();
    };
    let mut heads = words(&["strategy"]);
    heads.extend(first.attribution.iter().map(|(name, _)| name.clone()));
    heads.extend(words(&[
        "sum",
        "drift",
        "delta without drift",
        "std of delta",
    ]));
    let attribution = Table {
        caption: "Where the P&L comes from".into(),
        heads,
        rows: breakdowns.clone().map(parts).collect(),
        findings: Vec::new(),
        notes: vec![
            "Means per contract. The parts add up to the mean P&L. Delta is the P&L of holding something else than the \
             model's delta: a view on the spot. Drift is the share of it that the drift of the returns before the sales \
             explains; then come delta without it and the standard deviation of delta over the contracts."
                .into(),
        ],
    };
    let worst = Table {
        caption: "Drawdown and worst contracts".into(),
        heads: words(&["strategy", "maximum drawdown", "worst", "second", "third"]),
        rows: breakdowns.map(worst).collect(),
        findings: Vec::new(),
        notes: vec![
            "Drawdown of the P&L added up in the order of sale, with the sales that it lies between; P&L of the worst \
             contracts, with their sale and expiry. P&L is averaged over seeds."
                .into(),
        ],
    };
    vec![attribution, worst]
}

fn parts(of: &Breakdown) -> Vec<Cell> {
    let values = of.attribution.iter().map(|(_, value)| *value);
    let sum: f64 = values.clone().sum();
    let delta = of.attribution.iter().find(|(name, _)| name == "delta");
    let delta = delta.map_or(0.0, |(_, value)| *value);
    let numbers = values.chain([sum, of.drift, delta - of.drift, of.delta_std]);
    std::iter::once(Cell::plain(&of.strategy))
        .chain(numbers.map(|value| Cell::plain(number(value))))
        .collect()
}

fn worst(of: &Breakdown) -> Vec<Cell> {
    let dated = |money: f64, from: &str, to: &str| Cell {
        value: format!("{money:.2}"),
        error: Some(format!("{from} to {to}")),
        verdict: None,
    };
    let from = of.drawdown_from.as_deref().unwrap_or("the start");
    let mut row = vec![
        Cell::plain(&of.strategy),
        dated(of.maximum_drawdown, from, &of.drawdown_to),
    ];
    row.extend((0..3).map(|place| {
        let contract = of.worst.get(place);
        contract.map_or_else(Cell::default, |(sold, expiry, pnl)| {
            dated(*pnl, sold, expiry)
        })
    }));
    row
}
