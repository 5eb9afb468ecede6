//! Errors of files of tables, in one line that names the file.

use crate::error::{Error, escaped, excerpt};
use std::path::Path;

/// The error of a file.
pub fn refuse(path: &Path, what: &str) -> Error {
    Error::input(format!("{}: {what}", shown(path)))
}

/// The error of a cell: `row` counts data rows from 0.
pub fn refuse_row(path: &Path, row: usize, column: &str, what: &str) -> Error {
    let column = excerpt(column);
    let what = format!("row {}, column \"{column}\": {what}", row + 1);
    refuse(path, &what)
}

/// A path in a message: whole, and on one line.
pub fn shown(path: &Path) -> String {
    escaped(&path.display().to_string())
}
