//! One price file as days in ascending order, with every defect on the way.

use super::cells::{self, Clocks, Place as Column};
use super::columns::{Quantity, Series};
use super::decimal::Decimal;
use super::defects::{At, Defects, Kind};
use super::layout::{self, Layout, Place};
use super::number::{self, Evidence};
use super::options::Reading;
use crate::error::{Result, excerpt};
use crate::market::table::{self, Cells};
use chrono::NaiveDate;
use std::path::Path;

/// The clean days of one file.
pub struct Days {
    /// The days, in ascending order.
    pub dates: Vec<NaiveDate>,
    /// The data row, from 0, in which each day ends.
    pub rows: Vec<usize>,
    /// The column of dates as the file spells it.
    pub date_column: String,
    /// The quantities that were read.
    pub series: Vec<Series>,
    /// Rows of the file.
    pub height: usize,
    /// The times of day that stand beside the dates.
    pub clocks: Clocks,
    /// Whether the implied volatilities are presumed to be that: see [`Layout::presumed`].
    pub presumed: bool,
    /// How the file was read where it might be read otherwise.
    pub notes: Vec<String>,
}

/// Reads those `wanted` quantities that the file has.
///
/// # Errors
/// The errors of a file as a whole; defects of rows are added to `defects` and left out.
pub fn read(
    path: &Path,
    place: Place,
    wanted: &[Quantity],
    options: &Reading,
    defects: &mut Defects,
) -> Result<Days> {
    let mut chosen = None;
    let known = |cells: &[String]| layout::is_header(cells, &options.columns);
    let table = table::read_headed(path, &known, |header| {
        let layout = layout::choose(path, header, place, wanted, &options.columns)?;
        let mut columns = vec![layout.date.clone()];
        columns.extend(layout.columns.iter().map(|(_, column)| column.clone()));
        chosen = Some(layout);
        Ok(columns)
    })?;
    let Layout {
        date,
        columns,
        presumed,
        mut notes,
    } = chosen.expect("a table is read of chosen columns");
    let height = table.rows();
    let dated = cells::dates(
        Column {
            file: path,
            column: &date,
        },
        &table.cells(path, &date)?,
        options.date_format.as_ref(),
        defects,
    )?;
    notes.extend(dated.note);
    let dates = dated.dates;
    let mut read: Vec<(Quantity, String, Cells, Evidence)> = Vec::new();
    for (quantity, column) in columns {
        let cells = table.cells(path, &column)?;
        let mut evidence = Evidence::default();
        if let Cells::Text(text) = &cells {
            let blank = |cell: Option<&str>| cell.is_none_or(|cell| number::is_blank(cell.trim()));
            // Files of indices have columns of volumes without a number.
            if quantity != Quantity::Close && height > 0 && text.iter().all(blank) {
                notes.push(format!("\"{}\" is blank and not read", excerpt(&column)));
                continue;
            }
            evidence = number::evidence(text);
        }
        read.push((quantity, column, cells, evidence));
    }
    let mut series = Vec::new();
    let mut decimals: Vec<(Decimal, bool, &str)> = Vec::new();
    for (place, (quantity, column, cells, own)) in read.iter().enumerate() {
        let quantity = *quantity;
        let at = Column { file: path, column };
        let mut others = read.iter().enumerate();
        let others = others
            .by_ref()
            .filter(|(other, _)| *other != place)
            .fold(Evidence::default(), |sum, (_, other)| sum.and(other.3));
        let decimal = match (options.decimal, cells) {
            (Some(decimal), _) => decimal,
            (None, Cells::Text(text)) => {
                let separator = table.separator();
                let (decimal, presumed) =
                    cells::decimal(at, quantity, text, *own, others, separator)?;
                if presumed || decimal == Decimal::Comma {
                    decimals.push((decimal, presumed, column.as_str()));
                }
                decimal
            }
            (None, _) => Decimal::Point,
        };
        series.push(Series {
            quantity,
            column: column.clone(),
            values: cells::values(at, quantity, cells, decimal, &dates, defects)?,
        });
    }
    notes.extend(decimal_notes(&decimals));
    drop((read, table));
    let kept: Vec<usize> = (0..height)
        .filter(|&row| dates[row].is_some() && series.iter().all(|s| !s.values[row].is_nan()))
        .collect();
    let mut days = Days {
        dates: kept.iter().filter_map(|&row| dates[row]).collect(),
        rows: kept,
        date_column: date,
        series,
        height,
        clocks: dated.clocks,
        presumed,
        notes,
    };
    if days.rows.len() < height {
        for series in &mut days.series {
            series.values = days.rows.iter().map(|&row| series.values[row]).collect();
        }
    }
    days.turn();
    days.sort(path, defects);
    days.merge(path, defects);
    days.check_ranges(path, defects);
    days.check_surfaces(path, defects);
    Ok(days)
}

/// What is said of columns whose decimals a comma separates, or that were presumed to have a point or a comma.
fn decimal_notes(columns: &[(Decimal, bool, &str)]) -> Vec<String> {
    let kinds = [
        (Decimal::Comma, false),
        (Decimal::Comma, true),
        (Decimal::Point, true),
    ];
    let note = |(decimal, presumed): (Decimal, bool)| {
        let columns = columns.iter().filter(|c| (c.0, c.1) == (decimal, presumed));
        let names: Vec<String> = columns.map(|c| format!("\"{}\"", excerpt(c.2))).collect();
        let (names, decimal) = (names.join(", "), decimal.name());
        match (names.is_empty(), presumed) {
            (true, _) => None,
            (_, false) => Some(format!("decimal {decimal} in {names}")),
            (_, true) => Some(format!(
                "three digits after every separator in {names}: read with a decimal {decimal} (--decimal says otherwise)"
            )),
        }
    };
    kinds.into_iter().filter_map(note).collect()
}

impl Days {
    /// The values of a quantity, to be changed, if it was read.
    pub fn series_mut(&mut self, quantity: Quantity) -> Option<&mut Vec<f64>> {
        let mut series = self.series.iter_mut();
        series
            .find(|series| series.quantity == quantity)
            .map(|series| &mut series.values)
    }

    /// A quantity, if it was read.
    pub fn series(&self, quantity: Quantity) -> Option<&Series> {
        self.series.iter().find(|s| s.quantity == quantity)
    }

    /// The place of day number `day` in the file.
    pub fn at<'a>(&self, path: &'a Path, day: usize, column: &'a str) -> At<'a> {
        At {
            file: path,
            row: self.rows[day],
            column,
            date: Some(self.dates[day]),
        }
    }

    /// Turns a file round whose rows all descend in time, as those of many vendors do.
    fn turn(&mut self) {
        /// Fewer rows than this may be out of order by mistake.
        const FEWEST: usize = 3;
        let descending = self.dates.windows(2).all(|pair| pair[1] <= pair[0]);
        let (first, last) = (self.dates.first(), self.dates.last());
        if self.dates.len() < FEWEST || !descending || first == last {
            return;
        }
        self.dates.reverse();
        self.rows.reverse();
        let series = self.series.iter_mut();
        series.for_each(|series| series.values.reverse());
        self.notes.push("rows descend in time".into());
    }

    fn sort(&mut self, path: &Path, defects: &mut Defects) {
        let mut sorted = true;
        for i in 1..self.dates.len() {
            let (before, date) = (self.dates[i - 1], self.dates[i]);
            if date < before {
                sorted = false;
                defects.add(Kind::Order, self.at(path, i, &self.date_column), || {
                    format!("dates must ascend, {date} follows {before}")
                });
            }
        }
        if sorted {
            return;
        }
        let mut order: Vec<usize> = (0..self.dates.len()).collect();
        order.sort_by_key(|&i| self.dates[i]);
        self.dates = order.iter().map(|&i| self.dates[i]).collect();
        self.rows = order.iter().map(|&i| self.rows[i]).collect();
        for series in &mut self.series {
            series.values = order.iter().map(|&i| series.values[i]).collect();
        }
    }

    /// Rows of one date become one day.
    fn merge(&mut self, path: &Path, defects: &mut Defects) {
        let mut kept = 0;
        for i in 0..self.dates.len() {
            if i == 0 || self.dates[i] != self.dates[kept - 1] {
                self.dates[kept] = self.dates[i];
                self.rows[kept] = self.rows[i];
                for series in &mut self.series {
                    series.values[kept] = series.values[i];
                }
                kept += 1;
                continue;
            }
            let (date, row) = (self.dates[i], self.rows[kept - 1]);
            let at = self.at(path, i, &self.date_column);
            defects.add(Kind::Duplicates, at, || {
                format!("date {date} repeats that of row {}", row + 1)
            });
            self.rows[kept - 1] = self.rows[i];
            for series in &mut self.series {
                let next = series.values[i];
                let day = &mut series.values[kept - 1];
                *day = match series.quantity {
                    Quantity::Open => *day,
                    Quantity::High => day.max(next),
                    Quantity::Low => day.min(next),
                    Quantity::Volume => *day + next,
                    Quantity::Close
                    | Quantity::ImpliedVolatility
                    | Quantity::Variance
                    | Quantity::Rate
                    | Quantity::Factor(_) => next,
                };
            }
        }
        self.dates.truncate(kept);
        self.rows.truncate(kept);
        self.series
            .iter_mut()
            .for_each(|series| series.values.truncate(kept));
    }

    /// A high below, or a low above, the day's open or close.
    fn check_ranges(&mut self, path: &Path, defects: &mut Defects) {
        for (edge, sign) in [(Quantity::High, 1.0), (Quantity::Low, -1.0)] {
            let Some(column) = self.series(edge).map(|series| series.column.clone()) else {
                continue;
            };
            for other in [Quantity::Open, Quantity::Close] {
                let Some(inner) = self.series(other).map(|series| series.values.clone()) else {
                    continue;
                };
                for (day, inner) in inner.into_iter().enumerate() {
                    let at = self.at(path, day, &column);
                    let values = self.series_mut(edge).expect("the column was found above");
                    let value = &mut values[day];
                    if sign * *value >= sign * inner {
                        continue;
                    }
                    let side = if sign > 0.0 { "below" } else { "above" };
                    let shown = *value;
                    let repaired = defects.add(Kind::Ranges, at, || {
                        let (edge, other) = (edge.label(), other.label());
                        format!("{edge} {shown} lies {side} the {other} {inner}")
                    });
                    if repaired {
                        *value = inner;
                    }
                }
            }
        }
    }
}
