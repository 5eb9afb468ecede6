use std::fmt;

/// What is traded to hedge.
///
/// Every instrument is quoted so that one unit is worth about as much as one share: positions and costs of all of
/// them are of one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instrument {
    /// The underlying itself, always the first instrument.
    Spot,
    /// A swap on the variance from the sale of the option to its expiry, marked to model.
    VarianceSwap,
}

impl Instrument {
    pub const ALL: [(&'static str, Self); 2] = [
        (Self::Spot.key(), Self::Spot),
        (Self::VarianceSwap.key(), Self::VarianceSwap),
    ];

    /// What a strategy file calls it.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Spot => "spot",
            Self::VarianceSwap => "variance_swap",
        }
    }
}

impl fmt::Display for Instrument {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.key().replace('_', " "))
    }
}
