//! How price files are to be read where they do not say themselves.

use super::columns::Quantity;
use super::date::DateFormat;
use super::defects::Repairs;
use super::number::Decimal;
use crate::bounds::one_of;
use crate::error::{Error, Result, excerpt};
use crate::market::VolatilityUnit;

/// What a user says about price files: one set of options for every command and for `backtest` in a strategy.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    pub columns: Columns,
    /// How dates are written; decided from the column unless given.
    pub date_format: Option<DateFormat>,
    /// What separates decimals; decided from the column unless given.
    pub decimal: Option<Decimal>,
    /// The unit of implied volatilities; decided from the column unless given.
    pub volatility_unit: Option<VolatilityUnit>,
    /// Defects that are repaired; every other one is refused.
    pub repairs: Repairs,
}

/// Columns by the names that files give them.
///
/// Prices and volumes are those of the first file. Implied volatility and variance are those of the first further file
/// that has the column, or else of the first. Dates are those of every file that has the column.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Columns {
    pub date: Option<String>,
    pub quantities: Vec<(Quantity, String)>,
}

impl Columns {
    /// Reads pairs such as (`close`, `SP500`).
    ///
    /// # Errors
    /// [`Error::Input`] naming `key`, the word and the choices; a quantity that is named twice.
    pub fn new(key: &str, pairs: &[(String, String)]) -> Result<Self> {
        let mut choices = vec![("date", None)];
        choices.extend(Quantity::ALL.map(|quantity| (quantity.key(), Some(quantity))));
        let mut columns = Self::default();
        for (what, name) in pairs {
            let name = name.clone();
            let twice = match one_of(key, what, &choices)? {
                None => columns.date.replace(name).is_some(),
                Some(quantity) => {
                    let known = columns.column(quantity).is_some();
                    columns.quantities.push((quantity, name));
                    known
                }
            };
            if twice {
                let what = excerpt(what);
                return Err(Error::input(format!("`{key}` names \"{what}\" twice")));
            }
        }
        Ok(columns)
    }

    /// Reads words such as `close=SP500`.
    ///
    /// # Errors
    /// Those of [`Self::new`], and a word without `=`.
    pub fn parse(key: &str, words: &[String]) -> Result<Self> {
        let pair = |word: &String| match word.split_once('=') {
            Some((what, name)) => Ok((what.trim().to_string(), name.trim().to_string())),
            None => Err(Error::input(format!(
                "`{key}` must be of pairs such as close=SP500, was \"{}\"",
                excerpt(word)
            ))),
        };
        let pairs: Vec<_> = words.iter().map(pair).collect::<Result<_>>()?;
        Self::new(key, &pairs)
    }

    /// The pairs that [`Self::new`] reads.
    pub fn pairs(&self) -> Vec<(String, String)> {
        let date = self.date.iter().map(|name| ("date", name));
        let quantities = self.quantities.iter();
        date.chain(quantities.map(|(quantity, name)| (quantity.key(), name)))
            .map(|(what, name)| (what.to_string(), name.clone()))
            .collect()
    }

    /// The name that is given for the column of a quantity.
    pub fn column(&self, quantity: Quantity) -> Option<&str> {
        let mut quantities = self.quantities.iter();
        quantities
            .find(|(other, _)| *other == quantity)
            .map(|(_, name)| name.as_str())
    }
}
