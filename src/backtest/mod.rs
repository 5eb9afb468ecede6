//! Hedging options sold on real history, through the same policies and ledger as simulated ones.

use crate::error::{Error, Result};
use crate::market::{History, Model, Paths, parse_date};
use crate::strategy::Plan;
use chrono::NaiveDate;
use std::path::PathBuf;

/// What to backtest.
#[derive(Debug, Clone)]
pub struct BacktestPlan {
    pub data: PathBuf,
    pub start: Option<NaiveDate>,
    pub end: Option<NaiveDate>,
    /// Trading days between sales; the life of the contract if they do not overlap.
    pub spacing: usize,
}

/// Contracts sold on history: paths scaled to the market's spot at their sale.
pub struct Contracts {
    pub paths: Paths<f64>,
    pub sold: Vec<NaiveDate>,
    pub expiry: Vec<NaiveDate>,
}

/// Days of returns that the variance filter needs before the first sale under stochastic variance.
const FILTER_DAYS: usize = 21;

/// Cuts the history into contracts that live for the plan's number of steps, one close a step.
///
/// Variance is constant under GBM; under Heston it is filtered from returns up to each date.
///
/// # Errors
/// If the history cannot be read, has no contract in the period, or none before it to filter from.
pub fn contracts(plan: &Plan, backtest: &BacktestPlan) -> Result<Contracts> {
    let history = History::load(&backtest.data)?;
    let fail = |message: String| Error::input(format!("{}: {message}", backtest.data.display()));
    let first = backtest.start.map_or(0, |date| history.index_from(date));
    let last = backtest.end.map_or(history.close.len(), |date| {
        history.index_from(date + chrono::Days::new(1))
    });
    let steps = plan.contract.steps;
    let variance = match plan.market.model {
        Model::Gbm { volatility } => vec![volatility * volatility; history.close.len()],
        Model::Heston(_) => {
            if first < FILTER_DAYS {
                return Err(fail(format!(
                    "`backtest.start` must leave at least {FILTER_DAYS} closes before it to filter the variance from, was {first}"
                )));
            }
            history.weighted_variance(steps as f64 / plan.contract.expiry)
        }
    };
    let starts: Vec<usize> = (first..last)
        .step_by(backtest.spacing)
        .filter(|start| start + steps < history.close.len())
        .collect();
    if starts.is_empty() {
        return Err(fail(format!(
            "no contract of {steps} days fits into the test period"
        )));
    }
    let scaled: Vec<Vec<f64>> = starts
        .iter()
        .map(|&start| {
            history.close[start..=start + steps]
                .iter()
                .map(|close| plan.market.spot * close / history.close[start])
                .collect()
        })
        .collect();
    let rows = starts
        .iter()
        .zip(&scaled)
        .map(|(&start, spot)| (spot.as_slice(), &variance[start..=start + steps]));
    Ok(Contracts {
        paths: Paths::from_rows(steps, rows),
        sold: starts.iter().map(|&start| history.dates[start]).collect(),
        expiry: starts
            .iter()
            .map(|&start| history.dates[start + steps])
            .collect(),
    })
}

/// Reads a date of a strategy file.
///
/// # Errors
/// If it is not a date.
pub fn date(key: &str, text: &str) -> Result<NaiveDate> {
    parse_date(text).ok_or_else(|| {
        Error::input(format!(
            "`{key}` must be a date such as 2004-01-31, was \"{text}\""
        ))
    })
}
