//! The columns of a table file, through polars.

use crate::error::{Error, Result};
use chrono::{DateTime, NaiveDate};
use polars::prelude::{
    ArrowDataType, Column, CsvReadOptions, DataFrame, DataType, ParquetReader, SerReader,
    StringChunked, TimeUnit,
};
use std::fs::File;
use std::io::{BufRead, BufReader};
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
    refuse(
        path,
        &format!("no {what} column; expected one of {wanted}, found {found}"),
    )
}

/// Reads the columns that `choose` picks from the names of all; the extension says how. The cells of a `.csv` file are
/// separated by commas, or by semicolons or tabs if its first line has no comma.
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
    let frame = if is_csv {
        let separator = separator(path, open()?)?;
        let finish = |columns: Option<&[String]>, rows: Option<usize>| {
            let reader = csv(separator, columns, rows).into_reader_with_file_handle(open()?);
            reader.finish().map_err(|error| {
                // Polars does not say where.
                let ragged = error.to_string().contains("more fields");
                let line = ragged.then(|| ragged_line(path, separator)).flatten();
                line.unwrap_or_else(|| unreadable(path, &error))
            })
        };
        let head = finish(None, Some(1))?;
        let names: Vec<String> = head
            .get_column_names()
            .iter()
            .map(ToString::to_string)
            .collect();
        finish(Some(&choose(&names)?), None)?
    } else {
        let schema = ParquetReader::new(open()?)
            .schema()
            .map_err(|error| unreadable(path, &error))?;
        let names: Vec<String> = schema.iter_names().map(ToString::to_string).collect();
        let chosen = choose(&names)?;
        for name in &chosen {
            if let Some(field) = schema.get(name)
                && !is_read(field.dtype())
            {
                let what = format!(
                    "column \"{name}\" holds {:?}, expected text, dates, instants or numbers of 32 or 64 bits",
                    field.dtype()
                );
                return Err(refuse(path, &what));
            }
        }
        let reader = ParquetReader::new(open()?).with_columns(Some(chosen));
        reader.finish().map_err(|error| unreadable(path, &error))?
    };
    Ok(Table(frame))
}

/// What polars reads with the features that it is built with; it panics at some of the others.
fn is_read(kind: &ArrowDataType) -> bool {
    use ArrowDataType as Kind;
    matches!(
        kind,
        Kind::Boolean
            | Kind::Int32
            | Kind::Int64
            | Kind::UInt32
            | Kind::UInt64
            | Kind::Float32
            | Kind::Float64
            | Kind::Date32
            | Kind::Timestamp(..)
            | Kind::Utf8
            | Kind::LargeUtf8
            | Kind::Utf8View
            | Kind::Null
    )
}

/// The separator of a text file's cells, from its first line.
fn separator(path: &Path, file: File) -> Result<u8> {
    let mut line = Vec::new();
    let read = BufReader::new(file).read_until(b'\n', &mut line);
    read.map_err(|error| unreadable(path, &error))?;
    if line.starts_with(&[0xff, 0xfe]) || line.starts_with(&[0xfe, 0xff]) {
        return Err(refuse(path, "is text in UTF-16, expected UTF-8"));
    }
    let others = [b'\t', b';'].into_iter();
    let mut other = others.filter(|separator| line.contains(separator));
    Ok(match line.contains(&b',') {
        true => b',',
        false => other.next().unwrap_or(b','),
    })
}

/// The error of the first line with more cells than the first of all.
fn ragged_line(path: &Path, separator: u8) -> Option<Error> {
    let mut lines = BufReader::new(File::open(path).ok()?).split(b'\n');
    let cells = |line: &[u8]| {
        let mut quoted = false;
        let separators = line.iter().filter(|&&byte| {
            quoted ^= byte == b'"';
            byte == separator && !quoted
        });
        1 + separators.count()
    };
    let head = cells(&lines.next()?.ok()?);
    lines.zip(2..).find_map(|(line, number)| {
        let found = cells(&line.ok()?);
        let what = format!("line {number} has {found} cells, the first line {head}");
        (found > head).then(|| refuse(path, &what))
    })
}

/// Every cell stays text: polars' guesses from the first rows would turn late surprises into
/// blanks, and its number parser need not round as the standard library's does.
fn csv(separator: u8, columns: Option<&[String]>, rows: Option<usize>) -> CsvReadOptions {
    let columns = columns.map(|names| names.iter().map(|name| name.as_str().into()).collect());
    CsvReadOptions::default()
        .with_has_header(true)
        .map_parse_options(|options| options.with_separator(separator))
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
