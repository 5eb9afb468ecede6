//! From which close to which contracts live, and how long that is in years.

use crate::error::{Error, Result};
use crate::market::History;
use crate::market::history::{Frequency, Spacing};
use crate::strategy::{BacktestPlan, DayCount, Plan, Rebalancing, Schedule, Tenor};
use chrono::{Days, NaiveDate};

/// The closes of one contract's life.
#[derive(Debug, Clone, PartialEq)]
pub struct Life {
    /// The closes at which the contract is sold, hedged and, the last one, settled, by their places in the history.
    pub closes: Vec<usize>,
    /// The years from sale to expiry.
    pub years: f64,
}

/// How days, closes and years hang together on a history.
#[derive(Debug, Clone)]
pub struct Calendar<'a> {
    dates: &'a [NaiveDate],
    frequency: Frequency,
    /// How far closes lie apart, by the dates.
    spacing: Spacing,
    tenor: Tenor,
    rebalancing: Rebalancing,
    steps: usize,
}

impl<'a> Calendar<'a> {
    /// The calendar of contracts as `plan` has them on `history`, whose closes a year are found from its dates unless
    /// `settings` give them.
    ///
    /// # Errors
    /// [`Error::Input`] if the history has no daily closes and the contract needs them, if its closes a year are not the
    /// trading days a year of the contract within 5 %, or those of [`Tenor::rebalancing`].
    pub fn new(history: &'a History, plan: &Plan, settings: &BacktestPlan) -> Result<Self> {
        let found = history.frequency();
        let frequency = settings
            .days_per_year
            .map_or(found, |days| found.counted_as(days));
        let (tenor, steps) = (plan.tenor, plan.contract.steps);
        let rebalancing = tenor.rebalancing(steps)?;
        let wrong = |what: String| Error::input(format!("{}: {what}", settings.files()));
        let daily = !matches!(rebalancing, Rebalancing::CalendarDays(_));
        if daily && found.spacing != Spacing::Daily {
            return Err(wrong(format!(
                "the closes are {found}, and {} days hedged in {steps} steps need one a day: set `contract.days` = \
                 \"calendar\" and `contract.steps` to periods of whole weeks",
                tenor.days
            )));
        }
        if tenor.count == DayCount::Trading && !frequency.agrees(tenor.days_per_year) {
            return Err(wrong(format!(
                "the closes are {frequency}, but `contract.days_per_year` is {} trading days: set it to {}, or \
                 `backtest.days_per_year` (--days-per-year) to what the closes count",
                tenor.days_per_year, frequency.observations_per_year
            )));
        }
        Ok(Self {
            dates: &history.dates,
            frequency,
            spacing: found.spacing,
            tenor,
            rebalancing,
            steps,
        })
    }

    /// How often the history has a close, by which its returns are annualised.
    pub fn frequency(&self) -> Frequency {
        self.frequency
    }

    /// How long the contract lives.
    pub fn tenor(&self) -> Tenor {
        self.tenor
    }

    /// How many contracts are alive at a time, at least 1.
    pub fn overlap(&self, schedule: Schedule) -> f64 {
        schedule.overlap(self.closes(), self.frequency.observations_per_year)
    }

    /// Years from a close to the next, by the convention: one trading day of the contract's year or, where its days are
    /// those of the calendar, a year over the closes in it.
    pub fn dt(&self) -> f64 {
        match self.tenor.count {
            DayCount::Trading => 1.0 / self.tenor.days_per_year,
            DayCount::Calendar => 1.0 / self.frequency.observations_per_year,
        }
    }

    /// Closes in a contract's life, on average.
    pub fn closes(&self) -> f64 {
        match self.tenor.count {
            DayCount::Trading => self.tenor.days,
            DayCount::Calendar => self.tenor.years() * self.frequency.observations_per_year,
        }
    }

    /// Closes in a hedging period, on average to a whole number, at least 1.
    pub fn closes_per_step(&self) -> usize {
        match self.rebalancing {
            Rebalancing::EveryClose => 1,
            Rebalancing::Closes(closes) => closes,
            Rebalancing::CalendarDays(_) => {
                ((self.closes() / self.steps as f64).round() as usize).max(1)
            }
        }
    }

    /// The place of the close at which a contract sold at close `sale` expires; absent if the history ends before, or has
    /// no further close up to then.
    pub fn expiry(&self, sale: usize) -> Option<usize> {
        match self.rebalancing {
            Rebalancing::Closes(_) => {
                Some(sale + self.tenor.days as usize).filter(|&close| close < self.dates.len())
            }
            Rebalancing::EveryClose | Rebalancing::CalendarDays(_) => {
                let day = self.dates[sale] + Days::new(self.tenor.days as u64);
                let ends_before = self.dates.last().is_none_or(|last| *last < day);
                Some(self.close_due(day)).filter(|&close| !ends_before && close > sale)
            }
        }
    }

    /// The life of a contract sold at close `sale`; absent as in [`Self::expiry`].
    pub fn life(&self, sale: usize) -> Option<Life> {
        let expiry = self.expiry(sale)?;
        let closes: Vec<usize> = match self.rebalancing {
            Rebalancing::EveryClose => (sale..=expiry).collect(),
            Rebalancing::Closes(period) => (sale..=expiry).step_by(period).collect(),
            Rebalancing::CalendarDays(period) => {
                let day = |step: usize| self.dates[sale] + Days::new((step * period) as u64);
                let mut closes: Vec<usize> = (0..=self.steps)
                    .map(|step| self.close_due(day(step)))
                    .collect();
                // A market that is closed for longer than a period has fewer.
                closes.dedup();
                closes
            }
        };
        let years = match self.tenor.count {
            DayCount::Trading => self.tenor.years(),
            DayCount::Calendar => {
                let days = (self.dates[expiry] - self.dates[sale]).num_days();
                days as f64 / self.tenor.days_per_year
            }
        };
        Some(Life { closes, years })
    }

    /// The day that lies so many years after close `sale`, by the days that contracts count: that of a close where those are trading days;
    /// none after the last close.
    pub fn day_after(&self, sale: usize, years: f64) -> Option<NaiveDate> {
        let days = (years * self.tenor.days_per_year).round() as usize;
        match self.tenor.count {
            DayCount::Trading => self.dates.get(sale + days).copied(),
            DayCount::Calendar => Some(self.dates[sale] + Days::new(days as u64)),
        }
    }

    /// The close at which something due on `day` happens: the last one up to it, or of closes that are not daily the
    /// nearest, since a week's close may come a day later than the one of the week before.
    fn close_due(&self, day: NaiveDate) -> usize {
        let after = self.dates.partition_point(|date| *date <= day);
        let before = after.max(1) - 1;
        let nearest = self.spacing != Spacing::Daily
            && after < self.dates.len()
            && self.dates[after] - day < day - self.dates[before];
        if nearest { after } else { before }
    }
}
