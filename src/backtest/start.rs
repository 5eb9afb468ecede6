//! When the first contract may be sold on a history.

use crate::market::History;
use crate::market::estimation::MIN_RETURNS;
use chrono::NaiveDate;

/// A date of first sale that leaves two years of closes before it to estimate parameters from, or half of a history of less than
/// four years, and the number of these closes; none of a history that is too short to estimate from half of it.
///
/// # Units
/// Years of closes are those of [`History::frequency`].
pub fn suggested_start(history: &History) -> Option<(NaiveDate, usize)> {
    const YEARS: f64 = 2.0;
    let two_years = (YEARS * history.frequency().observations_per_year).ceil() as usize;
    let wanted = two_years.max(MIN_RETURNS + 1);
    let half = history.len() / 2;
    let closes = wanted.min(half);
    if closes <= MIN_RETURNS {
        return None;
    }
    history.dates.get(closes).map(|date| (*date, closes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn weekdays(count: usize) -> History {
        let path = std::env::temp_dir().join(format!(
            "deephedge-start-{count}-{}.csv",
            std::process::id()
        ));
        let mut file = std::fs::File::create(&path).unwrap();
        writeln!(file, "date,close").unwrap();
        let first = NaiveDate::from_ymd_opt(2010, 1, 4).unwrap();
        for day in 0..count {
            // Five days, then two without a close.
            let date = first + chrono::Days::new((day / 5 * 7 + day % 5) as u64);
            writeln!(file, "{date},{}", 100.0 + (day % 7) as f64).unwrap();
        }
        drop(file);
        let history = History::load(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        history
    }

    /// Two years of a long history, half of a shorter one, and nothing of one whose half is too short to estimate from.
    #[test]
    fn two_years_or_half_stand_before_the_first_sale() {
        let long = weekdays(2000);
        let per_year = long.frequency().observations_per_year;
        let (date, closes) = suggested_start(&long).unwrap();
        assert_eq!(closes, (2.0 * per_year).ceil() as usize);
        assert_eq!(long.dates[closes], date);
        assert_eq!(suggested_start(&weekdays(600)).unwrap().1, 300);
        assert_eq!(suggested_start(&weekdays(500)), None);
    }
}
