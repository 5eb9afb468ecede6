//! What is asked of a strategy or a run, by the command line and by programs alike.

use super::plan_of;
use crate::error::{Error, Result, excerpt};
use crate::market::history::RawReading;
use crate::runs::store::{self, RunFolder};
use crate::strategy::{Plan, Strategy};
use chrono::NaiveDate;
use std::path::{Path, PathBuf};

/// What a comparison or a training changes in its strategy.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrainingChanges {
    /// Optimisation steps instead of the strategy's.
    pub steps: Option<usize>,
    /// Seconds of training for every optimizer instead of a number of steps.
    pub seconds: Option<f64>,
    /// Numbers of steps that every optimizer is trained for too, instead of the strategy's `lengths`.
    pub lengths: Option<Vec<usize>>,
}

impl TrainingChanges {
    /// Writes the changes into a strategy.
    pub fn apply(&self, strategy: &mut Strategy) {
        let training = &mut strategy.training;
        if self.seconds.is_some() {
            training.lengths.clear();
            let optimizers = strategy.optimizers.values_mut();
            optimizers.for_each(|optimizer| optimizer.lengths = None);
        }
        if let Some(steps) = self.steps {
            training.steps = steps;
            training.seconds = None;
        }
        if self.seconds.is_some() {
            training.seconds = self.seconds;
        }
        if let Some(lengths) = &self.lengths {
            training.lengths.clone_from(lengths);
            for optimizer in strategy.optimizers.values_mut() {
                optimizer.lengths = None;
            }
        }
    }
}

/// What a backtest changes in its strategy.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HistoryChanges {
    /// Files of daily closes instead of the strategy's; those after the first are joined by date.
    pub data: Option<Vec<PathBuf>>,
    /// A file of implied-volatility surfaces instead of the strategy's.
    pub surface: Option<PathBuf>,
    /// The first date of sale.
    pub start: Option<NaiveDate>,
    /// The last date of sale.
    pub end: Option<NaiveDate>,
    /// How the files are read.
    pub reading: RawReading,
    /// Closes in a year, by which returns are annualised.
    pub days_per_year: Option<f64>,
}

impl HistoryChanges {
    /// Whether anything is changed.
    pub fn any(&self) -> bool {
        *self != Self::default()
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
        for (slot, date) in [
            (&mut backtest.start, self.start),
            (&mut backtest.end, self.end),
        ] {
            if let Some(date) = date {
                *slot = Some(date.to_string());
            }
        }
        backtest.read_as(self.reading.clone());
        if self.days_per_year.is_some() {
            backtest.days_per_year = self.days_per_year;
        }
    }
}

/// Whether the plan has an optimizer of that name; `argument` is what named it.
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

/// The optimizer that is trained alone: the one that `argument` named, or else the plan's main one; `what` is where the plan is from.
///
/// # Errors
/// Those of [`known_optimizer`]; [`Error::Input`] if the strategy has none.
pub fn trained_alone<'a>(
    plan: &'a Plan,
    (argument, named): (&str, Option<&'a str>),
    what: &str,
) -> Result<&'a str> {
    match named {
        Some(name) => known_optimizer(plan, argument, name).map(|()| name),
        None => plan
            .default_optimizer()
            .ok_or_else(|| Error::input(format!("{what}: `optimizers` is missing"))),
    }
}

/// The plan with the optimizers that `argument` named alone, or with all of its own.
///
/// # Errors
/// Those of [`known_optimizer`].
pub fn with_named(plan: Plan, argument: &str, names: Option<&[String]>) -> Result<Plan> {
    let Some(names) = names else {
        return Ok(plan);
    };
    for name in names {
        known_optimizer(&plan, argument, name)?;
    }
    plan.with_optimizers(|name| names.iter().any(|wanted| wanted == name))
}

/// The bound of [`are_candidates`], in words that follow "must be".
pub const CANDIDATES: &str = "a power of two of at least 4";

/// Whether a search for settings may begin with so many candidates.
pub fn are_candidates(count: usize) -> bool {
    count >= 4 && count.is_power_of_two()
}

/// The bound of [`day`], in words that follow "must be".
pub const DAY: &str = "a date such as 2004-01-31";

/// Reads a date.
pub fn day(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}

/// Whether a text names a strategy file rather than a run.
pub fn is_strategy(what: &str) -> bool {
    Path::new(what).is_file() || what.ends_with(".toml")
}

/// The plan of a strategy file, or that of a run below `root` and the run, after `change` has been applied to what the strategy says.
///
/// # Errors
/// Those of reading it.
pub fn strategy_or_run(
    what: &str,
    change: impl FnOnce(&mut Strategy),
    root: &Path,
) -> Result<(Plan, Option<RunFolder>)> {
    if is_strategy(what) {
        return Ok((Plan::load(Path::new(what), change)?, None));
    }
    let run = store::open(root, what)?;
    Ok((plan_of(&run, change)?, Some(run)))
}
