//! Values of arguments, as text.

use crate::experiment::{self, CANDIDATES, DAY};

/// Reads a number above 0.
pub fn positive(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok();
    let above = number.filter(|number| *number > 0.0 && number.is_finite());
    above.ok_or_else(|| "must be a number above 0".into())
}

/// Reads a length of time: seconds, or a number with the unit `s` or `m`.
pub fn seconds(text: &str) -> Result<f64, String> {
    let (number, unit) = match text.strip_suffix('m') {
        Some(number) => (number, 60.0),
        None => (text.strip_suffix('s').unwrap_or(text), 1.0),
    };
    match number.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number * unit),
        _ => Err("must be a positive length of time such as 60s or 2m".into()),
    }
}

/// Reads a date.
pub fn day(text: &str) -> Result<chrono::NaiveDate, String> {
    experiment::day(text).ok_or_else(|| format!("must be {DAY}"))
}

/// Reads the number of candidates of a search for settings.
pub fn candidates(text: &str) -> Result<usize, String> {
    let count = text.parse::<usize>().ok();
    let count = count.filter(|count| experiment::are_candidates(*count));
    count.ok_or_else(|| format!("must be {CANDIDATES}"))
}
