//! The two Parquet tables of a run: one row per simulated test path, one row per contract of
//! the backtest.

use crate::error::{Error, Result, at_path, excerpt};
use chrono::{Datelike, NaiveDate};
use polars::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// `evaluation.parquet`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EvaluationTable {
    /// A book for every strategy and seed.
    pub books: Vec<EvaluationBook>,
}

/// The results of one strategy, trained with one seed, on every test path in order.
///
/// # Units
/// Those of [`crate::risk::Row`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EvaluationBook {
    /// The name of the strategy.
    pub strategy: String,
    /// Absent for hedges that are not trained.
    pub seed: Option<u64>,
    /// The P&L of every path or contract.
    pub pnl: Vec<f64>,
    /// The transaction costs of every path or contract.
    pub cost: Vec<f64>,
    /// The turnover of every path or contract.
    pub turnover: Vec<f64>,
}

/// `backtest.parquet`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BacktestTable {
    /// A book for every strategy and seed.
    pub books: Vec<BacktestBook>,
}

/// The results of one strategy, trained with one seed, on every contract sold.
///
/// # Units
/// Those of [`crate::risk::Row`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BacktestBook {
    /// The name of the strategy.
    pub strategy: String,
    /// The seed of the training; absent for hedges that are not trained.
    pub seed: Option<u64>,
    /// The day the contract was sold.
    pub date: Vec<NaiveDate>,
    /// The day of expiry of every contract.
    pub expiry: Vec<NaiveDate>,
    /// The premium of every contract.
    pub premium: Vec<f64>,
    /// The P&L of every path or contract.
    pub pnl: Vec<f64>,
    /// The transaction costs of every path or contract.
    pub cost: Vec<f64>,
    /// The turnover of every path or contract.
    pub turnover: Vec<f64>,
}

impl EvaluationTable {
    /// The strategy and the P&L of every book.
    pub fn samples(&self) -> impl Iterator<Item = (&str, &[f64])> {
        let books = self.books.iter();
        books.map(|book| (book.strategy.as_str(), book.pnl.as_slice()))
    }

    /// Columns strategy, seed, path, pnl, cost, turnover.
    ///
    /// # Errors
    /// [`Error::Computation`] if the columns of a book differ in length.
    pub fn to_frame(&self) -> Result<DataFrame> {
        let mut keys = Keys::default();
        let mut path: Vec<u32> = Vec::new();
        for book in &self.books {
            let rows = book.pnl.len();
            same_length(
                &book.strategy,
                rows,
                &[("cost", book.cost.len()), ("turnover", book.turnover.len())],
            )?;
            keys.extend(&book.strategy, book.seed, rows);
            path.extend((0..rows).map(|row| row as u32));
        }
        let [strategy, seed] = keys.into_columns();
        Ok(DataFrame::new_infer_height(vec![
            strategy,
            seed,
            Column::new("path".into(), path),
            concatenated("pnl", self.books.iter().map(|book| &book.pnl)),
            concatenated("cost", self.books.iter().map(|book| &book.cost)),
            concatenated("turnover", self.books.iter().map(|book| &book.turnover)),
        ])?)
    }

    /// Reads a file written from [`EvaluationTable::to_frame`]; the paths of a book must be
    /// numbered from 0 in order.
    ///
    /// # Errors
    /// [`Error::Input`] naming the file if it is not Parquet, lacks a column, or has empty cells or paths out of order.
    pub fn read(path: &Path) -> Result<Self> {
        let frame = read_parquet(path)?;
        let (pnl, cost, turnover) = (
            numbers(path, &frame, "pnl")?,
            numbers(path, &frame, "cost")?,
            numbers(path, &frame, "turnover")?,
        );
        let number = integers(path, &frame, "path", &DataType::Int64)?;
        let mut books: Vec<EvaluationBook> = Vec::new();
        let mut place = Places::default();
        for (row, (strategy, seed)) in read_keys(path, &frame)?.into_iter().enumerate() {
            let at = place.of(&strategy, seed);
            if at == books.len() {
                books.push(EvaluationBook {
                    strategy,
                    seed,
                    ..EvaluationBook::default()
                });
            }
            let book = &mut books[at];
            if number[row] != book.pnl.len() as i64 {
                return Err(Error::input(format!(
                    "{}: row {row}: path {} of `{}` where {} was expected",
                    path.display(),
                    number[row],
                    book.strategy,
                    book.pnl.len()
                )));
            }
            book.pnl.push(pnl[row]);
            book.cost.push(cost[row]);
            book.turnover.push(turnover[row]);
        }
        Ok(Self { books })
    }
}

impl BacktestTable {
    /// Every strategy with its books, one for each seed, in the order of their first appearance.
    pub fn by_strategy(&self) -> Vec<(&str, Vec<&BacktestBook>)> {
        let mut found: Vec<(&str, Vec<&BacktestBook>)> = Vec::new();
        for book in &self.books {
            match found.iter_mut().find(|(name, _)| *name == book.strategy) {
                Some((_, books)) => books.push(book),
                None => found.push((&book.strategy, vec![book])),
            }
        }
        found
    }

    /// The strategy and the P&L of every book.
    pub fn samples(&self) -> impl Iterator<Item = (&str, &[f64])> {
        let books = self.books.iter();
        books.map(|book| (book.strategy.as_str(), book.pnl.as_slice()))
    }

    /// Columns strategy, seed, date, expiry, premium, pnl, cost, turnover.
    ///
    /// # Errors
    /// [`Error::Computation`] if the columns of a book differ in length.
    pub fn to_frame(&self) -> Result<DataFrame> {
        let mut keys = Keys::default();
        for book in &self.books {
            let rows = book.pnl.len();
            same_length(
                &book.strategy,
                rows,
                &[
                    ("date", book.date.len()),
                    ("expiry", book.expiry.len()),
                    ("premium", book.premium.len()),
                    ("cost", book.cost.len()),
                    ("turnover", book.turnover.len()),
                ],
            )?;
            keys.extend(&book.strategy, book.seed, rows);
        }
        let [strategy, seed] = keys.into_columns();
        let books = || self.books.iter();
        Ok(DataFrame::new_infer_height(vec![
            strategy,
            seed,
            dates("date", books().map(|book| &book.date))?,
            dates("expiry", books().map(|book| &book.expiry))?,
            concatenated("premium", books().map(|book| &book.premium)),
            concatenated("pnl", books().map(|book| &book.pnl)),
            concatenated("cost", books().map(|book| &book.cost)),
            concatenated("turnover", books().map(|book| &book.turnover)),
        ])?)
    }

    /// Reads a file written from [`BacktestTable::to_frame`].
    ///
    /// # Errors
    /// [`Error::Input`] naming the file if it is not Parquet, lacks a column, or has empty cells.
    pub fn read(path: &Path) -> Result<Self> {
        let frame = read_parquet(path)?;
        let date = read_dates(path, &frame, "date")?;
        let expiry = read_dates(path, &frame, "expiry")?;
        let (premium, pnl, cost, turnover) = (
            numbers(path, &frame, "premium")?,
            numbers(path, &frame, "pnl")?,
            numbers(path, &frame, "cost")?,
            numbers(path, &frame, "turnover")?,
        );
        let mut books: Vec<BacktestBook> = Vec::new();
        let mut place = Places::default();
        for (row, (strategy, seed)) in read_keys(path, &frame)?.into_iter().enumerate() {
            let at = place.of(&strategy, seed);
            if at == books.len() {
                books.push(BacktestBook {
                    strategy,
                    seed,
                    ..BacktestBook::default()
                });
            }
            let book = &mut books[at];
            book.date.push(date[row]);
            book.expiry.push(expiry[row]);
            book.premium.push(premium[row]);
            book.pnl.push(pnl[row]);
            book.cost.push(cost[row]);
            book.turnover.push(turnover[row]);
        }
        Ok(Self { books })
    }
}

#[derive(Default)]
pub(super) struct Keys<'a> {
    strategy: Vec<&'a str>,
    seed: Vec<Option<u64>>,
}

impl<'a> Keys<'a> {
    pub fn extend(&mut self, strategy: &'a str, seed: Option<u64>, rows: usize) {
        self.strategy.extend(std::iter::repeat_n(strategy, rows));
        self.seed.extend(std::iter::repeat_n(seed, rows));
    }

    pub fn into_columns(self) -> [Column; 2] {
        [
            Column::new("strategy".into(), self.strategy),
            Column::new("seed".into(), self.seed),
        ]
    }
}

/// Gives every (strategy, seed) the index of its first appearance.
#[derive(Default)]
pub(super) struct Places {
    seen: Vec<(String, Option<u64>)>,
    last: usize,
}

impl Places {
    pub fn of(&mut self, strategy: &str, seed: Option<u64>) -> usize {
        let is = |key: &(String, Option<u64>)| key.0 == strategy && key.1 == seed;
        // Rows come in long stretches of one book.
        if !self.seen.get(self.last).is_some_and(is) {
            self.last = self.seen.iter().position(is).unwrap_or_else(|| {
                self.seen.push((strategy.to_owned(), seed));
                self.seen.len() - 1
            });
        }
        self.last
    }
}

fn same_length(strategy: &str, rows: usize, columns: &[(&str, usize)]) -> Result<()> {
    match columns.iter().find(|(_, length)| *length != rows) {
        None => Ok(()),
        Some((name, length)) => Err(Error::Computation(format!(
            "results of `{strategy}`: column `{name}` has {length} rows, `pnl` has {rows}"
        ))),
    }
}

pub(super) fn concatenated<'a>(name: &str, parts: impl Iterator<Item = &'a Vec<f64>>) -> Column {
    let values: Vec<f64> = parts.flatten().copied().collect();
    Column::new(name.into(), values)
}

/// Days from the common era to 1970-01-01, from which polars counts.
pub(crate) const EPOCH: i32 = 719_163;

pub(crate) fn dates<'a>(
    name: &str,
    parts: impl Iterator<Item = &'a Vec<NaiveDate>>,
) -> Result<Column> {
    let days: Vec<i32> = parts
        .flatten()
        .map(|date| date.num_days_from_ce() - EPOCH)
        .collect();
    Ok(Column::new(name.into(), days).cast(&DataType::Date)?)
}

/// Reads a table of a run.
///
/// # Errors
/// [`Error::Input`] naming the file if it is damaged.
pub(crate) fn read_parquet(path: &Path) -> Result<DataFrame> {
    let file = at_path(path, std::fs::File::open(path))?;
    // Polars panics at some damaged files.
    let read = catch_unwind(AssertUnwindSafe(|| ParquetReader::new(file).finish()));
    let frame = match read {
        Ok(frame) => frame.map_err(|error| damaged(path, &error))?,
        Err(_) => return Err(damaged(path, &"not a table")),
    };
    let uneven = |column: &&Column| column.len() != frame.height();
    match frame.columns().iter().find(uneven) {
        None => Ok(frame),
        Some(column) => Err(damaged(
            path,
            &format!(
                "column `{}` has another length than the table",
                column.name()
            ),
        )),
    }
}

/// The error of a file that does not hold what was written.
fn damaged(path: &Path, what: &dyn std::fmt::Display) -> Error {
    // Polars goes on with advice about its own options.
    let what = what.to_string();
    let first = what.lines().next().unwrap_or_default();
    Error::input(format!("{}: damaged: {}", path.display(), excerpt(first)))
}

pub(crate) fn read_keys(path: &Path, frame: &DataFrame) -> Result<Vec<(String, Option<u64>)>> {
    let read = || -> PolarsResult<Vec<(Option<String>, Option<u64>)>> {
        let strategy = frame.column("strategy")?.str()?;
        let seed = frame.column("seed")?.cast(&DataType::UInt64)?;
        let strategy = strategy.iter().map(|name| name.map(str::to_owned));
        Ok(strategy.zip(seed.u64()?.iter()).collect())
    };
    read()
        .map_err(|error| damaged(path, &error))?
        .into_iter()
        .map(|(strategy, seed)| Ok((strategy.ok_or_else(|| empty_cell(path, "strategy"))?, seed)))
        .collect()
}

pub(crate) fn numbers(path: &Path, frame: &DataFrame, name: &str) -> Result<Vec<f64>> {
    let read = || -> PolarsResult<Vec<Option<f64>>> {
        let column = frame.column(name)?.cast(&DataType::Float64)?;
        Ok(column.f64()?.iter().collect())
    };
    whole(path, name, read())
}

pub(crate) fn integers(
    path: &Path,
    frame: &DataFrame,
    name: &str,
    via: &DataType,
) -> Result<Vec<i64>> {
    let read = || -> PolarsResult<Vec<Option<i64>>> {
        let column = frame.column(name)?.cast(via)?.cast(&DataType::Int64)?;
        Ok(column.i64()?.iter().collect())
    };
    whole(path, name, read())
}

/// The cells of a column, none of which may be empty.
fn whole<T>(path: &Path, name: &str, cells: PolarsResult<Vec<Option<T>>>) -> Result<Vec<T>> {
    cells
        .map_err(|error| damaged(path, &error))?
        .into_iter()
        .map(|cell| cell.ok_or_else(|| empty_cell(path, name)))
        .collect()
}

pub(crate) fn read_dates(path: &Path, frame: &DataFrame, name: &str) -> Result<Vec<NaiveDate>> {
    // Through `Date` first, so that timestamps are cut to days before they become numbers.
    integers(path, frame, name, &DataType::Date)?
        .into_iter()
        .map(|days| {
            i32::try_from(days + i64::from(EPOCH))
                .ok()
                .and_then(NaiveDate::from_num_days_from_ce_opt)
                .ok_or_else(|| {
                    Error::input(format!(
                        "{}: column `{name}`: day {days} since 1970 is no date",
                        path.display()
                    ))
                })
        })
        .collect()
}

fn empty_cell(path: &Path, column: &str) -> Error {
    Error::input(format!(
        "{}: column `{column}` has an empty cell",
        path.display()
    ))
}
