//! What the columns of a price file hold, and the names they go by.

use crate::pricing::SurfaceFactors;
use serde::Serialize;

/// A quantity of a daily history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// The closing price.
    Close,
    /// The opening price.
    Open,
    /// The highest price of the day.
    High,
    /// The lowest price of the day.
    Low,
    /// The number of shares or contracts traded.
    Volume,
    /// An option-implied volatility per year, as a fraction.
    ImpliedVolatility,
    /// A variance per year.
    Variance,
    /// The interest rate of a day, a fraction a year, continuously compounded.
    Rate,
    /// A factor of the implied-volatility surface of a day, by its place among [`SurfaceFactors::NAMES`].
    Factor(Factor),
}

/// A factor of an implied-volatility surface: a place among [`SurfaceFactors::NAMES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Factor(usize);

impl Factor {
    /// Every factor.
    pub const ALL: [Self; SurfaceFactors::COUNT] = [Self(0), Self(1), Self(2), Self(3), Self(4)];

    /// Its name, by which its column goes.
    pub fn name(self) -> &'static str {
        SurfaceFactors::NAMES[self.0]
    }
}

impl Serialize for Factor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Names under which dates are looked for, in order of preference and in any case.
pub const DATE_NAMES: [&str; 11] = [
    "date",
    "timestamp",
    "datetime",
    "time",
    "observation_date",
    "trade date",
    "gmt time",
    "local time",
    "open time",
    "unix",
    "datum",
];

/// Names of a column that a data frame's index was written as; looked for where no other name of dates is found.
pub const INDEX_NAMES: [&str; 4] = ["", "__index_level_0__", "unnamed: 0", "index"];

/// Names of indices of implied volatility, in whole or as the beginning of a name.
const VOLATILITY_INDICES: [&str; 14] = [
    "vix", "vxn", "vxd", "rvx", "vxo", "vxeem", "vxv", "gvz", "ovx", "evz", "vdax", "vstoxx",
    "v2tx", "vhsi",
];

/// Whether `name`, of a series or of a file, is that of an index of implied volatility, such as `VIXCLS` or
/// `VIX_History`.
pub fn is_volatility_index(name: &str) -> bool {
    let name = name.to_lowercase();
    let mut words = name.split(|c: char| !c.is_alphanumeric());
    let index = |word: &str| {
        VOLATILITY_INDICES.iter().any(|index| {
            let rest = word.strip_prefix(index);
            // The Federal Reserve's names end in CLS, for close.
            rest.is_some_and(|rest| rest.is_empty() || rest == "cls")
        })
    };
    words.any(index)
}

impl Quantity {
    /// Every quantity.
    pub const ALL: [Self; 13] = [
        Self::Close,
        Self::Open,
        Self::High,
        Self::Low,
        Self::Volume,
        Self::ImpliedVolatility,
        Self::Variance,
        Self::Rate,
        Self::Factor(Factor::ALL[0]),
        Self::Factor(Factor::ALL[1]),
        Self::Factor(Factor::ALL[2]),
        Self::Factor(Factor::ALL[3]),
        Self::Factor(Factor::ALL[4]),
    ];

    /// What a file of surfaces has beside the dates: closes and rates, where it has them, and the five factors.
    pub const OF_SURFACES: [Self; 7] = [
        Self::Close,
        Self::Rate,
        Self::Factor(Factor::ALL[0]),
        Self::Factor(Factor::ALL[1]),
        Self::Factor(Factor::ALL[2]),
        Self::Factor(Factor::ALL[3]),
        Self::Factor(Factor::ALL[4]),
    ];

    /// Whether it is found in files of surfaces alone.
    pub(super) fn is_of_surfaces(self) -> bool {
        matches!(self, Self::Rate | Self::Factor(_))
    }

    /// The key under which `--columns` and `backtest.columns` name its column.
    pub fn key(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Open => "open",
            Self::High => "high",
            Self::Low => "low",
            Self::Volume => "volume",
            Self::ImpliedVolatility => "implied_volatility",
            Self::Variance => "variance",
            Self::Rate => "rate",
            Self::Factor(factor) => factor.name(),
        }
    }

    /// Names under which the column is looked for, in order of preference and in any case.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::Close => &[
                "close",
                "adj close",
                "adj_close",
                "price",
                "close/last",
                "last",
                "px_last",
                "settle",
                "closing price",
                "last price",
                "schlusskurs",
                "schluss",
                "zuletzt",
                "kurs",
            ],
            Self::Open => &[
                "open",
                "px_open",
                "erster",
                "eröffnung",
                "eröffn",
                "eröffnungskurs",
            ],
            Self::High => &["high", "px_high", "hoch", "tageshoch"],
            Self::Low => &["low", "px_low", "tief", "tagestief"],
            Self::Volume => &[
                "volume",
                "vol",
                "px_volume",
                "tickvol",
                "volumen",
                "stück",
                "stuecke",
            ],
            Self::ImpliedVolatility => &[
                "implied_volatility",
                "implied volatility",
                "implied_vol",
                "iv",
                "vix",
            ],
            Self::Variance => &["variance"],
            Self::Rate => &["rate"],
            Self::Factor(factor) => &SurfaceFactors::NAMES[factor.0..=factor.0],
        }
    }

    /// What it is called in messages about a column.
    pub fn label(self) -> &'static str {
        match self {
            Self::Close => "closing price",
            Self::Open => "opening price",
            Self::High => "high",
            Self::Low => "low",
            Self::Volume => "volume",
            Self::ImpliedVolatility => "implied volatility",
            Self::Variance => "variance",
            Self::Rate => "rate",
            Self::Factor(factor) => factor.name(),
        }
    }

    /// What one value is called in messages about a cell.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Close | Self::Open | Self::High | Self::Low => "price",
            other => other.label(),
        }
    }

    pub(super) fn is_price(self) -> bool {
        matches!(self, Self::Close | Self::Open | Self::High | Self::Low)
    }

    /// Whether the value may stand in the column, and the bound in words: a day without trades has no volume, a rate or a factor of a
    /// surface may be negative, everything else is above 0.
    pub(super) fn admits(self, value: f64) -> (bool, &'static str) {
        match self {
            Self::Volume => (value >= 0.0 && value.is_finite(), "finite and at least 0"),
            Self::Rate => (value.abs() < 1.0, "a fraction a year, above -1 and below 1"),
            Self::Factor(_) => (value.is_finite(), "finite"),
            _ => (value > 0.0 && value.is_finite(), "finite and above 0"),
        }
    }
}

/// One quantity, a value a day.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What the values are.
    pub quantity: Quantity,
    /// The column as the file spells it.
    pub column: String,
    /// The value of every day.
    pub values: Vec<f64>,
}
