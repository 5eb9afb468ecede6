//! Daily price history from CSV and Parquet files.

mod date;
mod table;

use crate::error::{Error, Result};
use chrono::NaiveDate;
use std::path::{Path, PathBuf};
use table::Cells;

/// Names under which dates are looked for, in order of preference and in any case.
pub const DATE_NAMES: [&str; 4] = ["date", "timestamp", "datetime", "time"];

/// Names under which closing prices are looked for, in order of preference and in any case.
pub const CLOSE_NAMES: [&str; 4] = ["close", "adj close", "adj_close", "price"];

/// Daily closing prices in ascending order of date.
///
/// # Units
///
/// Prices in the currency (or index points) of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    pub path: PathBuf,
    pub dates: Vec<NaiveDate>,
    pub close: Vec<f64>,
    /// The column that the dates were read from, as the file spells it.
    pub date_column: String,
    /// The column that the prices were read from, as the file spells it.
    pub close_column: String,
}

impl History {
    /// Reads a `.csv` or `.parquet` file.
    ///
    /// Columns may stand in any order and others are ignored. Dates are `yyyy-mm-dd` or
    /// `month/day/year`, each with or without a time of day, which is dropped. Prices in a CSV
    /// file become the `f64` nearest to their decimal digits, as in any language that rounds
    /// correctly.
    ///
    /// # Errors
    ///
    /// [`Error::Input`], one line naming file, data row (from 1), column, value and bound: a file
    /// that is missing, of another kind, unreadable or empty; no date or no closing price; a date
    /// that is none, repeats or goes back; a price that is blank, not a number or not positive;
    /// fewer than two rows.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let table = table::read(path)?;
        let date_column = find_column(path, &table.names, "date", &DATE_NAMES)?;
        let close_column = find_column(path, &table.names, "closing price", &CLOSE_NAMES)?;
        let dates = dates(path, &date_column, table.cells(path, &date_column)?)?;
        let close = prices(path, &close_column, table.cells(path, &close_column)?)?;
        if dates.len() < 2 {
            return Err(refuse(
                path,
                &format!("needs at least 2 rows of data, has {}", dates.len()),
            ));
        }
        Ok(Self {
            path: path.to_path_buf(),
            dates,
            close,
            date_column,
            close_column,
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

    /// Index of the first day that is not before `date`; the number of days if there is none.
    pub fn index_from(&self, date: NaiveDate) -> usize {
        self.dates.partition_point(|day| *day < date)
    }

    /// `ln(S_{t+1}/S_t)`; entry `t` is known at the close of day `t + 1`.
    pub fn log_returns(&self) -> Vec<f64> {
        let returns = self.close.windows(2);
        returns.map(|pair| (pair[1] / pair[0]).ln()).collect()
    }
}

fn refuse(path: &Path, what: &str) -> Error {
    Error::input(format!("{}: {what}", path.display()))
}

fn refuse_row(path: &Path, row: usize, column: &str, what: &str) -> Error {
    refuse(
        path,
        &format!("row {}, column \"{column}\": {what}", row + 1),
    )
}

fn find_column(path: &Path, names: &[String], what: &str, wanted: &[&str]) -> Result<String> {
    for want in wanted {
        let mut matches = names
            .iter()
            .filter(|name| name.trim().eq_ignore_ascii_case(want));
        let Some(name) = matches.next() else {
            continue;
        };
        if let Some(other) = matches.next() {
            return Err(refuse(
                path,
                &format!("columns \"{name}\" and \"{other}\" both name the {what}"),
            ));
        }
        return Ok(name.clone());
    }
    Err(refuse(
        path,
        &format!(
            "no {what} column; expected one of {}, found {}",
            wanted.join(", "),
            names.join(", ")
        ),
    ))
}

fn dates(path: &Path, column: &str, cells: Cells) -> Result<Vec<NaiveDate>> {
    let mut dates: Vec<NaiveDate> = Vec::with_capacity(cells.len());
    let parsed: Vec<Result<NaiveDate, String>> = match cells {
        Cells::Text(cells) => cells
            .iter()
            .map(|cell| date::parse(cell.as_deref()))
            .collect(),
        Cells::Dates(cells) => cells
            .into_iter()
            .map(|cell| cell.ok_or_else(|| "date is blank".to_string()))
            .collect(),
        Cells::Numbers(_) => {
            return Err(refuse(
                path,
                &format!("column \"{column}\" holds numbers, expected dates"),
            ));
        }
    };
    for (row, date) in parsed.into_iter().enumerate() {
        let date = date.map_err(|what| refuse_row(path, row, column, &what))?;
        if let Some(previous) = dates.last() {
            if date == *previous {
                return Err(refuse_row(
                    path,
                    row,
                    column,
                    &format!("date {date} repeats that of row {row}"),
                ));
            }
            if date < *previous {
                return Err(refuse_row(
                    path,
                    row,
                    column,
                    &format!("dates must ascend, {date} follows {previous}"),
                ));
            }
        }
        dates.push(date);
    }
    Ok(dates)
}

fn prices(path: &Path, column: &str, cells: Cells) -> Result<Vec<f64>> {
    let check = |row: usize, price: f64, shown: &str| {
        if price > 0.0 && price.is_finite() {
            Ok(price)
        } else {
            let what = format!("price must be finite and above 0, was {shown}");
            Err(refuse_row(path, row, column, &what))
        }
    };
    let blank = |row: usize| refuse_row(path, row, column, "price is blank");
    match cells {
        Cells::Numbers(cells) => cells
            .into_iter()
            .enumerate()
            .map(|(row, cell)| {
                let price = cell.ok_or_else(|| blank(row))?;
                check(row, price, &price.to_string())
            })
            .collect(),
        Cells::Text(cells) => cells
            .iter()
            .enumerate()
            .map(|(row, cell)| {
                let text = cell.as_deref().map(str::trim).unwrap_or_default();
                if text.is_empty() {
                    return Err(blank(row));
                }
                let price: f64 = text.parse().map_err(|_| {
                    let what = format!("price must be a number above 0, was \"{text}\"");
                    refuse_row(path, row, column, &what)
                })?;
                check(row, price, text)
            })
            .collect(),
        Cells::Dates(_) => Err(refuse(
            path,
            &format!("column \"{column}\" holds dates, expected prices"),
        )),
    }
}

#[cfg(test)]
mod tests;
