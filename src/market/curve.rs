//! Rates and yields over time.

use crate::bounds::{outside, shown};
use crate::error::{Error, Result};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::sync::Arc;

/// A continuously compounded rate or yield: one number for all times, or a term structure.
///
/// A term structure has zero rates z_i at pillars t_i. Between pillars z(t) t is linear, so that the forward rate f is constant from
/// each pillar to the next; before the first pillar it is z_1, and after the last one what it is before it:
///
/// ```text
/// ∫₀ᵗ f = z(t) t,   f = (z_{i+1} t_{i+1} − z_i t_i)/(t_{i+1} − t_i) from t_i to t_{i+1},   t_0 = 0
/// ```
///
/// It serialises as the number, or as the list of (days, zero rate) that it was made of.
///
/// # Units
/// Times in years from the sale, rates per year; pillars in days of the calendar, of which a year has 365.
///
/// # References
/// P. Hagan and G. West (2006), "Interpolation methods for curve construction", Applied Mathematical Finance 13, section 4.1
/// ("raw interpolation").
#[derive(Debug, Clone, PartialEq)]
pub struct Curve(Shape);

#[derive(Debug, Clone, PartialEq)]
enum Shape {
    Number(f64),
    Pillars(Arc<Pillars>),
}

#[derive(Debug, PartialEq)]
struct Pillars {
    /// Days and zero rates, as they were given.
    given: Vec<(f64, f64)>,
    /// Times in years and ∫₀ᵗ f there, from (0, 0) on.
    integrals: Vec<(f64, f64)>,
    /// The forward rate from each of those on.
    forwards: Vec<f64>,
    /// The rate, if it is the same at all pillars.
    constant: Option<f64>,
}

/// A rate or yield as it is written.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(f64),
    Pillars(Vec<Vec<f64>>),
}

impl Default for Curve {
    /// 0 at all times.
    fn default() -> Self {
        0.0.into()
    }
}

impl From<f64> for Curve {
    fn from(rate: f64) -> Self {
        Self(Shape::Number(rate))
    }
}

impl Curve {
    /// No rate is above this, and none below its negative.
    pub const MOST: f64 = 1.0;

    /// Pillars, at most.
    pub const MOST_PILLARS: usize = 500;

    /// Days of a year of the pillars.
    pub const DAYS_PER_YEAR: f64 = 365.0;

    /// The term structure of pairs of days and zero rates, which `key` names in errors.
    ///
    /// # Errors
    /// [`Error::Setting`] at the key, or at its entry that is at fault, counted from 1: for a list without pillars or with too
    /// many, an entry that is no pair, days that are not above 0 or do not rise, and rates outside [−1, 1].
    pub fn of_pillars(key: &str, pairs: &[Vec<f64>]) -> Result<Self> {
        if pairs.is_empty() || pairs.len() > Self::MOST_PILLARS {
            let bound = format!(
                "a number or a list of 1 to {} pairs [days, rate]",
                Self::MOST_PILLARS
            );
            return Err(outside(key, bound, pairs.len().to_string()));
        }
        let mut given = Vec::with_capacity(pairs.len());
        let mut before = 0.0;
        for (place, pair) in (1..).zip(pairs) {
            let key = format!("{key}[{place}]");
            let [days, rate] = pair[..] else {
                let value = format!("a list of {}", pair.len());
                return Err(outside(&key, "a pair [days, rate]", value));
            };
            if !(days > before && days.is_finite()) {
                let bound = match place {
                    1 => "of a number of days above 0".into(),
                    _ => format!("of more days than the {} before", shown(before)),
                };
                return Err(outside(&key, bound, shown(days)));
            }
            if !(-Self::MOST..=Self::MOST).contains(&rate) {
                let bound = format!("of a rate in [-{0}, {0}]", Self::MOST);
                return Err(outside(&key, bound, shown(rate)));
            }
            before = days;
            given.push((days, rate));
        }
        let first = given[0].1;
        let constant = given.iter().all(|(_, rate)| *rate == first);
        let mut integrals = vec![(0.0, 0.0)];
        integrals.extend(given.iter().map(|&(days, rate)| {
            let time = days / Self::DAYS_PER_YEAR;
            (time, rate * time)
        }));
        let slope = |pair: &[(f64, f64)]| (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0);
        let mut forwards: Vec<f64> = integrals.windows(2).map(slope).collect();
        forwards.push(forwards[forwards.len() - 1]);
        Ok(Self(Shape::Pillars(Arc::new(Pillars {
            given,
            integrals,
            forwards,
            constant: constant.then_some(first),
        }))))
    }

    /// The rate, if it is the same at all times.
    pub fn constant(&self) -> Option<f64> {
        match &self.0 {
            Shape::Number(rate) => Some(*rate),
            Shape::Pillars(pillars) => pillars.constant,
        }
    }

    /// The times of the pillars in years; none of a number.
    pub fn pillars(&self) -> impl Iterator<Item = f64> + '_ {
        let given: &[(f64, f64)] = match &self.0 {
            Shape::Number(_) => &[],
            Shape::Pillars(pillars) => &pillars.given,
        };
        given.iter().map(|(days, _)| days / Self::DAYS_PER_YEAR)
    }

    /// The average from one time to another, the constant rate that comes to the same: ∫ f over the time between. It is the rate itself,
    /// to the bit, where the curve is constant, and at one time [`Self::forward`].
    pub fn average(&self, from: f64, to: f64) -> f64 {
        match &self.0 {
            Shape::Number(rate) => *rate,
            Shape::Pillars(pillars) => pillars
                .constant
                .unwrap_or_else(|| pillars.average(from, to)),
        }
    }

    /// ∫ f from one time to another, by which the logarithm of what earns the rate grows.
    pub fn integral(&self, from: f64, to: f64) -> f64 {
        self.average(from, to) * (to - from)
    }

    /// e^{−∫ f}, what one unit at the later time is worth at the earlier one.
    pub fn discount(&self, from: f64, to: f64) -> f64 {
        (-self.integral(from, to)).exp()
    }

    /// The forward rate from a time on.
    pub fn forward(&self, time: f64) -> f64 {
        self.average(time, time)
    }
}

impl Pillars {
    /// The last of the integrals' places at or before a time.
    fn place(&self, time: f64) -> usize {
        let after = self.integrals.partition_point(|(at, _)| *at <= time);
        after.max(1) - 1
    }

    fn average(&self, from: f64, to: f64) -> f64 {
        let (first, last) = (self.place(from), self.place(to));
        // A period that ends on a pillar has nothing of what comes after it.
        let within = first == last || last == first + 1 && self.integrals[last].0 >= to;
        if within {
            return self.forwards[first];
        }
        let until = |time: f64, place: usize| {
            let (at, integral) = self.integrals[place];
            integral + self.forwards[place] * (time - at)
        };
        (until(to, last) - until(from, first)) / (to - from)
    }
}

impl Serialize for Curve {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match &self.0 {
            Shape::Number(rate) => rate.serialize(serializer),
            Shape::Pillars(pillars) => pillars.given.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Curve {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Number(rate) => Ok(rate.into()),
            Written::Pillars(pairs) => {
                Self::of_pillars("pillars", &pairs).map_err(|error: Error| D::Error::custom(error))
            }
        }
    }
}

impl JsonSchema for Curve {
    fn schema_name() -> Cow<'static, str> {
        "Curve".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                { "type": "number", "minimum": -Self::MOST, "maximum": Self::MOST },
                {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": Self::MOST_PILLARS,
                    "items": { "type": "array", "minItems": 2, "maxItems": 2, "items": { "type": "number" } },
                },
            ],
        })
    }
}

#[cfg(test)]
#[path = "curve_tests.rs"]
mod tests;
