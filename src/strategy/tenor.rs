//! How long a contract lives: `contract.expiry_days` and what its days are.

use super::raw::RawContract;
use crate::bounds::{filled, one_of, positive, required};
use crate::error::{Error, Result};
use std::fmt;

/// What days to expiry count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayCount {
    /// Days on which the market is open; on history one close each.
    Trading,
    /// Days of the calendar; on history the contract expires on the close at or before the last of them.
    Calendar,
}

impl DayCount {
    const NAMED: [(&'static str, Self); 2] =
        [("trading", Self::Trading), ("calendar", Self::Calendar)];

    /// Days of a year unless a strategy says otherwise.
    pub fn days_per_year(self) -> f64 {
        match self {
            Self::Trading => 252.0,
            Self::Calendar => 365.0,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Trading => "trading",
            Self::Calendar => "calendar",
        }
    }
}

/// A year of at least so many days is one of the calendar where a strategy does not say what its days count.
const CALENDAR_YEAR: f64 = 360.0;

/// Time from the sale of a contract to its expiry.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tenor {
    pub days: f64,
    pub count: DayCount,
    pub days_per_year: f64,
}

/// How a contract is hedged on history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rebalancing {
    /// At every close.
    EveryClose,
    /// At every so many closes.
    Closes(usize),
    /// At the close at or before every so many days of the calendar, from the sale on.
    CalendarDays(usize),
}

impl Tenor {
    /// Reads `contract.expiry_days`, `contract.days` and `contract.days_per_year`.
    ///
    /// Without `days`, a year of 360 days or more is one of the calendar and a shorter one of trading days; without
    /// either, days are trading days for a contract on history and calendar days for one that is simulated alone.
    pub(super) fn new(contract: &mut RawContract, on_history: bool) -> Result<Self> {
        let days = required(&contract.expiry_days, "contract.expiry_days")?;
        let default = match contract.days_per_year {
            Some(year) if year >= CALENDAR_YEAR => DayCount::Calendar,
            Some(_) => DayCount::Trading,
            None if on_history => DayCount::Trading,
            None => DayCount::Calendar,
        };
        let name = filled(&mut contract.days, default.name().into());
        let count = one_of("contract.days", &name, &DayCount::NAMED)?;
        let year = filled(&mut contract.days_per_year, count.days_per_year());
        Ok(Self {
            days: positive("contract.expiry_days", days)?,
            count,
            days_per_year: positive("contract.days_per_year", year)?,
        })
    }

    /// Years to expiry, by the convention alone.
    pub fn years(self) -> f64 {
        self.days / self.days_per_year
    }

    /// How a contract of this tenor with `steps` hedging periods is hedged on a history of daily closes.
    ///
    /// # Errors
    /// [`Error::Input`] if the days are not whole, or the steps do not divide them: trading days into whole days,
    /// calendar days into single days (every close) or periods of at least a week.
    pub fn rebalancing(self, steps: usize) -> Result<Rebalancing> {
        let days = self.days as usize;
        if self.days.fract() != 0.0 {
            return Err(Error::input(format!(
                "`contract.expiry_days` must be a whole number on history, which has one close a day, was {}",
                self.days
            )));
        }
        let divides = days.is_multiple_of(steps);
        let period = days / steps;
        let wrong = |bound: &str| {
            Error::input(format!(
                "`contract.steps` must be {bound} on history, which has one close a day, was {steps}"
            ))
        };
        match self.count {
            DayCount::Trading if divides => Ok(Rebalancing::Closes(period)),
            DayCount::Trading => Err(wrong(&format!(
                "a divisor of `contract.expiry_days` = {days}"
            ))),
            DayCount::Calendar if steps == days => Ok(Rebalancing::EveryClose),
            DayCount::Calendar if divides && period >= 7 => Ok(Rebalancing::CalendarDays(period)),
            DayCount::Calendar => Err(wrong(&format!(
                "`contract.expiry_days` = {days} (every close) or a divisor of it that leaves periods of 7 days or more"
            ))),
        }
    }
}

impl fmt::Display for Tenor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} {} days, {} a year",
            self.days,
            self.count.name(),
            self.days_per_year
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenor(days: f64, count: DayCount) -> Tenor {
        Tenor {
            days,
            count,
            days_per_year: count.days_per_year(),
        }
    }

    /// Twenty trading days in four periods are hedged at every fifth close; steps that leave no whole number of closes,
    /// and more than one a day, are refused with the bound.
    #[test]
    fn steps_divide_the_days() {
        use DayCount::{Calendar, Trading};
        let month = tenor(20.0, Trading);
        assert_eq!(month.rebalancing(4).unwrap(), Rebalancing::Closes(5));
        assert_eq!(month.rebalancing(20).unwrap(), Rebalancing::Closes(1));
        let weeks = tenor(28.0, Calendar);
        assert_eq!(weeks.rebalancing(28).unwrap(), Rebalancing::EveryClose);
        assert_eq!(weeks.rebalancing(4).unwrap(), Rebalancing::CalendarDays(7));
        for (tenor, steps) in [
            (month, 3),
            (month, 40),
            (month, 160),
            (weeks, 14),
            (weeks, 56),
        ] {
            let error = tenor.rebalancing(steps).unwrap_err().to_string();
            let expected = "`contract.steps` must be";
            assert!(
                error.starts_with(expected) && error.ends_with(&format!("was {steps}")),
                "{error}"
            );
        }
        let half = tenor(0.5, Trading).rebalancing(1).unwrap_err();
        assert!(half.to_string().contains("whole number"), "{half}");
    }

    /// What the days count follows from the year, or from whether the contract is on history, and is written out.
    #[test]
    fn the_notion_of_days_is_stated() {
        let read = |days: Option<&str>, year: Option<f64>, on_history: bool| {
            let mut raw = RawContract {
                expiry_days: Some(21.0),
                days: days.map(Into::into),
                days_per_year: year,
                ..RawContract::default()
            };
            let tenor = Tenor::new(&mut raw, on_history).unwrap();
            (raw.days.unwrap(), raw.days_per_year.unwrap(), tenor.years())
        };
        let trading = ("trading".to_string(), 252.0, 21.0 / 252.0);
        let calendar = ("calendar".to_string(), 365.0, 21.0 / 365.0);
        assert_eq!(read(None, None, true), trading);
        assert_eq!(read(None, None, false), calendar);
        assert_eq!(read(None, Some(252.0), false), trading);
        assert_eq!(read(None, Some(365.0), true), calendar);
        assert_eq!(read(Some("trading"), None, false), trading);
        assert_eq!(read(Some("trading"), Some(365.0), true).0, "trading");
    }
}
