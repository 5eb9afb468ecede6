//! The time axis of a contract's life.

/// The longest life that is told in days, in years; a hair more, since years are sums of steps.
const LONGEST_IN_DAYS: f64 = 1.0 + 1e-9;

/// Days of a year from which on they are days of the calendar, as in `contract.days`.
const CALENDAR: f64 = 360.0;

/// In what the time of a contract's life is counted: days up to a year, and else years.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Horizon {
    per_year: f64,
    /// The unit, in the plural.
    pub unit: &'static str,
}

impl Horizon {
    /// The unit for a life of so many `years`, of which each has `days_per_year` days that count: trading days below 360, and
    /// days of the calendar, 365 of them, where it is not known.
    pub fn new(years: f64, days_per_year: Option<f64>) -> Self {
        let per_year = days_per_year.unwrap_or(365.0);
        match (years <= LONGEST_IN_DAYS, per_year < CALENDAR) {
            (true, true) => Self {
                per_year,
                unit: "trading days",
            },
            (true, false) => Self {
                per_year,
                unit: "days",
            },
            (false, _) => Self {
                per_year: 1.0,
                unit: "years",
            },
        }
    }

    /// A time in years in the unit.
    pub fn of(self, years: f64) -> f64 {
        years * self.per_year
    }

    /// The label of an axis: `time (trading days)`.
    pub fn label(self, what: &str) -> String {
        format!("{what} ({})", self.unit)
    }
}

#[cfg(test)]
mod tests {
    use super::Horizon;

    /// A life of up to a year is told in the days that it is made of, a longer one in years.
    #[test]
    fn short_lives_are_told_in_days() {
        let month = Horizon::new(21.0 / 252.0, Some(252.0));
        assert_eq!(month.label("time"), "time (trading days)");
        assert!((month.of(21.0 / 252.0) - 21.0).abs() < 1e-12);
        let calendar = Horizon::new(30.0 / 365.0, Some(365.0));
        assert_eq!((calendar.unit, calendar.of(1.0)), ("days", 365.0));
        assert_eq!(Horizon::new(30.0 / 365.0, None), calendar);
        let year = (0..252).map(|_| 1.0 / 252.0).sum();
        assert_eq!(Horizon::new(year, Some(252.0)).unit, "trading days");
        let long = Horizon::new(5.0, Some(252.0));
        assert_eq!((long.unit, long.of(2.5)), ("years", 2.5));
    }
}
