//! A stretch of rows of a file, column by column, as quotes.

use super::chain::OptionQuote;
use super::words::Words;
use crate::calibration::surface::columns::Field;
use crate::contract::OptionKind;
use crate::error::excerpt;
use crate::market::history::Decimal;
use crate::market::history::number::{self, Read};
use crate::market::table::Cells;
use std::ops::Range;

/// The columns of a piece of a file.
pub struct Columns<'a> {
    /// The cells by what they hold.
    pub cells: Vec<(Field, &'a Cells)>,
    /// What separates decimals.
    pub decimal: Decimal,
    /// What strikes are divided by.
    pub strike_unit: f64,
    /// The underlying whose options are taken; that of all, if none.
    pub underlying: Option<&'a str>,
}

/// A cell that cannot be read.
pub struct Fault {
    /// Its row, from 0.
    pub row: usize,
    /// What the column holds.
    pub field: Field,
    /// What is wrong.
    pub what: String,
}

/// What stands in a stretch of rows.
#[derive(Default)]
pub struct Stretch {
    /// Dates as they are written, of quotes and of expiries.
    pub dates: Words,
    /// Roots of symbols.
    pub roots: Words,
    /// Names of underlyings that were taken.
    pub underlyings: Words,
    /// Quotes by the place of the day of quoting among the dates. That of expiry, or the days until it, stands in [`OptionQuote::expiry`].
    pub groups: Vec<(u32, Vec<OptionQuote>)>,
    /// Options of rows that lack a date, an expiry, a strike or the word call or put.
    pub blank: usize,
    /// Rows of other underlyings.
    pub other: usize,
}

impl Columns<'_> {
    fn of(&self, field: Field) -> Option<&Cells> {
        let mut cells = self.cells.iter();
        cells.find(|(of, _)| *of == field).map(|(_, cells)| *cells)
    }

    /// The numbers of a field, NaN where a cell is blank; nothing without the column.
    fn numbers(&self, field: Field, rows: &Range<usize>, first: usize) -> Result<Vec<f64>, Fault> {
        let Some(cells) = self.of(field) else {
            return Ok(Vec::new());
        };
        let fault = |place: usize, what: String| Fault {
            row: first + rows.start + place,
            field,
            what,
        };
        match cells.part(rows.clone()) {
            Cells::Text(cells) => {
                let mut values = Vec::with_capacity(rows.len());
                for (place, cell) in cells.iter().enumerate() {
                    values.push(
                        match cell.map_or(Read::Blank, |c| number::read(c, self.decimal)) {
                            Read::Number(value) if value.is_finite() => value,
                            Read::Number(_) | Read::Blank => f64::NAN,
                            Read::Other => {
                                let shown = excerpt(cell.unwrap_or_default().trim());
                                return Err(fault(
                                    place,
                                    format!("must be a number, was \"{shown}\""),
                                ));
                            }
                        },
                    );
                }
                Ok(values)
            }
            Cells::Numbers(cells) => Ok(cells
                .into_iter()
                .map(|cell| cell.filter(|value| value.is_finite()).unwrap_or(f64::NAN))
                .collect()),
            Cells::Dates(_) => Err(fault(0, "holds dates, expected numbers".into())),
        }
    }

    /// What `read` makes of the words of a field, which are asked for again only where they change.
    fn words<T: Copy>(
        &self,
        field: Field,
        rows: &Range<usize>,
        mut read: impl FnMut(&str, usize) -> Result<T, String>,
        first: usize,
    ) -> Result<Vec<T>, Fault> {
        let Some(cells) = self.of(field) else {
            return Ok(Vec::new());
        };
        let mut values: Vec<T> = Vec::with_capacity(rows.len());
        let mut last = String::new();
        let mut push = |word: &str, place: usize| -> Result<(), Fault> {
            let word = word.trim();
            let known = values.last().copied().filter(|_| word == last);
            let row = first + rows.start + place;
            let value = match known {
                Some(value) => value,
                None => read(word, row).map_err(|what| Fault { row, field, what })?,
            };
            if known.is_none() {
                last.clear();
                last.push_str(word);
            }
            values.push(value);
            Ok(())
        };
        match cells.part(rows.clone()) {
            Cells::Text(cells) => {
                for (place, cell) in cells.iter().enumerate() {
                    push(cell.unwrap_or_default(), place)?;
                }
            }
            Cells::Numbers(cells) => {
                for (place, cell) in cells.into_iter().enumerate() {
                    push(
                        &cell.map_or(String::new(), |number| number.to_string()),
                        place,
                    )?;
                }
            }
            Cells::Dates(cells) => {
                for (place, cell) in cells.local.into_iter().enumerate() {
                    push(
                        &cell.map_or(String::new(), |instant| instant.to_string()),
                        place,
                    )?;
                }
            }
        }
        Ok(values)
    }

    /// The quotes of `rows`; `first` is the row of the file at which the columns begin.
    ///
    /// # Errors
    /// The first cell that cannot be read.
    pub fn read(&self, rows: Range<usize>, first: usize) -> Result<Stretch, Fault> {
        let mut found = Stretch::default();
        let expiry = match self.of(Field::ExpiryDate) {
            Some(_) => Field::ExpiryDate,
            None => Field::Expiry,
        };
        let place = |words: &mut Words, word: &str, row: usize| match number::is_blank(word) {
            true => None,
            false => Some(words.place(word, row)),
        };
        let dates = &mut found.dates;
        let days = self.words(Field::Date, &rows, |w, row| Ok(place(dates, w, row)), first)?;
        let dates = &mut found.dates;
        let mut expiries = self.words(expiry, &rows, |w, row| Ok(place(dates, w, row)), first)?;
        if expiries.is_empty() {
            let days = self.numbers(Field::ExpiryDays, &rows, first)?;
            let whole = |days: f64| days.is_finite().then_some(days.round() as i32 as u32);
            expiries = days.into_iter().map(whole).collect();
        }
        let roots = &mut found.roots;
        let root = |word: &str, row: usize| {
            // OptionMetrics writes the whole symbol, whose first word is the root.
            let root = word.split_whitespace().next().unwrap_or_default();
            Ok(roots.place(root, row) as u16)
        };
        let roots = self.words(Field::Root, &rows, root, first)?;
        let underlyings = &mut found.underlyings;
        let taken = |word: &str, row: usize| {
            let name = underlying(word);
            let taken = self.underlying.is_none_or(|wanted| wanted == name);
            if taken && !name.is_empty() {
                underlyings.place(&name, row);
            }
            Ok(taken)
        };
        let taken = self.words(Field::Underlying, &rows, taken, first)?;
        let kinds = self.words(Field::Kind, &rows, |w, _| kind(w), first)?;
        let mornings = self.words(Field::Settlement, &rows, |w, _| morning(w), first)?;
        let number = |field: Field| self.numbers(field, &rows, first);
        let strikes = number(Field::Strike)?;
        let times = number(Field::Time)?;
        let (spots, below, above) = (
            number(Field::Spot)?,
            number(Field::SpotBid)?,
            number(Field::SpotAsk)?,
        );
        let (rates, dividends) = (number(Field::Rate)?, number(Field::Dividend)?);
        let long = [
            number(Field::Bid)?,
            number(Field::Ask)?,
            number(Field::Volatility)?,
        ];
        let calls = [
            number(Field::CallBid)?,
            number(Field::CallAsk)?,
            number(Field::CallVolatility)?,
        ];
        let puts = [
            number(Field::PutBid)?,
            number(Field::PutAsk)?,
            number(Field::PutVolatility)?,
        ];
        let at = |values: &[f64], row: usize| values.get(row).copied().unwrap_or(f64::NAN);
        let some = |side: &[Vec<f64>; 3]| side.iter().any(|column| !column.is_empty());
        let wide = some(&calls) || some(&puts);
        let sides = usize::from(some(&calls)) + usize::from(some(&puts));
        for row in 0..rows.len() {
            if !taken.get(row).copied().unwrap_or(true) {
                found.other += 1;
                continue;
            }
            let strike = at(&strikes, row) / self.strike_unit;
            let kind = kinds.get(row).copied().unwrap_or(Some(OptionKind::Call));
            let (Some(day), Some(Some(expiry)), true, true) = (
                days.get(row).copied().flatten(),
                expiries.get(row).copied(),
                strike > 0.0,
                wide || kind.is_some(),
            ) else {
                found.blank += if wide { sides } else { 1 };
                continue;
            };
            let spot = match (at(&spots, row), at(&below, row), at(&above, row)) {
                (spot, ..) if spot > 0.0 => spot,
                (_, below, above) if below > 0.0 && above > 0.0 => 0.5 * (below + above),
                _ => f64::NAN,
            };
            let quote = |kind: OptionKind, [bid, ask, volatility]: &[Vec<f64>; 3]| {
                let volatility = at(volatility, row);
                OptionQuote {
                    strike,
                    bid: at(bid, row),
                    ask: at(ask, row),
                    spot,
                    // −99.99 and 0 stand for none.
                    volatility: if volatility > 0.0 {
                        volatility as f32
                    } else {
                        f32::NAN
                    },
                    time: at(&times, row) as f32,
                    rate: at(&rates, row) as f32,
                    dividend: at(&dividends, row) as f32,
                    expiry: expiry as i32,
                    root: roots.get(row).copied().unwrap_or(0),
                    kind,
                    morning: mornings.get(row).copied().unwrap_or(false),
                }
            };
            if found.groups.last().is_none_or(|(last, _)| *last != day) {
                found.groups.push((day, Vec::new()));
            }
            let Some((_, group)) = found.groups.last_mut() else {
                continue;
            };
            if !wide {
                group.extend(kind.map(|kind| quote(kind, &long)));
                continue;
            }
            if some(&calls) {
                group.push(quote(OptionKind::Call, &calls));
            }
            if some(&puts) {
                group.push(quote(OptionKind::Put, &puts));
            }
        }
        Ok(found)
    }
}

/// The name of an underlying without the marks of an index, in capitals: `^SPX` and `$spx` are `SPX`.
pub fn underlying(word: &str) -> String {
    let name = word.trim().trim_start_matches(['^', '$', '.', '_']);
    name.to_uppercase()
}

fn kind(word: &str) -> Result<Option<OptionKind>, String> {
    let is = |names: &[&str]| names.iter().any(|name| word.eq_ignore_ascii_case(name));
    if is(&["c", "call", "calls"]) {
        Ok(Some(OptionKind::Call))
    } else if is(&["p", "put", "puts"]) {
        Ok(Some(OptionKind::Put))
    } else if number::is_blank(word) {
        Ok(None)
    } else {
        Err(format!("must be C or P, was \"{}\"", excerpt(word)))
    }
}

fn morning(word: &str) -> Result<bool, String> {
    let is = |names: &[&str]| names.iter().any(|name| word.eq_ignore_ascii_case(name));
    if is(&["1", "am", "a", "true"]) {
        Ok(true)
    } else if is(&["0", "pm", "p", "false"]) || number::is_blank(word) {
        Ok(false)
    } else {
        Err(format!(
            "must be am or pm, 1 or 0, was \"{}\"",
            excerpt(word)
        ))
    }
}
