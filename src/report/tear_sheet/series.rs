//! Sums through time.

use super::{Book, Day, TearSheet};
use crate::runs::daily::Curve;
use chrono::NaiveDate;
use std::collections::HashMap;

/// A fall of P&L net of mean cost from its highest point.
///
/// # Units
/// Money.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drawdown {
    /// How far it fell.
    pub depth: f64,
    /// The day of the highest point before; none if P&L had never been above zero.
    pub from: Option<NaiveDate>,
    /// The day of the lowest point after.
    pub to: NaiveDate,
    /// The first day on which the highest point was reached again, if there was one.
    pub recovered: Option<NaiveDate>,
}

impl<'a> TearSheet<'a> {
    /// The P&L of every strategy, added up.
    pub fn pnl(&self) -> Vec<Curve<'a>> {
        let books = self.books.iter();
        books
            .map(|book| (book.strategy, added_up(&book.days, |day| day.pnl)))
            .collect()
    }

    /// The P&L of every other strategy less that of `baseline`, added up; none if there is no such strategy.
    ///
    /// On day t it is Σ_{s ≤ t} (z_s − b_s) with the books' P&L z and b.
    pub fn relative(&self, baseline: &str) -> Option<Vec<Curve<'a>>> {
        let baseline = self.book(baseline)?;
        let theirs: HashMap<NaiveDate, f64> = baseline
            .days
            .iter()
            .map(|day| (day.date, day.pnl))
            .collect();
        let others = self
            .books
            .iter()
            .filter(|book| book.strategy != baseline.strategy);
        let curve = |book: &Book<'a>| {
            let less = |day: &Day| day.pnl - theirs.get(&day.date).copied().unwrap_or(0.0);
            (book.strategy, added_up(&book.days, less))
        };
        Some(others.map(curve).collect())
    }

    /// P&L net of mean cost, added up, less the highest it had been, of every strategy.
    ///
    /// The mean cost of a contract is given back evenly over its life, on day t C s_t with all costs C of the strategy and the day's
    /// share s_t of all contracts' lives. What is left of a drawdown is risk, and not that costs add up.
    pub fn drawdowns(&self) -> Vec<Curve<'a>> {
        let fall = |book: &Book<'a>| {
            let mut high: f64 = 0.0;
            let net = added_up(&book.days, |day| day.pnl + book.cost * day.share);
            let below = net.into_iter().map(|(date, sum)| {
                high = high.max(sum);
                (date, sum - high)
            });
            (book.strategy, below.collect())
        };
        self.books.iter().map(fall).collect()
    }
}

/// The deepest fall of a curve of [`TearSheet::drawdowns`].
pub fn deepest(below: &[(NaiveDate, f64)]) -> Option<Drawdown> {
    let points = below.iter().enumerate();
    let (place, (to, lowest)) = points.min_by(|a, b| a.1.1.total_cmp(&b.1.1))?;
    let at_high = |(_, below): &&(NaiveDate, f64)| *below >= 0.0;
    (*lowest < 0.0).then(|| Drawdown {
        depth: -lowest,
        from: below[..place].iter().rfind(at_high).map(|(date, _)| *date),
        to: *to,
        recovered: below[place..].iter().find(at_high).map(|(date, _)| *date),
    })
}

fn added_up(days: &[Day], of: impl Fn(&Day) -> f64) -> Vec<(NaiveDate, f64)> {
    let mut sum = 0.0;
    let added = days.iter().map(|day| {
        sum += of(day);
        (day.date, sum)
    });
    added.collect()
}
