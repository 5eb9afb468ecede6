//! Quotes of options as they are kept: a day's in one list, in the order of expiry, root, strike and kind.

use crate::contract::OptionKind;
use chrono::{Datelike, NaiveDate};
use std::cmp::Ordering;

/// One option's quote at one time.
///
/// # Units
/// Prices in the currency of the underlying, the rate, the yield and the volatility per year. What the file does not say is NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OptionQuote {
    /// The strike.
    pub strike: f64,
    /// The bid; 0 or NaN if there is none.
    pub bid: f64,
    /// The ask; 0 or NaN if there is none.
    pub ask: f64,
    /// The spot beside it in the file.
    pub spot: f64,
    /// The implied volatility beside it in the file, in the file's unit.
    pub volatility: f32,
    /// The hour of the quote.
    pub time: f32,
    /// The interest rate beside it in the file, continuously compounded.
    pub rate: f32,
    /// The dividend yield beside it in the file, continuously compounded.
    pub dividend: f32,
    /// The day of expiry, counted from the first day of the common era.
    pub expiry: i32,
    /// The place of the option's root among those of all files.
    pub root: u16,
    /// Whether it is a call or a put.
    pub kind: OptionKind,
    /// Whether it is settled at the opening of its last day.
    pub morning: bool,
}

/// What the options of one expiry share: the day, the time of its settlement, the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SliceKey {
    /// The day of expiry, counted from the first day of the common era.
    pub expiry: i32,
    /// Whether it ends in the evening, after one that ends in the morning.
    pub evening: bool,
    /// The place of the root among those of all files.
    pub root: u16,
}

impl SliceKey {
    /// The day of expiry.
    pub fn date(self) -> NaiveDate {
        NaiveDate::from_num_days_from_ce_opt(self.expiry).unwrap_or(NaiveDate::MAX)
    }
}

impl OptionQuote {
    /// The expiry that the option belongs to.
    pub fn slice(&self) -> SliceKey {
        SliceKey {
            expiry: self.expiry,
            evening: !self.morning,
            root: self.root,
        }
    }

    /// By expiry, root, strike and kind, calls first: equal for quotes of the same option.
    pub fn order(&self, other: &Self) -> Ordering {
        let of = |quote: &Self| (quote.slice(), quote.strike);
        let ((a, x), (b, y)) = (of(self), of(other));
        let kinds = other.kind.sign().total_cmp(&self.kind.sign());
        a.cmp(&b).then(x.total_cmp(&y)).then(kinds)
    }

    /// Half-way between bid and ask, where no bid is 0.
    pub fn mid(&self) -> f64 {
        0.5 * (self.bid.max(0.0) + self.ask)
    }

    /// Half of what the ask is above the bid.
    pub fn half_spread(&self) -> f64 {
        0.5 * (self.ask - self.bid.max(0.0))
    }

    /// Whether bid and ask are the same as those of another quote.
    pub fn is_unchanged(&self, other: &Self) -> bool {
        self.bid == other.bid && self.ask == other.ask
    }
}

/// The quotes of each expiry of a sorted list.
pub fn slices(quotes: &[OptionQuote]) -> impl Iterator<Item = &[OptionQuote]> {
    quotes.chunk_by(|a, b| a.slice() == b.slice())
}

/// The number by which quotes have their day of expiry.
pub fn number_of(date: NaiveDate) -> i32 {
    date.num_days_from_ce()
}
