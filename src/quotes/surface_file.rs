//! Files of surfaces: five factors a day, or SVI slices.

use super::days::ChainReport;
use super::fit::Fitted;
use crate::atomic::Destination;
use crate::error::Result;
use crate::pricing::SurfaceFactors;
use chrono::NaiveDate;
use std::fmt::Write;
use std::path::Path;

/// A day of a five-factor file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FactorDay {
    /// The day.
    pub date: NaiveDate,
    /// The spot at its end.
    pub close: f64,
    /// The interest rate per year, continuously compounded, where it is known.
    pub rate: Option<f64>,
    /// The surface.
    pub factors: SurfaceFactors,
}

/// A rate to the millionth, below which nothing is quoted.
fn rate(rate: f64) -> f64 {
    // Without the sign of a zero.
    (1e6 * rate).round() / 1e6 + 0.0
}

/// A five-factor file as text: the columns date, close, rate and the names of the factors, days as 2020-01-31. Without any rate there is no column of
/// rates.
pub fn factor_file(days: &[FactorDay]) -> String {
    let rates = days.iter().any(|day| day.rate.is_some());
    let names = SurfaceFactors::NAMES.join(",");
    let mut text = format!("date,close,{}{names}\n", if rates { "rate," } else { "" });
    for day in days {
        // Writing to a string cannot fail.
        let _ = write!(text, "{},{:?}", day.date, day.close);
        match day.rate {
            Some(known) => drop(write!(text, ",{:?}", rate(known))),
            None if rates => text.push(','),
            None => (),
        }
        for factor in day.factors.to_array() {
            let _ = write!(text, ",{factor:?}");
        }
        text.push('\n');
    }
    text
}

impl ChainReport {
    /// The days of a five-factor file; those fitted otherwise have no factors.
    pub fn factor_days(&self) -> Vec<FactorDay> {
        let days = self.fitted().filter_map(|(day, fitted)| match fitted {
            Fitted::Factors(factors) => Some(FactorDay {
                date: day.date,
                close: day.close?,
                rate: Some(day.rate.unwrap_or(0.0)),
                factors: *factors,
            }),
            Fitted::Svi(_) => None,
        });
        days.collect()
    }

    /// The fitted surfaces as text: a five-factor file, or one with a row for every SVI slice.
    pub fn surface_file(&self) -> String {
        let slices = self
            .fitted()
            .any(|(_, fitted)| matches!(fitted, Fitted::Svi(_)));
        if !slices {
            return factor_file(&self.factor_days());
        }
        let mut text = "date,close,rate,days,forward,a,b,rho,m,sigma\n".to_owned();
        for (day, fitted) in self.fitted() {
            let (Fitted::Svi(slices), Some(close)) = (fitted, day.close) else {
                continue;
            };
            for (slice, forward) in slices {
                let numbers = [
                    close,
                    rate(day.rate.unwrap_or(0.0)),
                    slice.days,
                    *forward,
                    slice.a,
                    slice.b,
                    slice.rho,
                    slice.m,
                    slice.sigma,
                ];
                let numbers: Vec<String> = numbers.iter().map(|n| format!("{n:?}")).collect();
                let _ = writeln!(text, "{},{}", day.date, numbers.join(","));
            }
        }
        text
    }
}

/// Writes `text` to a file, whole or not at all.
///
/// # Errors
/// [`crate::Error::Input`] if the place does not allow it, [`crate::Error::File`] if the disk fails.
pub fn write(path: &Path, text: &str) -> Result<()> {
    Destination::new(path)?.write(|file| std::io::Write::write_all(file, text.as_bytes()))
}
