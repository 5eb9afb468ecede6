//! P&L by calendar month.

use super::{Book, TearSheet};
use chrono::Datelike;
use std::collections::BTreeMap;

/// P&L by year and month.
///
/// # Units
/// Money.
#[derive(Debug, Clone, PartialEq)]
pub struct Months {
    /// Every year from the first to the last, with its months in their order; none in which no contract lived.
    pub years: Vec<(i32, [Option<f64>; 12])>,
}

impl Months {
    /// The names of the months.
    pub const NAMES: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];

    /// The sum of a year.
    pub fn total(months: &[Option<f64>; 12]) -> f64 {
        months.iter().flatten().sum()
    }

    /// The size of a month from which on colours do not grow: that of the twentieth part of all months, so that one crash does not
    /// leave the others pale.
    pub fn scale(&self) -> f64 {
        let all = self.years.iter().flat_map(|(_, months)| months).flatten();
        let mut sizes: Vec<f64> = all.map(|value| value.abs()).collect();
        sizes.sort_by(f64::total_cmp);
        let place = sizes.len().saturating_sub(1 + sizes.len() / 20);
        sizes
            .get(place)
            .copied()
            .filter(|size| *size > 0.0)
            .unwrap_or(1.0)
    }
}

impl TearSheet<'_> {
    /// What the book of a strategy came to in every month, less that of another one if one is given; none if there is no such
    /// strategy. The months add up to the book's P&L.
    pub fn months(&self, strategy: &str, less: Option<&str>) -> Option<Months> {
        let mut sums: BTreeMap<i32, [Option<f64>; 12]> = BTreeMap::new();
        let mut add = |book: &Book<'_>, sign: f64| {
            for day in &book.days {
                let months = sums.entry(day.date.year()).or_default();
                *months[day.date.month0() as usize].get_or_insert(0.0) += sign * day.pnl;
            }
        };
        add(self.book(strategy)?, 1.0);
        if let Some(less) = less {
            add(self.book(less)?, -1.0);
        }
        let (first, last) = (*sums.keys().next()?, *sums.keys().last()?);
        let years = (first..=last).map(|year| (year, sums.get(&year).copied().unwrap_or_default()));
        Some(Months {
            years: years.collect(),
        })
    }
}
