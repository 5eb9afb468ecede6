//! Errors of files of tables, in one line that names the file.

use crate::error::{Error, escaped, excerpt};
use std::fmt;
use std::path::Path;

/// Where a row of a table stands, for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The line of a text file, from 1, its header among them.
    Line(usize),
    /// The number of the row, from 1.
    Row(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(formatter, "line {line}"),
            Self::Row(row) => write!(formatter, "row {row}"),
        }
    }
}

/// The error of a file.
pub fn refuse(path: &Path, what: &str) -> Error {
    Error::input(format!("{}: {what}", shown(path)))
}

/// The error of a cell: `row` counts data rows from 0.
pub fn refuse_row(path: &Path, row: usize, column: &str, what: &str) -> Error {
    refuse_at(path, Place::Row(row + 1), column, what)
}

/// The error of a cell in a row that stands at `place`.
pub fn refuse_at(path: &Path, place: Place, column: &str, what: &str) -> Error {
    let column = excerpt(column);
    refuse(path, &format!("{place}, column \"{column}\": {what}"))
}

/// A path in a message: whole, and on one line.
pub fn shown(path: &Path) -> String {
    escaped(&path.display().to_string())
}
