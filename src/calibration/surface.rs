//! Implied-volatility surfaces from CSV and Parquet files.

use crate::contract::OptionKind;
use crate::error::Result;
use crate::market::table::{self, Cells, find_column, missing_column, refuse, refuse_row};
use crate::pricing::BlackScholes;
use std::path::Path;

/// One point of a surface.
///
/// # Units
/// Spot and strike in currency, expiry in years, the rest per year and continuously compounded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quote {
    pub spot: f64,
    pub strike: f64,
    pub expiry: f64,
    pub rate: f64,
    pub dividend: f64,
    pub implied_volatility: f64,
}

impl Quote {
    /// The option at the quoted volatility: call or put, whichever is out of the money on the forward.
    pub fn option(&self) -> BlackScholes {
        let forward = self.spot * ((self.rate - self.dividend) * self.expiry).exp();
        BlackScholes {
            kind: if self.strike >= forward {
                OptionKind::Call
            } else {
                OptionKind::Put
            },
            spot: self.spot,
            strike: self.strike,
            expiry: self.expiry,
            rate: self.rate,
            dividend: self.dividend,
            volatility: self.implied_volatility,
        }
    }
}

/// Quotes of one day.
#[derive(Debug, Clone, PartialEq)]
pub struct Surface {
    pub quotes: Vec<Quote>,
}

/// A column of a surface file: what it is, its names, and the value that stands for it if it is missing.
struct Field {
    what: &'static str,
    names: &'static [&'static str],
    default: Option<f64>,
}

const SPOT: Field = Field {
    what: "spot",
    names: &["spot", "underlying"],
    default: None,
};
const STRIKE: Field = Field {
    what: "strike",
    names: &["strike"],
    default: None,
};
const EXPIRY_DAYS: Field = Field {
    what: "expiry",
    names: &["expiry_days", "days"],
    default: Some(f64::NAN),
};
const EXPIRY_YEARS: Field = Field {
    what: "expiry",
    names: &["expiry_years", "expiry", "maturity"],
    default: Some(f64::NAN),
};
const RATE: Field = Field {
    what: "rate",
    names: &["rate"],
    default: Some(0.0),
};
const DIVIDEND: Field = Field {
    what: "dividend yield",
    names: &["dividend", "dividend_yield"],
    default: Some(0.0),
};
const VOLATILITY: Field = Field {
    what: "implied volatility",
    names: &["implied_vol", "implied_volatility", "iv", "volatility"],
    default: None,
};

/// Days in a year of the expiries in days (Actual/365).
const DAYS_PER_YEAR: f64 = 365.0;

impl Surface {
    /// Reads a `.csv` or `.parquet` file with one quote a row: spot, strike, expiry (`expiry_days`, Actual/365, or
    /// `expiry_years`), implied volatility as a fraction, and, unless they are zero, rate and dividend yield.
    ///
    /// With `whole_weeks`, expiries in days are rounded to whole weeks while rates stay those of the quotes' own
    /// expiries, interpolated linearly: QuantLib's reading of the DAX surface.
    ///
    /// # Errors
    /// [`crate::Error::Input`], one line naming file, row (from 1), column, value and bound.
    pub fn load(path: &Path, whole_weeks: bool) -> Result<Self> {
        let fields = [
            SPOT,
            STRIKE,
            EXPIRY_DAYS,
            EXPIRY_YEARS,
            RATE,
            DIVIDEND,
            VOLATILITY,
        ];
        let mut found: Vec<Option<String>> = Vec::new();
        let table = table::read(path, |names| {
            for field in &fields {
                let column = find_column(path, names, field.what, field.names)?;
                if column.is_none() && field.default.is_none() {
                    return Err(missing_column(path, names, field.what, field.names));
                }
                found.push(column);
            }
            if found[2].is_none() && found[3].is_none() {
                let wanted = [EXPIRY_DAYS.names, EXPIRY_YEARS.names].concat();
                return Err(missing_column(path, names, "expiry", &wanted));
            }
            Ok(found.iter().flatten().cloned().collect())
        })?;
        let column = |index: usize, above_zero: bool| match &found[index] {
            Some(name) => numbers(path, name, above_zero, table.cells(path, name)?),
            None => Ok(vec![fields[index].default.unwrap_or(0.0); table.rows()]),
        };
        let (spot, strike) = (column(0, true)?, column(1, true)?);
        let (days, years) = (column(2, true)?, column(3, true)?);
        let (rate, dividend) = (column(4, false)?, column(5, false)?);
        let volatility = column(6, true)?;
        let in_days = found[2].is_some();
        if whole_weeks && !in_days {
            return Err(refuse(
                path,
                "whole weeks need expiries in days, column expiry_days",
            ));
        }
        let mut quotes: Vec<Quote> = (0..table.rows())
            .map(|row| Quote {
                spot: spot[row],
                strike: strike[row],
                expiry: if in_days {
                    days[row] / DAYS_PER_YEAR
                } else {
                    years[row]
                },
                rate: rate[row],
                dividend: dividend[row],
                implied_volatility: volatility[row],
            })
            .collect();
        if quotes.len() < 5 {
            let what = format!(
                "five parameters need at least 5 quotes, found {}",
                quotes.len()
            );
            return Err(refuse(path, &what));
        }
        // A quote of 15 is one in percent: no market's volatility is above 1,000 %.
        if let Some(row) = volatility.iter().position(|volatility| *volatility > 10.0) {
            let what = format!(
                "implied volatility must be a fraction, was {}",
                volatility[row]
            );
            return Err(refuse_row(
                path,
                row,
                found[6].as_deref().unwrap_or(""),
                &what,
            ));
        }
        if whole_weeks {
            round_to_weeks(&mut quotes);
        }
        Ok(Self { quotes })
    }
}

fn numbers(path: &Path, column: &str, above_zero: bool, cells: Cells) -> Result<Vec<f64>> {
    let bound = if above_zero {
        "a finite number above 0"
    } else {
        "a finite number"
    };
    let check = |row: usize, value: Option<f64>, shown: &str| match value {
        Some(value) if value.is_finite() && (value > 0.0 || !above_zero) => Ok(value),
        _ => {
            let what = format!("must be {bound}, was \"{shown}\"");
            Err(refuse_row(path, row, column, &what))
        }
    };
    match cells {
        Cells::Text(cells) => cells
            .iter()
            .enumerate()
            .map(|(row, cell)| {
                let text = cell.map(str::trim).unwrap_or_default();
                check(row, text.parse().ok(), text)
            })
            .collect(),
        Cells::Numbers(cells) => cells
            .into_iter()
            .enumerate()
            .map(|(row, cell)| check(row, cell, &cell.map_or(String::new(), |v| v.to_string())))
            .collect(),
        Cells::Dates(_) => Err(refuse(
            path,
            &format!("column \"{column}\" holds dates, expected numbers"),
        )),
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
