//! Bounds that depend on other values, or that no schema states, and the errors that name key, value and bound.

use crate::error::{Error, Fault, Result, excerpt};
use chrono::NaiveDate;

/// The value of a key that must be there.
///
/// # Errors
/// [`Fault::Missing`] if it is not.
pub fn required<T: Clone>(value: &Option<T>, key: &str) -> Result<T> {
    value
        .clone()
        .ok_or_else(|| Error::setting(key, Fault::Missing))
}

/// The value, if it is finite and `holds`.
///
/// # Errors
/// [`Fault::Bound`] with `bound` in words that follow "must be".
pub fn check(key: &str, value: f64, holds: bool, bound: &str) -> Result<f64> {
    // A NaN satisfies no bound, so `holds` is false for it.
    if holds && value.is_finite() {
        Ok(value)
    } else {
        Err(outside(key, bound, shown(value)))
    }
}

/// The error of a value that is outside its bound.
pub fn outside(key: &str, bound: impl Into<String>, value: impl Into<String>) -> Error {
    Error::setting(
        key,
        Fault::Bound {
            bound: bound.into(),
            value: value.into(),
        },
    )
}

/// The number in digits, or with an exponent where those would be many.
pub fn shown(value: f64) -> String {
    const MOST: usize = 16;
    let digits = value.to_string();
    match digits.len() {
        0..=MOST => digits,
        _ => format!("{value:e}"),
    }
}

/// The value, if it is above 0.
///
/// # Errors
/// [`Fault::Bound`].
pub fn positive(key: &str, value: f64) -> Result<f64> {
    check(key, value, value > 0.0, "positive")
}

/// The value, if it is in [0, 1).
///
/// # Errors
/// [`Fault::Bound`].
pub fn fraction(key: &str, value: f64) -> Result<f64> {
    check(key, value, (0.0..1.0).contains(&value), "in [0, 1)")
}

/// The value, if it is from `least` to `most`, both included.
///
/// # Errors
/// [`Fault::Bound`].
pub fn between(key: &str, value: f64, (least, most): (f64, f64)) -> Result<f64> {
    let text = format!("in [{least}, {most}]");
    check(key, value, (least..=most).contains(&value), &text)
}

/// The value, if it is at least `bound`.
///
/// # Errors
/// [`Fault::Bound`].
pub fn at_least(key: &str, value: usize, bound: usize) -> Result<usize> {
    let text = format!("at least {bound}");
    check(key, value as f64, value >= bound, &text).map(|_| value)
}

/// Paths of one batch, or of one measurement, at most.
pub const MOST_PATHS: usize = 100_000_000;

/// The value, if it is from `least` to `most`, both included.
///
/// # Errors
/// [`Fault::Bound`].
pub fn within(key: &str, value: usize, least: usize, most: usize) -> Result<usize> {
    let text = format!("in [{least}, {most}]");
    check(key, value as f64, (least..=most).contains(&value), &text).map(|_| value)
}

/// The choice of that name.
///
/// # Errors
/// [`Fault::Bound`] with all names.
pub fn one_of<T: Copy>(key: &str, value: &str, choices: &[(&str, T)]) -> Result<T> {
    let found = choices.iter().find(|(name, _)| *name == value);
    found.map(|(_, choice)| *choice).ok_or_else(|| {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let bound = format!("one of {}", names.join(", "));
        outside(key, bound, format!("\"{}\"", excerpt(value)))
    })
}

/// A date in ISO form.
///
/// # Errors
/// [`Fault::Bound`].
pub fn date(key: &str, text: &str) -> Result<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| {
        outside(
            key,
            "a date such as 2004-01-31",
            format!("\"{}\"", excerpt(text)),
        )
    })
}
