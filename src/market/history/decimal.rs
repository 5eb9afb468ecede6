//! What separates the decimals of a number.

use crate::bounds::one_of;
use crate::error::Result;

/// What separates decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decimal {
    /// A point, as in 1234.5; commas, blanks and apostrophes separate thousands.
    Point,
    /// A comma, as in 1234,5; points, blanks and apostrophes separate thousands.
    Comma,
}

impl Decimal {
    /// The choices of `--decimal` and of `backtest.decimal`.
    pub const NAMES: [(&'static str, Self); 2] = [("point", Self::Point), ("comma", Self::Comma)];

    /// Reads the value of `key`, `point` or `comma`.
    ///
    /// # Errors
    /// [`crate::Error::Input`] naming key, value and choices.
    pub fn parse(key: &str, name: &str) -> Result<Self> {
        one_of(key, name, &Self::NAMES)
    }

    /// Its name, as [`Self::parse`] reads it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Point => "point",
            Self::Comma => "comma",
        }
    }
}
