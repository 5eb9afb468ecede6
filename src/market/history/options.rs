//! How price files are to be read where they do not say themselves.

use super::columns::Quantity;
use super::date::DateFormat;
use super::decimal::Decimal;
use super::defects::Repairs;
use crate::bounds::one_of;
use crate::error::{Error, Result};
use crate::market::VolatilityUnit;
use std::collections::BTreeMap;

/// [`Reading`] as it is written on a command line or in a strategy.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RawReading {
    /// Names of columns by what they hold: `close` is `SP500`.
    pub columns: Option<BTreeMap<String, String>>,
    /// How dates are written: `dmy`, `mdy`, a pattern.
    pub date_format: Option<String>,
    /// What separates decimals: `point` or `comma`.
    pub decimal: Option<String>,
    /// The unit of implied volatilities: `percent` or `fraction`.
    pub volatility_unit: Option<String>,
    /// The defects that are repaired, by kind or by kind and place.
    pub repair: Option<Vec<String>>,
}

/// What a user says about price files: one set of options for every command and for `backtest` in a strategy.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// Columns that go by names of their own.
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

impl Reading {
    /// Reads what is written; `key` makes the name that errors give an option, such as `--date-format`, of its own,
    /// `date_format`.
    ///
    /// # Errors
    /// [`Error::Input`] naming the option, the value and the choices.
    pub fn new(raw: &RawReading, key: impl Fn(&str) -> String) -> Result<Self> {
        let columns = raw.columns.iter().flatten();
        let date_format = raw.date_format.as_deref();
        let decimal = raw.decimal.as_deref();
        let unit = raw.volatility_unit.as_deref();
        Ok(Self {
            columns: Columns::new(&key("columns"), columns)?,
            date_format: date_format
                .map(|text| DateFormat::parse(&key("date_format"), text))
                .transpose()?,
            decimal: decimal
                .map(|text| Decimal::parse(&key("decimal"), text))
                .transpose()?,
            volatility_unit: unit
                .map(|text| VolatilityUnit::parse(&key("volatility_unit"), text))
                .transpose()?,
            repairs: Repairs::parse(&key("repair"), raw.repair.as_deref().unwrap_or_default())?,
        })
    }
}

/// Columns by the names that files give them.
///
/// Prices and volumes are those of the first file. Implied volatility and variance are those of the first further file
/// that has the column; of the first file if there is no further one. Dates are those of every file that has the column.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Columns {
    /// The column of dates.
    pub date: Option<String>,
    /// The columns of quantities.
    pub quantities: Vec<(Quantity, String)>,
}

impl Columns {
    fn new<'a>(key: &str, pairs: impl Iterator<Item = (&'a String, &'a String)>) -> Result<Self> {
        let mut choices = vec![("date", None)];
        choices.extend(Quantity::ALL.map(|quantity| (quantity.key(), Some(quantity))));
        let mut columns = Self::default();
        for (what, name) in pairs {
            if name.is_empty() {
                return Err(Error::input(format!("`{key}` gives {what} no name")));
            }
            match one_of(key, what, &choices)? {
                None => columns.date = Some(name.clone()),
                Some(quantity) => columns.quantities.push((quantity, name.clone())),
            }
        }
        Ok(columns)
    }

    /// The name that is given for the column of a quantity.
    pub fn column(&self, quantity: Quantity) -> Option<&str> {
        let mut quantities = self.quantities.iter();
        quantities
            .find(|(other, _)| *other == quantity)
            .map(|(_, name)| name.as_str())
    }
}
