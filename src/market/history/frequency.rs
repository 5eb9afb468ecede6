//! How often a history has a close, found from its dates.

use chrono::{Datelike, NaiveDate, Weekday};
use serde::Serialize;
use std::fmt;

/// The usual distance between two dates of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Spacing {
    /// Every day but, in most markets, weekends and holidays.
    Daily,
    /// A week apart.
    Weekly,
    /// A month apart.
    Monthly,
    /// At no usual distance.
    Irregular,
}

/// How often a history has a close.
///
/// # Units
/// Closes a year, by which variances and drifts of returns from close to close are annualised.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Frequency {
    /// The usual distance between two closes.
    pub spacing: Spacing,
    /// The number of closes in a year.
    pub observations_per_year: f64,
}

/// Years of closes as the field counts them: of weekdays, of all days, of weeks, of months.
const CONVENTIONS: [f64; 4] = [252.0, 365.0, 52.0, 12.0];

/// A measured number of closes a year this near to a convention, as a fraction, is taken as the convention: holidays
/// differ between exchanges and years.
const ROUNDED: f64 = 0.03;

/// How far the trading days of a contract's year may be from the closes a year, as a fraction: 252 stand for the 261
/// weekdays of a market without holidays and for the 242 of one with many.
const AGREEING: f64 = 0.05;

/// A longer stretch without a close is missing data, and is not counted, in days.
const MISSING: i64 = 10;

/// Fewer days than this are too few to count holidays on.
const COUNTABLE: i64 = 365;

impl Frequency {
    /// The frequency of closes on `dates`, in ascending order.
    ///
    /// The spacing is the median distance between dates: one to four days are daily, seven weekly, 28 to 31 monthly.
    /// Daily closes are counted over the span of the dates, without stretches of more than ten days that have none;
    /// a count within 3 % of 252 (weekdays) or 365 (all days) is taken as that convention. A span of less than a year
    /// is too short to count: it is 365 if a quarter of its days are at weekends, else 252. Weekly closes are 52 and
    /// monthly ones 12 a year. Fewer than two dates are taken as daily, on weekdays.
    pub fn of(dates: &[NaiveDate]) -> Self {
        let mut distances: Vec<i64> = dates
            .windows(2)
            .map(|pair| (pair[1] - pair[0]).num_days())
            .collect();
        let middle = distances.len() / 2;
        let median = match distances.is_empty() {
            true => 1,
            false => *distances.select_nth_unstable(middle).1,
        };
        let (spacing, observations_per_year) = match median {
            ..=4 => (Spacing::Daily, daily(dates, &distances)),
            7 => (Spacing::Weekly, 52.0),
            28..=31 => (Spacing::Monthly, 12.0),
            _ => (Spacing::Irregular, counted(&distances, i64::MAX)),
        };
        Self {
            spacing,
            observations_per_year,
        }
    }

    /// The same spacing with another number of closes a year.
    #[must_use]
    pub fn counted_as(self, observations_per_year: f64) -> Self {
        Self {
            observations_per_year,
            ..self
        }
    }

    /// Whether `days_per_year` days of trading make the same year within 5 %.
    pub fn agrees(self, days_per_year: f64) -> bool {
        (days_per_year / self.observations_per_year - 1.0).abs() <= AGREEING
    }
}

impl fmt::Display for Frequency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let spacing = match self.spacing {
            Spacing::Daily => "daily",
            Spacing::Weekly => "weekly",
            Spacing::Monthly => "monthly",
            Spacing::Irregular => "irregular",
        };
        write!(
            formatter,
            "{spacing}, {} a year",
            self.observations_per_year
        )
    }
}

/// Closes a year of daily `dates`.
fn daily(dates: &[NaiveDate], distances: &[i64]) -> f64 {
    let weekend = |date: &&NaiveDate| matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
    let at_weekends = dates.iter().filter(weekend).count();
    let span: i64 = distances.iter().filter(|&&days| days <= MISSING).sum();
    if span < COUNTABLE {
        return if 4 * at_weekends >= dates.len() && at_weekends > 0 {
            365.0
        } else {
            252.0
        };
    }
    let count = counted(distances, MISSING);
    let near = |&&convention: &&f64| (count / convention - 1.0).abs() <= ROUNDED;
    CONVENTIONS.iter().find(near).copied().unwrap_or(count)
}

/// Closes in a year of 365.25 days, to a whole number, by the distances of at most `longest` days.
fn counted(distances: &[i64], longest: i64) -> f64 {
    let kept = || distances.iter().filter(|&&days| days <= longest);
    let span: i64 = kept().sum();
    (365.25 * kept().count() as f64 / span.max(1) as f64)
        .round()
        .max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dates(count: usize, kept: impl Fn(usize, NaiveDate) -> bool) -> Vec<NaiveDate> {
        let first = NaiveDate::from_ymd_opt(2015, 1, 1).unwrap();
        let days = first.iter_days().take(count).enumerate();
        days.filter(|&(i, day)| kept(i, day))
            .map(|(_, day)| day)
            .collect()
    }

    fn weekday(day: NaiveDate) -> bool {
        !matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
    }

    /// Years of 252, 365, 52 and 12 from dates without and with holidays, of long and of short files.
    #[test]
    fn frequencies_follow_from_dates() {
        let of = |dates: &[NaiveDate]| {
            let found = Frequency::of(dates);
            (found.spacing, found.observations_per_year)
        };
        let holiday = |i: usize| i % 37 == 5;
        let weekdays = dates(2000, |i, day| weekday(day) && !holiday(i));
        assert_eq!(of(&weekdays), (Spacing::Daily, 252.0));
        assert_eq!(of(&weekdays[..5]), (Spacing::Daily, 252.0));
        let every = dates(2000, |_, _| true);
        assert_eq!(of(&every), (Spacing::Daily, 365.0));
        assert_eq!(of(&every[..10]), (Spacing::Daily, 365.0));
        let fridays = |_: usize, day: NaiveDate| day.weekday() == Weekday::Fri;
        assert_eq!(of(&dates(2000, fridays)), (Spacing::Weekly, 52.0));
        let firsts = |_: usize, day: NaiveDate| day.day() == 1;
        assert_eq!(of(&dates(2000, firsts)), (Spacing::Monthly, 12.0));
        let quarters = |_: usize, day: NaiveDate| day.day() == 1 && day.month0().is_multiple_of(3);
        assert_eq!(of(&dates(4000, quarters)), (Spacing::Irregular, 4.0));
        // Sundays to Thursdays, as in Riyadh; a market with many holidays keeps its own count.
        let riyadh = |i: usize, day: NaiveDate| {
            !matches!(day.weekday(), Weekday::Fri | Weekday::Sat) && !holiday(i)
        };
        assert_eq!(of(&dates(2000, riyadh)), (Spacing::Daily, 252.0));
        let few = dates(2000, |i, day| weekday(day) && i % 12 != 0);
        assert_eq!(of(&few), (Spacing::Daily, 239.0));
    }

    proptest! {
        /// Neither a year without data nor a start on another day changes the frequency of weekdays.
        #[test]
        fn missing_stretches_do_not_count(from in 300usize..900, length in 12usize..700, start in 0usize..7) {
            let found = Frequency::of(&dates(2500, |i, day| {
                i >= start && weekday(day) && i % 37 != 5 && !(from..from + length).contains(&i)
            }));
            prop_assert_eq!(found, Frequency { spacing: Spacing::Daily, observations_per_year: 252.0 });
        }
    }
}
