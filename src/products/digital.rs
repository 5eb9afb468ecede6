//! Digital options, and what pays if a level is touched or is not.

use super::formulas::{DigitalForm, TouchForm};
use super::setting::{Money, Setting, Sold, StrikeRule};
use crate::contract::OptionKind;
use crate::error::Result;
use crate::pricing::exotic::{Direction, TouchKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The terms of a digital option.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Digital {
    /// The strike: a number or `{ moneyness = x }`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "currency", "x-default" = "the spot"))]
    pub strike: Option<StrikeRule>,
    /// What a digital option, a one-touch or a no-touch pays: a number or `{ moneyness = x }`.
    #[serde(default = "one")]
    #[schemars(extend("x-unit" = "currency"))]
    pub cash: Money,
}

/// The terms of a one-touch or a no-touch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Touch {
    /// The level, above the spot or below it, at which a contract is knocked in or out, or that counts as touched, on each of
    /// the hedging dates: a number or `{ moneyness = x }`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "currency", "x-default" = "required"))]
    pub barrier: Option<Money>,
    /// What it pays: a number or `{ moneyness = x }`.
    #[serde(default = "one")]
    #[schemars(extend("x-unit" = "currency"))]
    pub cash: Money,
}

fn one() -> Money {
    Money::Amount(1.0)
}

/// `when(S > K, cash, 0)`, and for a put `when(S < K, cash, 0)`.
pub(super) fn digital(
    terms: &mut Digital,
    setting: &Setting<'_>,
    kind: OptionKind,
) -> Result<Sold> {
    let strike = setting.fixed_strike(&mut terms.strike)?;
    let cash = setting.money("cash", terms.cash)?;
    let sign = match kind {
        OptionKind::Call => ">",
        OptionKind::Put => "<",
    };
    let amount = format!("when({} {sign} K, cash, 0)", setting.first());
    let sheet = setting.payoff(&amount, &[("K", strike), ("cash", cash)])?;
    Ok(Sold::sheet(strike, sheet).with_formula(DigitalForm { kind, strike, cash }))
}

/// At expiry `when(any(S >= B), cash, 0)`, below the spot `when(any(S <= B), cash, 0)`; a no-touch the other way round.
pub(super) fn touch(terms: &mut Touch, setting: &Setting<'_>, touched: bool) -> Result<Sold> {
    let barrier = setting.money_given("barrier", &terms.barrier)?;
    let cash = setting.money("cash", terms.cash)?;
    let (sign, direction) = if barrier >= setting.spot {
        (">=", Direction::Up)
    } else {
        ("<=", Direction::Down)
    };
    let (pays, kind) = if touched {
        ("cash, 0", TouchKind::OneTouch)
    } else {
        ("0, cash", TouchKind::NoTouch)
    };
    let amount = format!("when(any({} {sign} B), {pays})", setting.first());
    let sheet = setting.payoff(&amount, &[("B", barrier), ("cash", cash)])?;
    Ok(Sold::sheet(barrier, sheet).with_formula(TouchForm {
        kind,
        direction,
        barrier,
        cash,
    }))
}
