//! Calls, puts, and their sums.

use super::setting::{Money, Setting, Sold, StrikeRule};
use crate::contract::{Leg, OptionKind, options};
use crate::error::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The terms of a call, a put, an American one, or a straddle.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OneStrike {
    /// The strike, or the lower one of two: a number, `{ moneyness = x }`, a multiple of the spot, or `{ delta = x }`, where
    /// the Black–Scholes delta of the call or put has this size, for a contract on history on the day of its sale. `[low, high]` and
    /// `{ moneyness = [low, high] }`, as of most other numbers of a contract, are ranges from which every path draws its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "currency", "x-default" = "the spot"))]
    pub strike: Option<StrikeRule>,
}

/// The terms of a strangle or a spread.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TwoStrikes {
    /// The lower strike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "currency", "x-default" = "the spot"))]
    pub strike: Option<StrikeRule>,
    /// The upper strike of a strangle or a spread: a number or `{ moneyness = x }`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "currency", "x-default" = "required"))]
    pub upper_strike: Option<Money>,
}

/// max(S − K, 0) or max(K − S, 0).
pub(super) fn option(
    terms: &mut OneStrike,
    setting: &Setting<'_>,
    kind: OptionKind,
) -> Result<Sold> {
    with(terms, setting, kind, |strike| vec![Leg::one(kind, strike)])
}

/// max(S − K, 0) or max(K − S, 0) on the hedging date on which the holder exercises.
pub(super) fn american(
    terms: &mut OneStrike,
    setting: &Setting<'_>,
    kind: OptionKind,
) -> Result<Sold> {
    let strike = setting.fixed_strike(&mut terms.strike)?;
    Ok(Sold::american(strike, kind))
}

/// |S − K|, whose delta is the call's.
pub(super) fn straddle(terms: &mut OneStrike, setting: &Setting<'_>) -> Result<Sold> {
    with(terms, setting, OptionKind::Call, options::straddle)
}

fn with(
    terms: &mut OneStrike,
    setting: &Setting<'_>,
    kind: OptionKind,
    legs: impl Fn(f64) -> Vec<Leg>,
) -> Result<Sold> {
    let (strike, delta) = setting.strike(&mut terms.strike, kind)?;
    Ok(Sold {
        delta,
        ..Sold::options(strike, legs(strike))
    })
}

/// The sums of two strikes K < K′ that `legs` makes.
pub(super) fn two_strikes(
    terms: &mut TwoStrikes,
    setting: &Setting<'_>,
    legs: fn(f64, f64) -> Vec<Leg>,
) -> Result<Sold> {
    let strike = setting.fixed_strike(&mut terms.strike)?;
    let upper = setting.money_given("upper_strike", &terms.upper_strike)?;
    let upper = setting.above("upper_strike", upper, strike)?;
    Ok(Sold::options(strike, legs(strike, upper)))
}
