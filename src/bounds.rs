//! Bounds of settings, and the errors that name key, value and bound.

use crate::error::{Error, Result, excerpt};
use chrono::NaiveDate;
use std::cell::RefCell;

/// What a key was checked against.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    pub key: String,
    /// In words, as errors say it.
    pub text: String,
    /// The choices, if the value must be one of some names.
    pub choices: Vec<String>,
}

thread_local! {
    static CHECKED: RefCell<Option<Vec<Bound>>> = const { RefCell::new(None) };
}

/// What `work` gives, and every bound that it checks on this thread: what a form has to say beside its fields.
pub fn recorded<T>(work: impl FnOnce() -> T) -> (T, Vec<Bound>) {
    CHECKED.with(|checked| checked.replace(Some(Vec::new())));
    let result = work();
    let bounds = CHECKED.with(RefCell::take);
    (result, bounds.unwrap_or_default())
}

fn record(key: &str, text: &str, choices: &[&str]) {
    CHECKED.with(|checked| {
        if let Some(bounds) = checked.borrow_mut().as_mut() {
            bounds.push(Bound {
                key: key.into(),
                text: text.into(),
                choices: choices.iter().map(|&name| name.into()).collect(),
            });
        }
    });
}

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
    record(key, bound, &[]);
    // A NaN satisfies no bound, so `holds` is false for it.
    if holds && value.is_finite() {
        Ok(value)
    } else {
        Err(Error::input(format!(
            "`{}` must be {bound}, was {}",
            excerpt(key),
            shown(value)
        )))
    }
}

/// The number in digits, or with an exponent where those would be many.
fn shown(value: f64) -> String {
    const MOST: usize = 16;
    let digits = value.to_string();
    match digits.len() {
        0..=MOST => digits,
        _ => format!("{value:e}"),
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

/// From `least` to `most`, both included.
pub fn between(key: &str, value: f64, (least, most): (f64, f64)) -> Result<f64> {
    let text = format!("in [{least}, {most}]");
    check(key, value, (least..=most).contains(&value), &text)
}

/// At least `bound`.
pub fn at_least(key: &str, value: usize, bound: usize) -> Result<usize> {
    let text = format!("at least {bound}");
    check(key, value as f64, value >= bound, &text).map(|_| value)
}

/// Paths of one batch, or of one measurement, at most.
pub const MOST_PATHS: usize = 100_000_000;

/// From `least` to `most`, both included.
pub fn within(key: &str, value: usize, least: usize, most: usize) -> Result<usize> {
    let text = format!("in [{least}, {most}]");
    check(key, value as f64, (least..=most).contains(&value), &text).map(|_| value)
}

/// The choice of that name.
pub fn one_of<T: Copy>(key: &str, value: &str, choices: &[(&str, T)]) -> Result<T> {
    let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
    record(key, &format!("one of {}", names.join(", ")), &names);
    choices
        .iter()
        .find(|(name, _)| *name == value)
        .map(|(_, choice)| *choice)
        .ok_or_else(|| {
            Error::input(format!(
                "`{}` must be one of {}, was \"{}\"",
                excerpt(key),
                names.join(", "),
                excerpt(value)
            ))
        })
}

/// A date in ISO form.
pub fn date(key: &str, text: &str) -> Result<NaiveDate> {
    record(key, "a date", &[]);
    NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| {
        Error::input(format!(
            "`{key}` must be a date such as 2004-01-31, was \"{}\"",
            excerpt(text)
        ))
    })
}
