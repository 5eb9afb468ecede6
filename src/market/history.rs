//! Daily price history from CSV and Parquet files.

mod columns;
mod date;
pub mod defects;
mod frequency;
mod reading;

pub use columns::{DATE_NAMES, Quantity};
pub use defects::{Defects, Repairs};
pub use frequency::{Frequency, Spacing};
pub use reading::Series;

use super::table::refuse;
use crate::error::Result;
use chrono::{Datelike, NaiveDate, Weekday};
use defects::Kind;
use reading::Days;
use std::path::{Path, PathBuf};

/// Daily closing prices in ascending order of date, and what else stands beside them.
///
/// # Units
///
/// Prices in the currency (or index points) of the file; volatilities as fractions per year.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    pub files: Vec<PathBuf>,
    pub dates: Vec<NaiveDate>,
    pub close: Vec<f64>,
    /// The column that the dates were read from, as the first file spells it.
    pub date_column: String,
    /// The column that the prices were read from, as the file spells it.
    pub close_column: String,
    /// Quantities other than the close, if asked for and there.
    pub series: Vec<Series>,
    /// What was repaired and how often.
    pub repaired: Vec<(Kind, usize)>,
}

/// What [`History::inspect`] finds.
#[derive(Debug)]
pub struct Inspection {
    pub history: History,
    pub defects: Defects,
    /// Rows of each file, and its first and last date.
    pub files: Vec<(usize, Option<(NaiveDate, NaiveDate)>)>,
    /// Files whose volatilities stand in percent.
    pub percent: Vec<PathBuf>,
}

impl History {
    /// Reads the closes of one `.csv` or `.parquet` file and repairs nothing.
    ///
    /// # Errors
    ///
    /// Those of [`History::load_files`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let files = [path.as_ref().to_path_buf()];
        Self::load_files(&files, &[Quantity::Close], &Repairs::default())
    }

    /// Reads the `wanted` quantities of files that are joined by date.
    ///
    /// Columns may stand in any order and others are ignored. Dates are `yyyy-mm-dd` or
    /// `month/day/year`, each with or without a time of day, which is dropped. Prices in a CSV
    /// file become the `f64` nearest to their decimal digits, as in any language that rounds
    /// correctly. The first file has the prices; further ones add implied volatility or variance
    /// and leave the days that all files have. Volatilities whose median is above 3 are read as
    /// percent.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Input`], one line naming file, data row (from 1), column, value and bound: a file
    /// that is missing, of another kind, unreadable or empty; no date or no closing price; any
    /// defect that `repairs` does not name; fewer than two days.
    pub fn load_files(files: &[PathBuf], wanted: &[Quantity], repairs: &Repairs) -> Result<Self> {
        let inspection = Self::inspect(files, wanted, repairs)?;
        inspection.defects.refuse(repairs, files)?;
        let history = inspection.history;
        history.require_days()?;
        Ok(history)
    }

    /// Refuses a history of fewer than two days.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Input`].
    pub fn require_days(&self) -> Result<()> {
        if self.len() >= 2 {
            return Ok(());
        }
        let file = self.files.first().map_or(Path::new(""), PathBuf::as_path);
        let unit = if self.files.len() > 1 {
            "days that all files have"
        } else {
            "rows of data"
        };
        let what = format!("needs at least 2 {unit}, has {}", self.len());
        Err(refuse(file, &what))
    }

    /// Reads files like [`History::load_files`] and lists every defect instead of refusing any: the
    /// history is what is left without them.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Input`] for a file that cannot be read at all, or that adds nothing.
    pub fn inspect(
        files: &[PathBuf],
        wanted: &[Quantity],
        repairs: &Repairs,
    ) -> Result<Inspection> {
        let mut defects = Defects::default();
        let mut read: Vec<Days> = Vec::new();
        let mut percent = Vec::new();
        for (index, file) in files.iter().enumerate() {
            let known = |quantity: &Quantity| {
                let mut series = read.iter().flat_map(|days| &days.series);
                series.any(|series| series.quantity == *quantity)
            };
            let wanted: Vec<Quantity> = if index == 0 {
                wanted.to_vec()
            } else {
                [Quantity::ImpliedVolatility, Quantity::Variance]
                    .into_iter()
                    .filter(|quantity| !known(quantity))
                    .collect()
            };
            let mut days = reading::read(file, &wanted, repairs, &mut defects)?;
            if days.series.is_empty() {
                let what = "adds no implied volatility or variance to the files before it";
                return Err(refuse(file, what));
            }
            for series in &mut days.series {
                if series.quantity == Quantity::ImpliedVolatility && median(&series.values) > 3.0 {
                    series.values.iter_mut().for_each(|value| *value /= 100.0);
                    percent.push(file.clone());
                }
            }
            read.push(days);
        }
        let spans = read
            .iter()
            .map(|days| {
                let span = days.dates.first().zip(days.dates.last());
                (days.height, span.map(|(a, b)| (*a, *b)))
            })
            .collect();
        let history = join(files, read, repairs, &mut defects);
        Ok(Inspection {
            history,
            defects,
            files: spans,
            percent,
        })
    }

    /// The number of days.
    pub fn len(&self) -> usize {
        self.close.len()
    }

    /// Whether there are no days; never so for a loaded history.
    pub fn is_empty(&self) -> bool {
        self.close.is_empty()
    }

    /// The values of a quantity, one a day.
    pub fn values(&self, quantity: Quantity) -> Option<&[f64]> {
        if quantity == Quantity::Close {
            return Some(&self.close);
        }
        let mut series = self.series.iter();
        series
            .find(|series| series.quantity == quantity)
            .map(|series| series.values.as_slice())
    }

    /// How often it has a close.
    pub fn frequency(&self) -> Frequency {
        Frequency::of(&self.dates)
    }

    /// Index of the first day that is not before `date`; the number of days if there is none.
    pub fn index_from(&self, date: NaiveDate) -> usize {
        self.dates.partition_point(|day| *day < date)
    }

    /// `ln(S_{t+1}/S_t)`; entry `t` is known at the close of day `t + 1`.
    pub fn log_returns(&self) -> Vec<f64> {
        let returns = self.close.windows(2);
        returns.map(|pair| (pair[1] / pair[0]).ln()).collect()
    }

    /// The longest stretch between two days that follow one another.
    pub fn longest_gap(&self) -> Option<(NaiveDate, NaiveDate)> {
        let pairs = self.dates.windows(2).map(|pair| (pair[0], pair[1]));
        // The first of several, which `max_by_key` would not give.
        pairs.rev().max_by_key(|(from, to)| *to - *from)
    }

    /// Weekdays within the span of the history on which it has no day: holidays, as a rule.
    pub fn weekdays_missing(&self) -> usize {
        let pairs = self.dates.windows(2);
        pairs
            .map(|pair| {
                let between = pair[0].iter_days().skip(1).take_while(|day| *day < pair[1]);
                between
                    .filter(|day| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun))
                    .count()
            })
            .sum()
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

/// The days that all files have; those that one lacks within the span of all are defects.
fn join(files: &[PathBuf], read: Vec<Days>, repairs: &Repairs, defects: &mut Defects) -> History {
    let start = read.iter().filter_map(|days| days.dates.first()).max();
    let end = read.iter().filter_map(|days| days.dates.last()).min();
    let span = start.zip(end).map(|(start, end)| *start..=*end);
    let mut dates: Vec<NaiveDate> = read.first().map_or(Vec::new(), |days| days.dates.clone());
    if read.len() > 1 {
        for (file, days) in files.iter().zip(&read) {
            for (other, others) in files.iter().zip(&read) {
                for (i, date) in days.dates.iter().enumerate() {
                    let within = span.as_ref().is_some_and(|span| span.contains(date));
                    if within && others.dates.binary_search(date).is_err() {
                        let column = &days.date_column;
                        defects.add(Kind::Unmatched, file, days.rows[i], column, || {
                            format!("{} has no day {date}", other.display())
                        });
                    }
                }
            }
            dates.retain(|date| days.dates.binary_search(date).is_ok());
        }
    }
    let mut history = History {
        files: files.to_vec(),
        date_column: read
            .first()
            .map_or(String::new(), |d| d.date_column.clone()),
        close_column: String::new(),
        close: Vec::new(),
        series: Vec::new(),
        repaired: defects.repaired(repairs),
        dates,
    };
    for days in read {
        for mut series in days.series {
            if days.dates.len() != history.dates.len() {
                let places = history
                    .dates
                    .iter()
                    .filter_map(|d| days.dates.binary_search(d).ok());
                series.values = places.map(|place| series.values[place]).collect();
            }
            if series.quantity == Quantity::Close {
                history.close_column = series.column;
                history.close = series.values;
            } else {
                history.series.push(series);
            }
        }
    }
    history
}

#[cfg(test)]
mod defects_tests;
#[cfg(test)]
pub mod fixture;
#[cfg(test)]
mod tests;
