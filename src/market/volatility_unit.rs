//! The unit in which a column of volatilities stands: one rule for every reader.
//!
//! The unit is what the user names; else percent where the name of the column says so (`%`, `pct`, `percent`); else it
//! follows from all values together: a median of at most 1 is one of fractions (100 % a year), a median of at least 3 one
//! of percent. Between the two, either reading would be extraordinary (volatilities of 100 % to 300 %, or of 1 % to 3 %),
//! so the column is refused until its unit is named. Volatilities of foreign exchange run from 3 to 20 in percent, those
//! of shares from 0.05 to 1 and more as fractions.
//!
//! Whatever the unit, a volatility above 300 % is refused; where the unit is not named, so is a value that lies a factor
//! of 60 from the median, which is what a column of mixed units looks like.

use crate::bounds::one_of;
use crate::error::Result;
use crate::numbers::median;

/// The unit of a column of volatilities per year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VolatilityUnit {
    /// 0.2 is 20 % a year.
    Fraction,
    /// 20 is 20 % a year.
    Percent,
}

/// Why a column of volatilities cannot be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Implausible {
    /// The place of the value among those of the column; none if it is the column as a whole.
    pub at: Option<usize>,
    /// What is wrong, and the option that mends it.
    pub what: String,
}

/// The greatest volatility per year, as a fraction, that is taken for one.
pub const GREATEST: f64 = 3.0;

/// The greatest median of fractions, and the least of percent, that decides by itself.
const FRACTIONS: f64 = 1.0;
const PERCENT: f64 = 3.0;

/// How far from the median, as a ratio, a value may lie where the unit is not named.
const SPREAD: f64 = 60.0;

/// What names the unit.
const REMEDY: &str = "--volatility-unit percent or fraction says which";

impl VolatilityUnit {
    /// The choices of `--volatility-unit` and of `volatility_unit` in a strategy.
    pub const NAMES: [(&'static str, Self); 2] =
        [("percent", Self::Percent), ("fraction", Self::Fraction)];

    /// Reads the value of `key`, `percent` or `fraction`.
    ///
    /// # Errors
    /// [`crate::Error::Input`] naming key, value and choices.
    pub fn parse(key: &str, name: &str) -> Result<Self> {
        one_of(key, name, &Self::NAMES)
    }

    /// Its name, as [`Self::parse`] reads it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Percent => "percent",
            Self::Fraction => "fraction",
        }
    }

    /// The volatility as a fraction per year.
    pub fn fraction(self, value: f64) -> f64 {
        match self {
            Self::Percent => value / 100.0,
            Self::Fraction => value,
        }
    }

    /// The unit of the column called `column` with these `values`, NaN where a cell has none; `named` is the unit that the user names.
    ///
    /// # Errors
    /// A column whose unit its values leave open.
    pub fn of(column: &str, values: &[f64], named: Option<Self>) -> Result<Self, Implausible> {
        match named.or_else(|| by_name(column)) {
            Some(unit) => Ok(unit),
            None => by_median(middle(values)),
        }
    }

    /// The unit of the column called `column`, whose `values` become fractions per year; NaN stands for a cell that has
    /// no value and stays. `named` is the unit that the user names.
    ///
    /// # Errors
    /// A column whose unit its values leave open, and a value that is implausible in the unit.
    pub fn convert(
        column: &str,
        values: &mut [f64],
        named: Option<Self>,
    ) -> Result<Self, Implausible> {
        let unit = Self::of(column, values, named)?;
        let median = middle(values);
        for (at, value) in values.iter_mut().enumerate() {
            let fraction = unit.fraction(*value);
            let what = if fraction > GREATEST {
                format!("is {:.0} % a year, at most 300 % may be", 100.0 * fraction)
            } else if named.is_none() && (*value > SPREAD * median || *value * SPREAD < median) {
                format!("lies far from the column's median of {median}, like another unit")
            } else {
                *value = fraction;
                continue;
            };
            return Err(Implausible {
                at: Some(at),
                what: format!(
                    "volatility {value}, read as a {}, {what}; {REMEDY}",
                    unit.name()
                ),
            });
        }
        Ok(unit)
    }
}

fn by_name(column: &str) -> Option<VolatilityUnit> {
    let name = column.to_ascii_lowercase();
    let says = name.contains('%') || name.contains("percent") || name.contains("pct");
    says.then_some(VolatilityUnit::Percent)
}

/// The median; 0 where no value is a number.
fn middle(values: &[f64]) -> f64 {
    median(values.iter().copied()).unwrap_or_default()
}

fn by_median(median: f64) -> Result<VolatilityUnit, Implausible> {
    if median >= PERCENT {
        Ok(VolatilityUnit::Percent)
    } else if median > FRACTIONS {
        let what = format!(
            "the median of the volatilities is {median}, which may be a fraction or percent; {REMEDY}"
        );
        Err(Implausible { at: None, what })
    } else {
        Ok(VolatilityUnit::Fraction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(column: &str, values: &[f64]) -> (Result<VolatilityUnit, Implausible>, Vec<f64>) {
        let mut values = values.to_vec();
        let unit = VolatilityUnit::convert(column, &mut values, None);
        (unit, values)
    }

    /// An exchange rate's surface in percent, an index of volatility, a share's surface with a wing of 290 %.
    #[test]
    fn values_decide() {
        let (unit, values) = read("implied_vol", &[6.3, 7.25, f64::NAN, 9.75]);
        assert_eq!(unit, Ok(VolatilityUnit::Percent));
        assert_eq!((values[1], values[3]), (0.0725, 0.0975));
        assert!(values[2].is_nan());
        assert_eq!(read("vix", &[9.14, 82.69]).0, Ok(VolatilityUnit::Percent));
        let (unit, values) = read("iv", &[0.05, 0.9, 0.4, 2.9]);
        assert_eq!(unit, Ok(VolatilityUnit::Fraction));
        assert_eq!(values, [0.05, 0.9, 0.4, 2.9]);
        assert_eq!(read("iv", &[]).0, Ok(VolatilityUnit::Fraction));
    }

    /// Percent of a pegged currency or fractions of a share in turmoil: the name or the user says.
    #[test]
    fn between_fractions_and_percent_the_unit_must_be_named() {
        let open = read("iv", &[1.2, 1.5, 2.8]).0.unwrap_err();
        assert_eq!(open.at, None);
        assert!(open.what.contains("1.5"), "{}", open.what);
        assert!(open.what.contains("--volatility-unit"), "{}", open.what);
        assert_eq!(read("iv_pct", &[1.2, 1.5]).0, Ok(VolatilityUnit::Percent));
        let mut values = [1.2, 1.5];
        let named = Some(VolatilityUnit::Fraction);
        assert_eq!(
            VolatilityUnit::convert("iv", &mut values, named),
            Ok(VolatilityUnit::Fraction)
        );
        assert_eq!(values, [1.2, 1.5]);
    }

    #[test]
    fn implausible_values_are_refused_with_their_place() {
        let (refusal, _) = read("iv", &[0.2, 0.3, 0.25, 20.0]);
        let refusal = refusal.unwrap_err();
        assert_eq!(refusal.at, Some(3));
        assert!(refusal.what.contains("2000 % a year"), "{}", refusal.what);
        let mixed = read("iv", &[20.0, 0.2, 21.0]).0.unwrap_err();
        assert_eq!(mixed.at, Some(1));
        assert!(mixed.what.contains("another unit"), "{}", mixed.what);
        let mut values = [350.0];
        let named = Some(VolatilityUnit::Percent);
        assert!(VolatilityUnit::convert("iv", &mut values, named).is_err());
    }

    #[test]
    fn names_are_read_and_written() {
        for (name, unit) in VolatilityUnit::NAMES {
            assert_eq!(
                VolatilityUnit::parse("--volatility-unit", name).unwrap(),
                unit
            );
            assert_eq!(unit.name(), name);
        }
        let error = VolatilityUnit::parse("--volatility-unit", "bp").unwrap_err();
        assert!(error.to_string().contains("percent, fraction"), "{error}");
    }
}
