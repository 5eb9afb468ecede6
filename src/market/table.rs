//! The columns of a table file, through polars.
//!
//! Whether a file is Parquet or text is told by its contents, whatever its name. Text may be in UTF-8, UTF-16 or
//! Windows-1252 (which holds Latin-1), its lines end in LF, CR LF or CR, its cells are separated by commas, semicolons,
//! tabs or bars, and lines before the header are passed over.

mod header;
mod lines;
mod parquet;
mod source;
mod text;

pub use header::Header;

pub use super::refusal::{Place, refuse, refuse_at, refuse_row, shown};
use crate::error::{Result, excerpt};
use chrono::NaiveDateTime;
use lines::Lines;
use polars::prelude::{NewChunkedArray, StringChunked};
use rayon::prelude::*;
use std::path::Path;

/// The chosen columns of a file.
pub struct Table {
    columns: Vec<(String, Cells)>,
    rows: usize,
    separator: Option<u8>,
    /// Those of a text file.
    lines: Option<Lines>,
}

/// One column.
#[derive(Debug, Clone)]
pub enum Cells {
    /// Text, as every column of a text file is.
    Text(Texts),
    /// Numbers; none where the cell is empty.
    Numbers(Vec<Option<f64>>),
    /// Dates or instants.
    Dates(Instants),
}

/// The cells of a column of text.
#[derive(Debug, Clone, Default)]
pub struct Texts(Vec<StringChunked>);

/// The cells of a column of dates or instants.
#[derive(Debug, Clone)]
pub struct Instants {
    /// In the zone that the column is in; as they are written, if it names none.
    pub local: Vec<Option<NaiveDateTime>>,
    /// Whether they have a time of day.
    pub timed: bool,
}

impl Cells {
    /// The number of cells.
    pub fn rows(&self) -> usize {
        match self {
            Self::Text(cells) => cells.0.iter().map(StringChunked::len).sum(),
            Self::Numbers(cells) => cells.len(),
            Self::Dates(instants) => instants.local.len(),
        }
    }

    /// The cells of the rows `rows`.
    pub fn part(&self, rows: std::ops::Range<usize>) -> Self {
        match self {
            Self::Text(cells) => Self::Text(cells.part(rows)),
            Self::Numbers(cells) => Self::Numbers(cells[rows].to_vec()),
            Self::Dates(Instants { local, timed }) => Self::Dates(Instants {
                local: local[rows].to_vec(),
                timed: *timed,
            }),
        }
    }
}

impl Texts {
    /// A column of these cells.
    pub fn of(cells: &[String]) -> Self {
        Self(vec![StringChunked::from_slice("cells".into(), cells)])
    }

    /// The cells of the rows `rows`, which share their memory with the column.
    fn part(&self, rows: std::ops::Range<usize>) -> Self {
        let mut parts = Vec::new();
        let mut start = 0;
        for piece in &self.0 {
            let end = start + piece.len();
            let (from, to) = (rows.start.max(start), rows.end.min(end));
            if from < to {
                parts.push(piece.slice((from - start) as i64, to - from));
            }
            start = end;
        }
        Self(parts)
    }

    /// The cells in their order; none where one is empty.
    pub fn iter(&self) -> impl Iterator<Item = Option<&str>> {
        self.0.iter().flat_map(|piece| piece.iter())
    }

    /// The cell of a row.
    pub fn get(&self, row: usize) -> Option<&str> {
        let mut row = row;
        for piece in &self.0 {
            if row < piece.len() {
                return piece.get(row);
            }
            row -= piece.len();
        }
        None
    }

    /// What `work` makes of stretches of the column, in the order of rows; it is given the row of the first cell.
    pub fn stretches<T: Send>(
        &self,
        work: impl Fn(usize, &mut dyn Iterator<Item = Option<&str>>) -> T + Sync,
    ) -> Vec<T> {
        const LENGTH: usize = 1 << 16;
        let mut stretches = Vec::new();
        let mut row = 0;
        for piece in &self.0 {
            for start in (0..piece.len()).step_by(LENGTH) {
                stretches.push((row + start, piece.slice(start as i64, LENGTH)));
            }
            row += piece.len();
        }
        let made = stretches.into_par_iter();
        made.map(|(row, cells)| work(row, &mut cells.iter()))
            .collect()
    }
}

/// A name of a column, for comparison: in lower case, without the marks that programs put around it.
///
/// `<CLOSE>` (MetaTrader), `Adj_Close`, `Adj. Close`, `Close*` and `close` with blanks around it are the same names as
/// without these.
pub fn plain(name: &str) -> String {
    let name = name.trim().trim_matches(['<', '>', '*', '"', '\'']);
    let words = name.split(|c: char| c.is_whitespace() || matches!(c, '_' | '.'));
    let words: Vec<String> = words
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.join(" ")
}

/// The column that goes by the first of the `wanted` names that any column has.
///
/// # Errors
/// [`Error::Input`] if several columns go by it, which can only differ in case, blanks and marks.
pub fn find_column(
    path: &Path,
    names: &[String],
    what: &str,
    wanted: &[&str],
) -> Result<Option<String>> {
    for want in wanted {
        let want = plain(want);
        let mut matches = names.iter().filter(|name| plain(name) == want);
        let Some(name) = matches.next() else {
            continue;
        };
        if let Some(other) = matches.next() {
            let (name, other) = (excerpt(name), excerpt(other));
            let what = format!("columns \"{name}\" and \"{other}\" both name the {what}");
            return Err(refuse(path, &what));
        }
        return Ok(Some(name.clone()));
    }
    Ok(None)
}

/// Reads the columns that `choose` picks from the names of all.
///
/// # Errors
/// [`Error::Input`], one line naming the file: it is no regular file, empty, larger than 1 GiB, of another kind,
/// damaged, has more than 20 million rows, or takes longer than two minutes.
pub fn read(path: &Path, choose: impl FnOnce(&[String]) -> Result<Vec<String>>) -> Result<Table> {
    read_headed(path, &|_| false, |header| choose(&header.names))
}

/// [`read`], where `known` says of the cells of a line whether they are names of columns; if it says so of none, the
/// header is the first line that has as many cells as most.
///
/// # Errors
/// The errors of [`read`].
pub fn read_headed(
    path: &Path,
    known: &dyn Fn(&[String]) -> bool,
    choose: impl FnOnce(&Header) -> Result<Vec<String>>,
) -> Result<Table> {
    let mut source = source::Source::open(path)?;
    match source.kind()? {
        source::Kind::Parquet => parquet::read(&mut source, choose),
        source::Kind::Text => text::read(&mut source, known, choose),
    }
}

/// [`read_headed`] of text that is held and that messages call `name`.
///
/// # Errors
/// Those of [`read`] that concern text.
pub fn read_text(
    name: &Path,
    text: String,
    known: &dyn Fn(&[String]) -> bool,
    choose: impl FnOnce(&Header) -> Result<Vec<String>>,
) -> Result<Table> {
    text::read_held(name, text, known, choose)
}

/// Some rows of a file.
pub struct Piece {
    /// The number of the first row, from 0.
    pub row: usize,
    /// The chosen columns with their names, in the order of the file.
    pub columns: Vec<(String, Cells)>,
}

/// [`read_headed`] for large files: the columns are given to `each` in pieces, which are then forgotten. A Parquet file is one piece.
/// Gives the number of rows.
///
/// # Errors
/// The errors of [`read`], where text may have 16 GiB, and those of `each`.
pub fn read_pieces(
    path: &Path,
    known: &dyn Fn(&[String]) -> bool,
    choose: impl FnOnce(&Header) -> Result<Vec<String>>,
    each: &mut dyn FnMut(Piece) -> Result<()>,
) -> Result<usize> {
    let mut source = source::Source::open_up_to(path, source::LARGEST_IN_PIECES)?;
    match source.kind()? {
        source::Kind::Parquet => {
            let Table { columns, rows, .. } = parquet::read(&mut source, choose)?;
            each(Piece { row: 0, columns })?;
            Ok(rows)
        }
        source::Kind::Text => text::read_pieces(&mut source, known, choose, each),
    }
}

/// The names of a file's columns; `known` is that of [`read_headed`].
///
/// # Errors
/// The errors of [`read`].
pub fn header(path: &Path, known: &dyn Fn(&[String]) -> bool) -> Result<Header> {
    let mut source = source::Source::open_up_to(path, source::LARGEST_IN_PIECES)?;
    match source.kind()? {
        source::Kind::Parquet => parquet::header(&source).map(|(_, header)| header),
        source::Kind::Text => text::header(&mut source, known),
    }
}

/// Whether a file is Parquet, by its contents.
///
/// # Errors
/// Those of [`read`] that concern the file as a whole.
pub fn is_parquet(path: &Path) -> Result<bool> {
    let kind = source::Source::open_up_to(path, source::LARGEST_IN_PIECES)?.kind()?;
    Ok(matches!(kind, source::Kind::Parquet))
}

impl Table {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Where a row stands, counted from 0: by its line, where the file is text and that is known.
    pub fn place(&self, row: usize) -> Place {
        let line = self.lines.as_ref().and_then(|lines| lines.of(row));
        line.map_or(Place::Row(row + 1), Place::Line)
    }

    /// The names of the columns that were read.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }

    /// What separates the cells of a text file.
    pub fn separator(&self) -> Option<u8> {
        self.separator
    }

    /// The cells of the column `name`.
    pub fn cells(&self, path: &Path, name: &str) -> Result<Cells> {
        let mut columns = self.columns.iter();
        let column = columns.find(|(column, _)| column == name);
        column
            .map(|(_, cells)| cells.clone())
            .ok_or_else(|| refuse(path, &format!("no column \"{}\"", excerpt(name))))
    }
}

#[cfg(test)]
mod tests;
