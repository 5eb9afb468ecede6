//! Daily price history from CSV and Parquet files.

#[cfg(feature = "data")]
mod calendar;
#[cfg(feature = "data")]
pub(crate) mod cells;
mod columns;
pub(crate) mod date;
mod decimal;
pub mod defects;
mod frequency;
#[cfg(feature = "data")]
mod head;
#[cfg(feature = "data")]
mod layout;
#[cfg(feature = "data")]
mod loading;
#[cfg(feature = "data")]
mod moves;
#[cfg(feature = "data")]
pub(crate) mod number;
mod options;
#[cfg(feature = "data")]
mod reading;
#[cfg(feature = "data")]
mod surfaces;
#[cfg(feature = "data")]
mod volatility;
mod words;

pub use columns::{DATE_NAMES, Factor, Quantity, Series};
pub use date::DateFormat;
pub use decimal::Decimal;
pub use defects::Defects;
pub use frequency::{Frequency, Spacing};
#[cfg(feature = "data")]
pub use head::Head;
#[cfg(feature = "data")]
pub use loading::{FileInspection, Inspection};
#[cfg(feature = "data")]
pub use moves::GREATEST_RATIO;
pub use options::{RawReading, Reading};

use super::refusal::refuse;
use crate::error::Result;
use crate::pricing::SurfaceFactors;
use chrono::{Datelike, Months, NaiveDate, Weekday};
use defects::Kind;
use std::path::{Path, PathBuf};

/// Daily closing prices in ascending order of date, and what else stands beside them.
///
/// # Units
///
/// Prices in the currency (or index points) of the file; volatilities as fractions per year.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// The files that the history was read from.
    pub files: Vec<PathBuf>,
    /// The days, in ascending order.
    pub dates: Vec<NaiveDate>,
    /// The close of every day.
    pub close: Vec<f64>,
    /// The column that the dates were read from, as the first file spells it.
    pub date_column: String,
    /// The column that the prices were read from, as the file spells it.
    pub close_column: String,
    /// Quantities other than the close, if asked for and there.
    pub series: Vec<Series>,
    /// The implied-volatility surface of every day; empty where the files have none.
    pub surface: Vec<SurfaceFactors>,
    /// The interest rate of every day, a fraction a year; empty where the files have none.
    pub rate: Vec<f64>,
    /// What was repaired and how often.
    pub repaired: Vec<(Kind, usize)>,
    /// What is odd and no defect, one line each, with the name of the file.
    pub warnings: Vec<String>,
}

impl History {
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

    /// The number of days.
    pub fn len(&self) -> usize {
        self.dates.len()
    }

    /// Whether there are no days; never so for a loaded history.
    pub fn is_empty(&self) -> bool {
        self.dates.is_empty()
    }

    /// Keeps the days of which `keep` is true, with all that stands beside them.
    pub fn retain(&mut self, keep: impl Fn(NaiveDate) -> bool) {
        let kept: Vec<bool> = self.dates.iter().map(|date| keep(*date)).collect();
        let mut columns = vec![&mut self.close, &mut self.rate];
        columns.extend(self.series.iter_mut().map(|series| &mut series.values));
        for column in columns {
            let mut kept = kept.iter();
            column.retain(|_| kept.next().is_some_and(|kept| *kept));
        }
        let mut kept = kept.iter();
        self.surface
            .retain(|_| kept.next().is_some_and(|kept| *kept));
        self.dates.retain(|date| keep(*date));
    }

    /// The same up to a day and on it.
    #[must_use]
    pub fn up_to(mut self, last: NaiveDate) -> Self {
        self.retain(|day| day <= last);
        self
    }

    /// The same with `count` days more, on which everything stays as it was on the last one: the next days of those weekdays on which
    /// the history has days, or further weeks or months.
    ///
    /// # Panics
    /// If there is no day, or the calendar ends.
    #[must_use]
    pub fn continued(mut self, count: usize) -> Self {
        let last = self.dates[self.len() - 1];
        let mut open = [false; 7];
        let days = self.dates.iter();
        days.for_each(|day| open[day.weekday().num_days_from_monday() as usize] = true);
        let after: Vec<NaiveDate> = match self.frequency().spacing {
            Spacing::Daily => {
                let days = last.iter_days().skip(1);
                let open = |day: &NaiveDate| open[day.weekday().num_days_from_monday() as usize];
                days.filter(open).take(count).collect()
            }
            Spacing::Weekly | Spacing::Irregular => last.iter_weeks().skip(1).take(count).collect(),
            Spacing::Monthly => (1..=count as u32)
                .map(|months| last + Months::new(months))
                .collect(),
        };
        assert_eq!(after.len(), count, "the calendar ends");
        self.dates.extend(after);
        let mut columns = vec![&mut self.close, &mut self.rate];
        columns.extend(self.series.iter_mut().map(|series| &mut series.values));
        for column in columns {
            if let Some(last) = column.last().copied() {
                column.resize(column.len() + count, last);
            }
        }
        if let Some(last) = self.surface.last().copied() {
            self.surface.resize(self.surface.len() + count, last);
        }
        self
    }

    /// What money at close `close` is worth `periods` periods of `dt` years later, at the rate of that day; 1 without rates.
    pub fn growth(&self, close: usize, (dt, periods): (f64, usize)) -> f64 {
        let rate = self.rate.get(close).copied().unwrap_or(0.0);
        (rate * dt * periods as f64).exp()
    }

    /// The values of a quantity, one a day; those of factors are in [`Self::surface`].
    pub fn values(&self, quantity: Quantity) -> Option<&[f64]> {
        if quantity == Quantity::Close {
            return Some(&self.close);
        }
        if quantity == Quantity::Rate {
            return Some(self.rate.as_slice()).filter(|rates| !rates.is_empty());
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

#[cfg(test)]
mod defects_tests;
#[cfg(test)]
pub mod fixture;
#[cfg(test)]
mod layout_tests;
#[cfg(test)]
mod surfaces_tests;
#[cfg(test)]
mod tests;
