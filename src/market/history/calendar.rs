//! What the days of a history say of its calendar: days of rest in a market of weekdays, midnights of another time zone.

use super::cells::Clocks;
use chrono::{Datelike, NaiveDate, Weekday};

/// Fewer days than this say nothing.
const FEWEST: usize = 10;

/// What is odd in the calendar of `dates`, which ascend, and in the times of day of a file; in words, without its name.
pub fn oddities(dates: &[NaiveDate], clocks: &Clocks) -> Vec<String> {
    let mut odd = Vec::new();
    let on = |weekday: Weekday| dates.iter().filter(move |d| d.weekday() == weekday).count();
    let (saturdays, sundays) = (on(Weekday::Sat), on(Weekday::Sun));
    let (fridays, mondays) = (on(Weekday::Fri), on(Weekday::Mon));
    let rest = saturdays + sundays;
    // One day a week or a month may be any day.
    let span = dates
        .first()
        .zip(dates.last())
        .map(|(a, b)| (*b - *a).num_days());
    let daily = span.is_some_and(|span| span < 2 * dates.len() as i64);
    let enough = dates.len() >= FEWEST && daily;
    let shown = |time: &u32| format!("{:02}:{:02}", time / 3600, time / 60 % 60);
    let times: Vec<String> = clocks.times.iter().map(shown).collect();
    let stamped = match times.as_slice() {
        [] => String::new(),
        times => format!(", at {}", times.join(" and ")),
    };
    let foreign = is_foreign_midnight(clocks).then(|| {
        format!(
            "dates are stamped {}, like midnights of another time zone",
            times.join(" and ")
        )
    });
    if enough && sundays > 0 && fridays == 0 && saturdays == 0 {
        odd.push(format!(
            "dates run from Sunday to Thursday{stamped}: midnights of another time zone, each a day too early"
        ));
    } else if enough && saturdays > 0 && mondays == 0 && sundays == 0 {
        odd.push(format!(
            "dates run from Tuesday to Saturday{stamped}: instants of another time zone, each a day too late"
        ));
    } else {
        // In a market that never closes they are two days of seven.
        let first = dates.iter().find(|date| is_rest(**date));
        if let Some(first) = first.filter(|_| enough && 5 * rest < dates.len()) {
            let (some, are) = match rest {
                1 => ("1 day".to_string(), "is a Saturday or Sunday"),
                rest => (format!("{rest} days"), "are Saturdays or Sundays"),
            };
            odd.push(format!(
                "{some} of {} {are} in a market of weekdays, the first {first}",
                dates.len()
            ));
        }
        odd.extend(foreign);
    }
    odd
}

fn is_rest(date: NaiveDate) -> bool {
    matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
}

/// Whether all dates have one time of day, or two an hour apart as summer and winter have, that is a full hour of the
/// night: 4 and 5 o'clock are midnights of New York in universal time, 22 and 23 o'clock those of Paris.
fn is_foreign_midnight(clocks: &Clocks) -> bool {
    let night = |time: &u32| time.is_multiple_of(3600) && matches!(time / 3600, 1..=8 | 22..=23);
    let apart = match clocks.times.as_slice() {
        [_] => true,
        [a, b] => a.abs_diff(*b) == 3600,
        _ => false,
    };
    apart && !clocks.untimed && clocks.times.iter().all(night)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Forty days from Monday, 1 January 2018, moved by `shift`, of those that `open` keeps.
    fn days(shift: i64, open: impl Fn(Weekday) -> bool) -> Vec<NaiveDate> {
        let start = NaiveDate::from_ymd_opt(2018, 1, 1).unwrap();
        let days = start.iter_days().take(40).filter(|day| open(day.weekday()));
        days.map(|day| day + chrono::TimeDelta::days(shift))
            .collect()
    }

    fn weekday(day: Weekday) -> bool {
        !matches!(day, Weekday::Sat | Weekday::Sun)
    }

    fn at(hours: &[u32]) -> Clocks {
        Clocks {
            times: hours.iter().map(|hour| 3600 * hour).collect(),
            untimed: hours.is_empty(),
        }
    }

    #[test]
    fn ordinary_calendars_are_not_odd() {
        let none: [String; 0] = [];
        for hours in [&[][..], &[0], &[16], &[20, 21], &[9, 12, 16]] {
            assert_eq!(oddities(&days(0, weekday), &at(hours)), none, "{hours:?}");
        }
        assert_eq!(oddities(&days(0, |_| true), &at(&[])), none);
    }

    #[test]
    fn midnights_of_other_zones() {
        let odd = oddities(&days(0, weekday), &at(&[4, 5]));
        assert_eq!(
            odd,
            ["dates are stamped 04:00 and 05:00, like midnights of another time zone"]
        );
        // Midnights of Tokyo are 15 o'clock of the day before in universal time.
        let odd = oddities(&days(-1, weekday), &at(&[15]));
        assert_eq!(
            odd,
            [
                "dates run from Sunday to Thursday, at 15:00: midnights of another time zone, each a day too early"
            ]
        );
        let odd = oddities(&days(1, weekday), &at(&[]));
        assert!(odd[0].ends_with("each a day too late"), "{odd:?}");
    }

    #[test]
    fn days_of_rest_in_a_market_of_weekdays() {
        let mut dates = days(0, weekday);
        dates.insert(5, NaiveDate::from_ymd_opt(2018, 1, 6).unwrap());
        let odd = oddities(&dates, &at(&[]));
        assert_eq!(
            odd,
            ["1 day of 31 is a Saturday or Sunday in a market of weekdays, the first 2018-01-06"]
        );
        let odd = oddities(&days(0, |day| day != Weekday::Sat), &at(&[]));
        assert!(odd[0].contains("are Saturdays or Sundays"), "{odd:?}");
    }
}
