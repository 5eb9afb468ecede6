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
        /// The half-width of a constant band, in units of the instrument.
        Width = "width",
        /// What the options of the centre are multiplied by.
        Ratio = "ratio",
        /// The risk aversion λ of a band of the options, in one over the spot's currency.
        OptionAversion = "option_aversion",
        /// How far the centre of an option must have moved for a trade, in options.
        OptionMove = "option_move",
        /// Every how many dates options are traded.
        OptionEvery = "option_every",
        /// The half-width of a constant band of the options, in options.
        OptionWidth = "option_width",
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
            Self::Width => "width_",
            Self::Ratio => "ratio_",
            Self::OptionAversion => "option_aversion_",
            Self::OptionMove => "option_move_",
            Self::OptionEvery => "option_every_",
            Self::OptionWidth => "option_width_",
        }
    }

    /// The parameter of a rule of trading as the rule of options has it; none for what is no parameter of a rule.
    pub(super) fn of_options(self) -> Option<Self> {
        match self {
            Self::Aversion => Some(Self::OptionAversion),
            Self::Move => Some(Self::OptionMove),
            Self::Every => Some(Self::OptionEvery),
            Self::Width => Some(Self::OptionWidth),
            Self::Scale
            | Self::Ratio
            | Self::OptionAversion
            | Self::OptionMove
            | Self::OptionEvery
            | Self::OptionWidth => None,
        }
    }

    /// Whether it is the risk aversion of a band, on which nothing depends where trading is free.
    fn is_aversion(self) -> bool {
        matches!(self, Self::Aversion | Self::OptionAversion)
    }

    /// What people call it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Aversion => "risk aversion",
            Self::Scale => "scale",
            Self::Move => "least move",
            Self::Every => "dates between trades",
            Self::Width => "half-width",
            Self::Ratio => "ratio of options",
            Self::OptionAversion => "risk aversion in options",
            Self::OptionMove => "least move of options",
            Self::OptionEvery => "dates between trades of options",
            Self::OptionWidth => "half-width of options",
        }
    }

    /// Where it is searched.
    fn lattice(self, at: Search, quick: bool) -> Lattice {
        match self {
            Self::Aversion | Self::OptionAversion => Lattice {
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
            Self::Ratio => Lattice {
                value: Box::new(|k| f64::from(k) / 40.0),
                first: (0, 96),
                last: (0, 400),
                ends: (true, false),
                stride: 8,
            },
            Self::Move | Self::OptionMove => Lattice {
                value: Box::new(|k| 2f64.powf(0.5 * f64::from(k))),
                first: (-20, 4),
                last: (-64, 64),
                ends: (false, false),
                stride: 4,
            },
            // No band at all is one of its places.
            Self::Width | Self::OptionWidth => Lattice {
                value: Box::new(|k| match k {
                    0 => 0.0,
                    k => 2f64.powf(0.5 * f64::from(k - 20)),
                }),
                first: (0, 20),
                last: (0, 32),
                ends: (true, false),
                stride: 4,
            },
            Self::Every | Self::OptionEvery => {
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

/// The parameters of a classical hedge. By default each is 1 but least moves and half-widths, which are 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HedgeValues([f64; Parameter::COUNT]);

impl Default for HedgeValues {
    fn default() -> Self {
        use Parameter::{Move, OptionMove, OptionWidth, Width};
        let none = [Move, OptionMove, Width, OptionWidth].into_iter();
        none.fold(Self([1.0; Parameter::COUNT]), |values, parameter| {
            values.with(parameter, 0.0)
        })
    }
}

impl From<f64> for HedgeValues {
    /// The default parameters with the risk aversion λ of a band, in one over the spot's currency.
    fn from(aversion: f64) -> Self {
        Self::default().with_aversion(aversion)
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

    /// All of them, in the order of [`Parameter`].
    pub fn to_list(&self) -> Vec<f64> {
        self.0.to_vec()
    }

    /// Those of [`Self::to_list`].
    ///
    /// # Panics
    /// If there are more or fewer than parameters.
    pub fn of_list(values: &[f64]) -> Self {
        Self(values.try_into().expect("one value for every parameter"))
    }

    /// The same with another risk aversion of every band.
    #[must_use]
    fn with_aversion(self, aversion: f64) -> Self {
        self.with(Parameter::Aversion, aversion)
            .with(Parameter::OptionAversion, aversion)
    }

    /// The same as the rule of options reads them: its own parameters in the place of those of the spots.
    pub(super) fn of_options(self) -> Self {
        Parameter::all().fold(self, |values, parameter| match parameter.of_options() {
            Some(own) => values.with(parameter, self.of(own)),
            None => values,
        })
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
    /// The coefficients of its centre, where that is fitted.
    pub coefficients: Vec<f64>,
    /// The risk with them on the paths of the search.
    pub risk: f64,
}

impl ClassicalHedge {
    /// The parameters that are searched for.
    pub fn searched(&self, at: &Search) -> Vec<Parameter> {
        let known = at.aversion.is_some() || !at.costs;
        let mut missing = self.missing();
        missing.retain(|parameter| !(known && parameter.is_aversion()));
        missing
    }
}

/// How often all parameters are searched again around what was found, at most.
const ROUNDS: usize = 4;

/// The hedge with those of its parameters that are not given searched for, each where `risk` is least: one after the other, and then,
/// where there are several, again around what was found, for as long as that changes something and at most four times. Without costs
/// nothing depends on an aversion, and it is 1. One that the search gives is not searched for.
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
    let searched = hedge.searched(&at);
    for aversion in searched.iter().filter(|parameter| parameter.is_aversion()) {
        values = values.with(*aversion, 1.0 / at.money);
    }
    let quick = !hedge.moves_with_parameters();
    let lattices = searched.iter().map(|one| one.lattice(at, quick));
    let lattices: Vec<Lattice> = lattices.collect();
    let mut places = vec![0; searched.len()];
    let mut least = f64::INFINITY;
    for ((parameter, lattice), place) in searched.iter().zip(&lattices).zip(&mut places) {
        (least, *place) = lattice.least(|value| risk(&values.with(*parameter, value)))?;
        values = values.with(*parameter, (lattice.value)(*place));
    }
    let mut moved = searched.len() > 1;
    for _ in 0..ROUNDS {
        if !moved {
            break;
        }
        moved = false;
        for ((parameter, lattice), place) in searched.iter().zip(&lattices).zip(&mut places) {
            let from = (least, *place);
            (least, *place) =
                lattice.around(from, |value| risk(&values.with(*parameter, value)))?;
            values = values.with(*parameter, (lattice.value)(*place));
            moved |= *place != from.1;
        }
    }
    let found = searched.iter().zip(&lattices).zip(&places);
    let tuned: Vec<TunedParameter> = found
        .map(|((parameter, lattice), place)| TunedParameter {
            parameter: *parameter,
            value: (lattice.value)(*place),
            at_bound: lattice.is_bound(*place),
        })
        .collect();
    Ok(TunedHedge {
        risk: match tuned.is_empty() {
            true => risk(&values)?,
            false => least,
        },
        hedge,
        values,
        tuned,
        coefficients: Vec::new(),
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
    /// The least `risk` among the places looked at, and its place: every `stride`-th of the first places; where the least is at an
    /// end, further ones for as long as the risk falls; then those around the least, at half the distance each time.
    fn least(&self, mut risk: impl FnMut(f64) -> Result<f64>) -> Result<(f64, i32)> {
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
    fn around(
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
    fn is_bound(&self, place: i32) -> bool {
        let (lowest, highest) = self.last;
        (place == lowest && !self.ends.0) || (place == highest && !self.ends.1)
    }
}

#[cfg(test)]
#[path = "parameter_tests.rs"]
mod tests;
