//! One price file as days in ascending order, with every defect on the way.

use super::columns::{DATE_NAMES, Quantity};
use super::date;
use super::defects::{Defects, Kind, Repairs};
use crate::error::Result;
use crate::market::table::{self, Cells, find_column, missing_column, refuse};
use chrono::NaiveDate;
use std::path::Path;

/// The clean days of one file.
pub struct Days {
    pub dates: Vec<NaiveDate>,
    /// The data row, from 0, in which each day ends.
    pub rows: Vec<usize>,
    pub date_column: String,
    pub series: Vec<Series>,
    /// Rows of the file.
    pub height: usize,
}

/// One column of [`Days`].
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    pub quantity: Quantity,
    /// The column as the file spells it.
    pub column: String,
    pub values: Vec<f64>,
}

/// Reads those `wanted` quantities that the file has.
///
/// # Errors
/// Those of a file as a whole; defects of rows are added to `defects` and left out.
pub fn read(
    path: &Path,
    wanted: &[Quantity],
    repairs: &Repairs,
    defects: &mut Defects,
) -> Result<Days> {
    let mut date_column = String::new();
    let mut columns: Vec<(Quantity, String)> = Vec::new();
    let table = table::read(path, |names| {
        date_column = find_column(path, names, "date", &DATE_NAMES)?
            .ok_or_else(|| missing_column(path, names, "date", &DATE_NAMES))?;
        for &quantity in wanted {
            match find_column(path, names, quantity.label(), quantity.names())? {
                Some(column) => columns.push((quantity, column)),
                None if quantity == Quantity::Close => {
                    return Err(missing_column(
                        path,
                        names,
                        quantity.label(),
                        quantity.names(),
                    ));
                }
                None => {}
            }
        }
        let mut chosen = vec![date_column.clone()];
        chosen.extend(columns.iter().map(|(_, column)| column.clone()));
        Ok(chosen)
    })?;
    let dates = dates(
        path,
        &date_column,
        table.cells(path, &date_column)?,
        defects,
    )?;
    let height = table.rows();
    let mut series = Vec::new();
    for (quantity, column) in columns {
        let cells = table.cells(path, &column)?;
        let values = values(path, quantity, &column, cells, defects)?;
        series.push(Series {
            quantity,
            column,
            values,
        });
    }
    let kept: Vec<usize> = (0..height)
        .filter(|&row| dates[row].is_some() && series.iter().all(|s| !s.values[row].is_nan()))
        .collect();
    let mut days = Days {
        dates: kept.iter().filter_map(|&row| dates[row]).collect(),
        rows: kept,
        date_column,
        series,
        height,
    };
    for series in &mut days.series {
        series.values = days.rows.iter().map(|&row| series.values[row]).collect();
    }
    days.sort(path, defects);
    days.merge(path, defects);
    days.check_ranges(path, repairs, defects);
    days.check_moves(path, repairs, defects);
    Ok(days)
}

fn dates(
    path: &Path,
    column: &str,
    cells: Cells,
    defects: &mut Defects,
) -> Result<Vec<Option<NaiveDate>>> {
    let mut refuse_row = |row: usize, what: String| {
        defects.add(Kind::Dates, path, row, column, || what);
        None
    };
    Ok(match cells {
        Cells::Text(cells) => cells
            .iter()
            .enumerate()
            .map(|(row, cell)| date::parse(cell).map_or_else(|what| refuse_row(row, what), Some))
            .collect(),
        Cells::Dates(cells) => cells
            .into_iter()
            .enumerate()
            .map(|(row, cell)| cell.or_else(|| refuse_row(row, "date is blank".into())))
            .collect(),
        Cells::Numbers(_) => {
            return Err(refuse(
                path,
                &format!("column \"{column}\" holds numbers, expected dates"),
            ));
        }
    })
}

/// The values of a column, NaN where a cell is defective.
fn values(
    path: &Path,
    quantity: Quantity,
    column: &str,
    cells: Cells,
    defects: &mut Defects,
) -> Result<Vec<f64>> {
    let noun = quantity.noun();
    let mut check = |row: usize, value: Option<f64>, shown: &str| {
        let Some(value) = value else {
            let what = || format!("{noun} is blank");
            defects.add(Kind::Blanks, path, row, column, what);
            return f64::NAN;
        };
        let (admitted, bound) = quantity.admits(value);
        if admitted {
            return value;
        }
        let kind = if value.is_nan() {
            Kind::Blanks
        } else {
            Kind::Prices
        };
        defects.add(kind, path, row, column, || {
            let shown = if shown.is_empty() {
                value.to_string()
            } else {
                shown.to_string()
            };
            format!("{noun} must be {bound}, was {shown}")
        });
        f64::NAN
    };
    let cells = match cells {
        Cells::Numbers(cells) => cells
            .into_iter()
            .enumerate()
            .map(|(row, cell)| check(row, cell, ""))
            .collect(),
        Cells::Text(cells) => {
            let mut values = Vec::with_capacity(cells.len());
            let mut unread = Vec::new();
            for (row, cell) in cells.iter().enumerate() {
                let text = cell.map(str::trim).unwrap_or_default();
                // As in files from Nasdaq.
                let digits = text.strip_prefix('$').unwrap_or(text);
                values.push(match digits.parse::<f64>() {
                    Ok(value) => check(row, Some(value), text),
                    Err(_) if text.is_empty() => check(row, None, text),
                    Err(_) => {
                        unread.push((row, text));
                        f64::NAN
                    }
                });
            }
            for (row, text) in unread {
                let what = || format!("{noun} must be a number above 0, was \"{text}\"");
                defects.add(Kind::Blanks, path, row, column, what);
            }
            values
        }
        Cells::Dates(_) => {
            return Err(refuse(
                path,
                &format!("column \"{column}\" holds dates, expected prices"),
            ));
        }
    };
    Ok(cells)
}

/// More calendar days than this between two rows are a gap; the longest closure of the New York Stock Exchange since
/// 1933 lasted seven.
const LONGEST_CLOSURE: i64 = 10;

/// A move beyond this ratio, up or down, in one day is no market's ordinary one.
const JUMP: f64 = 1.4;

/// Ratios of common splits.
const SPLITS: [f64; 12] = [
    1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 15.0, 20.0, 50.0,
];

/// The ratio of the split that a move by `ratio` looks like: within 10 % of one, which a day's return may add.
fn split(ratio: f64) -> Option<f64> {
    SPLITS
        .into_iter()
        .flat_map(|split| [split, 1.0 / split])
        .map(|split| (split, (ratio / split).ln().abs()))
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .filter(|(_, distance)| *distance < 0.1)
        .map(|(split, _)| split)
}

impl Days {
    fn series_mut(&mut self, quantity: Quantity) -> Option<&mut Vec<f64>> {
        let mut series = self.series.iter_mut();
        series
            .find(|series| series.quantity == quantity)
            .map(|series| &mut series.values)
    }

    fn series(&self, quantity: Quantity) -> Option<&Series> {
        self.series.iter().find(|s| s.quantity == quantity)
    }

    fn sort(&mut self, path: &Path, defects: &mut Defects) {
        let mut sorted = true;
        for i in 1..self.dates.len() {
            let (before, date) = (self.dates[i - 1], self.dates[i]);
            if date < before {
                sorted = false;
                defects.add(Kind::Order, path, self.rows[i], &self.date_column, || {
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
            defects.add(
                Kind::Duplicates,
                path,
                self.rows[i],
                &self.date_column,
                || format!("date {date} repeats that of row {}", row + 1),
            );
            self.rows[kept - 1] = self.rows[i];
            for series in &mut self.series {
                let next = series.values[i];
                let day = &mut series.values[kept - 1];
                *day = match series.quantity {
                    Quantity::Open => *day,
                    Quantity::High => day.max(next),
                    Quantity::Low => day.min(next),
                    Quantity::Volume => *day + next,
                    Quantity::Close | Quantity::ImpliedVolatility | Quantity::Variance => next,
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
    fn check_ranges(&mut self, path: &Path, repairs: &Repairs, defects: &mut Defects) {
        for (edge, sign) in [(Quantity::High, 1.0), (Quantity::Low, -1.0)] {
            let Some(column) = self.series(edge).map(|series| series.column.clone()) else {
                continue;
            };
            for other in [Quantity::Open, Quantity::Close] {
                let Some(inner) = self.series(other).map(|series| series.values.clone()) else {
                    continue;
                };
                let rows = std::mem::take(&mut self.rows);
                let values = self.series_mut(edge).expect("the column was found above");
                for (i, (value, inner)) in values.iter_mut().zip(inner).enumerate() {
                    if sign * *value < sign * inner {
                        let side = if sign > 0.0 { "below" } else { "above" };
                        defects.add(Kind::Ranges, path, rows[i], &column, || {
                            let (edge, other) = (edge.label(), other.label());
                            format!("{edge} {value} lies {side} the {other} {inner}")
                        });
                        if repairs.contains(Kind::Ranges) {
                            *value = inner;
                        }
                    }
                }
                self.rows = rows;
            }
        }
    }

    /// Gaps between days, and moves of the close that no ordinary day makes.
    fn check_moves(&mut self, path: &Path, repairs: &Repairs, defects: &mut Defects) {
        for i in 1..self.dates.len() {
            let (before, date) = (self.dates[i - 1], self.dates[i]);
            let gap = (date - before).num_days();
            if gap > LONGEST_CLOSURE {
                defects.add(Kind::Gaps, path, self.rows[i], &self.date_column, || {
                    format!(
                        "{gap} days lie between {before} and {date}, at most {LONGEST_CLOSURE} may"
                    )
                });
            }
        }
        let Some(Series { column, values, .. }) = self.series(Quantity::Close).cloned() else {
            return;
        };
        for i in 1..values.len() {
            let (before, now) = (values[i - 1], values[i]);
            let ratio = before / now;
            if (1.0 / JUMP..=JUMP).contains(&ratio) {
                continue;
            }
            let split = split(ratio)
                .filter(|_| !repairs.contains(Kind::Jumps) || repairs.contains(Kind::Splits));
            let Some(split) = split else {
                defects.add(Kind::Jumps, path, self.rows[i], &column, || {
                    let percent = 100.0 * (1.0 / ratio - 1.0);
                    format!("price moves by {percent:.0} % in a day, from {before} to {now}")
                });
                continue;
            };
            defects.add(Kind::Splits, path, self.rows[i], &column, || {
                let (new, old) = if split > 1.0 {
                    (split, 1.0)
                } else {
                    (1.0, 1.0 / split)
                };
                format!("price moves from {before} to {now} in a day, like a split of {new}:{old}")
            });
            if repairs.contains(Kind::Splits) {
                for series in &mut self.series {
                    let scale = match series.quantity {
                        quantity if quantity.is_price() => 1.0 / split,
                        Quantity::Volume => split,
                        _ => continue,
                    };
                    series.values[..i]
                        .iter_mut()
                        .for_each(|value| *value *= scale);
                }
            }
        }
    }
}
