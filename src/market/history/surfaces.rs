//! Surfaces of a history: which are implausible, and how a file of them is joined with one of closes.

use super::History;
use super::columns::{Factor, Quantity};
use super::defects::{Defects, Kind};
use super::reading::Days;
use crate::error::Result;
use crate::market::refusal::{refuse, shown};
use crate::pricing::SurfaceFactors;
use std::path::Path;

/// The greatest one-month volatility at the money that is taken for one: no index has reached it, and volatilities in percent are above.
const GREATEST_VOLATILITY: f64 = 3.0;

/// Closes of two files that differ by more than this fraction disagree; rounding and settlement stay below it.
const AGREEMENT: f64 = 1e-3;

/// Files of which a greater share of the closes disagree are of different assets.
const MOST_DISAGREEMENTS: f64 = 0.1;

/// The one-month volatility at the money before it is bounded from below.
fn at_the_money(factors: [f64; SurfaceFactors::COUNT]) -> f64 {
    let basis = SurfaceFactors::basis(0.0, 21.0 / 252.0);
    factors.iter().zip(basis).map(|(f, share)| f * share).sum()
}

impl Days {
    /// Finds days whose one-month volatility at the money is not above 0 or above 300 %, and drops those that are repaired.
    pub(super) fn check_surfaces(&mut self, path: &Path, defects: &mut Defects) {
        let factors = Factor::ALL.map(|factor| self.series(Quantity::Factor(factor)));
        if factors.iter().any(Option::is_none) {
            return;
        }
        let level = factors[0].map_or(String::new(), |series| series.column.clone());
        let of = |day: usize| factors.map(|series| series.map_or(0.0, |of| of.values[day]));
        let volatilities: Vec<f64> = (0..self.dates.len())
            .map(|day| at_the_money(of(day)))
            .collect();
        let mut kept = vec![true; self.dates.len()];
        for (day, volatility) in volatilities.into_iter().enumerate() {
            if volatility > 0.0 && volatility <= GREATEST_VOLATILITY {
                continue;
            }
            kept[day] = !defects.add(Kind::Surfaces, self.at(path, day, &level), || {
                let hint = match volatility > GREATEST_VOLATILITY {
                    true => ": factors are fractions, 0.2 for 20 %",
                    false => "",
                };
                format!(
                    "one-month volatility at the money must be above 0 and at most {GREATEST_VOLATILITY}, \
                     was {volatility:.4}{hint}"
                )
            });
        }
        if kept.iter().all(|kept| *kept) {
            return;
        }
        fn retain<T>(of: &mut Vec<T>, kept: &[bool]) {
            let mut kept = kept.iter();
            of.retain(|_| kept.next().is_some_and(|kept| *kept));
        }
        retain(&mut self.dates, &kept);
        retain(&mut self.rows, &kept);
        for series in &mut self.series {
            retain(&mut series.values, &kept);
        }
    }
}

impl History {
    /// The days that this history of closes and `surfaces` both have, with the closes of the former and the surfaces and rates of the
    /// latter; days that one of them lacks and closes that disagree are told in the warnings.
    ///
    /// # Errors
    /// [`crate::Error::Input`] if fewer than two days are common, or if the closes of more than a tenth of them differ by more than
    /// 0.1 %, as those of different assets do.
    pub fn with_surfaces(mut self, mut surfaces: Self) -> Result<Self> {
        let (data, file) = (self.shown(), surfaces.shown());
        let lengths = [self.len(), surfaces.len()];
        let own = self.dates.clone();
        let others = surfaces.dates.clone();
        self.retain(|date| others.binary_search(&date).is_ok());
        surfaces.retain(|date| own.binary_search(&date).is_ok());
        if self.len() < 2 {
            let what = format!(
                "has {} days that {data} has too, needs at least 2",
                self.len()
            );
            return Err(refuse(&surfaces.files[0], &what));
        }
        for (name, other, days) in [(&data, &file, lengths[0]), (&file, &data, lengths[1])] {
            if days > self.len() {
                self.warnings.push(format!(
                    "{} of {days} days of {name} are left out, which {other} has not",
                    days - self.len()
                ));
            }
        }
        // A file without closes disagrees with none.
        let pairs = self.close.iter().zip(&surfaces.close).enumerate();
        let differ =
            |(_, (own, other)): &(usize, (&f64, &f64))| (*own / *other - 1.0).abs() > AGREEMENT;
        let disagreements: Vec<_> = pairs.filter(differ).collect();
        if let Some((day, (own, other))) = disagreements.first() {
            let what = format!(
                "closes of {} of {} days differ from those of {data} by more than 0.1 %, first {}: {other} against {own}",
                disagreements.len(),
                self.len(),
                self.dates[*day]
            );
            if disagreements.len() as f64 > MOST_DISAGREEMENTS * self.len() as f64 {
                let what = format!("{what}; is it of another asset?");
                return Err(refuse(&surfaces.files[0], &what));
            }
            self.warnings.push(format!("{file}: {what}"));
        }
        self.warnings.extend(surfaces.warnings);
        self.files.extend(surfaces.files);
        for (kind, count) in surfaces.repaired {
            match self.repaired.iter_mut().find(|(other, _)| *other == kind) {
                Some((_, own)) => *own += count,
                None => self.repaired.push((kind, count)),
            }
        }
        self.surface = surfaces.surface;
        self.rate = surfaces.rate;
        Ok(self)
    }

    /// The name of its first file in messages.
    fn shown(&self) -> String {
        self.files.first().map_or(String::new(), |file| shown(file))
    }
}
