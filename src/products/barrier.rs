//! Calls and puts that begin or end to be when the spot is at a level or beyond on a hedging date.

use super::formulas::BarrierForm;
use super::setting::{Money, Setting, Sold, StrikeRule};
use crate::contract::OptionKind;
use crate::error::Result;
use crate::pricing::exotic::{Direction, Knock};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The terms of a barrier option.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Barrier {
    /// The strike: a number or `{ moneyness = x }`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "currency", "x-default" = "the spot"))]
    pub strike: Option<StrikeRule>,
    /// The level at which it is knocked in or out: a number or `{ moneyness = x }`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "currency", "x-default" = "required"))]
    pub barrier: Option<Money>,
}

/// Knocked in, `when(lowest(S) <= B, max(S - K, 0), 0)` at expiry. Knocked out, the contract ends on the first date with
/// `S <= B`, at which nothing is paid, and pays `max(S - K, 0)` at expiry. An upper barrier asks `highest(S) >= B`, `S >= B`.
pub(super) fn barrier(
    terms: &mut Barrier,
    setting: &Setting<'_>,
    direction: Direction,
    knock: Knock,
    kind: OptionKind,
) -> Result<Sold> {
    let strike = setting.fixed_strike(&mut terms.strike)?;
    let level = setting.money_given("barrier", &terms.barrier)?;
    let (extreme, sign, bound, holds) = match direction {
        Direction::Down => ("lowest", "<=", "below", level < setting.spot),
        Direction::Up => ("highest", ">=", "above", level > setting.spot),
    };
    if !holds {
        let bound = format!("{bound} the spot {}", setting.spot);
        return Err(setting.outside("barrier", bound, level));
    }
    let spot = setting.first();
    let pays = match kind {
        OptionKind::Call => format!("max({spot} - K, 0)"),
        OptionKind::Put => format!("max(K - {spot}, 0)"),
    };
    let parameters = [("K", strike), ("B", level)];
    let sheet = match knock {
        Knock::In => {
            let amount = format!("when({extreme}({spot}) {sign} B, {pays}, 0)");
            setting.payoff(&amount, &parameters)?
        }
        Knock::Out => {
            let knocked = format!("{spot} {sign} B");
            let payments = [
                ("every(1)", Some(knocked.as_str()), "0", true),
                ("expiry", None, pays.as_str(), false),
            ];
            setting.payments(&payments, &parameters)?
        }
    };
    Ok(Sold::sheet(strike, sheet).with_formula(BarrierForm {
        kind,
        strike,
        barrier: level,
        direction,
        knock,
    }))
}
