//! Contracts by the year of their sale.

use super::TearSheet;
use super::rolling::deviation;
use crate::risk::cvar;
use crate::runs::tables::BacktestBook;
use chrono::Datelike;

/// The contracts sold in a year.
#[derive(Debug, Clone, PartialEq)]
pub struct Year<'a> {
    /// The year.
    pub year: i32,
    /// The number of contracts.
    pub contracts: usize,
    /// Every strategy on them, in the order of the run.
    pub strategies: Vec<OfYear<'a>>,
}

/// One strategy on the contracts sold in a year: means over its seeds.
///
/// # Units
/// Those of [`crate::risk::Row`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OfYear<'a> {
    /// The name of the strategy.
    pub strategy: &'a str,
    /// The P&L of all contracts together.
    pub total: f64,
    /// The standard deviation of the P&L of a contract; not a number with one contract.
    pub deviation: f64,
    /// The CVaR of the loss of a contract.
    pub cvar: f64,
    /// The mean transaction cost of a contract.
    pub cost: f64,
}

impl<'a> TearSheet<'a> {
    /// The contracts by the year of their sale.
    pub fn years(&self) -> Vec<Year<'a>> {
        let by_strategy = self.contracts.by_strategy();
        let Some(dates) = by_strategy.first().map(|(_, seeds)| &seeds[0].date) else {
            return Vec::new();
        };
        let mut years: Vec<i32> = dates.iter().map(Datelike::year).collect();
        years.sort_unstable();
        years.dedup();
        let year = |year: i32| {
            let places: Vec<usize> = (0..dates.len())
                .filter(|&i| dates[i].year() == year)
                .collect();
            let own = |values: &[f64]| -> Vec<f64> { places.iter().map(|&i| values[i]).collect() };
            let of = |(strategy, seeds): &(&'a str, Vec<&'a BacktestBook>)| {
                let mean = |of: &dyn Fn(&BacktestBook) -> f64| {
                    seeds.iter().map(|book| of(book)).sum::<f64>() / seeds.len() as f64
                };
                OfYear {
                    strategy,
                    total: mean(&|book| own(&book.pnl).iter().sum()),
                    deviation: mean(&|book| deviation(&own(&book.pnl))),
                    cvar: mean(&|book| cvar(&own(&book.pnl), self.level)),
                    cost: mean(&|book| own(&book.cost).iter().sum::<f64>() / places.len() as f64),
                }
            };
            Year {
                year,
                contracts: places.len(),
                strategies: by_strategy.iter().map(of).collect(),
            }
        };
        years.into_iter().map(year).collect()
    }
}
