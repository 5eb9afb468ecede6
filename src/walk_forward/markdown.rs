//! Lines and tables of a page in Markdown.

use crate::report::table::{Cell, Table};
use std::fmt::Write;

/// A page that grows line by line.
#[derive(Default)]
pub struct Page(String);

impl Page {
    /// Adds a line.
    pub fn line(&mut self, text: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{text}");
    }

    /// Adds a table under a heading of the level `hashes`, such as `##`; nothing if it has no rows.
    pub fn table(&mut self, hashes: &str, table: &Table) {
        if table.rows.is_empty() {
            return;
        }
        self.line(&format!("{hashes} {}\n", table.caption));
        for note in &table.notes {
            self.line(&format!("{note}\n"));
        }
        self.line(&format!("| {} |", table.heads.join(" | ")));
        self.line(&format!("|---{}|", "|---:".repeat(table.heads.len() - 1)));
        for row in &table.rows {
            let cells: Vec<String> = row.iter().map(text).collect();
            self.line(&format!("| {} |", cells.join(" | ")));
        }
        self.line("");
    }

    /// The whole page.
    pub fn into_text(self) -> String {
        self.0
    }
}

fn text(cell: &Cell) -> String {
    match &cell.error {
        Some(error) if error.starts_with(['[', '±']) => format!("{} {error}", cell.value),
        Some(error) => format!("{}, {error}", cell.value),
        None => cell.value.clone(),
    }
}
