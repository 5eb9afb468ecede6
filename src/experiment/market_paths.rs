//! Simulated paths of a strategy's market, a column for everything that is simulated or quoted.

use crate::contract::Instrument;
use crate::error::{Error, Result};
use crate::market::{Layout, Paths, Quotes, Simulator};
use crate::random::Purpose;
use crate::simd::BLOCK;
use crate::strategy::Plan;
use crate::strategy::memory::check_memory;
use rayon::prelude::*;
use std::sync::Arc;

/// What a column has of a block of paths.
#[derive(Debug, Clone, Copy)]
enum Quantity {
    Spot(usize),
    Variance(usize),
    /// The price of an instrument that is no asset.
    Price(usize),
}

/// The first paths of a plan's market, those of its seed that are drawn for export.
pub struct MarketPaths {
    simulator: Simulator,
    layout: Layout,
    /// What quotes the instruments that are no asset, if there are some.
    quotes: Option<Arc<Quotes>>,
    count: usize,
    columns: Vec<(String, Quantity)>,
}

/// Blocks that a thread draws and writes at a time: few, so that they stay in its cache.
const RUN: usize = 8;

/// Such runs between two questions whether to stop.
const RUNS: usize = 256;

impl MarketPaths {
    /// The first `count` paths, with their dates at the equal periods of the plan's contract; `held` says how often whoever asks holds
    /// them, and `remedy` how it would need less memory.
    ///
    /// # Errors
    /// [`Error::Input`] if they need more than half of the memory at hand, or are more than those that are given; that of `stop`, which is asked while prices of
    /// instruments are tabulated.
    pub fn new(
        plan: &Plan,
        count: usize,
        (held, remedy): (usize, &str),
        stop: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Self> {
        let simulator = plan.simulator(plan.seed, Purpose::Export);
        if let Some(most) = simulator.most_paths().filter(|most| count > *most) {
            return Err(Error::input(format!(
                "paths must be at most {most}, those that `market.file` has, was {count}"
            )));
        }
        let bytes = held * Paths::<f64>::bytes(count, &plan.layout()) + simulator.held_bytes();
        check_memory(bytes as f64, remedy)?;
        plan.make_quotes(stop)?;
        let assets = plan.assets();
        let mut columns = Vec::new();
        for (asset, named) in assets.list().iter().enumerate() {
            let name = |what: &str| match asset {
                0 => what.to_owned(),
                _ => format!("{what}_{}", named.name),
            };
            columns.push((name("spot"), Quantity::Spot(asset)));
            columns.push((name("variance"), Quantity::Variance(asset)));
        }
        for (index, instrument) in plan.instruments().into_iter().enumerate() {
            if !matches!(instrument, Instrument::Spot(_)) {
                columns.push((assets.column(instrument), Quantity::Price(index)));
            }
        }
        let is_quoted = |(_, quantity): &(_, _)| matches!(quantity, Quantity::Price(_));
        let quotes = columns.iter().any(is_quoted);
        let quotes = quotes.then(|| plan.market_quotes(&assets));
        let layout = match &quotes {
            Some(quotes) => quotes.layout(),
            None => {
                Layout::of_market(&assets, simulator.steps).drawing(simulator.family.as_deref())
            }
        };
        Ok(Self {
            simulator,
            layout,
            quotes,
            count,
            columns,
        })
    }

    /// The names of the columns: `spot` and `variance` of the first asset, `spot_NAME` and `variance_NAME` of every further one, and the
    /// hedging instruments that are no asset.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }

    /// The number of paths.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The number of dates, the sale and the expiry among them.
    pub fn dates(&self) -> usize {
        self.simulator.steps + 1
    }

    /// The time of every date in years.
    pub fn time(&self) -> Vec<f64> {
        (0..self.dates())
            .map(|t| t as f64 * self.simulator.dt)
            .collect()
    }

    /// Writes every column into its slice of `out`, `[paths][dates]`.
    ///
    /// # Errors
    /// That of `stop`, which is asked again and again.
    ///
    /// # Panics
    /// If there is not a slice of that length for every column.
    pub fn write(&self, out: Vec<&mut [f64]>, stop: &mut dyn FnMut() -> Result<()>) -> Result<()> {
        assert_eq!(out.len(), self.columns.len());
        let dates = self.dates();
        let size = RUN * BLOCK * dates;
        // Of every run of blocks its part of every column.
        let mut parts: Vec<Vec<&mut [f64]>> = Vec::new();
        for column in out {
            assert_eq!(column.len(), self.count * dates);
            for (run, part) in column.chunks_mut(size).enumerate() {
                match parts.get_mut(run) {
                    Some(parts) => parts.push(part),
                    None => parts.push(vec![part]),
                }
            }
        }
        for (batch, parts) in parts.chunks_mut(RUNS).enumerate() {
            stop()?;
            let room = || Paths::<f64>::with_layout(RUN * BLOCK, self.layout.clone());
            let parts = parts.par_iter_mut().enumerate();
            parts.for_each_init(room, |paths, (run, columns)| {
                let first = (batch * RUNS + run) * RUN;
                self.simulator.fill(first as u64, paths);
                if let Some(quotes) = &self.quotes {
                    quotes.fill(paths);
                }
                for (column, (_, quantity)) in columns.iter_mut().zip(&self.columns) {
                    copy(paths, *quantity, column);
                }
            });
        }
        Ok(())
    }
}

/// Writes a quantity of the first paths into `out`, `[paths][dates]`.
fn copy(paths: &Paths<f64>, quantity: Quantity, out: &mut [f64]) {
    let dates = paths.steps() + 1;
    for (index, part) in out.chunks_mut(BLOCK * dates).enumerate() {
        let block = paths.block(index);
        let rows = match quantity {
            Quantity::Spot(asset) => block.spot_of(asset),
            Quantity::Variance(asset) => block.variance_of(asset),
            Quantity::Price(instrument) => block.price(instrument),
        };
        for (lane, path) in part.chunks_exact_mut(dates).enumerate() {
            for (value, row) in path.iter_mut().zip(rows) {
                *value = row[lane];
            }
        }
    }
}

#[cfg(test)]
#[path = "market_paths_tests.rs"]
mod tests;
