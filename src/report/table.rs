//! A table of a run, before it is laid out as text or HTML.

use super::summary::Verdict;
use crate::numbers::{Rounding, percent, significant};

/// A table whose first column names its rows and whose other columns are numbers.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// What the table shows, in a few words.
    pub caption: String,
    /// The names of the columns.
    pub heads: Vec<String>,
    /// The rows, each with a cell for every column.
    pub rows: Vec<Vec<Cell>>,
    /// What the numbers say.
    pub findings: Vec<String>,
    /// How to read them.
    pub notes: Vec<String>,
}

/// A value and, if it has one, its standard error.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cell {
    /// What the cell shows; empty if there is nothing to show.
    pub value: String,
    /// What stands beside the value: its standard error, its interval, or dates.
    pub error: Option<String>,
    /// What a difference comes to, if the cell holds one.
    pub verdict: Option<Verdict>,
}

impl Cell {
    /// A text or a number that stands alone.
    pub fn plain(value: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            ..Self::default()
        }
    }

    /// A number that stands alone; `n/a` if it is not finite.
    pub fn number(value: f64, rounding: Rounding) -> Self {
        if !value.is_finite() {
            return Self::plain("n/a");
        }
        Self::plain(rounding.write(value))
    }

    /// A number with words beside it.
    pub fn with_words(value: f64, rounding: Rounding, words: String) -> Self {
        Self {
            error: Some(words),
            ..Self::number(value, rounding)
        }
    }

    /// An estimate with its standard error, as far as these are finite.
    pub fn estimate(value: f64, error: Option<f64>, rounding: Rounding) -> Self {
        let error = error.filter(|error| error.is_finite() && value.is_finite());
        Self {
            error: error.map(|error| format!("±{}", rounding.write(error))),
            ..Self::number(value, rounding)
        }
    }

    /// A change as a fraction, shown in per cent, of which less is better, with so many trainings behind it; `n/a` if it is not
    /// finite.
    pub fn change(fraction: f64, standard_error: f64, seeds: usize) -> Self {
        if !fraction.is_finite() {
            return Self::plain("n/a");
        }
        let (value, error) = percent(fraction, standard_error);
        Self {
            value,
            error: standard_error.is_finite().then_some(error),
            verdict: Some(Verdict::lower_is_better(fraction, standard_error).of_seeds(seeds)),
        }
    }

    /// A difference of two estimates with its sign and what it comes to.
    pub fn difference(value: f64, error: f64, verdict: Verdict) -> Self {
        let rounding = Rounding::of_estimates([(value, Some(error))]);
        let mut cell = Self::estimate(value, Some(error), rounding);
        if value.is_finite() && value > 0.0 {
            cell.value.insert(0, '+');
        }
        cell.verdict = Some(verdict);
        cell
    }

    /// A length of time in seconds, with three digits.
    pub fn seconds(seconds: f64) -> Self {
        Self::plain(significant(seconds, 3))
    }
}

/// One column of estimates with their standard errors, rounded alike; a cell is empty where there is no estimate.
pub fn estimates(column: impl IntoIterator<Item = Option<(f64, Option<f64>)>>) -> Vec<Cell> {
    let column: Vec<_> = column.into_iter().collect();
    let rounding = Rounding::of_estimates(column.iter().copied().flatten());
    let cell = |entry: Option<(f64, Option<f64>)>| {
        entry.map_or_else(Cell::default, |(value, error)| {
            Cell::estimate(value, error, rounding)
        })
    };
    column.into_iter().map(cell).collect()
}

/// The heads of columns.
pub fn heads(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}
