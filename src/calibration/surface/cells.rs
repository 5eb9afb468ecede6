//! The cells of a surface file, column by column.

use super::columns::{Columns, Field};
use crate::error::{Result, excerpt};
use crate::market::history::date;
use crate::market::table::{Cells, Table, refuse, refuse_row};
use chrono::NaiveDate;
use std::path::Path;

/// A file whose columns are known.
pub struct File<'a> {
    pub path: &'a Path,
    pub table: Table,
    pub columns: Columns,
}

impl File<'_> {
    pub fn refuse(&self, row: usize, field: Field, what: &str) -> crate::Error {
        let column = self.columns.of(field).unwrap_or_default().trim();
        refuse_row(self.path, row, &excerpt(column), what)
    }

    /// The numbers of a field, and where a cell holds none its text; none without the column.
    fn numbers(&self, field: Field) -> Result<Option<Vec<Result<f64, String>>>> {
        let Some(name) = self.columns.of(field) else {
            return Ok(None);
        };
        let signs = self.has_percent_signs(field)?;
        let parse = |text: &str| {
            let number = if signs {
                text.trim_end_matches('%')
            } else {
                text
            };
            number.trim_end().parse().map_err(|_| text.to_owned())
        };
        let cells = match self.table.cells(self.path, name)? {
            Cells::Text(cells) => cells
                .iter()
                .map(|cell| parse(cell.map(str::trim).unwrap_or_default()))
                .collect(),
            Cells::Numbers(cells) => cells
                .into_iter()
                .map(|cell| cell.ok_or_else(String::new))
                .collect(),
            Cells::Dates(_) => {
                let what = format!("column \"{}\" holds dates, expected numbers", name.trim());
                return Err(refuse(self.path, &what));
            }
        };
        Ok(Some(cells))
    }

    /// Whether the cells are volatilities that all end in `%`.
    pub fn has_percent_signs(&self, field: Field) -> Result<bool> {
        let volatilities = [
            Field::Volatility,
            Field::CallVolatility,
            Field::PutVolatility,
        ];
        match self
            .columns
            .of(field)
            .filter(|_| volatilities.contains(&field))
        {
            None => Ok(false),
            Some(name) => Ok(match self.table.cells(self.path, name)? {
                Cells::Text(cells) => {
                    let cells = cells.iter().flatten().map(str::trim);
                    let mut cells = cells.filter(|cell| !is_missing(cell)).peekable();
                    cells.peek().is_some() && cells.all(|cell| cell.ends_with('%'))
                }
                Cells::Numbers(_) | Cells::Dates(_) => false,
            }),
        }
    }

    /// The numbers of a field that must be finite, and above zero if `positive`; `default` without the column.
    pub fn required(&self, field: Field, positive: bool, default: f64) -> Result<Vec<f64>> {
        let Some(cells) = self.numbers(field)? else {
            return Ok(vec![default; self.table.rows()]);
        };
        let bound = if positive {
            "a finite number above 0"
        } else {
            "a finite number"
        };
        let check = |(row, cell): (usize, Result<f64, String>)| match cell {
            Ok(value) if value.is_finite() && (value > 0.0 || !positive) => Ok(value),
            cell => {
                let shown = cell.map_or_else(|text| excerpt(&text), |value| value.to_string());
                let what = format!("must be {bound}, was \"{shown}\"");
                Err(self.refuse(row, field, &what))
            }
        };
        cells.into_iter().enumerate().map(check).collect()
    }

    /// The numbers of a field that may be missing, as NaN; none without the column.
    pub fn optional(&self, field: Field) -> Result<Option<Vec<f64>>> {
        let Some(cells) = self.numbers(field)? else {
            return Ok(None);
        };
        let check = |(row, cell): (usize, Result<f64, String>)| match cell {
            Ok(value) => Ok(if value.is_finite() { value } else { f64::NAN }),
            Err(text) if is_missing(&text) => Ok(f64::NAN),
            Err(text) => {
                let what = format!("must be a number, was \"{}\"", excerpt(&text));
                Err(self.refuse(row, field, &what))
            }
        };
        let cells = cells.into_iter().enumerate();
        cells.map(check).collect::<Result<_>>().map(Some)
    }

    /// The dates of a field; none without the column.
    pub fn dates(&self, field: Field) -> Result<Option<Vec<NaiveDate>>> {
        let Some(name) = self.columns.of(field) else {
            return Ok(None);
        };
        let dates = match self.table.cells(self.path, name)? {
            Cells::Text(cells) => cells
                .iter()
                .enumerate()
                .map(|(row, cell)| date::parse(cell).map_err(|what| self.refuse(row, field, &what)))
                .collect::<Result<_>>()?,
            Cells::Dates(cells) => cells
                .into_iter()
                .enumerate()
                .map(|(row, cell)| cell.ok_or_else(|| self.refuse(row, field, "date is blank")))
                .collect::<Result<_>>()?,
            Cells::Numbers(_) => {
                let what = format!("column \"{}\" holds numbers, expected dates", name.trim());
                return Err(refuse(self.path, &what));
            }
        };
        Ok(Some(dates))
    }

    /// Whether the first cell of a field that is not blank is a number.
    pub fn is_of_numbers(&self, field: Field) -> Result<bool> {
        let Some(name) = self.columns.of(field) else {
            return Ok(false);
        };
        Ok(match self.table.cells(self.path, name)? {
            Cells::Text(cells) => {
                let mut cells = cells.iter().flatten().map(str::trim);
                let first = cells.find(|cell| !cell.is_empty());
                first.is_some_and(|first| first.parse::<f64>().is_ok())
            }
            Cells::Numbers(_) => true,
            Cells::Dates(_) => false,
        })
    }
}

/// Whether a cell says that there is no number.
fn is_missing(text: &str) -> bool {
    const WORDS: [&str; 6] = ["", "-", "n/a", "na", "null", "none"];
    WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}
