//! Gaps between days, and moves of the close that no ordinary day makes: splits and jumps.

use super::columns::{Quantity, Series};
use super::defects::{Defects, Kind};
use super::frequency::Frequency;
use super::reading::Days;
use crate::error::Result;
use crate::market::table::refuse_row;
use crate::numbers::median;
use chrono::NaiveDate;
use std::path::Path;

/// More calendar days than this between two rows are a gap; the longest closure of the New York Stock Exchange since
/// 1933 lasted seven.
const LONGEST_CLOSURE: i64 = 10;

/// Fewer dates than this have no usual distance.
const FEWEST_DATES: usize = 12;

/// The same for closes that are further apart, as a multiple of their usual distance.
const LONGEST_DISTANCE: f64 = 1.5;

/// Closes of two days that follow one another may have a ratio of at most this, and of at least one over it.
pub const GREATEST_RATIO: f64 = 1.4;

/// How far, in logarithms, the ratio of a split may lie from one of small integers if nobody names the split.
const EXACT: f64 = 0.01;

/// How far it may lie if somebody does: a day's return comes on top.
const NAMED: f64 = 0.15;

/// How far it may lie for a message to think of one.
const THOUGHT_OF: f64 = 0.1;

/// Ratios of splits that are not n to 1.
const MIXED: [(u32, u32); 5] = [(3, 2), (5, 2), (4, 3), (5, 4), (6, 5)];

/// The ratio of small integers that is nearest to `ratio` in logarithms, and how far that is: n to 1 up to 100, 3:2,
/// 5:2, 4:3, 5:4 and 6:5, either way.
fn nearest(ratio: f64) -> ((u32, u32), f64) {
    let pairs = (2..=100).map(|n| (n, 1)).chain(MIXED);
    pairs
        .flat_map(|(p, q)| [(p, q), (q, p)])
        .map(|pair| {
            let other = f64::from(pair.0) / f64::from(pair.1);
            (pair, (ratio / other).ln().abs())
        })
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .expect("there are ratios to choose from")
}

/// Volumes by date, from which a split shows.
pub struct Volumes {
    /// The days, in ascending order.
    pub dates: Vec<NaiveDate>,
    /// The volume of every day.
    pub values: Vec<f64>,
}

impl Volumes {
    /// Whether volumes from `date` on are to those before as the number of shares in a split by `ratio`, as far as such
    /// volumes can tell: the medians of up to twenty days, within half the logarithm of the ratio.
    fn agree(&self, date: NaiveDate, ratio: f64) -> bool {
        const DAYS: usize = 20;
        const FEWEST: usize = 5;
        let start = self.dates.partition_point(|day| *day < date);
        let before = &self.values[start.saturating_sub(DAYS)..start];
        let after = &self.values[start..(start + DAYS).min(self.values.len())];
        if before.len() < FEWEST || after.len() < FEWEST {
            return false;
        }
        let of = |values: &[f64]| median(values.iter().copied());
        let (Some(after), Some(before)) = (of(after), of(before)) else {
            return false;
        };
        let change = after / before;
        let share = change.ln() / ratio.ln();
        (0.5..=1.5).contains(&share)
    }
}

/// Whether an implied volatility hardly moves on `date`, as it would not do in a market that halves or doubles.
fn calm(volatility: &Days, date: NaiveDate) -> bool {
    const MOST: f64 = 1.25;
    let series = volatility.series(Quantity::ImpliedVolatility);
    let day = volatility.dates.binary_search(&date).ok();
    let pair = series.zip(day).and_then(|(series, day)| {
        let before = series.values.get(day.checked_sub(1)?)?;
        Some(series.values[day] / before)
    });
    pair.is_some_and(|change| (1.0 / MOST..=MOST).contains(&change))
}

impl Days {
    /// Finds stretches without a day: more than [`LONGEST_CLOSURE`], or than one and a half times the usual distance of
    /// closes that are monthly or rarer.
    pub fn check_gaps(&self, path: &Path, defects: &mut Defects) {
        let usual = 365.25 / Frequency::of(&self.dates).observations_per_year;
        let longest = match self.dates.len() {
            ..FEWEST_DATES => LONGEST_CLOSURE,
            _ => ((LONGEST_DISTANCE * usual) as i64).max(LONGEST_CLOSURE),
        };
        for i in 1..self.dates.len() {
            let (before, date) = (self.dates[i - 1], self.dates[i]);
            let gap = (date - before).num_days();
            if gap > longest {
                defects.add(Kind::Gaps, self.at(path, i, &self.date_column), || {
                    format!("{gap} days lie between {before} and {date}, at most {longest} may")
                });
            }
        }
    }

    /// Finds moves of the close beyond [`GREATEST_RATIO`], and moves that the user names as splits.
    ///
    /// A move is a split by itself if its ratio is within 1 % of one of small integers and the volume or an implied
    /// volatility agrees; it is one too where the user names its row or date. Any other is a jump.
    ///
    /// # Errors
    /// [`crate::Error::Input`] for a split that the user names where the close does not move like one.
    pub fn check_moves(
        &mut self,
        path: &Path,
        volatility: Option<&Days>,
        volumes: impl FnOnce() -> Option<Volumes>,
        defects: &mut Defects,
    ) -> Result<()> {
        let Some(Series { column, values, .. }) = self.series(Quantity::Close) else {
            return Ok(());
        };
        let column = column.clone();
        let repairs = defects.repairs().clone();
        let moves = values.windows(2).enumerate().filter_map(|(i, pair)| {
            let day = i + 1;
            let ratio = pair[0] / pair[1];
            let named = repairs.names(Kind::Splits, self.rows[day], Some(self.dates[day]));
            let ordinary = (1.0 / GREATEST_RATIO..=GREATEST_RATIO).contains(&ratio);
            (named || !ordinary).then_some((day, pair[0], pair[1], named))
        });
        let moves: Vec<(usize, f64, f64, bool)> = moves.collect();
        if moves.is_empty() {
            return Ok(());
        }
        let volumes = volumes();
        for (day, before, now, named) in moves {
            let date = self.dates[day];
            let ratio = before / now;
            let ((new, old), distance) = nearest(ratio);
            let (p, q) = (f64::from(new), f64::from(old));
            let witness = |volumes: &Volumes| volumes.agree(date, p / q);
            let agreed = || {
                volumes.as_ref().is_some_and(witness) || volatility.is_some_and(|v| calm(v, date))
            };
            // A move that is like a split may also be taken as real.
            let real = repairs.all(Kind::Jumps) && !repairs.any(Kind::Splits)
                || repairs.names(Kind::Jumps, self.rows[day], Some(date));
            if named && distance > NAMED {
                let what = format!(
                    "price moves from {before} to {now}, which is like no split: no ratio of small integers is near"
                );
                return Err(refuse_row(path, self.rows[day], &column, &what));
            }
            let at = self.at(path, day, &column);
            if !named && (real || distance > EXACT || !agreed()) {
                defects.add(Kind::Jumps, at, || {
                    let (ratio, bound) = match ratio > 1.0 {
                        true => (format!("1/{ratio:.3}"), format!("1/{GREATEST_RATIO}")),
                        false => (format!("{:.3}", 1.0 / ratio), GREATEST_RATIO.to_string()),
                    };
                    let split = match distance <= THOUGHT_OF {
                        true => format!("; for a split of {new}:{old} --repair splits@{date}"),
                        false => String::new(),
                    };
                    format!(
                        "price moves from {before} to {now}, a ratio of {ratio}, beyond {bound}{split}"
                    )
                });
                continue;
            }
            let repaired = defects.add(Kind::Splits, at, || {
                format!("price moves from {before} to {now}, like a split of {new}:{old}")
            });
            if !repaired {
                continue;
            }
            for series in &mut self.series {
                let scale = match series.quantity {
                    quantity if quantity.is_price() => q / p,
                    Quantity::Volume => p / q,
                    _ => continue,
                };
                let values = series.values[..day].iter_mut();
                values.for_each(|value| *value *= scale);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_of_small_integers() {
        for (ratio, pair) in [
            (2.0, (2, 1)),
            (0.5, (1, 2)),
            (1.5, (3, 2)),
            (3.94, (4, 1)),
            (20.1, (20, 1)),
            (0.1, (1, 10)),
            (1.25, (5, 4)),
            (7.0, (7, 1)),
        ] {
            assert_eq!(nearest(ratio).0, pair, "{ratio}");
        }
        // A day's rise of 95 % and a fall of 36 % are none within 1 %.
        assert!(nearest(1.0 / 1.95).1 > EXACT);
        assert!(nearest(1.0 / 0.64).1 > EXACT);
        assert!(nearest(1.0).1 > 0.18 && nearest(1.7).1 > THOUGHT_OF);
    }

    /// Shares are four times as many after a split of 4:1, and so is the volume; a rush of one day is no sign.
    #[test]
    fn volumes_tell_a_split() {
        let day = |n: u64| NaiveDate::from_ymd_opt(2020, 1, 1).unwrap() + chrono::Days::new(n);
        let volumes = |after: f64| Volumes {
            dates: (0..20).map(day).collect(),
            values: (0..20)
                .map(|n| match n {
                    0..10 => 100.0 + f64::from(n),
                    10 => 4000.0,
                    _ => after + f64::from(n),
                })
                .collect(),
        };
        assert!(volumes(400.0).agree(day(10), 4.0));
        assert!(!volumes(100.0).agree(day(10), 4.0));
        assert!(!volumes(400.0).agree(day(10), 0.25));
        assert!(!volumes(400.0).agree(day(18), 4.0));
    }
}
