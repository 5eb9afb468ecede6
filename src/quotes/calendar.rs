//! Trading days between a quote and an expiry.

use crate::named::named;
use chrono::{Datelike, Days, NaiveDate, Weekday};

named! {
    /// Which days are trading days.
    #[derive(Default)]
    pub enum Calendar {
        /// Weekdays but the holidays of the New York Stock Exchange, by its rules since 1998. Single closings, such as after storms, are not known.
        #[default]
        NewYork = "new_york",
        /// All weekdays, 261 a year.
        Weekdays = "weekdays",
    }
}

/// The trading days of a year in which a surface counts time.
pub const DAYS_PER_YEAR: f64 = 252.0;

/// The weekdays of a year.
const WEEKDAYS_PER_YEAR: f64 = 261.0;

/// The trading days of a stretch of years.
#[derive(Debug, Clone)]
pub struct TradingDays {
    calendar: Calendar,
    /// Holidays on weekdays, ascending.
    holidays: Vec<NaiveDate>,
}

impl TradingDays {
    /// Those from the year of `first` to that of `last`.
    pub fn new(calendar: Calendar, first: NaiveDate, last: NaiveDate) -> Self {
        let mut holidays: Vec<NaiveDate> = match calendar {
            Calendar::NewYork => (first.year()..=last.year() + 1)
                .flat_map(new_york)
                .collect(),
            Calendar::Weekdays => Vec::new(),
        };
        holidays.retain(|day| is_weekday(*day));
        holidays.sort_unstable();
        Self { calendar, holidays }
    }

    /// The trading days after `from` up to and including `to`.
    pub fn between(&self, from: NaiveDate, to: NaiveDate) -> i64 {
        let passed = |day: NaiveDate| {
            // Weekdays since a Monday, which day 1 of the common era is.
            let (weeks, rest) = (
                i64::from(day.num_days_from_ce()).div_euclid(7),
                i64::from(day.num_days_from_ce()).rem_euclid(7),
            );
            let holidays = self.holidays.partition_point(|holiday| *holiday <= day);
            5 * weeks + rest.min(5) - holidays as i64
        };
        passed(to) - passed(from)
    }

    /// Years to the settlement of an option that expires on `to`, of [`DAYS_PER_YEAR`] trading days; settled in the `morning`, its
    /// last day does not count.
    pub fn years(&self, from: NaiveDate, to: NaiveDate, morning: bool) -> f64 {
        let days = self.between(from, to) - i64::from(morning);
        days as f64
            / match self.calendar {
                Calendar::NewYork => DAYS_PER_YEAR,
                Calendar::Weekdays => WEEKDAYS_PER_YEAR,
            }
    }
}

fn is_weekday(day: NaiveDate) -> bool {
    !matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
}

/// The holidays of a year, those on a Saturday or Sunday among them.
fn new_york(year: i32) -> Vec<NaiveDate> {
    let day = |month: u32, day: u32| NaiveDate::from_ymd_opt(year, month, day);
    let nth = |month: u32, weekday: Weekday, n: u8| {
        NaiveDate::from_weekday_of_month_opt(year, month, weekday, n)
    };
    // On a Saturday it is kept the day before, on a Sunday the day after.
    let observed = |date: NaiveDate| match date.weekday() {
        Weekday::Sat => date - Days::new(1),
        Weekday::Sun => date + Days::new(1),
        _ => date,
    };
    // New Year's Day on a Saturday is not kept in the old year.
    let new_year = day(1, 1).map(|date| match date.weekday() {
        Weekday::Sat => date,
        _ => observed(date),
    });
    let last_of_may = nth(5, Weekday::Mon, 5).or_else(|| nth(5, Weekday::Mon, 4));
    [
        new_year,
        nth(1, Weekday::Mon, 3).filter(|_| year >= 1998),
        nth(2, Weekday::Mon, 3),
        easter(year).map(|sunday| sunday - Days::new(2)),
        last_of_may,
        day(6, 19).filter(|_| year >= 2022).map(observed),
        day(7, 4).map(observed),
        nth(9, Weekday::Mon, 1),
        nth(11, Weekday::Thu, 4),
        day(12, 25).map(observed),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Easter Sunday.
///
/// # References
/// J. Meeus (1991), "Astronomical Algorithms", chapter 8: the algorithm of 1876.
fn easter(year: i32) -> Option<NaiveDate> {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let n = h + l - 7 * m + 114;
    NaiveDate::from_ymd_opt(year, (n / 31) as u32, (n % 31 + 1) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// The days of the S&P 500 from 1999 to 2018 are those of the rules but for the single closings of these years: four days of
    /// September 2001, two funerals, a hurricane, a funeral.
    #[test]
    fn days_of_new_york_are_those_of_the_index() {
        let text = include_str!("../../market_data/sp500_daily.csv");
        let days = text.lines().skip(1).map(|line| {
            let day = line.split(',').next().unwrap();
            NaiveDate::parse_from_str(day, "%m/%d/%Y").unwrap()
        });
        let days: BTreeSet<NaiveDate> = days.collect();
        let (first, last) = (*days.first().unwrap(), *days.last().unwrap());
        let rules = TradingDays::new(Calendar::NewYork, first, last);
        let mut closed = Vec::new();
        for day in first.iter_days().skip(1).take_while(|day| *day <= last) {
            match rules.between(day - Days::new(1), day) {
                1 if !days.contains(&day) => closed.push(day.to_string()),
                1 => {}
                0 => assert!(!days.contains(&day), "{day}"),
                other => panic!("{other} trading days on {day}"),
            }
        }
        let expected = [
            "2001-09-11",
            "2001-09-12",
            "2001-09-13",
            "2001-09-14",
            "2004-06-11",
            "2007-01-02",
            "2012-10-29",
            "2012-10-30",
            "2018-12-05",
        ];
        assert_eq!(closed, expected);
    }

    /// By hand: a week without a holiday, the week of Thanksgiving 2023, a monthly expiry of the morning.
    #[test]
    fn years_by_hand() {
        let days = TradingDays::new(Calendar::NewYork, date("2023-01-02"), date("2024-12-31"));
        assert_eq!(days.between(date("2023-03-10"), date("2023-03-17")), 5);
        assert_eq!(days.between(date("2023-11-17"), date("2023-11-24")), 4);
        assert_eq!(days.between(date("2023-03-12"), date("2023-03-13")), 1);
        assert_eq!(
            days.years(date("2023-03-10"), date("2023-03-17"), true),
            4.0 / 252.0
        );
        let all = TradingDays::new(Calendar::Weekdays, date("2023-01-02"), date("2023-12-31"));
        assert_eq!(
            all.years(date("2023-11-17"), date("2023-11-24"), false),
            5.0 / 261.0
        );
    }
}
