//! The values among which a parameter is searched for.

use super::parameter::Parameter;
use super::search::Search;
use crate::error::Result;

/// Values of a parameter in their order, k = … −1, 0, 1 …
pub(super) struct Lattice {
    pub(super) value: Box<dyn Fn(i32) -> f64>,
    /// The places between which a search looks first.
    first: (i32, i32),
    /// The places that it never leaves.
    pub(super) last: (i32, i32),
    /// Whether nothing lies beyond the lowest and the highest of these, so that ending there is no cause for doubt.
    ends: (bool, bool),
    /// The distance of the places looked at first.
    stride: i32,
}

impl Lattice {
    /// Where a parameter is searched, in few places unless it is `quick`.
    pub(super) fn of(parameter: Parameter, at: Search, quick: bool) -> Self {
        match parameter {
            Parameter::Aversion | Parameter::OptionAversion => Self {
                value: Box::new(move |k| 2f64.powf(0.5 * f64::from(k)) / at.money),
                first: (-16, 16),
                last: (-64, 64),
                // At the last place the band has closed.
                ends: (false, true),
                stride: if quick { 1 } else { 4 },
            },
            Parameter::Scale => Self {
                value: Box::new(|k| f64::from(k) / 40.0),
                first: (0, 80),
                last: (0, 160),
                ends: (true, false),
                stride: 8,
            },
            Parameter::Ratio => Self {
                value: Box::new(|k| f64::from(k) / 40.0),
                first: (0, 96),
                last: (0, 400),
                ends: (true, false),
                stride: 8,
            },
            Parameter::Move | Parameter::OptionMove => Self {
                value: Box::new(|k| 2f64.powf(0.5 * f64::from(k))),
                first: (-20, 4),
                last: (-64, 64),
                ends: (false, false),
                stride: 4,
            },
            // No band at all is one of its places.
            Parameter::Width | Parameter::OptionWidth => Self {
                value: Box::new(|k| match k {
                    0 => 0.0,
                    k => 2f64.powf(0.5 * f64::from(k - 20)),
                }),
                first: (0, 20),
                last: (0, 32),
                ends: (true, false),
                stride: 4,
            },
            Parameter::Every | Parameter::OptionEvery => {
                let dates = at.dates as i32;
                Self {
                    value: Box::new(f64::from),
                    first: (1, dates.min(10)),
                    last: (1, dates),
                    ends: (true, true),
                    stride: 1,
                }
            }
        }
    }

    /// The least `risk` among the places looked at, and its place: every `stride`-th of the first places; where the least is at an
    /// end, further ones for as long as the risk falls; then those around the least, at half the distance each time.
    pub(super) fn least(&self, mut risk: impl FnMut(f64) -> Result<f64>) -> Result<(f64, i32)> {
        let mut best = (f64::INFINITY, 0);
        let mut measure = |k: i32, best: &mut (f64, i32)| -> Result<()> {
            let risk = risk((self.value)(k))?;
            if risk < best.0 {
                *best = (risk, k);
            }
            Ok(())
        };
        let mut stride = self.stride;
        let mut k = self.first.0;
        let mut highest = k;
        while k <= self.first.1 {
            measure(k, &mut best)?;
            highest = k;
            k += stride;
        }
        for (mut k, away, end) in [
            (self.first.0, -stride, self.last.0),
            (highest, stride, self.last.1),
        ] {
            while best.1 == k && (end - k).abs() >= stride {
                k += away;
                measure(k, &mut best)?;
            }
        }
        while stride > 1 {
            stride /= 2;
            let middle = best.1;
            for k in [middle - stride, middle + stride] {
                if (self.last.0..=self.last.1).contains(&k) {
                    measure(k, &mut best)?;
                }
            }
        }
        Ok(best)
    }

    /// The least `risk` that is found by walking from a place whose risk is known, and its place: two places at a time for as long as the risk falls, then one.
    pub(super) fn around(
        &self,
        from: (f64, i32),
        mut risk: impl FnMut(f64) -> Result<f64>,
    ) -> Result<(f64, i32)> {
        let mut best = from;
        for step in [2, 1] {
            if step > self.stride {
                continue;
            }
            for away in [-step, step] {
                let before = best.1;
                loop {
                    let k = best.1 + away;
                    if !(self.last.0..=self.last.1).contains(&k) {
                        break;
                    }
                    let next = risk((self.value)(k))?;
                    if next >= best.0 {
                        break;
                    }
                    best = (next, k);
                }
                if best.1 != before {
                    break;
                }
            }
        }
        Ok(best)
    }

    /// Whether a place is at a bound of the search, beyond which the risk may still fall.
    pub(super) fn is_bound(&self, place: i32) -> bool {
        let (lowest, highest) = self.last;
        (place == lowest && !self.ends.0) || (place == highest && !self.ends.1)
    }
}
