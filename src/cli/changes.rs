//! What arguments change in a strategy, and what they may name.

use super::reading::PriceFiles;
use super::values::{day, positive, seconds};
use crate::error::{Error, Result, excerpt};
use crate::experiment::{HistoryChanges, TrainingChanges};
use crate::strategy::{BacktestPlan, Plan, Strategy};
use std::path::PathBuf;

/// What `compare` and `train` change in a strategy.
#[derive(Debug, Default, clap::Args)]
pub struct Changes {
    /// Optimisation steps instead of the strategy's.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "budget")]
    steps: Option<u64>,
    /// Seconds of training for every optimizer instead of a number of steps: `60s`, `2m`.
    #[arg(long, value_parser = seconds)]
    budget: Option<f64>,
}

/// What `backtest` changes in a strategy.
#[derive(Debug, Default, clap::Args)]
pub struct BacktestChanges {
    /// Daily closes (CSV or Parquet) instead of the strategy's; given again, a file joined by date that adds implied
    /// volatility or variance.
    #[arg(long)]
    data: Option<Vec<PathBuf>>,
    /// A file of implied-volatility surfaces (CSV or Parquet) instead of the strategy's.
    #[arg(long)]
    surface: Option<PathBuf>,
    /// First date of sale, such as 2004-01-31, instead of the strategy's.
    #[arg(long, value_parser = day)]
    start: Option<chrono::NaiveDate>,
    /// Last date of sale instead of the strategy's.
    #[arg(long, value_parser = day)]
    end: Option<chrono::NaiveDate>,
    #[command(flatten)]
    files: PriceFiles,
    /// Unit of implied volatilities in the data, percent or fraction, where their size does not say it.
    #[arg(long, value_name = "UNIT")]
    volatility_unit: Option<String>,
    /// Closes in a year, by which returns are annualised, instead of the number found from the dates.
    #[arg(long, value_name = "DAYS", value_parser = positive)]
    days_per_year: Option<f64>,
}

impl BacktestChanges {
    /// The same as a strategy takes it.
    pub fn changes(&self) -> HistoryChanges {
        HistoryChanges {
            data: self.data.clone(),
            surface: self.surface.clone(),
            start: self.start,
            end: self.end,
            reading: self.files.raw(self.volatility_unit.as_deref()),
            days_per_year: self.days_per_year,
        }
    }

    /// Whether anything is changed.
    pub fn any(&self) -> bool {
        self.changes().any()
    }

    /// Writes the changes into a strategy.
    pub fn apply(&self, strategy: &mut Strategy) {
        self.changes().apply(strategy);
    }
}

impl Changes {
    /// The same as a strategy takes it.
    pub fn changes(&self) -> TrainingChanges {
        TrainingChanges {
            steps: self.steps.map(|steps| steps as usize),
            seconds: self.budget,
            lengths: None,
        }
    }
}

/// What `plan` backtests.
///
/// # Errors
/// [`Error::Input`] if it has no backtest.
pub fn settings<'a>(plan: &'a Plan, what: &str) -> Result<&'a BacktestPlan> {
    plan.backtest.as_ref().ok_or_else(|| {
        Error::input(format!(
            "{}: `backtest` is missing, and no --data or --surface is given",
            excerpt(what)
        ))
    })
}

/// Why nothing can be changed in a run that goes on.
pub fn own_data(run: &str) -> Error {
    Error::input(format!(
        "run `{run}` goes on with its own data and dates: give no --data, --surface, --start, --end, --days-per-year, and nothing on how files are read"
    ))
}
