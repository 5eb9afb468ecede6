//! The section `costs`, and the same keys at an instrument of its own.

use super::smoothing::Smoothing;
use crate::bounds::{check, date, outside, shown};
use crate::contract::{
    Charge, Cost, Fixed, Linear, OptionSpread, Quadratic, SquareRoot, VegaShare,
};
use crate::error::Result;
use chrono::NaiveDate;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Declares the keys of costs once: numbers of the section `costs`, and numbers that an instrument may have of its own.
macro_rules! cost_keys {
    (
        any { $($(#[doc = $help:literal])+ #[schemars($($about:tt)+)] $name:ident,)+ }
        options { $($(#[doc = $option_help:literal])+ #[schemars($($option_about:tt)+)] $option_name:ident,)+ }
    ) => {
        /// What trading costs. Every amount is of one hedged contract's trade, but for `fixed`, `quadratic` and `square_root`, which
        /// depend on the trade of all `contracts` together.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(default)]
        pub struct CostsSection {
            $($(#[doc = $help])+ #[schemars($($about)+)] pub $name: f64,)+
            $($(#[doc = $option_help])+ #[schemars($($option_about)+)] pub $option_name: f64,)+
            /// The contracts that are hedged together, which share the fixed costs and the impact of their trade.
            #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "contracts"))]
            pub contracts: f64,
            /// The width w over which training smooths the jump of a fixed cost at its beginning, F |x|/(|x| + w); all figures of a finished run have the exact cost.
            #[schemars(title = "Smoothing of fixed costs", extend("exclusiveMinimum" = 0.0, "x-unit" = "units of the instrument"))]
            pub smoothing: f64,
            /// The width at the end of training, to which it falls by the same share in every part of it.
            #[schemars(title = "Smoothing at the end", extend("exclusiveMinimum" = 0.0, "x-unit" = "units of the instrument"))]
            pub smoothing_end: f64,
            /// What costs are multiplied by from so many days after the sale on, `[[0, 1.0], [20, 2.5]]`; before the first of the days by 1.
            #[serde(skip_serializing_if = "Vec::is_empty")]
            #[schemars(title = "Factors over time", extend("x-unit" = "[days, factor]"))]
            pub table: Vec<[f64; 2]>,
            /// The proportional cost of the variance swap.
            #[schemars(title = "Proportional cost of the variance swap", range(min = 0.0), extend("exclusiveMaximum" = 1.0, "x-unit" = "share of traded value", "x-default" = "that of the spot"))]
            pub variance_swap: Option<f64>,
            /// Half of the spread between bid and ask of the variance swap.
            #[schemars(title = "Half-spread of the variance swap", range(min = 0.0), extend("x-unit" = "currency a unit", "x-default" = "that of the spot"))]
            pub variance_swap_half_spread: Option<f64>,
            /// Whether closing the hedge at expiry costs as any other trade does.
            #[schemars(title = "Closing costs")]
            pub liquidation: bool,
        }

        impl Default for CostsSection {
            fn default() -> Self {
                Self {
                    $($name: 0.0,)+
                    $($option_name: 0.0,)+
                    contracts: 1.0,
                    smoothing: 0.01,
                    smoothing_end: 0.001,
                    table: Vec::new(),
                    variance_swap: None,
                    variance_swap_half_spread: None,
                    liquidation: true,
                }
            }
        }

        /// What trading one instrument costs, where that is not what the section `costs` says.
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(default)]
        pub struct OwnCosts {
            $(
                $(#[doc = $help])+
                #[schemars($($about)+)]
                #[schemars(extend("x-default" = "that of the section `costs`"))]
                pub $name: Option<f64>,
            )+
        }

        /// What trading one option costs beside that.
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(default)]
        pub struct OwnOptionCosts {
            $(
                $(#[doc = $option_help])+
                #[schemars($($option_about)+)]
                #[schemars(extend("x-default" = "that of the section `costs`"))]
                pub $option_name: Option<f64>,
            )+
        }

        impl OwnCosts {
            /// The costs of the instrument, `usual` but for those that it says; all of them are filled in.
            pub(super) fn over(&mut self, usual: &CostsSection) -> CostsSection {
                let mut costs = usual.clone();
                $(costs.$name = *self.$name.get_or_insert(usual.$name);)+
                costs
            }
        }

        impl OwnOptionCosts {
            /// The same for the costs of options alone.
            pub(super) fn over(&mut self, usual: &CostsSection) -> CostsSection {
                let mut costs = usual.clone();
                $(costs.$option_name = *self.$option_name.get_or_insert(usual.$option_name);)+
                costs
            }
        }
    };
}

cost_keys! {
    any {
        /// The cost of a trade as a share of its value.
        #[schemars(title = "Proportional cost", range(min = 0.0), extend("exclusiveMaximum" = 1.0, "x-unit" = "share of traded value"))]
        proportional,
        /// Half of the spread between bid and ask, paid on every unit traded; history is scaled to the strategy's spot.
        #[schemars(title = "Half-spread", range(min = 0.0), extend("x-unit" = "currency a unit"))]
        half_spread,
        /// What every trade costs, whatever its size; smoothed in training. It pays to hold still only for a policy that can, such as one with a band.
        #[schemars(title = "Fixed cost", range(min = 0.0), extend("x-unit" = "currency a trade of all `contracts`"))]
        fixed,
        /// Linear impact: the share η of the price by which a trade of one unit moves it, so that x units cost η x² times the price.
        #[schemars(title = "Linear impact", range(min = 0.0), extend("x-unit" = "share of the price a unit"))]
        quadratic,
        /// Square-root impact: the strength Y, of order one, in the cost Y σ √(|x|/V) of a traded value, with the volatility σ of a trading day on the path and the daily volume V.
        #[schemars(title = "Square-root impact", range(min = 0.0), extend("x-unit" = "daily volatilities"))]
        square_root,
        /// The daily volume V that square-root impact is beside.
        #[schemars(title = "Daily volume", range(min = 0.0), extend("x-unit" = "units of the instrument a day"))]
        daily_volume,
    }
    options {
        /// Half of the spread of an option in volatility: each one traded costs so much times its vega.
        #[schemars(title = "Share of vega", range(min = 0.0), extend("x-unit" = "volatility, 0.01 a point"))]
        vega,
        /// The share a by which an option's half-spread widens for every standard deviation |ln(K/F)|/(σ √τ) from the money.
        #[schemars(title = "Spread away from the money", range(min = 0.0), extend("x-unit" = "share of the half-spread"))]
        moneyness_spread,
        /// The share b by which an option's half-spread widens with the root √τ of the years to its expiry.
        #[schemars(title = "Spread with time", range(min = 0.0), extend("x-unit" = "share of the half-spread"))]
        time_spread,
    }
}

impl CostsSection {
    /// The costs of an instrument that has these numbers, for each of the contracts; `place` is their section, and `days_per_year` the trading
    /// days of a year.
    ///
    /// # Errors
    /// Without a daily volume beside square-root impact.
    pub(super) fn charge(&self, place: &str, days_per_year: f64) -> Result<Charge> {
        if self.square_root > 0.0 && self.daily_volume <= 0.0 {
            let key = format!("{place}.daily_volume");
            return Err(outside(
                &key,
                "positive beside `square_root`",
                shown(self.daily_volume),
            ));
        }
        let charge = Charge {
            linear: Linear {
                proportional: self.proportional,
                half_spread: self.half_spread,
            },
            fixed: Fixed::exact(self.fixed),
            quadratic: Quadratic {
                share: self.quadratic,
            },
            square_root: SquareRoot::new(self.square_root, self.daily_volume, days_per_year),
            ..Charge::default()
        };
        Ok(charge.of_book(self.contracts))
    }

    /// The same of an option.
    ///
    /// # Errors
    /// Those of [`Self::charge`].
    pub(super) fn option_charge(&self, place: &str, days_per_year: f64) -> Result<Charge> {
        let widening = (self.moneyness_spread, self.time_spread);
        Ok(Charge {
            vega: VegaShare { share: self.vega },
            option_spread: OptionSpread::new(self.half_spread, widening.0, widening.1),
            ..self.charge(place, days_per_year)?
        })
    }

    /// How costs change over time.
    ///
    /// # Errors
    /// For days that do not rise, or a factor below 0.
    pub(super) fn schedule(&self) -> Result<CostSchedule> {
        const KEY: &str = "costs.table";
        for (index, [days, factor]) in self.table.iter().enumerate() {
            let before = index.checked_sub(1).map(|last| self.table[last][0]);
            if !(days.is_finite() && *days >= 0.0 && before.is_none_or(|before| before < *days)) {
                let bound = "pairs of days, at least 0 and rising, and a factor";
                return Err(outside(KEY, bound, format!("[{days}, {factor}]")));
            }
            if !(factor.is_finite() && *factor >= 0.0) {
                let bound = "pairs of days and a factor that is at least 0";
                return Err(outside(KEY, bound, format!("[{days}, {factor}]")));
            }
        }
        Ok(CostSchedule(self.table.clone()))
    }

    /// How fixed costs are smoothed in training.
    pub(super) fn smoothing(&self) -> Smoothing {
        Smoothing {
            start: self.smoothing,
            end: self.smoothing_end,
        }
    }
}

/// What costs are multiplied by over the life of a contract.
#[derive(Debug, Clone, PartialEq)]
pub struct CostSchedule(Vec<[f64; 2]>);

impl CostSchedule {
    /// The factor on a date so many days after the sale: that of the last pair whose days are not more, 1 before the first.
    pub fn factor(&self, days: f64) -> f64 {
        // A date is the day that it is but for rounding.
        let passed = self.0.iter().take_while(|pair| pair[0] <= days + 1e-9);
        passed.last().map_or(1.0, |pair| pair[1])
    }

    /// Whether costs never change.
    pub fn is_flat(&self) -> bool {
        self.0.is_empty()
    }
}

/// A date and what costs are multiplied by from it on, `["2020-02-24", 3.0]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatedFactor(pub String, pub f64);

impl JsonSchema for DatedFactor {
    fn schema_name() -> Cow<'static, str> {
        "DatedFactor".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "minItems": 2,
            "maxItems": 2,
            "items": { "anyOf": [{ "type": "string" }, { "type": "number" }] },
        })
    }
}

/// What costs are multiplied by on the dates of a history.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DatedCosts(Vec<(NaiveDate, f64)>);

impl DatedCosts {
    /// Of the table of a strategy.
    ///
    /// # Errors
    /// For dates that do not rise, or a factor below 0.
    pub(super) fn new(table: &[DatedFactor]) -> Result<Self> {
        const KEY: &str = "backtest.cost_table";
        let mut dates: Vec<(NaiveDate, f64)> = Vec::new();
        for DatedFactor(written, factor) in table {
            let from = date(KEY, written)?;
            if dates.last().is_some_and(|last| last.0 >= from) {
                return Err(outside(KEY, "pairs of rising dates and a factor", written));
            }
            let held = check(
                KEY,
                *factor,
                *factor >= 0.0,
                "dates with factors of at least 0",
            )?;
            dates.push((from, held));
        }
        Ok(Self(dates))
    }

    /// The factor on a date: that of the last date of the table which is not after it, 1 before the first.
    pub fn factor(&self, date: NaiveDate) -> f64 {
        let passed = self.0.iter().take_while(|one| one.0 <= date);
        passed.last().map_or(1.0, |one| one.1)
    }

    /// Whether costs never change.
    pub fn is_flat(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
#[path = "costs_tests.rs"]
mod tests;
