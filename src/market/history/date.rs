//! Dates as people and programs write them.

use chrono::{NaiveDate, NaiveTime};

/// Reads `yyyy-mm-dd` or `m/d/yyyy`, with or without a time of day after a blank or a `T`.
///
/// # Errors
///
/// What is wrong with the cell, for the caller to place in its file.
pub fn parse(cell: Option<&str>) -> Result<NaiveDate, String> {
    let text = cell.map(str::trim).unwrap_or_default();
    if text.is_empty() {
        return Err("date is blank".to_string());
    }
    let (day, time) = match text.find(['T', ' ']) {
        Some(end) => (&text[..end], Some(text[end + 1..].trim())),
        None => (text, None),
    };
    let date = iso(day).or_else(|| american(day));
    match date {
        Some(date) if time.is_none_or(is_time) => Ok(date),
        _ => Err(format!(
            "date must be year-month-day or month/day/year, was \"{text}\""
        )),
    }
}

fn iso(text: &str) -> Option<NaiveDate> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let whole = parts.next().is_none() && month.len() == 2 && day.len() == 2;
    whole.then(|| calendar_day(year, month, day)).flatten()
}

fn american(text: &str) -> Option<NaiveDate> {
    let mut parts = text.split('/');
    let (month, day, year) = (parts.next()?, parts.next()?, parts.next()?);
    let whole = parts.next().is_none() && month.len() <= 2 && day.len() <= 2;
    whole.then(|| calendar_day(year, month, day)).flatten()
}

/// Two-digit years are refused: nothing in the file says which century.
fn calendar_day(year: &str, month: &str, day: &str) -> Option<NaiveDate> {
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if year.len() != 4 || ![year, month, day].into_iter().all(digits) {
        return None;
    }
    NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

fn is_time(text: &str) -> bool {
    is_plain_time(text.as_bytes()) || is_any_time(text)
}

/// `hh:mm` or `hh:mm:ss`, the form of long files, without the general parser.
fn is_plain_time(text: &[u8]) -> bool {
    let below = |at: usize, bound: u8| {
        let [tens, units] = [text[at], text[at + 1]];
        tens.is_ascii_digit()
            && units.is_ascii_digit()
            && 10 * (tens - b'0') + (units - b'0') < bound
    };
    match text.len() {
        5 => text[2] == b':' && below(0, 24) && below(3, 60),
        8 => text[2] == b':' && text[5] == b':' && below(0, 24) && below(3, 60) && below(6, 60),
        _ => false,
    }
}

fn is_any_time(text: &str) -> bool {
    let clock = without_offset(text);
    ["%H:%M:%S%.f", "%H:%M", "%I:%M:%S %p", "%I:%M %p"]
        .iter()
        .any(|format| NaiveTime::parse_from_str(clock, format).is_ok())
}

/// Drops a trailing `Z`, `UTC` or `±hh:mm`: the date is the one that was written, wherever.
fn without_offset(text: &str) -> &str {
    let clock = text.strip_suffix('Z').or_else(|| text.strip_suffix("UTC"));
    if let Some(clock) = clock {
        return clock.trim_end();
    }
    match text.rfind(['+', '-']) {
        Some(sign) => {
            let offset = &text[sign + 1..];
            let digits = offset.bytes().filter(u8::is_ascii_digit).count();
            let plain = offset.bytes().all(|b| b.is_ascii_digit() || b == b':');
            if plain && (digits == 4 || digits == 2) {
                text[..sign].trim_end()
            } else {
                text
            }
        }
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_with_and_without_a_time() {
        let expected = NaiveDate::from_ymd_opt(1999, 1, 4);
        for text in [
            "1999-01-04",
            "1/4/1999",
            "01/04/1999",
            " 1999-01-04 ",
            "1999-01-04T00:00:00",
            "1999-01-04 16:00",
            "1999-01-04 16:00:00.000",
            "1999-01-04T16:00:00Z",
            "1999-01-04 00:00:00-05:00",
            "1999-01-04 00:00:00+0000",
            "1/4/1999 4:00 PM",
            "1/4/1999 16:00:00",
        ] {
            assert_eq!(parse(Some(text)).ok(), expected, "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "13/1/1999",
            "1999-02-30",
            "1999-1-4",
            "1/4/99",
            "4.1.1999",
            "19990104",
            "1999-01-04 noon",
            "1999-01-04 25:00",
            "+999-01-04",
            "1999-01-04-05",
            "é/1/1999",
            "yesterday",
        ] {
            let message = parse(Some(text)).unwrap_err();
            assert!(message.contains(text), "{message}");
        }
        assert_eq!(parse(Some("  ")).unwrap_err(), "date is blank");
        assert_eq!(parse(None).unwrap_err(), "date is blank");
    }
}
