//! Tables of the tear sheet.

use super::series::deepest;
use super::{OfYear, TearSheet, Year};
use crate::numbers::{Rounding, share};
use crate::report::table::{Cell, Table, heads};
use crate::runs::breakdown::Breakdown;
use chrono::NaiveDate;

impl TearSheet<'_> {
    /// The deepest drawdown of every strategy, net of mean cost and as it is.
    pub fn drawdown_table<'a>(
        &self,
        breakdowns: impl Iterator<Item = &'a Breakdown> + Clone,
    ) -> Table {
        let curves = self.drawdowns();
        let found: Vec<_> = curves
            .iter()
            .map(|(strategy, below)| (*strategy, deepest(below)))
            .collect();
        let gross = |strategy: &str| {
            let mut own = breakdowns.clone().filter(|of| of.strategy == strategy);
            own.next().map(|of| of.maximum_drawdown)
        };
        let depths = found.iter().filter_map(|(_, found)| Some((*found)?.depth));
        let all = depths.chain(found.iter().filter_map(|(strategy, _)| gross(strategy)));
        let money = Rounding::of_values(all.collect::<Vec<_>>(), 4);
        let day = |day: Option<NaiveDate>, none: &str| {
            Cell::plain(day.map_or(none.to_owned(), |day| day.to_string()))
        };
        let rows = found.iter().map(|(strategy, found)| {
            let gross = Cell::number(gross(strategy).unwrap_or(f64::NAN), money);
            let net = match found {
                None => [
                    Cell::number(0.0, money),
                    Cell::default(),
                    Cell::default(),
                    Cell::default(),
                ],
                Some(found) => [
                    Cell::number(found.depth, money),
                    day(found.from, "the start"),
                    day(Some(found.to), ""),
                    day(found.recovered, "not yet"),
                ],
            };
            std::iter::once(Cell::plain(*strategy))
                .chain(net)
                .chain([gross])
                .collect()
        });
        Table {
            caption: "Drawdown net of mean cost".into(),
            heads: heads(&["strategy", "deepest", "from", "to", "recovered", "with costs"]),
            rows: rows.collect(),
            notes: vec![
                "Net: every contract is given back the mean cost of its strategy, evenly over its life. With costs: of P&L as it is, added \
                 up in the order of sale, which mostly says that costs add up."
                    .into(),
            ],
            ..Table::default()
        }
    }

    /// The contracts by the year of their sale, of the strategy under test and its baseline.
    pub fn year_table(&self) -> Table {
        let strategy = self.leading.strategy.as_str();
        let names: Vec<&str> = std::iter::once(strategy)
            .chain(self.leading.baseline.as_deref())
            .collect();
        let years = self.years();
        let of = |year: &Year<'_>, name: &str| -> Option<OfYear<'_>> {
            let mut strategies = year.strategies.iter();
            strategies.find(|of| of.strategy == name).map(|of| OfYear {
                strategy: "",
                ..*of
            })
        };
        let own = || {
            years
                .iter()
                .flat_map(|year| names.iter().filter_map(|name| of(year, name)))
        };
        let totals = Rounding::of_values(own().map(|of| of.total), 4);
        let each = Rounding::of_values(own().flat_map(|of| [of.deviation, of.cvar, of.cost]), 4);
        let mut columns = heads(&["year of sale", "contracts"]);
        for name in &names {
            let cvar = format!("CVaR {}", share(self.level));
            let own = ["P&L", "std", &cvar, "cost"].map(|statistic| format!("{name}: {statistic}"));
            columns.extend(own);
        }
        if names.len() == 2 {
            columns.push("difference of P&L".into());
        }
        let rows = years.iter().map(|year| {
            let mut row = vec![
                Cell::plain(year.year.to_string()),
                Cell::plain(year.contracts.to_string()),
            ];
            let found: Vec<OfYear<'_>> = names.iter().filter_map(|name| of(year, name)).collect();
            for of in &found {
                row.push(Cell::number(of.total, totals));
                row.extend([of.deviation, of.cvar, of.cost].map(|value| Cell::number(value, each)));
            }
            if let [ours, theirs] = &found[..] {
                row.push(Cell::number(ours.total - theirs.total, totals));
            }
            row
        });
        Table {
            caption: "Years".into(),
            heads: columns,
            rows: rows.collect(),
            notes: vec![
                "P&L of all contracts sold in the year; standard deviation, CVaR and cost of one of them. The CVaR of few contracts is \
                 the loss of the worst."
                    .into(),
            ],
            ..Table::default()
        }
    }
}

/// The worst contracts of every strategy, which lead to where `link` says; without rows if there are none.
pub fn worst_table<'a>(
    breakdowns: impl Iterator<Item = &'a Breakdown> + Clone,
    link: &dyn Fn(NaiveDate) -> Option<String>,
) -> Table {
    let losses = breakdowns
        .clone()
        .flat_map(|of| &of.worst)
        .map(|(.., pnl)| *pnl);
    let money = Rounding::of_values(losses, 3);
    let most = breakdowns
        .clone()
        .map(|of| of.worst.len())
        .max()
        .unwrap_or(0);
    let rows = breakdowns.map(|of| {
        let mut row = vec![Cell::plain(&of.strategy)];
        row.extend(of.worst.iter().map(|(sold, expiry, pnl)| Cell {
            link: sold.parse().ok().and_then(link),
            ..Cell::with_words(*pnl, money, format!("{sold} to {expiry}"))
        }));
        row.resize_with(most + 1, Cell::default);
        row
    });
    let mut columns = heads(&["strategy", "worst", "second", "third"]);
    columns.truncate(most + 1);
    Table {
        caption: "Worst contracts".into(),
        rows: rows.filter(|row| row.len() > 1).collect(),
        heads: columns,
        notes: vec!["P&L of a contract with its sale and its expiry, averaged over seeds.".into()],
        ..Table::default()
    }
}
