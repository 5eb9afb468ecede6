//! The cells of a surface file, column by column.

use super::columns::{Columns, Field};
use crate::error::{Result, excerpt};
use crate::market::history::cells::Place;
use crate::market::history::number::{self, Evidence, Read};
use crate::market::history::{self, DateFormat, Decimal, Defects};
use crate::market::table::{Cells, Table, refuse, refuse_row};
use chrono::NaiveDate;
use std::path::Path;

/// A file whose columns are known.
pub struct File<'a> {
    /// The name of the file, for messages.
    pub path: &'a Path,
    /// Its cells.
    pub table: Table,
    /// What its columns hold.
    pub columns: Columns,
    /// What separates decimals in it.
    pub decimal: Decimal,
}

impl File<'_> {
    /// The error that a cell is refused with; rows count from 0.
    pub fn refuse(&self, row: usize, field: Field, what: &str) -> crate::Error {
        let column = self.columns.of(field).unwrap_or_default().trim();
        refuse_row(self.path, row, &excerpt(column), what)
    }

    /// The cells of a field; none without the column.
    fn cells(&self, field: Field) -> Result<Option<Cells>> {
        let name = self.columns.of(field);
        name.map(|name| self.table.cells(self.path, name))
            .transpose()
    }

    /// The numbers of a field, and where a cell holds none its text; none without the column.
    fn numbers(&self, field: Field) -> Result<Option<Vec<Result<f64, String>>>> {
        let Some(cells) = self.cells(field)? else {
            return Ok(None);
        };
        // Rates have no other unit; that of volatilities is found from all of them.
        let rate = matches!(field, Field::Rate | Field::Dividend);
        let unit = if rate && self.has_percent_signs(field)? {
            0.01
        } else {
            1.0
        };
        let parse = |text: &str| match number::read(text, self.decimal) {
            Read::Number(value) => Ok(unit * value),
            Read::Blank => Err(String::new()),
            Read::Other => Err(text.to_owned()),
        };
        let cells = match cells {
            Cells::Text(cells) => cells
                .iter()
                .map(|cell| parse(cell.map(str::trim).unwrap_or_default()))
                .collect(),
            Cells::Numbers(cells) => cells
                .into_iter()
                .map(|cell| cell.ok_or_else(String::new))
                .collect(),
            Cells::Dates(_) => {
                let name = self.columns.of(field).unwrap_or_default();
                let what = format!(
                    "column \"{}\" holds dates, expected numbers",
                    excerpt(name.trim())
                );
                return Err(refuse(self.path, &what));
            }
        };
        Ok(Some(cells))
    }

    /// Whether the cells all end in `%`.
    pub fn has_percent_signs(&self, field: Field) -> Result<bool> {
        Ok(match self.cells(field)? {
            Some(Cells::Text(cells)) => {
                let cells = cells.iter().flatten().map(str::trim);
                let mut cells = cells.filter(|cell| !number::is_blank(cell)).peekable();
                cells.peek().is_some() && cells.all(|cell| cell.ends_with('%'))
            }
            Some(Cells::Numbers(_) | Cells::Dates(_)) | None => false,
        })
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
            Err(text) if text.is_empty() => Ok(f64::NAN),
            Err(text) => {
                let what = format!("must be a number, was \"{}\"", excerpt(&text));
                Err(self.refuse(row, field, &what))
            }
        };
        let cells = cells.into_iter().enumerate();
        cells.map(check).collect::<Result<_>>().map(Some)
    }

    /// The dates of a field; none without the column.
    pub fn dates(
        &self,
        field: Field,
        format: Option<&DateFormat>,
    ) -> Result<Option<Vec<NaiveDate>>> {
        let Some(cells) = self.cells(field)? else {
            return Ok(None);
        };
        let place = Place {
            file: self.path,
            column: self.columns.of(field).unwrap_or_default().trim(),
        };
        let read = history::cells::dates(place, &cells, format, &mut Defects::default())?;
        let dates = read.dates.into_iter().enumerate().map(|(row, date)| {
            date.ok_or_else(|| {
                let shown = match &cells {
                    Cells::Text(cells) => excerpt(cells.get(row).unwrap_or_default().trim()),
                    Cells::Numbers(cells) => cells[row].map_or(String::new(), |n| n.to_string()),
                    Cells::Dates(_) => String::new(),
                };
                let what = format!(
                    "must be a date such as 2020-01-31, was \"{shown}\" (--date-format says how dates are written)"
                );
                self.refuse(row, field, &what)
            })
        });
        dates.collect::<Result<_>>().map(Some)
    }

    /// Whether the first cell of a field that is not blank is a number.
    pub fn is_of_numbers(&self, field: Field) -> Result<bool> {
        Ok(match self.cells(field)? {
            Some(Cells::Text(cells)) => {
                let mut cells = cells.iter().flatten();
                let first = cells.find(|cell| !number::is_blank(cell.trim()));
                let read = first.map(|first| number::read(first, self.decimal));
                matches!(read, Some(Read::Number(_)))
            }
            Some(Cells::Numbers(_)) => true,
            Some(Cells::Dates(_)) | None => false,
        })
    }
}

/// What separates the decimals of a file: what most of its cells of text ask for.
pub fn decimal(path: &Path, table: &Table, columns: &Columns) -> Result<Decimal> {
    let mut evidence = Evidence::default();
    // Points in dates separate no decimals.
    let dates = [Field::Date, Field::ExpiryDate, Field::Expiry];
    let fields = Field::SURFACE.iter().filter(|field| !dates.contains(field));
    for name in fields.filter_map(|field| columns.of(*field)) {
        if let Cells::Text(cells) = table.cells(path, name)? {
            evidence = evidence.and(number::evidence(&cells));
        }
    }
    Ok(evidence.decided().unwrap_or(Decimal::Point))
}
