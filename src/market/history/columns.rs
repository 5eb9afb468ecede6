//! What the columns of a price file hold, and the names they go by.

use serde::Serialize;

/// A quantity of a daily history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    Close,
    Open,
    High,
    Low,
    Volume,
    /// An option-implied volatility per year, as a fraction.
    ImpliedVolatility,
    /// A variance per year.
    Variance,
}

/// Names under which dates are looked for, in order of preference and in any case.
pub const DATE_NAMES: [&str; 4] = ["date", "timestamp", "datetime", "time"];

impl Quantity {
    pub const ALL: [Self; 7] = [
        Self::Close,
        Self::Open,
        Self::High,
        Self::Low,
        Self::Volume,
        Self::ImpliedVolatility,
        Self::Variance,
    ];

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
            ],
            Self::Open => &["open", "px_open"],
            Self::High => &["high", "px_high"],
            Self::Low => &["low", "px_low"],
            Self::Volume => &["volume", "px_volume"],
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
