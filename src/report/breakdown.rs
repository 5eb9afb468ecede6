//! Where the P&L of contracts sold on history comes from, and how bad it gets.

use super::palette::{Color, INK, PARTS};
use super::table::{Cell, Table, heads};
use crate::numbers::Rounding;

use crate::runs::breakdown::Breakdown;

/// The tables of `breakdowns`; none without any.
pub fn tables<'a>(breakdowns: impl Iterator<Item = &'a Breakdown> + Clone) -> Vec<Table> {
    let worst = worst_contracts(breakdowns.clone());
    attribution(breakdowns).into_iter().chain(worst).collect()
}

/// What the mean P&L is made of; none without any `breakdowns`.
pub fn attribution<'a>(breakdowns: impl Iterator<Item = &'a Breakdown> + Clone) -> Option<Table> {
    let first = breakdowns.clone().next()?;
    let shown = shown(breakdowns.clone());
    let mut columns = heads(&["strategy"]);
    columns.extend(shown.iter().map(|at| first.attribution[*at].0.clone()));
    let valued = shown.iter().any(|at| first.attribution[*at].0 == "delta");
    columns.extend(heads(match valued {
        true => &["sum", "drift", "delta without drift", "std of delta"],
        false => &["sum"],
    }));
    let parts: Vec<Vec<f64>> = breakdowns
        .clone()
        .map(|of| parts(of, &shown, valued))
        .collect();
    // All of them are money of the same contracts.
    let rounding = Rounding::of_values(parts.iter().flatten().copied(), 4);
    Some(Table {
        caption: "Where the P&L comes from".into(),
        heads: columns,
        rows: breakdowns
            .clone()
            .zip(&parts)
            .map(|(of, parts)| {
                let cells = parts.iter().map(|value| Cell::number(*value, rounding));
                std::iter::once(Cell::plain(&of.strategy)).chain(cells).collect()
            })
            .collect(),
        notes: vec![
            match valued {
                true => "Means per contract. The parts add up to the mean P&L; those that are zero throughout are left out. Delta is \
                         the P&L of holding something else than the model's delta: a view on the spot. Drift is the share of it that \
                         the drift of the returns before the sales explains; then come delta without it and the standard deviation \
                         of delta over the contracts.",
                false => "Means per contract. The contract has no price on every date: payments are its premium less what it paid, and \
                          hedge is what all positions earned, interest and dividends included.",
            }
            .into(),
        ],
        ..Table::default()
    })
}

/// The greatest drawdown and the worst contracts; none without any `breakdowns`.
fn worst_contracts<'a>(breakdowns: impl Iterator<Item = &'a Breakdown> + Clone) -> Option<Table> {
    breakdowns.clone().next()?;
    let roundings = [
        Rounding::of_values(breakdowns.clone().map(|of| of.maximum_drawdown), 4),
        Rounding::of_values(
            breakdowns
                .clone()
                .flat_map(|of| &of.worst)
                .map(|(_, _, pnl)| *pnl),
            3,
        ),
    ];
    Some(Table {
        caption: "Drawdown and worst contracts".into(),
        heads: heads(&["strategy", "maximum drawdown", "worst", "second", "third"]),
        rows: breakdowns.map(|of| worst(of, roundings)).collect(),
        notes: vec![
            "Drawdown of the P&L added up in the order of sale, with the sales that it lies between; P&L of the worst \
             contracts, with their sale and expiry. P&L is averaged over seeds."
                .into(),
        ],
        ..Table::default()
    })
}

/// The colour of a part of the P&L, the one `at` a place among all of them, so that it is the same whichever are [`shown`]. What is
/// left has the colour of what is no part.
pub fn color(at: usize, part: &str) -> Color {
    match part {
        "unexplained" => INK,
        _ => PARTS[at % PARTS.len()],
    }
}

/// The places of the parts that are not zero for every strategy.
pub fn shown<'a>(breakdowns: impl Iterator<Item = &'a Breakdown> + Clone) -> Vec<usize> {
    let count = breakdowns.clone().map(|of| of.attribution.len()).min();
    let some = |at: &usize| {
        let mut all = breakdowns.clone();
        all.any(|of| of.attribution[*at].1 != 0.0)
    };
    (0..count.unwrap_or(0)).filter(some).collect()
}

/// The parts of the P&L that are `shown`, their sum and, if the contract is valued, what delta is made of.
fn parts(of: &Breakdown, shown: &[usize], valued: bool) -> Vec<f64> {
    let all = of.attribution.iter().map(|(_, value)| *value);
    let mut parts: Vec<f64> = shown.iter().map(|at| of.attribution[*at].1).collect();
    parts.push(all.sum());
    if valued {
        let delta = of.attribution.iter().find(|(name, _)| name == "delta");
        let delta = delta.map_or(0.0, |(_, value)| *value);
        parts.extend([of.drift, delta - of.drift, of.delta_std]);
    }
    parts
}

/// The drawdown and the worst contracts, each rounded in its own way.
fn worst(of: &Breakdown, [drawdown, contract]: [Rounding; 2]) -> Vec<Cell> {
    let dated = |money: f64, rounding: Rounding, from: &str, to: &str| {
        Cell::with_words(money, rounding, format!("{from} to {to}"))
    };
    let from = of.drawdown_from.as_deref().unwrap_or("the start");
    let mut row = vec![
        Cell::plain(&of.strategy),
        dated(of.maximum_drawdown, drawdown, from, &of.drawdown_to),
    ];
    row.extend((0..3).map(|place| {
        let worst = of.worst.get(place);
        worst.map_or_else(Cell::default, |(sold, expiry, pnl)| {
            dated(*pnl, contract, sold, expiry)
        })
    }));
    row
}
