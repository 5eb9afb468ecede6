//! What the columns of a price file hold, and the names they go by.

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
    pub const ALL: [Self; 7] = [
        Self::Close,
        Self::Open,
        Self::High,
        Self::Low,
        Self::Volume,
        Self::ImpliedVolatility,
        Self::Variance,
    ];

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

    /// Whether the value may stand in the column, and the bound in words: a day without trades has no volume,
    /// everything else is above 0.
    pub(super) fn admits(self, value: f64) -> (bool, &'static str) {
        match self {
            Self::Volume => (value >= 0.0 && value.is_finite(), "finite and at least 0"),
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
