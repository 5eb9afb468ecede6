//! Bounds of settings, and the errors that name key, value and bound.

use crate::error::{Error, Result};
use chrono::NaiveDate;

/// The value of an optional key, after its default has been written into the place of a missing one, so that
/// the resolved file states it.
pub fn filled<T: Clone>(slot: &mut Option<T>, default: T) -> T {
    slot.get_or_insert(default).clone()
}

/// The value of a key that must be there.
pub fn required<T: Clone>(value: &Option<T>, key: &str) -> Result<T> {
    value
        .clone()
        .ok_or_else(|| Error::input(format!("`{key}` is missing")))
}

/// The value, if it is finite and `holds`.
pub fn check(key: &str, value: f64, holds: bool, bound: &str) -> Result<f64> {
    // A NaN satisfies no bound, so `holds` is false for it.
    if holds && value.is_finite() {
        Ok(value)
    } else {
        Err(Error::input(format!(
            "`{key}` must be {bound}, was {value}"
        )))
    }
}

/// Above 0.
pub fn positive(key: &str, value: f64) -> Result<f64> {
    check(key, value, value > 0.0, "positive")
}

/// 0 or above.
pub fn not_negative(key: &str, value: f64) -> Result<f64> {
    check(key, value, value >= 0.0, "at least 0")
}

/// Neither infinite nor NaN.
pub fn finite(key: &str, value: f64) -> Result<f64> {
    check(key, value, true, "finite")
}

/// In [0, 1).
pub fn fraction(key: &str, value: f64) -> Result<f64> {
    check(key, value, (0.0..1.0).contains(&value), "in [0, 1)")
}

/// In [0, 1].
pub fn unit_interval(key: &str, value: f64) -> Result<f64> {
    check(key, value, (0.0..=1.0).contains(&value), "in [0, 1]")
}

/// At least `bound`.
pub fn at_least(key: &str, value: usize, bound: usize) -> Result<usize> {
    let text = format!("at least {bound}");
    check(key, value as f64, value >= bound, &text).map(|_| value)
}

/// The choice of that name.
pub fn one_of<T: Copy>(key: &str, value: &str, choices: &[(&str, T)]) -> Result<T> {
    choices
        .iter()
        .find(|(name, _)| *name == value)
        .map(|(_, choice)| *choice)
        .ok_or_else(|| {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            Error::input(format!(
                "`{key}` must be one of {}, was \"{value}\"",
                names.join(", ")
            ))
        })
}

/// A date in ISO form.
pub fn date(key: &str, text: &str) -> Result<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| {
        Error::input(format!(
            "`{key}` must be a date such as 2004-01-31, was \"{text}\""
        ))
    })
}
