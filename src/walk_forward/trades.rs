//! Hedged contracts with the parts of their P&L, one row each.

use crate::backtest::attribution::Attribution;
use crate::error::Result;
use crate::runs::breakdown::Expired;
use crate::runs::tables::{dates, integers, numbers, read_dates, read_keys, read_parquet};
use chrono::NaiveDate;
use polars::prelude::{Column, DataFrame, DataType};
use std::path::Path;

/// One contract sold on history, as one strategy hedged it.
///
/// # Units
/// The errors of [`crate::risk::Row`].
#[derive(Debug, Clone, PartialEq)]
pub struct Trade {
    /// The name of the optimizer or of the classical hedge.
    pub strategy: String,
    /// Absent for hedges that are not trained.
    pub seed: Option<u64>,
    /// Number of the window, from 0.
    pub window: usize,
    /// The day of the sale.
    pub sold: NaiveDate,
    /// The day of the last close, at which the contract is settled.
    pub expiry: NaiveDate,
    /// The volatility that was known at the sale, by which calm and turbulent days are told apart: implied where
    /// the history has it, otherwise realised over the closes before. Annualised; not a number in runs of older versions.
    pub volatility: f64,
    /// What the contract was sold for.
    pub premium: f64,
    /// The P&L of the seller, hedge and costs included.
    pub pnl: f64,
    /// The costs of all trades.
    pub cost: f64,
    /// The value traded, over the spot at the sale.
    pub turnover: f64,
    /// The parts that the P&L is made of.
    pub attribution: Attribution,
}

impl Trade {
    /// The trade without its strategy, as breakdowns take it.
    pub fn expired(&self) -> Expired {
        Expired {
            sold: self.sold,
            expiry: self.expiry,
            pnl: self.pnl,
            parts: self.attribution.parts().to_vec(),
            drift: self.attribution.drift,
        }
    }
}

/// A column of numbers: its name, how to read it from a trade and how to write it into one.
type Number = (&'static str, fn(&Trade) -> f64, fn(&mut Trade, f64));

/// The parts of the attribution have the prefix `pnl_`; they add up to `pnl`, `pnl_drift` apart, which is contained in
/// `pnl_delta`.
const NUMBERS: [Number; 19] = [
    ("volatility", |t| t.volatility, |t, x| t.volatility = x),
    ("premium", |t| t.premium, |t, x| t.premium = x),
    ("pnl", |t| t.pnl, |t, x| t.pnl = x),
    ("cost", |t| t.cost, |t, x| t.cost = x),
    ("turnover", |t| t.turnover, |t, x| t.turnover = x),
    (
        "pnl_premium",
        |t| t.attribution.premium,
        |t, x| t.attribution.premium = x,
    ),
    (
        "pnl_delta",
        |t| t.attribution.delta,
        |t, x| t.attribution.delta = x,
    ),
    (
        "pnl_gamma",
        |t| t.attribution.gamma,
        |t, x| t.attribution.gamma = x,
    ),
    (
        "pnl_theta",
        |t| t.attribution.theta,
        |t, x| t.attribution.theta = x,
    ),
    (
        "pnl_vega",
        |t| t.attribution.vega,
        |t, x| t.attribution.vega = x,
    ),
    (
        "pnl_level",
        |t| t.attribution.level,
        |t, x| t.attribution.level = x,
    ),
    (
        "pnl_slope",
        |t| t.attribution.slope,
        |t, x| t.attribution.slope = x,
    ),
    (
        "pnl_skew",
        |t| t.attribution.skew,
        |t, x| t.attribution.skew = x,
    ),
    (
        "pnl_financing",
        |t| t.attribution.financing,
        |t, x| t.attribution.financing = x,
    ),
    (
        "pnl_payments",
        |t| t.attribution.payments,
        |t, x| t.attribution.payments = x,
    ),
    (
        "pnl_hedge",
        |t| t.attribution.hedge,
        |t, x| t.attribution.hedge = x,
    ),
    (
        "pnl_costs",
        |t| t.attribution.costs,
        |t, x| t.attribution.costs = x,
    ),
    (
        "pnl_unexplained",
        |t| t.attribution.unexplained,
        |t, x| t.attribution.unexplained = x,
    ),
    (
        "pnl_drift",
        |t| t.attribution.drift,
        |t, x| t.attribution.drift = x,
    ),
];

/// Every contract with the numbers of its trades in `books`, which hold the same contracts, averaged.
pub fn average(books: &[Vec<&Trade>]) -> Vec<Trade> {
    let count = books.first().map_or(0, Vec::len);
    (0..count)
        .map(|contract| {
            let mut mean = Trade {
                seed: None,
                ..books[0][contract].clone()
            };
            for (_, of, set) in NUMBERS {
                let sum: f64 = books.iter().map(|book| of(book[contract])).sum();
                set(&mut mean, sum / books.len() as f64);
            }
            mean
        })
        .collect()
}

/// Columns strategy, seed, window, date, expiry and those of the numbers.
///
/// # Errors
/// The errors of the table.
pub fn to_frame(trades: &[Trade]) -> Result<DataFrame> {
    let strategies: Vec<&str> = trades.iter().map(|t| t.strategy.as_str()).collect();
    let seeds: Vec<Option<u64>> = trades.iter().map(|t| t.seed).collect();
    let windows: Vec<u32> = trades.iter().map(|t| t.window as u32).collect();
    let days = |of: fn(&Trade) -> NaiveDate| trades.iter().map(of).collect::<Vec<_>>();
    let mut columns = vec![
        Column::new("strategy".into(), strategies),
        Column::new("seed".into(), seeds),
        Column::new("window".into(), windows),
        dates("date", std::iter::once(&days(|t| t.sold)))?,
        dates("expiry", std::iter::once(&days(|t| t.expiry)))?,
    ];
    for (name, of, _) in NUMBERS {
        let values: Vec<f64> = trades.iter().map(of).collect();
        columns.push(Column::new(name.into(), values));
    }
    Ok(DataFrame::new_infer_height(columns)?)
}

/// Reads a file written from [`to_frame`].
///
/// # Errors
/// The errors of the tables of a run.
pub fn read(path: &Path) -> Result<Vec<Trade>> {
    let frame = read_parquet(path)?;
    let keys = read_keys(path, &frame)?;
    let window = integers(path, &frame, "window", &DataType::Int64)?;
    let (sold, expiry) = (
        read_dates(path, &frame, "date")?,
        read_dates(path, &frame, "expiry")?,
    );
    let mut trades: Vec<Trade> = keys
        .into_iter()
        .enumerate()
        .map(|(row, (strategy, seed))| Trade {
            strategy,
            seed,
            window: window[row] as usize,
            sold: sold[row],
            expiry: expiry[row],
            volatility: f64::NAN,
            premium: 0.0,
            pnl: 0.0,
            cost: 0.0,
            turnover: 0.0,
            attribution: Attribution::default(),
        })
        .collect();
    // Windows of older versions have not all parts, and what they have not is 0; nor do they have volatilities.
    let has = |name: &str| frame.get_column_index(name).is_some();
    let is_new = |name: &str| name.starts_with("pnl_") || name == "volatility";
    for (name, _, set) in NUMBERS
        .into_iter()
        .filter(|(name, ..)| has(name) || !is_new(name))
    {
        for (trade, value) in trades.iter_mut().zip(numbers(path, &frame, name)?) {
            set(trade, value);
        }
    }
    Ok(trades)
}
