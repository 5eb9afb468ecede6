//! The part of a table file that a price history needs, through polars.

use super::refuse;
use crate::error::{Error, Result};
use chrono::{DateTime, NaiveDate};
use polars::prelude::{
    Column, CsvReadOptions, DataFrame, DataType, ParquetReader, SerReader, TimeUnit,
};
use std::fs::File;
use std::path::Path;

/// A table and the names of its columns, in the order of the file.
pub struct Table {
    pub names: Vec<String>,
    frame: DataFrame,
}

/// One column.
pub enum Cells {
    Text(Vec<Option<String>>),
    Numbers(Vec<Option<f64>>),
    Dates(Vec<Option<NaiveDate>>),
}

impl Cells {
    pub fn len(&self) -> usize {
        match self {
            Self::Text(cells) => cells.len(),
            Self::Numbers(cells) => cells.len(),
            Self::Dates(cells) => cells.len(),
        }
    }
}

/// Reads the whole file; the extension says how.
pub fn read(path: &Path) -> Result<Table> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let kind = extension.map(str::to_ascii_lowercase);
    let read: fn(File) -> polars::prelude::PolarsResult<DataFrame> = match kind.as_deref() {
        Some("csv") => read_csv,
        Some("parquet") => read_parquet,
        _ => return Err(refuse(path, "expected a .csv or .parquet file")),
    };
    if path.is_dir() {
        return Err(refuse(path, "is a folder, expected a file"));
    }
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let length = file
        .metadata()
        .map_err(|error| unreadable(path, &error))?
        .len();
    if length == 0 {
        return Err(refuse(path, "the file is empty"));
    }
    let frame = read(file).map_err(|error| unreadable(path, &error))?;
    let names = frame.get_column_names();
    Ok(Table {
        names: names.iter().map(ToString::to_string).collect(),
        frame,
    })
}

/// Every cell stays text: polars' guesses from the first rows would turn late surprises into
/// blanks, and its number parser need not round as the standard library's does.
fn read_csv(file: File) -> polars::prelude::PolarsResult<DataFrame> {
    CsvReadOptions::default()
        .with_has_header(true)
        .with_infer_schema_length(Some(0))
        .into_reader_with_file_handle(file)
        .finish()
}

fn read_parquet(file: File) -> polars::prelude::PolarsResult<DataFrame> {
    ParquetReader::new(file).finish()
}

/// Only the first line: polars appends advice about its own options.
fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> Error {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    refuse(path, &format!("cannot be read: {first}"))
}

impl Table {
    /// The cells of the column `name`.
    pub fn cells(&self, path: &Path, name: &str) -> Result<Cells> {
        let column = self.frame.column(name)?;
        match column.dtype() {
            DataType::String => {
                let cells = column.str()?.iter();
                Ok(Cells::Text(cells.map(|c| c.map(str::to_string)).collect()))
            }
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
