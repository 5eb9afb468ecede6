//! What contracts on history come to through time, in one piece of arithmetic that tables, figures of the report and charts of the
//! pages share: P&L less a baseline's, months, rolling risk, drawdowns, years, and the worst contracts as they were hedged.

mod contract;
mod leading;
mod months;
mod rolling;
pub mod section;
mod series;
mod tables;
#[cfg(test)]
mod tests;
mod years;

pub use contract::{HedgedContract, WorstContract, pictured, worst_contracts};
pub use leading::Leading;
pub use months::Months;
pub use rolling::{LEAST_CONTRACTS, Rolling, RollingRisk};
pub use series::Drawdown;
pub use years::{OfYear, Year};

use crate::report::summary::main_level;
use crate::runs::daily::DailyTable;
use crate::runs::metrics::Metrics;
use crate::runs::tables::{BacktestBook, BacktestTable};
use crate::runs::walk_forward::Results;
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// What all strategies earned on the contracts of a run, averaged over their seeds.
///
/// # Units
/// Those of [`crate::risk::Row`].
pub struct TearSheet<'a> {
    /// Who is drawn where there is no room for all.
    pub leading: Leading,
    /// The level of the CVaR.
    pub level: f64,
    /// Whether P&L is that of every day, with contracts at their prices; otherwise it falls on the days of expiry.
    pub by_day: bool,
    contracts: &'a BacktestTable,
    books: Vec<Book<'a>>,
}

/// The book of all contracts of one strategy.
struct Book<'a> {
    strategy: &'a str,
    /// The days on which P&L falls, in ascending order.
    days: Vec<Day>,
    /// The transaction costs of all contracts.
    cost: f64,
}

/// One day of a book.
#[derive(Debug, Clone, Copy, Default)]
struct Day {
    date: NaiveDate,
    pnl: f64,
    /// Its part of the lives of all contracts; the parts of all days are 1 together.
    share: f64,
}

impl<'a> TearSheet<'a> {
    /// That of a run from its results and tables; none without contracts on history.
    ///
    /// Days before the first sale of `contracts` are left out: of a walk-forward with a validation period these are the contracts of
    /// the test alone, of which everything else is said too.
    pub fn new(
        metrics: &Metrics,
        results: Option<&Results>,
        contracts: &'a BacktestTable,
        daily: Option<&'a DailyTable>,
    ) -> Option<Self> {
        let leading = Leading::of(metrics, results)?;
        let first = contracts.books.iter().flat_map(|book| &book.date).min()?;
        let by_strategy = contracts.by_strategy();
        let has_days = |(strategy, _): &(&str, _)| {
            daily.is_some_and(|table| table.books.iter().any(|book| book.strategy == *strategy))
        };
        let by_day = by_strategy.iter().all(has_days);
        let books = by_strategy.iter().map(|(strategy, seeds)| {
            let days = match daily.filter(|_| by_day) {
                Some(table) => days_of(table, strategy, *first),
                None => expiries_of(seeds, *first),
            };
            let cost = seeds.iter().flat_map(|book| &book.cost).sum::<f64>();
            Book {
                strategy,
                days,
                cost: cost / seeds.len() as f64,
            }
        });
        let level = match results {
            Some(results) => results.level,
            None => main_level(metrics).parse().unwrap_or(0.95),
        };
        Some(Self {
            books: books.collect(),
            leading,
            level,
            by_day,
            contracts,
        })
    }

    /// The strategies in the order of the run.
    pub fn strategies(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.books.iter().map(|book| book.strategy)
    }

    fn book(&self, strategy: &str) -> Option<&Book<'a>> {
        self.books.iter().find(|book| book.strategy == strategy)
    }

    /// What the days of P&L are, in the words of an axis.
    pub fn dates(&self) -> &'static str {
        match self.by_day {
            true => "date",
            false => "expiry",
        }
    }
}

/// The P&L of the book day by day, averaged over seeds.
fn days_of(table: &DailyTable, strategy: &str, first: NaiveDate) -> Vec<Day> {
    let seeds: Vec<_> = table
        .books
        .iter()
        .filter(|book| book.strategy == strategy)
        .collect();
    let mut days: BTreeMap<NaiveDate, (f64, f64)> = BTreeMap::new();
    for book in &seeds {
        let rows = book.date.iter().zip(&book.pnl).zip(&book.contracts);
        for ((date, pnl), contracts) in rows.filter(|((date, _), _)| **date >= first) {
            let day = days.entry(*date).or_default();
            day.0 += pnl / seeds.len() as f64;
            day.1 += f64::from(*contracts);
        }
    }
    shared(days)
}

/// The P&L of contracts on the days of their expiry, averaged over seeds, after a day without any, that of the first sale.
fn expiries_of(seeds: &[&BacktestBook], first: NaiveDate) -> Vec<Day> {
    let mut days: BTreeMap<NaiveDate, (f64, f64)> = BTreeMap::from([(first, (0.0, 0.0))]);
    for book in seeds {
        for (expiry, pnl) in book.expiry.iter().zip(&book.pnl) {
            let day = days.entry(*expiry).or_default();
            day.0 += pnl / seeds.len() as f64;
            day.1 += 1.0;
        }
    }
    shared(days)
}

/// Days with their P&L and a number that says how much of the contracts' lives they have.
fn shared(days: BTreeMap<NaiveDate, (f64, f64)>) -> Vec<Day> {
    let all: f64 = days.values().map(|day| day.1).sum();
    let day = |(date, (pnl, part)): (NaiveDate, (f64, f64))| Day {
        date,
        pnl,
        share: part / all,
    };
    days.into_iter().map(day).collect()
}
