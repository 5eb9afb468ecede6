//! What arguments change in a strategy, and what they may name.

use super::reading::PriceFiles;
use super::values::{day, overridden, positive, seconds};
use crate::error::{Error, Result, excerpt};
use crate::experiment;
use crate::runs::store::{self, RunFolder};
use crate::strategy::{BacktestPlan, Plan, Strategy};
use std::path::{Path, PathBuf};

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
    /// Whether anything is changed.
    pub fn any(&self) -> bool {
        let Self {
            data,
            surface,
            start,
            end,
            files,
            volatility_unit,
            days_per_year,
        } = self;
        data.is_some()
            || surface.is_some()
            || start.is_some()
            || end.is_some()
            || files.any()
            || volatility_unit.is_some()
            || days_per_year.is_some()
    }

    /// Writes the changes into a strategy; files are relative to the working directory.
    pub fn apply(&self, strategy: &mut Strategy) {
        if strategy.backtest.is_none() && self.data.is_none() && self.surface.is_none() {
            return;
        }
        let backtest = strategy.backtest.get_or_insert_default();
        let absolute = |file: &PathBuf| std::path::absolute(file).unwrap_or(file.clone());
        if let Some(file) = &self.surface {
            backtest.surface = Some(absolute(file).display().to_string());
        }
        if let Some(files) = &self.data {
            let files: Vec<PathBuf> = files.iter().map(absolute).collect();
            backtest.data = Some(files.into());
            backtest.relative_to = None;
        }
        let date = |date: Option<chrono::NaiveDate>| date.map(|date| Some(date.to_string()));
        overridden(&mut backtest.start, date(self.start));
        overridden(&mut backtest.end, date(self.end));
        backtest.read_as(self.files.raw(self.volatility_unit.as_deref()));
        overridden(&mut backtest.days_per_year, self.days_per_year.map(Some));
    }
}

/// The plan of a strategy file with `changes`, and with those that `further` makes.
///
/// # Errors
/// Those of [`Plan::load`].
pub fn load(path: &Path, changes: &Changes, further: impl FnOnce(&mut Strategy)) -> Result<Plan> {
    Plan::load(path, |strategy| {
        let training = &mut strategy.training;
        if changes.budget.is_some() {
            training.lengths.clear();
            let optimizers = strategy.optimizers.values_mut();
            optimizers.for_each(|optimizer| optimizer.lengths = None);
        }
        if let Some(steps) = changes.steps {
            training.steps = steps as usize;
            training.seconds = None;
        }
        overridden(&mut training.seconds, changes.budget.map(Some));
        further(strategy);
    })
}

/// Whether the plan has an optimizer of that name.
///
/// # Errors
/// [`Error::Input`] naming the argument and the optimizers that there are.
pub fn known_optimizer(plan: &Plan, argument: &str, name: &str) -> Result<()> {
    let names: Vec<&str> = plan
        .optimizers
        .iter()
        .map(|plan| plan.name.as_str())
        .collect();
    if names.contains(&name) {
        return Ok(());
    }
    Err(Error::input(format!(
        "{argument}: must be one of {}, was \"{}\"",
        names.join(", "),
        excerpt(name)
    )))
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

/// Whether an argument names a strategy file rather than a run.
pub fn is_strategy(what: &str) -> bool {
    Path::new(what).is_file() || what.ends_with(".toml")
}

/// The plan of a strategy file, or that of a run and the run, with `changes`.
///
/// # Errors
/// Those of reading it.
pub fn strategy_or_run(
    what: &str,
    changes: &BacktestChanges,
    root: &Path,
) -> Result<(Plan, Option<RunFolder>)> {
    let change = |strategy: &mut Strategy| changes.apply(strategy);
    if is_strategy(what) {
        return Ok((Plan::load(Path::new(what), change)?, None));
    }
    let run = store::open(root, what)?;
    Ok((experiment::plan_of(&run, change)?, Some(run)))
}
