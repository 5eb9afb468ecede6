//! Contracts on the returns between dates.

use super::formulas::VarianceSwapForm;
use super::setting::{Money, Setting, Sold};
use crate::bounds::{check, required};
use crate::error::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The terms of a cliquet.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cliquet {
    /// The number of periods of a cliquet, at equal distances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1), extend("x-default" = "required"))]
    pub resets: Option<usize>,
    /// The least return of a period that counts.
    #[serde(default)]
    pub floor: f64,
    /// The greatest return of a period that counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "none"))]
    pub cap: Option<f64>,
    /// The least sum of returns that is paid.
    #[serde(default)]
    pub global_floor: f64,
    /// The greatest sum of returns that is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "none"))]
    pub global_cap: Option<f64>,
    /// The money that returns, variances and redemptions are fractions of: a number or `{ moneyness = x }`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "currency", "x-default" = "the spot"))]
    pub notional: Option<Money>,
}

/// The terms of a swap on the realised variance.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VarianceSwap {
    /// The volatility whose square is the strike of a variance swap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 0.0, "x-unit" = "annualised", "x-default" = "required"))]
    pub strike_volatility: Option<f64>,
    /// The money per unit of variance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "currency", "x-default" = "the spot"))]
    pub notional: Option<Money>,
}

/// `N * clamp(sum(clamp(S / previous(S) - 1, floor, cap), fixings(n)), global_floor, global_cap)`, with `max` in the place of
/// `clamp` where there is no cap.
pub(super) fn cliquet(terms: &mut Cliquet, setting: &Setting<'_>) -> Result<Sold> {
    let resets = required(&terms.resets, &setting.name("resets"))?;
    if resets > setting.steps {
        let bound = format!("at most {}, the hedging dates", setting.steps);
        return Err(setting.outside("resets", bound, resets as f64));
    }
    let notional = setting.money_or_spot("notional", &mut terms.notional)?;
    let bounded = |what: String, floor: f64, cap: Option<f64>, key: &str| -> Result<String> {
        match cap {
            Some(cap) => {
                let cap = check(
                    &setting.name(key),
                    cap,
                    cap > floor,
                    &format!("above {floor}"),
                )?;
                Ok(format!("clamp({what}, {floor}, {cap})"))
            }
            None => Ok(format!("max({what}, {floor})")),
        }
    };
    let spot = setting.first();
    let of_period = format!("{spot} / previous({spot}) - 1");
    let of_period = bounded(of_period, terms.floor, terms.cap, "cap")?;
    let sum = format!("sum({of_period}, fixings({resets}))");
    let sum = bounded(sum, terms.global_floor, terms.global_cap, "global_cap")?;
    let sheet = setting.payoff(&format!("N * {sum}"), &[("N", notional)])?;
    Ok(Sold::sheet(notional, sheet))
}

/// `N * (sum(ln(S / previous(S)) ^ 2) / years - volatility ^ 2)`.
pub(super) fn variance_swap(terms: &mut VarianceSwap, setting: &Setting<'_>) -> Result<Sold> {
    let volatility = required(&terms.strike_volatility, &setting.name("strike_volatility"))?;
    let notional = setting.money_or_spot("notional", &mut terms.notional)?;
    let spot = setting.first();
    let realised = format!("sum(ln({spot} / previous({spot})) ^ 2) / years");
    let amount = format!("N * ({realised} - volatility ^ 2)");
    let sheet = setting.payoff(&amount, &[("N", notional), ("volatility", volatility)])?;
    Ok(Sold::sheet(notional, sheet).with_formula(VarianceSwapForm {
        notional,
        strike_volatility: volatility,
    }))
}
