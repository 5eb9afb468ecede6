//! From the cells of a file to the quotes of a day.

use super::cells::{File, decimal};
use super::columns::{Columns, Field, Needed};
use super::{Dropped, Quote, Surface, SurfaceOptions, drops};
use crate::contract::OptionKind;
use crate::error::Result;
use crate::market::VolatilityUnit;
use crate::market::table::{self, refuse};
use chrono::NaiveDate;
use std::collections::BTreeSet;
use std::path::Path;

/// Days in a year of expiries in days (Actual/365).
const DAYS_PER_YEAR: f64 = 365.0;

/// The longest expiry in years; where the name of the column does not say that it holds years, the shorter one.
const LONGEST: f64 = 50.0;
const LONGEST_UNNAMED: f64 = 10.0;

/// What is looked for first is what a file should write.
const NEEDED: [Needed<'_>; 4] = [
    ("spot", &[Field::Spot]),
    ("strike", &[Field::Strike]),
    (
        "expiry",
        &[
            Field::ExpiryDays,
            Field::ExpiryYears,
            Field::ExpiryDate,
            Field::Expiry,
        ],
    ),
    (
        "implied volatility",
        &[
            Field::Volatility,
            Field::CallVolatility,
            Field::PutVolatility,
        ],
    ),
];

/// Heston's parameters.
const LEAST_QUOTES: usize = 5;

impl Surface {
    /// Reads a `.csv` or `.parquet` file with one quote a row: spot, strike, expiry (days, Actual/365, years or a date),
    /// implied volatility, and, unless they are zero, rate and dividend yield. Columns go by the names of
    /// [`SurfaceOptions::columns`] or by known ones, without regard to case and brackets. Where calls and puts of a
    /// strike stand in one row, the volatility is that of the option out of the money on the forward.
    ///
    /// The unit of volatilities follows [`VolatilityUnit`]. Dropped by name are rows without an implied volatility above
    /// zero, expired ones and, where there are columns of bid and ask, those without both and those whose bid is above the
    /// ask.
    ///
    /// # Errors
    /// [`crate::Error::Input`], one line naming file, row (from 1), column, value and bound: columns that are missing,
    /// quotes of several days of which none is chosen, cells that are not numbers, an implausible volatility, fewer than
    /// five quotes.
    pub fn load(path: &Path, options: &SurfaceOptions) -> Result<Self> {
        let mut columns = None;
        let table = table::read(path, |names| {
            let (given, fields) = (&options.columns, &Field::SURFACE);
            let found = Columns::find(path, names, given, fields, &Field::names)?;
            found.require(path, names, &NEEDED)?;
            let names = found.names();
            columns = Some(found);
            Ok(names)
        })?;
        let columns = columns.expect("a table is read with the columns that were chosen");
        let decimal = match options.decimal {
            Some(decimal) => decimal,
            None => decimal(path, &table, &columns)?,
        };
        let file = File {
            path,
            table,
            columns,
            decimal,
        };
        let mut rows = file.rows(options)?;
        let (volatilities, unit) = file.volatilities(&mut rows, options)?;
        let mut quotes: Vec<Quote> = Vec::new();
        let mut dropped: Vec<Dropped> = Vec::new();
        for (row, volatility) in rows.entries.into_iter().zip(volatilities) {
            match row.dropped {
                None => quotes.push(Quote {
                    implied_volatility: volatility,
                    ..row.quote
                }),
                Some(reason) => dropped.push(Dropped {
                    row: row.place + 1,
                    reason,
                }),
            }
        }
        if quotes.len() < LEAST_QUOTES {
            let what = format!(
                "five parameters need at least {LEAST_QUOTES} quotes, found {}{}",
                quotes.len(),
                drops(&dropped).map_or(String::new(), |drops| format!(", {drops}"))
            );
            return Err(refuse(path, &what));
        }
        if options.whole_weeks {
            round_to_weeks(&mut quotes);
        }
        Ok(Self {
            quotes,
            dropped,
            date: rows.date,
            unit,
        })
    }
}

/// The rows of one day.
struct Rows {
    entries: Vec<Entry>,
    date: Option<NaiveDate>,
}

struct Entry {
    /// In the file, from 0.
    place: usize,
    /// Without its volatility.
    quote: Quote,
    dropped: Option<String>,
}

impl File<'_> {
    /// The days of the quotes, and which of them are read.
    fn days(
        &self,
        options: &SurfaceOptions,
    ) -> Result<(Option<Vec<NaiveDate>>, Option<NaiveDate>)> {
        let Some(days) = self.dates(Field::Date, options.date_format.as_ref())? else {
            return Ok((None, options.date));
        };
        let distinct: BTreeSet<NaiveDate> = days.iter().copied().collect();
        let (Some(first), Some(last)) = (distinct.first(), distinct.last()) else {
            return Ok((None, options.date));
        };
        let chosen = match options.date {
            None if first == last => *first,
            None => {
                let what = format!(
                    "has quotes of {} days, {first} to {last}: --date {last} takes those of one",
                    distinct.len()
                );
                return Err(refuse(self.path, &what));
            }
            Some(date) if distinct.contains(&date) => date,
            Some(date) => {
                let what =
                    format!("--date: has no quotes of {date}, its days are {first} to {last}");
                return Err(refuse(self.path, &what));
            }
        };
        Ok((Some(days), Some(chosen)))
    }

    /// Years to expiry of every row.
    fn expiries(&self, days: Option<&[NaiveDate]>, options: &SurfaceOptions) -> Result<Vec<f64>> {
        let years = |field: Field, longest: f64, per_year: f64| -> Result<Vec<f64>> {
            let mut values = self.required(field, false, 0.0)?;
            for (row, value) in values.iter_mut().enumerate() {
                let shown = *value;
                *value /= per_year;
                if *value > longest {
                    let what = format!(
                        "expiry must be at most {longest} years, was {shown}: --columns expiry_days=COLUMN says that it is in days"
                    );
                    return Err(self.refuse(row, field, &what));
                }
            }
            Ok(values)
        };
        if self.columns.of(Field::ExpiryDays).is_some() {
            return years(Field::ExpiryDays, LONGEST, DAYS_PER_YEAR);
        }
        if options.whole_weeks {
            let what = "whole weeks need expiries in days, column expiry_days";
            return Err(refuse(self.path, what));
        }
        if self.columns.of(Field::ExpiryYears).is_some() {
            return years(Field::ExpiryYears, LONGEST, 1.0);
        }
        let field = match self.columns.of(Field::ExpiryDate) {
            Some(_) => Field::ExpiryDate,
            None if self.is_of_numbers(Field::Expiry)? => {
                return years(Field::Expiry, LONGEST_UNNAMED, 1.0);
            }
            None => Field::Expiry,
        };
        let expiry = self
            .dates(field, options.date_format.as_ref())?
            .unwrap_or_default();
        let since = |row: usize| days.map(|days| days[row]).or(options.date);
        let left = |(row, expiry): (usize, NaiveDate)| match since(row) {
            Some(day) => Ok((expiry - day).num_days() as f64 / DAYS_PER_YEAR),
            None => {
                let what = "dates of expiry need the day of the quotes: --date 2004-01-31 or --columns date=COLUMN";
                Err(refuse(self.path, what))
            }
        };
        expiry.into_iter().enumerate().map(left).collect()
    }

    /// The rows of the day that is read, with what is known but their volatilities.
    fn rows(&self, options: &SurfaceOptions) -> Result<Rows> {
        let (days, date) = self.days(options)?;
        let (spot, strike) = (
            self.required(Field::Spot, true, 0.0)?,
            self.required(Field::Strike, true, 0.0)?,
        );
        let (rate, dividend) = (
            self.required(Field::Rate, false, 0.0)?,
            self.required(Field::Dividend, false, 0.0)?,
        );
        let expiry = self.expiries(days.as_deref(), options)?;
        let of_day = |row: &usize| days.as_ref().is_none_or(|days| Some(days[*row]) == date);
        let entry = |row: usize| {
            let expired = expiry[row] <= 0.0;
            Entry {
                place: row,
                quote: Quote {
                    spot: spot[row],
                    strike: strike[row],
                    expiry: expiry[row],
                    rate: rate[row],
                    dividend: dividend[row],
                    implied_volatility: f64::NAN,
                },
                dropped: expired.then(|| "no time to expiry".to_owned()),
            }
        };
        let mut entries: Vec<Entry> = (0..self.table.rows()).filter(of_day).map(entry).collect();
        self.examine_prices(&mut entries)?;
        Ok(Rows { entries, date })
    }

    /// Drops the quotes whose market has no bid, no ask, or a bid above the ask.
    fn examine_prices(&self, entries: &mut [Entry]) -> Result<()> {
        type Side = (Option<Vec<f64>>, Option<Vec<f64>>);
        let side = |bid: Field, ask: Field| -> Result<Side> {
            Ok((self.optional(bid)?, self.optional(ask)?))
        };
        let (both, calls, puts) = (
            side(Field::Bid, Field::Ask)?,
            side(Field::CallBid, Field::CallAsk)?,
            side(Field::PutBid, Field::PutAsk)?,
        );
        for entry in entries.iter_mut().filter(|entry| entry.dropped.is_none()) {
            let (bids, asks) = match (self.columns.is_chain(), entry.quote.kind()) {
                (false, _) => &both,
                (true, OptionKind::Call) => &calls,
                (true, OptionKind::Put) => &puts,
            };
            let bid = bids.as_ref().map(|bids| bids[entry.place]);
            let ask = asks.as_ref().map(|asks| asks[entry.place]);
            let none =
                |price: Option<f64>| price.is_some_and(|price| price.is_nan() || price <= 0.0);
            entry.dropped = match (bid, ask) {
                (bid, _) if none(bid) => Some("no bid".into()),
                (_, ask) if none(ask) => Some("no ask".into()),
                (Some(bid), Some(ask)) if bid > ask => Some(format!("bid {bid} above ask {ask}")),
                _ => None,
            };
        }
        Ok(())
    }

    /// The volatility of every row as a fraction, NaN where the row is dropped, and the unit of the file.
    fn volatilities(
        &self,
        rows: &mut Rows,
        options: &SurfaceOptions,
    ) -> Result<(Vec<f64>, VolatilityUnit)> {
        use Field::{CallVolatility, PutVolatility, Volatility};
        let mut columns = Vec::new();
        for field in [Volatility, CallVolatility, PutVolatility] {
            if let Some(values) = self.optional(field)? {
                columns.push((field, values));
            }
        }
        let column = |entry: &Entry| {
            let wanted = match (self.columns.is_chain(), entry.quote.kind()) {
                (false, _) => columns[0].0,
                (true, OptionKind::Call) => CallVolatility,
                (true, OptionKind::Put) => PutVolatility,
            };
            let found = columns.iter().find(|(field, _)| *field == wanted);
            found.unwrap_or(&columns[0])
        };
        let mut values: Vec<f64> = Vec::with_capacity(rows.entries.len());
        for entry in &mut rows.entries {
            let value = column(entry).1[entry.place];
            if entry.dropped.is_none() && value.is_nan() {
                entry.dropped = Some("no implied volatility".into());
            } else if entry.dropped.is_none() && value <= 0.0 {
                entry.dropped = Some(format!("implied volatility {value}"));
            }
            values.push(match entry.dropped {
                None => value,
                Some(_) => f64::NAN,
            });
        }
        let name = self.columns.of(columns[0].0).unwrap_or_default();
        let signs = self.has_percent_signs(columns[0].0)?;
        let named = options.unit.or(signs.then_some(VolatilityUnit::Percent));
        let unit = VolatilityUnit::convert(name, &mut values, named);
        let unit = unit.map_err(|wrong| match wrong.at {
            Some(at) => {
                let entry = &rows.entries[at];
                self.refuse(entry.place, column(entry).0, &wrong.what)
            }
            None => {
                let what = format!("column \"{}\": {}", name.trim(), wrong.what);
                refuse(self.path, &what)
            }
        })?;
        Ok((values, unit))
    }
}

/// Expiries become ⌊(days + 3)/7⌋ weeks, rates those of the new expiry on the line through the quoted (expiry, rate).
fn round_to_weeks(quotes: &mut [Quote]) {
    let mut curve: Vec<(f64, f64)> = quotes.iter().map(|q| (q.expiry, q.rate)).collect();
    curve.sort_by(|a, b| a.0.total_cmp(&b.0));
    curve.dedup_by(|a, b| a.0 == b.0);
    for quote in quotes {
        let days = (quote.expiry * DAYS_PER_YEAR).round();
        quote.expiry = 7.0 * ((days + 3.0) / 7.0).floor().max(1.0) / DAYS_PER_YEAR;
        let after = curve.partition_point(|(expiry, _)| *expiry < quote.expiry);
        quote.rate = match (after.checked_sub(1).map(|i| curve[i]), curve.get(after)) {
            (Some((t0, r0)), Some(&(t1, r1))) => r0 + (r1 - r0) * (quote.expiry - t0) / (t1 - t0),
            (Some((_, rate)), None) => rate,
            (None, Some(&(_, rate))) => rate,
            (None, None) => quote.rate,
        };
    }
}
