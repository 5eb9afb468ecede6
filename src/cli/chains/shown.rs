//! What of a report is put together to be shown, as text or as a document.

use crate::error::escaped;
use crate::numbers::{counted, significant};
use crate::quotes::{ChainReport, DaySurface};

/// The days whose fits leave most that are shown.
pub const WORST: usize = 5;

/// The number of days whose surface has butterflies that cost less than nothing, and of those with such calendar spreads.
pub fn arbitrage(report: &ChainReport) -> (usize, usize) {
    let days = report.days.iter().map(|day| day.arbitrage);
    days.fold((0, 0), |(butterflies, calendars), day| {
        (
            butterflies + usize::from(day.butterflies > 0),
            calendars + usize::from(day.calendars > 0),
        )
    })
}

/// The forward of an expiry, for show.
pub struct ShownForward {
    /// The day of expiry.
    pub date: String,
    /// The root of its options' symbols.
    pub root: Option<String>,
    /// Whether it is settled at the opening.
    pub morning: bool,
    /// Trading days to it.
    pub days: f64,
    /// The forward.
    pub forward: f64,
    /// The rate per year.
    pub rate: f64,
    /// The dividend yield per year.
    pub dividend: Option<f64>,
    /// Strikes with call and put that say so.
    pub pairs: usize,
}

impl ShownForward {
    /// On one line.
    pub fn text(&self) -> String {
        let root = self
            .root
            .as_ref()
            .map_or(String::new(), |root| format!(" {}", escaped(root)));
        let morning = if self.morning { ", at the opening" } else { "" };
        let yielded = self.dividend.map_or(String::new(), |dividend| {
            format!(", yield {:.2} %", 100.0 * dividend)
        });
        format!(
            "{}{root} ({:.0} trading days{morning}): {}, rate {:.2} %{yielded}, {}",
            self.date,
            self.days,
            significant(self.forward, 7),
            100.0 * self.rate,
            match self.pairs {
                0 => "by other expiries or the file".to_owned(),
                pairs => counted(pairs, "strike"),
            }
        )
    }
}

/// The forwards of a day.
pub fn forwards(report: &ChainReport, day: &DaySurface) -> Vec<ShownForward> {
    let shown = day.expiries.iter().filter_map(|expiry| {
        let forward = expiry.forward?;
        let carry = |spot: f64| (forward.forward / spot).ln() / expiry.calendar_years;
        Some(ShownForward {
            date: expiry.key.date().to_string(),
            root: report.roots.get(usize::from(expiry.key.root)).cloned(),
            morning: !expiry.key.evening,
            days: 252.0 * expiry.years,
            forward: forward.forward,
            rate: forward.rate,
            dividend: day.close.map(|spot| forward.rate - carry(spot)),
            pairs: forward.pairs,
        })
    });
    shown.collect()
}
