//! `data columns`: the names of a file's columns and its first rows, before anything is understood of them.

use super::output::Output;
use crate::error::{Result, escaped, excerpt};
use crate::market::history::Head;
use serde_json::json;
use std::path::Path;

/// Rows that are shown.
const ROWS: usize = 5;

/// Shows names and first rows of a file.
pub fn run(path: &Path) -> Result<Output> {
    let Head { names, rows } = Head::read(path, ROWS)?;
    let file = path.display().to_string();
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|cell| excerpt(cell)).collect();
        cells.join(" | ")
    };
    let mut text = vec![escaped(&file), line(&names)];
    text.extend(rows.iter().map(|row| line(row)));
    Ok(Output {
        text: text.join("\n"),
        document: json!({ "file": file, "columns": names, "rows": rows }),
    })
}
