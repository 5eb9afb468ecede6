//! The raw files that are published with a study of deep hedging on the S&P 500's surface, as a five-factor file.
//!
//! The project DeepHedging_JIVR of F. François, G. Gauthier, F. Godin and C. Pérez-Mendoza has a file of daily prices with the daily interest rate
//! (`Date`, …, `Close`, …, `Rf`, days as 31/01/96, the rate in percent a day), one of the five factors (`Dates`, `beta_1` … `beta_5`, days as
//! 31-Jan-1996 or 31-jan-96), and one of conditional volatilities (`beta_1` … `beta_5`, `SP500`), which a surface does not need.

use super::surface_file::FactorDay;
use crate::calibration::surface::columns::simplified;
use crate::error::{Error, Result, excerpt};
use crate::market::history::Decimal;
use crate::market::history::date::{self, Cell};
use crate::market::history::number::{self, Read};
use crate::market::table::{self, Cells, Table, refuse, refuse_row, shown};
use crate::pricing::SurfaceFactors;
use chrono::NaiveDate;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a raw file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Raw {
    /// Closes and daily rates.
    Prices,
    /// The five factors.
    Factors,
    /// Conditional volatilities of factors and returns.
    Volatilities,
}

/// The columns of factors.
const BETAS: [&str; SurfaceFactors::COUNT] = ["beta1", "beta2", "beta3", "beta4", "beta5"];

/// The trading days of the year of the daily rate.
const DAYS: f64 = 252.0;

/// What the raw files make together.
#[derive(Debug, Clone, PartialEq)]
pub struct RawSurface {
    /// The days that both files have.
    pub days: Vec<FactorDay>,
    /// Days that only one of the two has.
    pub unmatched: usize,
    /// Files that were not needed.
    pub passed_over: Vec<PathBuf>,
}

impl Raw {
    fn of(names: &[String]) -> Option<Self> {
        let has = |wanted: &str| names.iter().any(|name| simplified(name) == wanted);
        let factors = BETAS.iter().all(|beta| has(beta));
        match (factors, has("sp500"), has("close") && has("rf")) {
            (true, true, _) => Some(Self::Volatilities),
            (true, false, _) => Some(Self::Factors),
            (false, _, true) => Some(Self::Prices),
            (false, _, false) => None,
        }
    }
}

/// Whether a file is a raw one, by its header.
///
/// # Errors
/// What cannot be read as a table at all.
pub fn is_raw(path: &Path) -> Result<bool> {
    let header = table::header(path, &|cells| Raw::of(cells).is_some())?;
    Ok(Raw::of(&header.names).is_some())
}

/// Joins the raw files by date.
///
/// # Errors
/// [`Error::Input`], one line naming the file: a file of another kind, two of one kind, none of prices or of factors, a cell that is no number or no
/// date, a close that is not above 0.
pub fn load(paths: &[PathBuf]) -> Result<RawSurface> {
    let (mut prices, mut factors) = (None, None);
    let mut passed_over = Vec::new();
    for path in paths {
        let mut kind = None;
        let table = table::read_headed(path, &|cells| Raw::of(cells).is_some(), |header| {
            kind = Raw::of(&header.names);
            Ok(header.names.clone())
        })?;
        match kind {
            Some(Raw::Volatilities) => passed_over.push(path.clone()),
            Some(Raw::Prices) if prices.is_none() => prices = Some(of_prices(path, &table)?),
            Some(Raw::Factors) if factors.is_none() => factors = Some(of_factors(path, &table)?),
            Some(Raw::Prices) => return Err(refuse(path, "is a second file of prices")),
            Some(Raw::Factors) => return Err(refuse(path, "is a second file of factors")),
            None => {
                let what = "has neither the columns Close and Rf nor beta_1 to beta_5, as the other files have";
                return Err(refuse(path, what));
            }
        }
    }
    let named: Vec<String> = paths.iter().map(|path| shown(path)).collect();
    let (Some(prices), Some(factors)) = (prices, factors) else {
        return Err(Error::input(format!(
            "{}: a surface takes the file of closes and rates and the file of factors",
            named.join(", ")
        )));
    };
    let joined = factors.iter().filter_map(|(date, factors)| {
        let (close, rate) = prices.get(date)?;
        Some(FactorDay {
            date: *date,
            close: *close,
            rate: Some(*rate),
            factors: *factors,
        })
    });
    let days: Vec<FactorDay> = joined.collect();
    if days.is_empty() {
        let what = format!("{}: the files have no day in common", named.join(", "));
        return Err(Error::input(what));
    }
    Ok(RawSurface {
        unmatched: prices.len() + factors.len() - 2 * days.len(),
        days,
        passed_over,
    })
}

fn of_prices(path: &Path, table: &Table) -> Result<BTreeMap<NaiveDate, (f64, f64)>> {
    let dates = dates(path, table, "date")?;
    let (close, rate) = (numbers(path, table, "close")?, numbers(path, table, "rf")?);
    let mut days = BTreeMap::new();
    for (row, date) in dates.into_iter().enumerate() {
        if close[row] <= 0.0 {
            let what = format!("must be above 0, was {}", close[row]);
            return Err(refuse_row(path, row, "Close", &what));
        }
        // Percent a day.
        let annual = DAYS * (0.01 * rate[row]).ln_1p();
        once(path, row, days.insert(date, (close[row], annual)).is_some())?;
    }
    Ok(days)
}

fn of_factors(path: &Path, table: &Table) -> Result<BTreeMap<NaiveDate, SurfaceFactors>> {
    let dates = dates(path, table, "dates")?;
    let columns = BETAS.map(|beta| numbers(path, table, beta));
    let mut values: Vec<Vec<f64>> = Vec::new();
    for column in columns {
        values.push(column?);
    }
    let mut days = BTreeMap::new();
    for (row, date) in dates.into_iter().enumerate() {
        let factors = SurfaceFactors::from_array(std::array::from_fn(|i| values[i][row]));
        once(path, row, days.insert(date, factors).is_some())?;
    }
    Ok(days)
}

fn once(path: &Path, row: usize, again: bool) -> Result<()> {
    match again {
        true => Err(refuse_row(
            path,
            row,
            "date",
            "the day stands in the file twice",
        )),
        false => Ok(()),
    }
}

/// The column of that simplified name.
fn column(path: &Path, table: &Table, wanted: &str) -> Result<(String, Cells)> {
    let found = table.names().find(|name| simplified(name) == wanted);
    let found = found.ok_or_else(|| refuse(path, &format!("no column \"{wanted}\"")))?;
    Ok((found.to_owned(), table.cells(path, found)?))
}

/// How the files write days beside 31-Jan-1996; both occur in one file.
const PATTERNS: [&str; 2] = ["%d/%m/%y", "%d-%b-%y"];

fn dates(path: &Path, table: &Table, wanted: &str) -> Result<Vec<NaiveDate>> {
    let (name, cells) = column(path, table, wanted)?;
    let refused = |row: usize, text: &str| {
        let what = format!(
            "must be a date such as 31-Jan-1996, 31-jan-96 or 31/01/96, was \"{}\"",
            excerpt(text.trim())
        );
        refuse_row(path, row, &name, &what)
    };
    match cells {
        Cells::Text(cells) => {
            let date = |(row, cell): (usize, Option<&str>)| {
                let cell = cell.unwrap_or_default();
                let pattern = |pattern: &&str| date::by_pattern(cell, pattern);
                match date::cell(cell) {
                    Cell::Day(date, _) => Ok(date),
                    Cell::Open { .. } | Cell::Number(_) | Cell::Blank | Cell::Other => {
                        let found = PATTERNS.iter().find_map(pattern);
                        found
                            .map(|(date, _)| date)
                            .ok_or_else(|| refused(row, cell))
                    }
                }
            };
            cells.iter().enumerate().map(date).collect()
        }
        Cells::Dates(cells) => cells
            .local
            .into_iter()
            .enumerate()
            .map(|(row, cell)| cell.map(|cell| cell.date()).ok_or_else(|| refused(row, "")))
            .collect(),
        Cells::Numbers(_) => Err(refused(0, "a number")),
    }
}

fn numbers(path: &Path, table: &Table, wanted: &str) -> Result<Vec<f64>> {
    let (name, cells) = column(path, table, wanted)?;
    let refused = |row: usize, text: &str| {
        let what = format!("must be a number, was \"{}\"", excerpt(text.trim()));
        refuse_row(path, row, &name, &what)
    };
    match cells {
        Cells::Text(cells) => cells
            .iter()
            .enumerate()
            .map(|(row, cell)| {
                let cell = cell.unwrap_or_default();
                match number::read(cell, Decimal::Point) {
                    Read::Number(value) if value.is_finite() => Ok(value),
                    Read::Number(_) | Read::Blank | Read::Other => Err(refused(row, cell)),
                }
            })
            .collect(),
        Cells::Numbers(cells) => cells
            .into_iter()
            .enumerate()
            .map(|(row, cell)| {
                let finite = cell.filter(|value| value.is_finite());
                finite.ok_or_else(|| refused(row, ""))
            })
            .collect(),
        Cells::Dates(_) => Err(refused(0, "a date")),
    }
}
