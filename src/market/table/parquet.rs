//! Tables that are Parquet.

use super::header::{Header, untupled};
use super::source::{LARGEST, MOST_ROWS, Source, guarded, unreadable};
use super::{Cells, Instants, Table, Texts, refuse};
use crate::error::{Result, excerpt};
use chrono::{DateTime, FixedOffset, NaiveDateTime, TimeZone as _};
use polars::io::parquet::read::{FileMetadata, ParallelStrategy};
use polars::prelude::{
    ArrowDataType, Column, DataType, ParquetReader, SerReader, StringChunked, TimeUnit,
};
use polars_parquet::parquet::page::CompressedPage;
use polars_parquet::parquet::read::{BasicDecompressor, PageReader};
use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::Path;

/// Reads the chosen columns of a Parquet file.
pub fn read(
    source: &mut Source,
    choose: impl FnOnce(&Header) -> Result<Vec<String>>,
) -> Result<Table> {
    let path = source.path.clone();
    let (stored, header) = header(source)?;
    let names = choose(&header)?;
    let place = |name: &String| header.names.iter().position(|other| other == name);
    let chosen: Vec<(String, String)> = names
        .iter()
        .filter_map(|name| Some((name.clone(), stored[place(name)?].clone())))
        .collect();
    let (columns, rows) = guarded(&path, || {
        let mut reader = ParquetReader::new(open(source)?);
        let schema = reader.schema().map_err(|error| unreadable(&path, &error))?;
        for (name, stored) in &chosen {
            let kind = schema.get(stored).map(|field| field.dtype().clone());
            if let Some(kind) = kind.filter(|kind| !is_read(kind)) {
                return Err(unread(&path, name, &format!("{kind:?}")));
            }
        }
        let stored = chosen.iter().map(|(_, stored)| stored.clone()).collect();
        let metadata = reader.get_metadata();
        let metadata = metadata.map_err(|error| unreadable(&path, &error))?;
        check_pages(source, metadata, chosen.iter().map(|(_, stored)| stored))?;
        // On one thread, so that a panic is one of this call.
        let frame = reader
            .read_parallel(ParallelStrategy::None)
            .with_columns(Some(stored))
            .set_rechunk(true)
            .finish()
            .map_err(|error| unreadable(&path, &error))?;
        // The lengths are what the file says; the columns may hold less.
        let rows = frame.height();
        let mut columns = Vec::new();
        for (name, stored) in &chosen {
            let column = frame.column(stored)?;
            if column.len() != rows {
                let (name, found) = (excerpt(name), column.len());
                let what = format!("is damaged: column \"{name}\" has {found} of {rows} values");
                return Err(refuse(&path, &what));
            }
            columns.push((name.clone(), cells(&path, name, column)?));
        }
        Ok((columns, rows))
    })?;
    source.check(rows)?;
    Ok(Table {
        columns,
        rows,
        separator: None,
        lines: None,
    })
}

fn open(source: &Source) -> Result<File> {
    let file = source.file()?.try_clone();
    file.map_err(|error| unreadable(&source.path, &error))
}

/// The names of the columns, as they are stored and as they are read.
///
/// # Errors
/// For a damaged file, and one of too many rows.
pub fn header(source: &Source) -> Result<(Vec<String>, Header)> {
    let path = &source.path;
    guarded(path, || {
        let mut reader = ParquetReader::new(open(source)?);
        let schema = reader.schema().map_err(|error| unreadable(path, &error))?;
        let rows = reader
            .num_rows()
            .map_err(|error| unreadable(path, &error))?;
        if rows > MOST_ROWS {
            let what = format!("has {rows} rows, at most {MOST_ROWS} are read");
            return Err(refuse(path, &what));
        }
        let stored: Vec<String> = schema.iter_names().map(ToString::to_string).collect();
        let index = index(&mut reader).filter(|index| stored.contains(index));
        let header = Header {
            names: untupled(&stored, index.as_deref()),
            index,
            skipped: 0,
            lines: 0,
        };
        Ok((stored, header))
    })
}

/// Checks that the pages of the columns hold as many values as the file says, and not more bytes than may be read:
/// polars allocates what a page says of itself, and more than there is memory ends the process.
fn check_pages<'a>(
    source: &Source,
    metadata: &FileMetadata,
    columns: impl Iterator<Item = &'a String> + Clone,
) -> Result<()> {
    let damaged =
        |what: &str| source.refuse(&format!("cannot be read: the file is damaged: {what}"));
    let length = source.file()?.metadata();
    let length = length.map_err(|error| unreadable(&source.path, &error))?;
    let (mut rows, mut bytes) = (0usize, 0u64);
    for group in &metadata.row_groups {
        rows = rows.saturating_add(group.num_rows());
        for column in columns.clone() {
            let chunks = group.columns_under_root_iter(column);
            for chunk in chunks.into_iter().flatten() {
                let range = chunk.byte_range();
                if range.start > range.end || range.end > length.len() {
                    return Err(damaged("a column ends after the file"));
                }
                if usize::try_from(chunk.num_values()) != Ok(group.num_rows()) {
                    return Err(damaged("a column has not as many values as rows"));
                }
                let mut held = Vec::new();
                let mut file = source.file()?;
                let read = file.seek(SeekFrom::Start(range.start)).and_then(|_| {
                    let chunk = file.take(range.end - range.start);
                    { chunk }.read_to_end(&mut held)
                });
                read.map_err(|error| unreadable(&source.path, &error))?;
                let failed = |error: &dyn std::fmt::Display| unreadable(&source.path, error);
                let held = Cursor::new(held.into());
                let again = held.clone();
                let pages = PageReader::new(held, chunk, Vec::new(), usize::MAX);
                let dictionary = BasicDecompressor::new(pages, Vec::new()).read_dict_page();
                let dictionary = dictionary.map_err(|error| failed(&error))?;
                // A value of a dictionary has a byte at least.
                if dictionary.is_some_and(|page| page.num_values > page.buffer.len()) {
                    return Err(damaged("a dictionary has more values than bytes"));
                }
                let mut values = 0usize;
                for page in PageReader::new(again, chunk, Vec::new(), usize::MAX) {
                    let page = page.map_err(|error| failed(&error))?;
                    let CompressedPage::Data(page) = page else {
                        continue;
                    };
                    bytes = bytes.saturating_add(page.uncompressed_size() as u64);
                    if bytes > LARGEST {
                        return Err(source.refuse("has columns of more than 1 GiB"));
                    }
                    values = values.saturating_add(page.num_values());
                    if values > group.num_rows() {
                        return Err(damaged("a page has more values than rows"));
                    }
                }
            }
        }
        source.check(rows)?;
    }
    Ok(())
}

/// The column of the index, as pandas notes it.
fn index(reader: &mut ParquetReader<File>) -> Option<String> {
    let metadata = reader.get_metadata().ok()?;
    let notes = metadata.key_value_metadata().as_ref()?;
    let note = notes.iter().find(|note| note.key == "pandas")?;
    let note: serde_json::Value = serde_json::from_str(note.value.as_deref()?).ok()?;
    let index = note.get("index_columns")?.get(0)?.as_str()?;
    Some(index.to_string())
}

/// What polars reads with the features that it is built with; it panics at some of the others.
fn is_read(kind: &ArrowDataType) -> bool {
    use ArrowDataType as Kind;
    match kind {
        Kind::Dictionary(_, values, _) => is_read(values),
        kind => matches!(
            kind,
            Kind::Int8
                | Kind::Int16
                | Kind::Int32
                | Kind::Int64
                | Kind::UInt8
                | Kind::UInt16
                | Kind::UInt32
                | Kind::UInt64
                | Kind::Float16
                | Kind::Float32
                | Kind::Float64
                | Kind::Decimal(..)
                | Kind::Decimal32(..)
                | Kind::Decimal64(..)
                | Kind::Decimal256(..)
                | Kind::Date32
                | Kind::Date64
                | Kind::Timestamp(..)
                | Kind::Utf8
                | Kind::LargeUtf8
                | Kind::Utf8View
                | Kind::Null
        ),
    }
}

fn unread(path: &Path, name: &str, kind: &str) -> crate::Error {
    let (name, kind) = (excerpt(name), excerpt(kind));
    let what = format!("column \"{name}\" holds {kind}, expected text, numbers, dates or instants");
    refuse(path, &what)
}

fn cells(path: &Path, name: &str, column: &Column) -> Result<Cells> {
    match column.dtype() {
        DataType::String => Ok(text(column.str()?.clone())),
        DataType::Categorical(..) | DataType::Enum(..) | DataType::Null => {
            let words = column.cast(&DataType::String)?;
            Ok(text(words.str()?.clone()))
        }
        DataType::Date => Ok(Cells::Dates(Instants {
            local: integers(column)?.map(|day| utc(day?, 86_400, 1)).collect(),
            timed: false,
        })),
        DataType::Datetime(unit, zone) => {
            let zone = zone.as_ref().map(|zone| Zone::parse(zone.as_str()));
            let zone = zone.transpose().map_err(|zone| {
                let (name, zone) = (excerpt(name), excerpt(&zone));
                refuse(
                    path,
                    &format!("column \"{name}\" is in time zone {zone}, which is not known"),
                )
            })?;
            let per_second = match unit {
                TimeUnit::Nanoseconds => 1_000_000_000,
                TimeUnit::Microseconds => 1_000_000,
                TimeUnit::Milliseconds => 1_000,
            };
            let local = |instant: Option<i64>| {
                let utc = utc(instant?, 1, per_second)?;
                Some(zone.map_or(utc, |zone| zone.local(utc)))
            };
            Ok(Cells::Dates(Instants {
                local: integers(column)?.map(local).collect(),
                timed: true,
            }))
        }
        kind if kind.is_primitive_numeric() || kind.is_decimal() => {
            let numbers = column.cast(&DataType::Float64)?;
            Ok(Cells::Numbers(numbers.f64()?.iter().collect()))
        }
        kind => Err(unread(path, name, &kind.to_string())),
    }
}

fn text(column: StringChunked) -> Cells {
    Cells::Text(Texts(vec![column.rechunk().into_owned()]))
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

/// The instant that is so many units of `seconds`/`per_second` seconds after the start of 1970.
fn utc(units: i64, seconds: i64, per_second: i64) -> Option<NaiveDateTime> {
    let whole = units.div_euclid(per_second).checked_mul(seconds)?;
    Some(DateTime::from_timestamp(whole, 0)?.naive_utc())
}

/// The zone of a column; what is stored are instants in UTC.
#[derive(Clone, Copy)]
enum Zone {
    Named(chrono_tz::Tz),
    Fixed(FixedOffset),
}

impl Zone {
    /// Reads the name of a zone or an offset from UTC, `+05:30`; a name that is not known is given back.
    fn parse(name: &str) -> Result<Self, String> {
        if let Ok(zone) = name.parse() {
            return Ok(Self::Named(zone));
        }
        let offset = name.strip_prefix("UTC").unwrap_or(name);
        let offset = match offset {
            "" | "Z" => "+00:00",
            offset => offset,
        };
        offset
            .parse()
            .map(Self::Fixed)
            .map_err(|_| name.to_string())
    }

    fn local(self, utc: NaiveDateTime) -> NaiveDateTime {
        match self {
            Self::Named(zone) => zone.from_utc_datetime(&utc).naive_local(),
            Self::Fixed(offset) => offset.from_utc_datetime(&utc).naive_local(),
        }
    }
}
