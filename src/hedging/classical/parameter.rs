//! Parameters of classical hedges, and how they are found.

use super::ClassicalHedge;
use crate::error::Result;
use crate::named::named;

named! {
    /// A number that a classical hedge depends on.
    pub enum Parameter {
        /// The risk aversion λ of a band, in one over the spot's currency.
        Aversion = "aversion",
        /// What the centre is multiplied by.
        Scale = "scale",
        /// How far the centre must have moved for a trade, in units of the instrument.
        Move = "move",
        /// Every how many dates there is a trade.
        Every = "every",
    }
}

impl Parameter {
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// What stands before its value in the name of a row.
    pub(super) fn mark(self) -> &'static str {
        match self {
            Self::Aversion => "aversion_",
            Self::Scale => "",
            Self::Move => "move_",
            Self::Every => "every_",
        }
    }

    /// What people call it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Aversion => "risk aversion",
            Self::Scale => "scale",
            Self::Move => "least move",
            Self::Every => "dates between trades",
        }
    }

    /// Where it is searched.
    fn lattice(self, at: Search, quick: bool) -> Lattice {
        match self {
            Self::Aversion => Lattice {
                value: Box::new(move |k| 2f64.powf(0.5 * f64::from(k)) / at.money),
                first: (-16, 16),
                last: (-64, 64),
                ends: (false, false),
                stride: if quick { 1 } else { 4 },
            },
            Self::Scale => Lattice {
                value: Box::new(|k| f64::from(k) / 40.0),
                first: (0, 80),
                last: (0, 160),
                ends: (true, false),
                stride: 8,
            },
            Self::Move => Lattice {
                value: Box::new(|k| 2f64.powf(0.5 * f64::from(k))),
                first: (-20, 4),
                last: (-64, 64),
                ends: (false, false),
                stride: 4,
            },
            Self::Every => {
                let dates = at.dates as i32;
                Lattice {
                    value: Box::new(f64::from),
                    first: (1, dates.min(10)),
                    last: (1, dates),
                    ends: (true, true),
                    stride: 1,
                }
            }
        }
    }
}

/// What the search for parameters depends on.
#[derive(Debug, Clone, Copy)]
pub struct Search {
    /// The strategy's unit of money, in the spot's currency.
    pub money: f64,
    /// The number of dates on which the contract is hedged.
    pub dates: usize,
    /// Whether trading anything costs something.
    pub costs: bool,
    /// The risk aversion of all hedges that give none, if it is not to be searched for.
    pub aversion: Option<f64>,
}

/// The parameters of a classical hedge. By default each is 1 but the least move, which is 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HedgeValues([f64; Parameter::COUNT]);

impl Default for HedgeValues {
    fn default() -> Self {
        Self([1.0; Parameter::COUNT]).with(Parameter::Move, 0.0)
    }
}

impl From<f64> for HedgeValues {
    /// The default parameters with the risk aversion λ of a band, in one over the spot's currency.
    fn from(aversion: f64) -> Self {
        Self::default().with(Parameter::Aversion, aversion)
    }
}

impl HedgeValues {
    /// One of them.
    #[inline(always)]
    pub fn of(&self, parameter: Parameter) -> f64 {
        self.0[parameter as usize]
    }

    /// The same with another value of one.
    #[must_use]
    pub fn with(mut self, parameter: Parameter, value: f64) -> Self {
        self.0[parameter as usize] = value;
        self
    }
}

/// A parameter that was searched for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TunedParameter {
    /// Which one.
    pub parameter: Parameter,
    /// Its value.
    pub value: f64,
    /// Whether the search ended at a bound, beyond which the risk may still fall.
    pub at_bound: bool,
}

/// A hedge with all its parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct TunedHedge {
    /// The hedge.
    pub hedge: ClassicalHedge,
    /// Its parameters, given and found.
    pub values: HedgeValues,
    /// Those that were searched for.
    pub tuned: Vec<TunedParameter>,
    /// The risk with them on the paths of the search.
    pub risk: f64,
}

/// The hedge with those of its parameters that are not given searched for, one after the other, each where `risk` is least. Without
/// costs nothing depends on an aversion, and it is 1. One that the search gives is not searched for.
///
/// # Errors
/// Those of `risk`.
pub fn tune(
    hedge: ClassicalHedge,
    at: Search,
    risk: &mut dyn FnMut(&HedgeValues) -> Result<f64>,
) -> Result<TunedHedge> {
    let usual = at
        .aversion
        .map_or_else(HedgeValues::default, HedgeValues::from);
    let mut values = hedge.values(usual);
    let searched = hedge.parameters().into_iter().filter(|parameter| {
        let known = *parameter == Parameter::Aversion && (at.aversion.is_some() || !at.costs);
        hedge.given[*parameter as usize].is_none() && !known
    });
    let searched: Vec<Parameter> = searched.collect();
    if searched.contains(&Parameter::Aversion) {
        values = values.with(Parameter::Aversion, 1.0 / at.money);
    }
    let (mut tuned, mut least) = (Vec::new(), None);
    for parameter in searched {
        let lattice = parameter.lattice(at, !hedge.moves_with_parameters());
        let (value, lowest, at_bound) =
            lattice.least(|value| risk(&values.with(parameter, value)))?;
        values = values.with(parameter, value);
        least = Some(lowest);
        tuned.push(TunedParameter {
            parameter,
            value,
            at_bound,
        });
    }
    Ok(TunedHedge {
        risk: match least {
            Some(least) => least,
            None => risk(&values)?,
        },
        hedge,
        values,
        tuned,
    })
}

/// Values of a parameter in their order, k = … −1, 0, 1 …
struct Lattice {
    value: Box<dyn Fn(i32) -> f64>,
    /// The places between which a search looks first.
    first: (i32, i32),
    /// The places that it never leaves.
    last: (i32, i32),
    /// Whether nothing lies beyond the lowest and the highest of these, so that ending there is no cause for doubt.
    ends: (bool, bool),
    /// The distance of the places looked at first.
    stride: i32,
}

impl Lattice {
    /// The value whose `risk` is least among those looked at, that risk, and whether the value is at a bound: every `stride`-th of the first places;
    /// where the least is at an end, further ones for as long as the risk falls; then those around the least, at half the distance
    /// each time.
    fn least(&self, mut risk: impl FnMut(f64) -> Result<f64>) -> Result<(f64, f64, bool)> {
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
        let (lowest, highest) = self.last;
        let at_bound = (best.1 == lowest && !self.ends.0) || (best.1 == highest && !self.ends.1);
        Ok(((self.value)(best.1), best.0, at_bound))
    }
}

#[cfg(test)]
#[path = "parameter_tests.rs"]
mod tests;
