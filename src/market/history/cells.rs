//! The cells of a price file as dates and values; what cannot be read is a defect of its row.

use super::columns::Quantity;
use super::date::{self, Cell, Clock, Count, DateFormat, Order};
use super::decimal::Decimal;
use super::defects::{At, Defects, Kind};
use super::number::{self, Evidence, Read};
use crate::error::{Result, excerpt};
use crate::market::table::{Cells, Instants, Texts, refuse, refuse_row};
use chrono::NaiveDate;
use std::path::Path;

/// A column of dates.
#[derive(Debug, Default)]
pub struct Dates {
    /// None where a cell is defective.
    pub dates: Vec<Option<NaiveDate>>,
    /// The times of day that stand beside the dates.
    pub clocks: Clocks,
    /// How they were read, if it is more than year-month-day.
    pub note: Option<String>,
}

/// The times of day of a column.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Clocks {
    /// The first distinct ones, in seconds since midnight.
    pub times: Vec<u32>,
    /// Whether some dates have no time of day.
    pub untimed: bool,
}

impl Clocks {
    /// More distinct times than this say nothing.
    const MOST: usize = 3;

    fn see(&mut self, clock: Clock) {
        match clock {
            None => self.untimed = true,
            Some(time) if self.times.len() < Self::MOST && !self.times.contains(&time) => {
                self.times.push(time);
            }
            Some(_) => {}
        }
    }

    fn and(&mut self, other: &Self) {
        self.untimed |= other.untimed;
        other.times.iter().for_each(|time| self.see(Some(*time)));
    }
}

/// Where a column stands, for messages.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The file.
    pub file: &'a Path,
    /// The column as the file spells it.
    pub column: &'a str,
}

impl<'a> Place<'a> {
    fn at(self, row: usize, date: Option<NaiveDate>) -> At<'a> {
        At {
            file: self.file,
            row,
            column: self.column,
            date,
        }
    }
}

/// Reads a column of dates.
///
/// # Errors
/// [`crate::Error::Input`] if the order of day and month is open.
pub fn dates(
    place: Place<'_>,
    cells: &Cells,
    format: Option<&DateFormat>,
    defects: &mut Defects,
) -> Result<Dates> {
    match cells {
        Cells::Text(cells) => match format {
            Some(DateFormat::Pattern(pattern)) => Ok(by_pattern(place, cells, pattern, defects)),
            format => from_text(place, cells, format, defects),
        },
        Cells::Numbers(cells) => Ok(from_numbers(place, cells, format, defects)),
        Cells::Dates(Instants { local, timed }) => {
            let mut read = Dates::default();
            read.dates.reserve(local.len());
            for (row, instant) in local.iter().enumerate() {
                match instant {
                    Some(instant) if *timed => {
                        read.clocks.see(Some(date::seconds_of(instant.time())));
                    }
                    Some(_) => read.clocks.untimed = true,
                    None => {
                        defects.add(Kind::Dates, place.at(row, None), || BLANK.into());
                    }
                }
                read.dates.push(instant.map(|instant| instant.date()));
            }
            Ok(read)
        }
    }
}

const BLANK: &str = "date is blank";

fn no_date(shown: &str) -> String {
    let shown = excerpt(shown);
    format!("date must be such as 2020-01-31 or as --date-format says, was \"{shown}\"")
}

fn by_pattern(place: Place<'_>, cells: &Texts, pattern: &str, defects: &mut Defects) -> Dates {
    let stretches = cells.stretches(|_, cells| {
        let read = |cell: Option<&str>| date::by_pattern(cell.unwrap_or_default(), pattern);
        cells.map(read).collect::<Vec<_>>()
    });
    let mut read = Dates {
        note: Some(format!("dates as {}", excerpt(pattern))),
        ..Dates::default()
    };
    for (row, cell) in stretches.into_iter().flatten().enumerate() {
        match cell {
            Some((_, clock)) => read.clocks.see(clock),
            None => {
                let shown = excerpt(cells.get(row).unwrap_or_default().trim());
                let what = || match shown.is_empty() {
                    true => BLANK.to_string(),
                    false => format!("date must be as --date-format says, was \"{shown}\""),
                };
                defects.add(Kind::Dates, place.at(row, None), what);
            }
        }
        read.dates.push(cell.map(|(date, _)| date));
    }
    read
}

/// Cells of text: most say by themselves which day they are; the others wait for what all cells say together.
fn from_text(
    place: Place<'_>,
    cells: &Texts,
    format: Option<&DateFormat>,
    defects: &mut Defects,
) -> Result<Dates> {
    let stretches = cells.stretches(|first, cells| {
        let (mut dates, mut open, mut clocks) = (Vec::new(), Vec::new(), Clocks::default());
        for (place, cell) in cells.enumerate() {
            let cell = cell.map_or(Cell::Blank, date::cell);
            dates.push(match cell {
                Cell::Day(date, clock) => {
                    clocks.see(clock);
                    Some(date)
                }
                _ => {
                    open.push((first + place, cell));
                    None
                }
            });
        }
        (dates, open, clocks)
    });
    let mut read = Dates::default();
    let mut open = Vec::new();
    for (dates, others, clocks) in stretches {
        read.dates.extend(dates);
        open.extend(others);
        read.clocks.and(&clocks);
    }
    if open.is_empty() {
        return Ok(read);
    }
    let order = match format {
        Some(DateFormat::Order(order)) => Some(*order),
        _ => order(place, cells, &open)?,
    };
    let numbers = open.iter().filter_map(|(_, cell)| match cell {
        Cell::Number(number) => Some(*number),
        _ => None,
    });
    let count = count(numbers, format);
    for (row, cell) in open {
        let date = match cell {
            Cell::Open {
                first,
                second,
                year,
                clock,
                ..
            } => {
                let date = match order {
                    Some(Order::Day) => NaiveDate::from_ymd_opt(year, second, first),
                    Some(Order::Month) => NaiveDate::from_ymd_opt(year, first, second),
                    Some(Order::Year) | None => None,
                };
                date.map(|date| (date, clock))
            }
            Cell::Number(number) => count.and_then(|count| count.instant(number)),
            Cell::Day(date, clock) => Some((date, clock)),
            Cell::Blank | Cell::Other => None,
        };
        if let Some((date, clock)) = date {
            read.clocks.see(clock);
            read.dates[row] = Some(date);
            continue;
        }
        defects.add(Kind::Dates, place.at(row, None), || {
            let shown = cells.get(row).unwrap_or_default().trim();
            match (cell, order) {
                (Cell::Blank, _) => BLANK.to_string(),
                (Cell::Open { .. }, Some(order)) => {
                    let order = order.words();
                    format!(
                        "date must be {order} like the others, was \"{}\"",
                        excerpt(shown)
                    )
                }
                _ => no_date(shown),
            }
        });
    }
    read.note = order
        .map(Order::words)
        .or(count.map(Count::words))
        .map(|words| format!("dates as {words}"));
    Ok(read)
}

/// The order of day and month in dates such as 03/04/2018: that of most dates whose day is above 12, or the day first
/// where points separate; none if there is no such date.
fn order(place: Place<'_>, cells: &Texts, open: &[(usize, Cell)]) -> Result<Option<Order>> {
    let (mut days, mut months, mut either) = (0, 0, None);
    for (row, cell) in open {
        let &Cell::Open {
            first,
            second,
            dotted,
            ..
        } = cell
        else {
            continue;
        };
        match (first > 12, second > 12) {
            (true, false) => days += 1,
            (false, true) => months += 1,
            // The third of March is that in either order.
            _ => either = either.or(Some((*row, dotted)).filter(|_| first != second)),
        }
    }
    Ok(match (days, months, either) {
        (0, 0, None) => {
            let equal = open
                .iter()
                .any(|(_, cell)| matches!(cell, Cell::Open { .. }));
            equal.then_some(Order::Day)
        }
        (0, 0, Some((_, true))) => Some(Order::Day),
        (0, 0, Some((row, false))) => {
            let shown = excerpt(cells.get(row).unwrap_or_default().trim());
            let what = format!(
                "date \"{shown}\" may be day/month or month/day, and no other one settles it: --date-format dmy or mdy"
            );
            return Err(refuse_row(place.file, row, place.column, &what));
        }
        (days, months, _) if days >= months => Some(Order::Day),
        _ => Some(Order::Month),
    })
}

fn count(numbers: impl Iterator<Item = f64>, format: Option<&DateFormat>) -> Option<Count> {
    if let Some(DateFormat::Count(count)) = format {
        return Some(*count);
    }
    let (mut least, mut greatest) = (f64::INFINITY, f64::NEG_INFINITY);
    for number in numbers.filter(|number| number.is_finite()) {
        least = least.min(number);
        greatest = greatest.max(number);
    }
    if least > greatest {
        return None;
    }
    Count::of(least, greatest)
}

fn from_numbers(
    place: Place<'_>,
    cells: &[Option<f64>],
    format: Option<&DateFormat>,
    defects: &mut Defects,
) -> Dates {
    let count = count(cells.iter().copied().flatten(), format);
    let mut read = Dates {
        note: count.map(|count| format!("dates as {}", count.words())),
        ..Dates::default()
    };
    for (row, cell) in cells.iter().enumerate() {
        let instant = cell.and_then(|number| count?.instant(number));
        match instant {
            Some((_, clock)) => read.clocks.see(clock),
            None => {
                let what = || match cell {
                    Some(number) => no_date(&number.to_string()),
                    None => BLANK.to_string(),
                };
                defects.add(Kind::Dates, place.at(row, None), what);
            }
        }
        read.dates.push(instant.map(|(date, _)| date));
    }
    read
}

/// What separates the decimals of a column, and whether that was presumed rather than seen.
///
/// # Errors
/// [`crate::Error::Input`] if it is open.
pub fn decimal(
    place: Place<'_>,
    quantity: Quantity,
    cells: &Texts,
    own: Evidence,
    others: Evidence,
    separator: Option<u8>,
) -> Result<(Decimal, bool)> {
    if let Some(decimal) = own.decided() {
        return Ok((decimal, false));
    }
    if own.open_point + own.open_comma == 0 {
        return Ok((Decimal::Point, false));
    }
    let mixed = own.open_point > 0 && own.open_comma > 0;
    // The other columns of the file; volumes are whole numbers; a point is what programs write.
    let by_others = others.decided();
    let by_kind = (quantity == Quantity::Volume).then_some(match own.open_point {
        0 => Decimal::Point,
        _ => Decimal::Comma,
    });
    let plain = own.open_comma == 0 && separator != Some(b';');
    let by_form = plain.then_some(Decimal::Point);
    let decided = by_others.or(by_kind).or(by_form).filter(|_| !mixed);
    if let Some(decimal) = decided {
        return Ok((decimal, true));
    }
    let open = |cell: Option<&str>| cell.is_some_and(|cell| cell.contains(['.', ',']));
    let row = cells.iter().position(open).unwrap_or(0);
    let shown = excerpt(cells.get(row).unwrap_or_default().trim());
    let what = format!(
        "\"{shown}\" may have decimals or thousands, and no other cell settles it: --decimal point or comma"
    );
    Err(refuse_row(place.file, row, place.column, &what))
}

/// Reads a column of values: NaN where a cell is defective, or where its row has no date.
///
/// # Errors
/// [`crate::Error::Input`] for a column of dates.
pub fn values(
    place: Place<'_>,
    quantity: Quantity,
    cells: &Cells,
    decimal: Decimal,
    dates: &[Option<NaiveDate>],
    defects: &mut Defects,
) -> Result<Vec<f64>> {
    let noun = quantity.noun();
    let issue = |read: Read| match read {
        Read::Number(value) if quantity.admits(value).0 => Ok(value),
        other => Err(other),
    };
    let mut values = Vec::with_capacity(dates.len());
    let mut issues: Vec<(usize, Read)> = Vec::new();
    match cells {
        Cells::Numbers(cells) => {
            for (row, cell) in cells.iter().enumerate() {
                let read = issue(cell.map_or(Read::Blank, Read::Number));
                values.push(read.unwrap_or_else(|read| {
                    issues.push((row, read));
                    f64::NAN
                }));
            }
        }
        Cells::Text(cells) => {
            let stretches = cells.stretches(|first, cells| {
                let mut issues = Vec::new();
                let read = cells.enumerate().map(|(place, cell)| {
                    let read = cell.map_or(Read::Blank, |cell| number::read(cell, decimal));
                    issue(read).unwrap_or_else(|read| {
                        issues.push((first + place, read));
                        f64::NAN
                    })
                });
                let values: Vec<f64> = read.collect();
                (values, issues)
            });
            for (read, found) in stretches {
                values.extend(read);
                issues.extend(found);
            }
        }
        Cells::Dates(_) => {
            let column = excerpt(place.column);
            let what = format!("column \"{column}\" holds dates, expected prices");
            return Err(refuse(place.file, &what));
        }
    }
    for (row, read) in issues {
        let Some(date) = dates[row] else {
            values[row] = f64::NAN;
            continue;
        };
        let kind = match read {
            Read::Number(value) if !value.is_nan() => Kind::Prices,
            _ => Kind::Blanks,
        };
        let shown = || match (cells, read) {
            (Cells::Text(cells), _) => excerpt(cells.get(row).unwrap_or_default().trim()),
            (_, Read::Number(value)) => value.to_string(),
            _ => String::new(),
        };
        let bound = quantity.admits(f64::NAN).1;
        defects.add(kind, place.at(row, Some(date)), || match read {
            Read::Blank => format!("{noun} is blank"),
            Read::Number(_) => format!("{noun} must be {bound}, was {}", shown()),
            Read::Other if quantity.is_of_surfaces() => {
                format!("{noun} must be a number, was \"{}\"", shown())
            }
            Read::Other => format!("{noun} must be a number above 0, was \"{}\"", shown()),
        });
    }
    Ok(values)
}
