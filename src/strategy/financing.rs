//! The section `financing`.

use crate::hedging::Financing;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What financing a hedge costs beyond `market.rate`. The account begins with the premium; its cash grows at a rate that depends on
/// its sign.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct FinancingSection {
    /// The spread over `market.rate` that the hedge pays while its cash is negative.
    #[schemars(title = "Spread of borrowing", range(min = 0.0, max = 1.0), extend("x-unit" = "annualised"))]
    pub borrow: f64,
    /// The spread below `market.rate` that the hedge loses while its cash is positive.
    #[schemars(title = "Spread of lending", range(min = 0.0, max = 1.0), extend("x-unit" = "annualised"))]
    pub lend: f64,
    /// The fee for shares that are sold short, on their value.
    #[schemars(title = "Stock-borrow fee", range(min = 0.0, max = 10.0), extend("x-unit" = "annualised"))]
    pub stock_borrow: f64,
    /// The share of the absolute value of every position that is posted as margin.
    #[schemars(title = "Margin", range(min = 0.0, max = 10.0), extend("x-unit" = "share of the position's value"))]
    pub margin: f64,
    /// The spread over `market.rate` at which the margin is funded; the margin itself earns the rate.
    #[schemars(title = "Spread of margin", range(min = 0.0, max = 1.0), extend("x-unit" = "annualised"))]
    pub margin_spread: f64,
}

impl FinancingSection {
    /// What the ledger knows of it.
    pub(super) fn financing(&self) -> Financing {
        Financing {
            borrow: self.borrow,
            lend: self.lend,
            stock_borrow: self.stock_borrow,
            margin: self.margin,
            margin_spread: self.margin_spread,
        }
    }
}
