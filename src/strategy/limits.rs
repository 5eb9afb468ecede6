//! The section `limits`.

use super::smoothing::Smoothing;
use crate::bounds::{outside, shown};
use crate::contract::{Charge, Instrument, Limit, Limits};
use crate::error::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What every hedge must keep, trained or not, on simulated paths and on history. Each instrument is limited on its own, but for the capital
/// that all of them tie up. Closing the hedge at expiry, or where the contract ends, may be a larger trade.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LimitsSection {
    /// The least position in an instrument.
    #[schemars(extend("x-unit" = "units a contract", "x-default" = "none"))]
    pub lowest_position: Option<f64>,
    /// The greatest position in an instrument.
    #[schemars(extend("x-unit" = "units a contract", "x-default" = "none"))]
    pub highest_position: Option<f64>,
    /// The largest trade in an instrument on one date.
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "units a contract", "x-default" = "none"))]
    pub largest_trade: Option<f64>,
    /// The lot of which positions are multiples: the nearest one within the other limits. Training sees smooth steps from one to the next.
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "units a contract", "x-default" = "none"))]
    pub lot: Option<f64>,
    /// Whether assets may be sold short.
    pub short_sales: bool,
    /// The capital that the margins of all positions together may tie up. Where they would tie up more, all positions are scaled back by
    /// the same share, whatever the other limits are.
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "currency a contract", "x-default" = "none"))]
    pub capital: Option<f64>,
    /// The margin of every position, long or short.
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "share of its value"))]
    pub margin: f64,
    /// The width over which training sees bounds as smooth at its beginning: the largest error of a position beside one of them is 0.69 of it.
    #[schemars(title = "Smoothing of limits", extend("exclusiveMinimum" = 0.0, "x-unit" = "units a contract"))]
    pub smoothing: f64,
    /// The width at the end of training, to which it falls by the same share in every part of it.
    #[schemars(title = "Smoothing at the end", extend("exclusiveMinimum" = 0.0, "x-unit" = "units a contract"))]
    pub smoothing_end: f64,
    /// The width over which training sees the step from one lot to the next as smooth at its beginning; positions are nearly of any size where it is 1 or more.
    #[schemars(title = "Smoothing of lots", extend("exclusiveMinimum" = 0.0, "x-unit" = "lots"))]
    pub lot_smoothing: f64,
    /// The width at the end of training, to which it falls by the same share in every part of it.
    #[schemars(title = "Smoothing of lots at the end", extend("exclusiveMinimum" = 0.0, "x-unit" = "lots"))]
    pub lot_smoothing_end: f64,
}

impl Default for LimitsSection {
    fn default() -> Self {
        Self {
            lowest_position: None,
            highest_position: None,
            largest_trade: None,
            lot: None,
            short_sales: true,
            capital: None,
            margin: 1.0,
            smoothing: 0.01,
            smoothing_end: 0.001,
            lot_smoothing: 3.0,
            lot_smoothing_end: 0.3,
        }
    }
}

/// The limits of what is traded.
///
/// # Errors
/// For limits that nothing can keep.
pub(super) fn limits(
    section: &LimitsSection,
    instruments: &[(Instrument, Charge)],
) -> Result<Limits> {
    let each = instruments
        .iter()
        .map(|(instrument, _)| section.limit(*instrument));
    let value = section
        .capital
        .map_or(f64::INFINITY, |capital| capital / section.margin);
    Ok(Limits::new(each.collect::<Result<_>>()?, value))
}

impl LimitsSection {
    /// How bounds are smoothed in training.
    pub(super) fn smoothing(&self) -> Smoothing {
        Smoothing {
            start: self.smoothing,
            end: self.smoothing_end,
        }
    }

    /// How steps from lot to lot are smoothed in training.
    pub(super) fn lot_smoothing(&self) -> Smoothing {
        Smoothing {
            start: self.lot_smoothing,
            end: self.lot_smoothing_end,
        }
    }

    fn limit(&self, instrument: Instrument) -> Result<Limit> {
        let mut limit = Limit::default();
        limit.low = self.lowest_position.unwrap_or(limit.low);
        limit.high = self.highest_position.unwrap_or(limit.high);
        limit.trade = self.largest_trade.unwrap_or(limit.trade);
        limit.lot = self.lot.unwrap_or(limit.lot);
        let is_asset = match instrument {
            Instrument::Spot(_) => true,
            Instrument::Option(_) | Instrument::VarianceSwap(_) => false,
        };
        if is_asset && !self.short_sales {
            if limit.high < 0.0 {
                return Err(outside(
                    "limits.highest_position",
                    "at least 0 without short sales",
                    shown(limit.high),
                ));
            }
            limit.low = limit.low.max(0.0);
        }
        if limit.low > limit.high {
            return Err(outside(
                "limits.lowest_position",
                format!("at most `limits.highest_position` ({})", shown(limit.high)),
                shown(limit.low),
            ));
        }
        let multiple = (limit.high / limit.lot).floor();
        if limit.lot > 0.0 && multiple * limit.lot < limit.low {
            let (low, high) = (shown(limit.low), shown(limit.high));
            return Err(outside(
                "limits.lot",
                format!("a number of which a multiple lies in [{low}, {high}]"),
                shown(limit.lot),
            ));
        }
        let first = limit.low.max(-limit.high).max(limit.lot);
        if limit.trade < first {
            return Err(outside(
                "limits.largest_trade",
                format!(
                    "at least {}, so that the first trade can be made",
                    shown(first)
                ),
                shown(limit.trade),
            ));
        }
        Ok(limit)
    }
}

#[cfg(test)]
#[path = "limits_tests.rs"]
mod tests;
