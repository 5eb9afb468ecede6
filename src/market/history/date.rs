//! Dates as people and programs write them.

use super::words::{month, weekday};
use crate::bounds::one_of;
use crate::error::{Error, Result};
use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

/// How the dates of a column are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DateFormat {
    /// Dates of three numbers such as 03/04/2018, and the place of the day in them.
    Order(Order),
    /// Numbers.
    Count(Count),
    /// A pattern of `strftime`, such as `%d.%m.%y`.
    Pattern(String),
}

/// What stands first in a date with three numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The year stands first, then the month.
    Year,
    /// The day stands first, then the month.
    Day,
    /// The month stands first, then the day.
    Month,
}

/// What a date counts if it is a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// 20180102 is the second of January 2018.
    Digits,
    /// Days since the end of 1899, as in workbooks of Excel.
    Excel,
    /// A number of units since the start of 1970, so many of them a second.
    Epoch(i64),
}

impl DateFormat {
    const NAMES: [(&'static str, Self); 8] = [
        ("ymd", Self::Order(Order::Year)),
        ("dmy", Self::Order(Order::Day)),
        ("mdy", Self::Order(Order::Month)),
        ("excel", Self::Count(Count::Excel)),
        ("seconds", Self::Count(Count::Epoch(1))),
        ("milliseconds", Self::Count(Count::Epoch(1_000))),
        ("microseconds", Self::Count(Count::Epoch(1_000_000))),
        ("nanoseconds", Self::Count(Count::Epoch(1_000_000_000))),
    ];

    /// Reads the value of `key`: a name, or a pattern with `%`.
    ///
    /// # Errors
    /// [`Error::Input`] naming key, value and choices.
    pub fn parse(key: &str, text: &str) -> Result<Self> {
        if text.contains('%') {
            let known = StrftimeItems::new(text).all(|item| item != Item::Error);
            return match known {
                true => Ok(Self::Pattern(text.to_string())),
                false => Err(Error::input(format!(
                    "`{key}` must be a pattern such as %d.%m.%y, was \"{}\"",
                    crate::error::excerpt(text)
                ))),
            };
        }
        let places: [(&str, usize); 8] = std::array::from_fn(|place| (Self::NAMES[place].0, place));
        Ok(Self::NAMES[one_of(key, text, &places)?].1.clone())
    }

    /// Its name or pattern, as [`Self::parse`] reads it.
    pub fn name(&self) -> String {
        match self {
            Self::Pattern(pattern) => pattern.clone(),
            named => {
                let mut names = Self::NAMES.iter();
                let name = names.find(|(_, format)| format == named);
                name.map_or(String::new(), |(name, _)| name.to_string())
            }
        }
    }
}

impl Order {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Year => "year-month-day",
            Self::Day => "day/month/year",
            Self::Month => "month/day/year",
        }
    }
}

/// What one cell says by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell {
    /// A date that can be read in one way alone.
    Day(NaiveDate, Clock),
    /// Two numbers before the year, one of which is the day.
    Open {
        /// The first number.
        first: u32,
        /// The second number.
        second: u32,
        /// The year.
        year: i32,
        /// Whether points separate the numbers.
        dotted: bool,
        /// The time of day, if there is one.
        clock: Clock,
    },
    /// A number that counts something: see [`Count`].
    Number(f64),
    /// Nothing, or a word for nothing.
    Blank,
    /// Something that is no date.
    Other,
}

/// The seconds since midnight of a date that has a time of day.
pub type Clock = Option<u32>;

/// What a cell says; a time of day may follow the date after a blank or a `T`, and is that of the zone that was written.
pub fn cell(text: &str) -> Cell {
    let text = text.trim();
    let bytes = text.as_bytes();
    if bytes.len() >= 10
        && bytes[4] == b'-'
        && bytes[7] == b'-'
        && let Some(date) = iso(&bytes[..10])
    {
        return match bytes.len() {
            10 => Cell::Day(date, None),
            _ if matches!(bytes[10], b' ' | b'T') => timed(&text[11..], |c| Cell::Day(date, c)),
            _ => Cell::Other,
        };
    }
    if text.is_empty()
        || ["nat", "null", "nan", "none"]
            .iter()
            .any(|w| text.eq_ignore_ascii_case(w))
    {
        return Cell::Blank;
    }
    numeric(text)
        .or_else(|| worded(text))
        .unwrap_or(Cell::Other)
}

/// `yyyy-mm-dd`, without the general parser: the form of long files.
fn iso(text: &[u8]) -> Option<NaiveDate> {
    let digit = |at: usize| {
        let digit = text[at].wrapping_sub(b'0');
        (digit < 10).then_some(u32::from(digit))
    };
    let two = |at: usize| Some(10 * digit(at)? + digit(at + 1)?);
    let year = 100 * two(0)? + two(2)?;
    NaiveDate::from_ymd_opt(year as i32, two(5)?, two(8)?)
}

fn timed(text: &str, day: impl FnOnce(Clock) -> Cell) -> Cell {
    let text = text.trim();
    match text.is_empty() {
        true => day(None),
        false => time(text).map_or(Cell::Other, |seconds| day(Some(seconds))),
    }
}

/// A number, or three numbers with one separator.
fn numeric(text: &str) -> Option<Cell> {
    let end = text.find(['T', ' ']).unwrap_or(text.len());
    let (day, rest) = (&text[..end], text.get(end + 1..).unwrap_or_default());
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let plain = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+');
    if let Ok(number) = day.parse::<f64>()
        && day.bytes().all(plain)
    {
        return match (rest.is_empty(), date_of_digits(number)) {
            (true, _) => Some(Cell::Number(number)),
            (false, Some(date)) => Some(timed(rest, |clock| Cell::Day(date, clock))),
            (false, None) => None,
        };
    }
    let separator = day.chars().find(|c| matches!(c, '-' | '/' | '.'))?;
    let parts: Vec<&str> = day.split(separator).collect();
    let &[a, b, c] = parts.as_slice() else {
        return None;
    };
    if ![a, b, c].into_iter().all(digits) {
        return None;
    }
    let number = |part: &str| part.parse::<u32>().ok();
    match (a.len(), b.len(), c.len()) {
        (4, 1..=2, 1..=2) => {
            let date = NaiveDate::from_ymd_opt(a.parse().ok()?, number(b)?, number(c)?)?;
            Some(timed(rest, |clock| Cell::Day(date, clock)))
        }
        // Years of two digits are refused: nothing in the file says which century.
        (1..=2, 1..=2, 4) => {
            let (first, second, year) = (number(a)?, number(b)?, c.parse().ok()?);
            Some(timed(rest, |clock| Cell::Open {
                first,
                second,
                year,
                dotted: separator == '.',
                clock,
            }))
        }
        _ => None,
    }
}

/// A day, the name of a month and a year of four digits in any order, and the name of a weekday perhaps.
fn worded(text: &str) -> Option<Cell> {
    let between = |c: char| c.is_whitespace() || matches!(c, '-' | '/' | '.' | ',');
    let (mut day, mut named, mut year) = (None, None, None);
    let mut rest = text;
    while day.is_none() || named.is_none() || year.is_none() {
        rest = rest.trim_start_matches(between);
        let end = rest.find(between).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = after;
        let digits = word.bytes().all(|byte| byte.is_ascii_digit());
        match word.len() {
            0 => return None,
            1..=2 if digits && day.is_none() => day = word.parse().ok(),
            4 if digits && year.is_none() => year = word.parse().ok(),
            _ if digits => return None,
            _ => match month(word) {
                Some(number) if named.is_none() => named = Some(number),
                _ if weekday(word) => {}
                _ => return None,
            },
        }
    }
    let date = NaiveDate::from_ymd_opt(year?, named?, day?)?;
    Some(timed(rest.trim_start_matches(between), |clock| {
        Cell::Day(date, clock)
    }))
}

/// The date of a number such as 20180102.
fn date_of_digits(number: f64) -> Option<NaiveDate> {
    let plain = number.fract() == 0.0 && (15_000_101.0..=22_001_231.0).contains(&number);
    let digits = if plain { number as u32 } else { return None };
    NaiveDate::from_ymd_opt((digits / 10_000) as i32, digits / 100 % 100, digits % 100)
}

impl Count {
    /// What the numbers of a column count, of which `least` and `greatest` are the extremes; none if nothing known.
    pub fn of(least: f64, greatest: f64) -> Option<Self> {
        let size = greatest.max(-least);
        if date_of_digits(least).is_some() && date_of_digits(greatest).is_some() {
            Some(Self::Digits)
        } else if least >= 10_000.0 && greatest < 100_000.0 {
            // 1927 to 2173.
            Some(Self::Excel)
        } else if size < 1e8 {
            None
        } else {
            // Seconds from 1973 on; milliseconds and so on from as early.
            Some(Self::Epoch(match size {
                size if size < 1e11 => 1,
                size if size < 1e14 => 1_000,
                size if size < 1e17 => 1_000_000,
                _ => 1_000_000_000,
            }))
        }
    }

    /// The instant that a number stands for, with its time of day if it counts less than days.
    pub fn instant(self, number: f64) -> Option<(NaiveDate, Clock)> {
        match self {
            Self::Digits => Some((date_of_digits(number)?, None)),
            Self::Excel => {
                let start = NaiveDate::from_ymd_opt(1899, 12, 30)?;
                let days = number.is_finite().then_some(number.floor() as i64)?;
                let date = start.checked_add_signed(chrono::TimeDelta::try_days(days)?)?;
                let seconds = (86_400.0 * number.rem_euclid(1.0)).round() as u32;
                Some((date, (number.fract() != 0.0).then_some(seconds)))
            }
            Self::Epoch(per_second) => {
                let seconds = number.is_finite().then_some(number / per_second as f64)?;
                let instant = DateTime::from_timestamp(seconds.floor() as i64, 0)?.naive_utc();
                Some((instant.date(), Some(seconds_of(instant.time()))))
            }
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Digits => "yyyymmdd",
            Self::Excel => "serial days of Excel",
            Self::Epoch(1) => "seconds since 1970",
            Self::Epoch(1_000) => "milliseconds since 1970",
            Self::Epoch(1_000_000) => "microseconds since 1970",
            Self::Epoch(_) => "nanoseconds since 1970",
        }
    }
}

/// The date of a cell in a pattern of `strftime`.
pub fn by_pattern(text: &str, pattern: &str) -> Option<(NaiveDate, Clock)> {
    let text = text.trim();
    let zoned = DateTime::parse_from_str(text, pattern).map(|instant| instant.naive_local());
    if let Ok(instant) = zoned.or_else(|_| NaiveDateTime::parse_from_str(text, pattern)) {
        return Some((instant.date(), Some(seconds_of(instant.time()))));
    }
    let date = NaiveDate::parse_from_str(text, pattern).ok()?;
    Some((date, None))
}

/// The whole seconds since midnight.
pub fn seconds_of(time: NaiveTime) -> u32 {
    time.num_seconds_from_midnight()
}

/// Seconds since midnight.
fn time(text: &str) -> Option<u32> {
    plain_time(text.as_bytes()).or_else(|| any_time(text))
}

/// `hh:mm` or `hh:mm:ss`, the form of long files, without the general parser; and the same without colons.
fn plain_time(text: &[u8]) -> Option<u32> {
    let below = |at: usize, bound: u32| {
        let digits = [text[at], text[at + 1]];
        let plain = digits.iter().all(u8::is_ascii_digit);
        let number =
            10 * u32::from(digits[0].wrapping_sub(b'0')) + u32::from(digits[1].wrapping_sub(b'0'));
        (plain && number < bound).then_some(number)
    };
    let at = |hours: u32, minutes: u32, seconds: u32| 3600 * hours + 60 * minutes + seconds;
    match text.len() {
        5 if text[2] == b':' => Some(at(below(0, 24)?, below(3, 60)?, 0)),
        8 if text[2] == b':' && text[5] == b':' => {
            Some(at(below(0, 24)?, below(3, 60)?, below(6, 60)?))
        }
        4 => Some(at(below(0, 24)?, below(2, 60)?, 0)),
        6 => Some(at(below(0, 24)?, below(2, 60)?, below(4, 60)?)),
        _ => None,
    }
}

fn any_time(text: &str) -> Option<u32> {
    let clock = without_offset(text);
    if let Some(seconds) = plain_time(clock.as_bytes()) {
        return Some(seconds);
    }
    ["%H:%M:%S%.f", "%H:%M", "%I:%M:%S %p", "%I:%M %p"]
        .iter()
        .find_map(|format| NaiveTime::parse_from_str(clock, format).ok())
        .map(seconds_of)
}

/// Drops a trailing `Z`, `UTC` or `±hh:mm`: the date is the one that was written, wherever.
fn without_offset(text: &str) -> &str {
    let clock = ["Z", "UTC", "GMT"]
        .iter()
        .find_map(|zone| text.strip_suffix(zone));
    if let Some(clock) = clock {
        return clock.trim_end();
    }
    match text.rfind(['+', '-']) {
        Some(sign) => {
            let offset = &text[sign + 1..];
            let digits = offset.bytes().filter(u8::is_ascii_digit).count();
            let plain = offset.bytes().all(|b| b.is_ascii_digit() || b == b':');
            if plain && (digits == 4 || digits == 2) {
                // Dukascopy's `GMT+0100`.
                let clock = text[..sign].trim_end();
                clock.strip_suffix("GMT").unwrap_or(clock).trim_end()
            } else {
                text
            }
        }
        None => text,
    }
}

#[cfg(test)]
#[path = "date_tests.rs"]
mod tests;
