//! Tables in Markdown.

use super::statements::paired;
use crate::risk::Estimate;
use crate::runs::study::Ending;

/// A Markdown table.
pub struct Grid {
    heads: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Grid {
    /// A table with these heads and no rows.
    pub fn new(heads: &[&str]) -> Self {
        Self {
            heads: heads.iter().map(ToString::to_string).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The table and an empty line; nothing without rows.
    pub fn text(&self) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let rule = format!("|{}\n", "---|".repeat(self.heads.len()));
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        format!("{}{rule}{rows}\n", line(&self.heads))
    }
}

/// A mean over seeds with its standard error.
pub fn over_seeds(endings: &[&Ending], of: impl Fn(&Ending) -> f64, decimals: usize) -> String {
    let values: Vec<f64> = endings.iter().map(|e| of(e)).collect();
    let Some(estimate) = paired(&values) else {
        return String::new();
    };
    let Estimate {
        value,
        standard_error: error,
    } = estimate;
    let text = if error.is_finite() {
        format!("{value:.decimals$} ± {error:.decimals$}")
    } else {
        format!("{value:.decimals$}")
    };
    text.replace('-', "−")
}
