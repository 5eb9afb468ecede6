//! The columns of a table file, through polars.

use crate::error::{Error, Result};
use chrono::{DateTime, NaiveDate};
use polars::prelude::{
    Column, CsvReadOptions, DataFrame, DataType, ParquetReader, SerReader, StringChunked, TimeUnit,
};
use std::fs::File;
use std::path::Path;

/// The chosen columns of a file.
pub struct Table(DataFrame);

/// One column.
pub enum Cells {
    Text(StringChunked),
    Numbers(Vec<Option<f64>>),
    Dates(Vec<Option<NaiveDate>>),
}

pub fn refuse(path: &Path, what: &str) -> Error {
    Error::input(format!("{}: {what}", path.display()))
}

/// The error of a cell: `row` counts data rows from 0.
pub fn refuse_row(path: &Path, row: usize, column: &str, what: &str) -> Error {
    refuse(
        path,
        &format!("row {}, column \"{column}\": {what}", row + 1),
    )
}

/// The column that goes by the first of the `wanted` names that any column has.
///
/// # Errors
/// [`Error::Input`] if several columns go by it, which can only differ in case and blanks.
pub fn find_column(
    path: &Path,
    names: &[String],
    what: &str,
    wanted: &[&str],
) -> Result<Option<String>> {
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
        return Ok(Some(name.clone()));
    }
    Ok(None)
}

/// The error of a file without a column that it must have.
pub fn missing_column(path: &Path, names: &[String], what: &str, wanted: &[&str]) -> Error {
    let (wanted, found) = (wanted.join(", "), names.join(", "));
    let separator = match names {
        [whole] if whole.contains(';') => " (separated by semicolons; commas are needed)",
        [whole] if whole.contains('\t') => " (separated by tabs; commas are needed)",
        _ => "",
    };
    refuse(
        path,
        &format!("no {what} column; expected one of {wanted}, found {found}{separator}"),
    )
}

/// Reads the columns that `choose` picks from the names of all; the extension says how.
pub fn read(path: &Path, choose: impl FnOnce(&[String]) -> Result<Vec<String>>) -> Result<Table> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let kind = extension.map(str::to_ascii_lowercase);
    let is_csv = match kind.as_deref() {
        Some("csv") => true,
        Some("parquet") => false,
        _ => return Err(refuse(path, "expected a .csv or .parquet file")),
    };
    if path.is_dir() {
        return Err(refuse(path, "is a folder, expected a file"));
    }
    let open = || File::open(path).map_err(|error| unreadable(path, &error));
    let length = open()?
        .metadata()
        .map_err(|error| unreadable(path, &error))?
        .len();
    if length == 0 {
        return Err(refuse(path, "the file is empty"));
    }
    let names: Vec<String> = if is_csv {
        let head = csv(None, Some(1)).into_reader_with_file_handle(open()?);
        let head = head.finish().map_err(|error| unreadable(path, &error))?;
        head.get_column_names()
            .iter()
            .map(ToString::to_string)
            .collect()
    } else {
        let schema = ParquetReader::new(open()?)
            .schema()
            .map_err(|error| unreadable(path, &error))?;
        schema.iter_names().map(ToString::to_string).collect()
    };
    let chosen = choose(&names)?;
    let frame = if is_csv {
        let reader = csv(Some(&chosen), None).into_reader_with_file_handle(open()?);
        reader.finish()
    } else {
        let reader = ParquetReader::new(open()?);
        reader.with_columns(Some(chosen)).finish()
    };
    let frame = frame.map_err(|error| unreadable(path, &error))?;
    Ok(Table(frame))
}

/// Every cell stays text: polars' guesses from the first rows would turn late surprises into
/// blanks, and its number parser need not round as the standard library's does.
fn csv(columns: Option<&[String]>, rows: Option<usize>) -> CsvReadOptions {
    let columns = columns.map(|names| names.iter().map(|name| name.as_str().into()).collect());
    CsvReadOptions::default()
        .with_has_header(true)
        .with_infer_schema_length(Some(0))
        .with_columns(columns)
        .with_n_rows(rows)
        .with_rechunk(true)
}

/// Only the first line: polars appends advice about its own options.
fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> Error {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    refuse(path, &format!("cannot be read: {first}"))
}

impl Table {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.0.height()
    }

    /// The cells of the column `name`.
    pub fn cells(&self, path: &Path, name: &str) -> Result<Cells> {
        let column = self.0.column(name)?;
        match column.dtype() {
            DataType::String => Ok(Cells::Text(column.str()?.clone())),
            DataType::Date => {
                let days = integers(column)?;
                Ok(Cells::Dates(
                    days.map(|d| d.and_then(|d| day(d, 1))).collect(),
                ))
            }
            DataType::Datetime(unit, zone) => {
                if let Some(zone) = zone.as_ref().filter(|zone| !is_utc(zone)) {
                    // The stored instants are UTC; the local day needs the zone's rules.
                    let what = format!(
                        "column \"{name}\" is in time zone {zone}, expected dates, UTC or no zone"
                    );
                    return Err(refuse(path, &what));
                }
                let per_second = match unit {
                    TimeUnit::Nanoseconds => 1_000_000_000,
                    TimeUnit::Microseconds => 1_000_000,
                    TimeUnit::Milliseconds => 1_000,
                };
                let per_day = 86_400 * per_second;
                let instants = integers(column)?;
                let dates = instants.map(|i| i.and_then(|i| day(i, per_day)));
                Ok(Cells::Dates(dates.collect()))
            }
            kind if kind.is_primitive_numeric() => {
                let numbers = column.cast(&DataType::Float64)?;
                Ok(Cells::Numbers(numbers.f64()?.iter().collect()))
            }
            kind => {
                let what = format!(
                    "column \"{name}\" holds {kind}, expected text, numbers, dates or instants"
                );
                Err(refuse(path, &what))
            }
        }
    }
}

fn is_utc(zone: &str) -> bool {
    ["UTC", "Etc/UTC", "Z", "+00:00"].contains(&zone)
}

fn integers(column: &Column) -> Result<impl Iterator<Item = Option<i64>>> {
    let cells: Vec<Option<i64>> = column
        .to_physical_repr()
        .cast(&DataType::Int64)?
        .i64()?
        .iter()
        .collect();
    Ok(cells.into_iter())
}

/// The day that holds an instant counted from the start of 1970.
fn day(instant: i64, per_day: i64) -> Option<NaiveDate> {
    let seconds = instant.div_euclid(per_day).checked_mul(86_400)?;
    Some(DateTime::from_timestamp(seconds, 0)?.date_naive())
}
