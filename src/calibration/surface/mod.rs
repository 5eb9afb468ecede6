//! Implied-volatility surfaces from CSV and Parquet files.

mod cells;
pub(crate) mod columns;
mod reading;
#[cfg(test)]
mod tests;

use crate::contract::OptionKind;
use crate::error::Result;
use crate::market::VolatilityUnit;
use crate::market::history::{DateFormat, Decimal, RawReading};
use crate::pricing::BlackScholes;
use chrono::NaiveDate;
use serde::Serialize;

/// One point of a surface.
///
/// # Units
/// Spot and strike in currency, expiry in years, the rest per year and continuously compounded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quote {
    /// The spot at the quote.
    pub spot: f64,
    /// The strike.
    pub strike: f64,
    /// Years to expiry.
    pub expiry: f64,
    /// The interest rate.
    pub rate: f64,
    /// The dividend yield.
    pub dividend: f64,
    /// The volatility that gives the quoted price in Black and Scholes' formula, as a fraction.
    pub implied_volatility: f64,
}

impl Quote {
    /// The option at the quoted volatility: call or put, whichever is out of the money on the forward.
    pub fn option(&self) -> BlackScholes {
        BlackScholes {
            kind: self.kind(),
            spot: self.spot,
            strike: self.strike,
            expiry: self.expiry,
            rate: self.rate,
            dividend: self.dividend,
            volatility: self.implied_volatility,
        }
    }

    /// The kind of the option that is out of the money on the forward.
    fn kind(&self) -> OptionKind {
        let forward = self.spot * ((self.rate - self.dividend) * self.expiry).exp();
        if self.strike >= forward {
            OptionKind::Call
        } else {
            OptionKind::Put
        }
    }
}

/// Quotes of one day.
#[derive(Debug, Clone, PartialEq)]
pub struct Surface {
    /// The quotes, in the order of the file.
    pub quotes: Vec<Quote>,
    /// Rows that are not fitted, in their order.
    pub dropped: Vec<Dropped>,
    /// The day of the quotes, if the file or the user says so.
    pub date: Option<NaiveDate>,
    /// The unit in which the file states volatilities.
    pub unit: VolatilityUnit,
}

/// A row of a file that has no quote.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Dropped {
    /// The number of the row, from 1, the header not counted.
    pub row: usize,
    /// Why it has none, in words.
    pub reason: String,
}

/// What a user says of a surface file.
#[derive(Debug, Clone, Default)]
pub struct SurfaceOptions {
    /// Expiries in days are rounded to whole weeks while rates stay those of the quotes' own expiries, interpolated
    /// linearly: QuantLib's reading of the DAX surface.
    pub whole_weeks: bool,
    /// What columns hold, and their names.
    pub columns: Vec<(String, String)>,
    /// How dates are written, if the columns do not show it.
    pub date_format: Option<DateFormat>,
    /// What separates decimals, if the columns do not show it.
    pub decimal: Option<Decimal>,
    /// The day whose quotes are read or, in a file without days, the day of all.
    pub date: Option<NaiveDate>,
    /// The unit of volatilities, if they do not show it.
    pub unit: Option<VolatilityUnit>,
}

impl SurfaceOptions {
    /// Reads what is written; what is said of files of prices counts for surfaces too, but for repairs. `key` makes the name that errors give an option, such
    /// as `--date-format`, of its own, `date_format`.
    ///
    /// # Errors
    /// [`crate::Error::Input`] naming the option, the value and the choices.
    pub fn new(raw: &RawReading, key: impl Fn(&str) -> String) -> Result<Self> {
        let (date_format, decimal) = (raw.date_format.as_deref(), raw.decimal.as_deref());
        let unit = raw.volatility_unit.as_deref();
        Ok(Self {
            whole_weeks: false,
            columns: raw
                .columns
                .clone()
                .unwrap_or_default()
                .into_iter()
                .collect(),
            date_format: date_format
                .map(|text| DateFormat::parse(&key("date_format"), text))
                .transpose()?,
            decimal: decimal
                .map(|text| Decimal::parse(&key("decimal"), text))
                .transpose()?,
            date: None,
            unit: unit
                .map(|text| VolatilityUnit::parse(&key("volatility_unit"), text))
                .transpose()?,
        })
    }
}

impl Surface {
    /// The rows without a quote and why, in words; nothing if there are none. The first few are named.
    pub fn drops(&self) -> Option<String> {
        drops(&self.dropped)
    }

    /// The shortest and the longest expiry in years.
    pub fn expiries(&self) -> (f64, f64) {
        let expiries = self.quotes.iter().map(|quote| quote.expiry);
        expiries.fold((f64::INFINITY, 0.0), |(least, most), expiry| {
            (f64::min(least, expiry), f64::max(most, expiry))
        })
    }
}

fn drops(dropped: &[Dropped]) -> Option<String> {
    const NAMED: usize = 8;
    let words = |d: &Dropped| format!("row {} ({})", d.row, d.reason);
    let mut named: Vec<String> = dropped.iter().take(NAMED).map(words).collect();
    if dropped.len() > NAMED {
        named.push(format!("and {} more", dropped.len() - NAMED));
    }
    let rows = if dropped.len() == 1 { "row" } else { "rows" };
    let count = dropped.len();
    (count > 0).then(|| format!("{count} {rows} dropped: {}", named.join(", ")))
}
