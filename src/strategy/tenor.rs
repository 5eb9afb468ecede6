//! How long a contract lives: `contract.expiry_days` and what its days are.

use super::contract::ContractSection;
use crate::bounds::outside;
use crate::error::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What days to expiry count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DayCount {
    /// Days on which the market is open; on history one close each.
    Trading,
    /// Days of the calendar; on history the contract expires on the close at or before the last of them.
    Calendar,
}

impl DayCount {
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
    /// The number of days from sale to expiry.
    pub days: f64,
    /// What kind of days they are.
    pub count: DayCount,
    /// The days of a year.
    pub days_per_year: f64,
}

impl Tenor {
    /// The days of a year on which the market is open: those that the strategy counts, or the usual ones where it counts days of the
    /// calendar.
    pub fn trading_days_per_year(&self) -> f64 {
        match self.count {
            DayCount::Trading => self.days_per_year,
            DayCount::Calendar => DayCount::Trading.days_per_year(),
        }
    }
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
    pub(super) fn new(contract: &mut ContractSection, on_history: bool) -> Self {
        let default = match contract.days_per_year {
            Some(year) if year >= CALENDAR_YEAR => DayCount::Calendar,
            Some(_) => DayCount::Trading,
            None if on_history => DayCount::Trading,
            None => DayCount::Calendar,
        };
        let count = *contract.days.get_or_insert(default);
        let year = contract.days_per_year;
        Self {
            days: contract.expiry_days,
            count,
            days_per_year: *contract
                .days_per_year
                .insert(year.unwrap_or(count.days_per_year())),
        }
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
            return Err(outside(
                "contract.expiry_days",
                "a whole number on history, which has one close a day",
                self.days.to_string(),
            ));
        }
        let divides = days.is_multiple_of(steps);
        let period = days / steps;
        let wrong = |bound: &str| {
            let bound = format!("{bound} on history, which has one close a day");
            outside("contract.steps", bound, steps.to_string())
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

impl Tenor {
    /// The same in words, where contracts live from `least` days on.
    pub fn from_days(self, least: f64) -> String {
        format!("{least} to {self}")
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
        let read = |days: Option<DayCount>, year: Option<f64>, on_history: bool| {
            let mut section = ContractSection {
                expiry_days: 21.0,
                days,
                days_per_year: year,
                ..ContractSection::default()
            };
            let tenor = Tenor::new(&mut section, on_history);
            let (days, year) = (section.days.unwrap(), section.days_per_year.unwrap());
            (days, year, tenor.years())
        };
        let trading = (DayCount::Trading, 252.0, 21.0 / 252.0);
        let calendar = (DayCount::Calendar, 365.0, 21.0 / 365.0);
        assert_eq!(read(None, None, true), trading);
        assert_eq!(read(None, None, false), calendar);
        assert_eq!(read(None, Some(252.0), false), trading);
        assert_eq!(read(None, Some(365.0), true), calendar);
        let given = Some(DayCount::Trading);
        assert_eq!(read(given, None, false), trading);
        assert_eq!(read(given, Some(365.0), true).0, DayCount::Trading);
    }
}
