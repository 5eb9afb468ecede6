//! On which days contracts are sold.

use chrono::{Datelike, NaiveDate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// On which days contracts are sold, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Spacing {
    /// At every so many closes.
    Days(#[schemars(range(min = 1))] usize),
    /// By a rule.
    Rule(SpacingRule),
}

/// A rule for days of sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SpacingRule {
    /// As soon as the contract before has expired.
    NonOverlapping,
    /// At every close.
    Daily,
    /// On the first trading day of a week.
    Weekly,
    /// On the first trading day of a month.
    Monthly,
}

/// On which days contracts are sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// As soon as the contract before has expired.
    NonOverlapping,
    /// At every so many closes.
    Every(usize),
    /// On the first trading day of a week.
    Weekly,
    /// On the first trading day of a month.
    Monthly,
}

impl From<Spacing> for Schedule {
    fn from(spacing: Spacing) -> Self {
        match spacing {
            Spacing::Days(days) => Self::Every(days),
            Spacing::Rule(SpacingRule::NonOverlapping) => Self::NonOverlapping,
            Spacing::Rule(SpacingRule::Daily) => Self::Every(1),
            Spacing::Rule(SpacingRule::Weekly) => Self::Weekly,
            Spacing::Rule(SpacingRule::Monthly) => Self::Monthly,
        }
    }
}

impl Schedule {
    /// The days of sale among those of `period`, by their place in `dates`; `expiry` is the place at which a contract
    /// sold at a place expires, if the history goes on so long. Contracts that do not expire within it are not sold.
    pub fn sales(
        self,
        dates: &[NaiveDate],
        period: Range<usize>,
        expiry: impl Fn(usize) -> Option<usize>,
    ) -> Vec<usize> {
        let begins = |same: fn(NaiveDate, NaiveDate) -> bool| {
            let dates = &dates;
            move |&day: &usize| day > 0 && !same(dates[day], dates[day - 1])
        };
        let ends = |&day: &usize| expiry(day).is_some();
        match self {
            Self::NonOverlapping => {
                let first = period.clone().find(ends);
                let next = |&day: &usize| (expiry(day)?..period.end).find(ends);
                std::iter::successors(first, next).collect()
            }
            Self::Every(days) => period.step_by(days).filter(ends).collect(),
            Self::Weekly => {
                let starts = begins(|a, b| a.iso_week() == b.iso_week());
                period.filter(starts).filter(ends).collect()
            }
            Self::Monthly => {
                let starts = begins(|a, b| (a.year(), a.month()) == (b.year(), b.month()));
                period.filter(starts).filter(ends).collect()
            }
        }
    }

    /// How many contracts that live for `closes` closes are alive at a time, at least 1, where a year has
    /// `closes_per_year`.
    pub fn overlap(self, closes: f64, closes_per_year: f64) -> f64 {
        let between = match self {
            Self::NonOverlapping => closes,
            Self::Every(days) => days as f64,
            Self::Weekly => (closes_per_year / 52.0).round(),
            Self::Monthly => (closes_per_year / 12.0).round(),
        };
        (closes / between.max(1.0)).max(1.0)
    }
}
