//! `data check` for a book of contracts: the section of a strategy that it makes.

use super::output::Output;
use crate::error::{Error, Result, escaped};
use crate::numbers::counted;
use crate::strategy::Book;
use serde_json::json;
use std::path::PathBuf;

/// What is understood of the file; nothing if it is not one file of contracts.
///
/// # Errors
/// Those of [`Book::read`].
pub fn check(files: &[PathBuf]) -> Result<Option<Output>> {
    let [file] = files else {
        return Ok(None);
    };
    let Some(book) = Book::read(file)? else {
        return Ok(None);
    };
    let name = file.display().to_string();
    let failed = |error: &dyn std::fmt::Display| Error::Computation(format!("book: {error}"));
    let section = toml::Table::from_iter([("contract".to_owned(), book.contract().into())]);
    let section = toml::to_string(&section).map_err(|error| failed(&error))?;
    let legs = serde_json::to_value(&book.legs).map_err(|error| failed(&error))?;
    Ok(Some(Output {
        text: format!(
            "# {}: a book of {}\n{}",
            escaped(&name),
            counted(book.legs.len(), "contract"),
            section.trim_end()
        ),
        document: json!({
            "book": { "file": name, "legs": legs, "expiry_days": book.expiry_days },
            "warnings": [],
        }),
    }))
}
