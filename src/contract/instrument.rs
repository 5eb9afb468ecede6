use super::OptionKind;
use std::fmt;

/// What is traded to hedge, in units of which a position is of order one.
///
/// Spot and variance swap are quoted so that a unit is worth about as much as one share; a unit of an option is one
/// option.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Instrument {
    /// The underlying itself, always the first instrument.
    Spot,
    /// A swap on the variance from the sale of the contract to its expiry, marked to model.
    VarianceSwap,
    /// A call or a put, at the model's price.
    Option(Vanilla),
}

/// A call or a put that hedges.
///
/// # Units
/// Strike in the spot's currency; expiry in years from the sale of the contract.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Vanilla {
    pub kind: OptionKind,
    pub strike: f64,
    /// Not before that of the contract.
    pub expiry: f64,
}

impl Instrument {
    /// What a column of its prices is called.
    pub fn column(self) -> String {
        self.to_string().replace(", ", "_").replace(' ', "_")
    }
}

impl fmt::Display for Instrument {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spot => formatter.write_str("spot"),
            Self::VarianceSwap => formatter.write_str("variance swap"),
            Self::Option(option) => {
                let strike = (1e4 * option.strike).round() / 1e4;
                write!(
                    formatter,
                    "{} {strike}, {:.3} years",
                    option.kind, option.expiry
                )
            }
        }
    }
}
