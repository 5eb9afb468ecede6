//! Options on averages and extremes of the path, and on its later part.

use super::formulas::{ForwardStartForm, GeometricForm, LookbackForm};
use super::setting::{Setting, Sold, StrikeRule};
use crate::contract::OptionKind;
use crate::error::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The terms of an Asian option.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Asian {
    /// The strike: a number or `{ moneyness = x }`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "currency", "x-default" = "the spot"))]
    pub strike: Option<StrikeRule>,
    /// What mean of the spots an Asian option is on.
    #[serde(default)]
    pub average: Mean,
    /// The number of dates that are averaged, at equal distances, the last one the expiry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1), extend("x-default" = "all hedging dates"))]
    pub fixings: Option<usize>,
}

/// The mean that an Asian option is on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mean {
    /// The sum over the number.
    #[default]
    Arithmetic,
    /// The root of the product.
    Geometric,
}

/// The terms of a lookback option.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Lookback {
    /// The strike: a number or `{ moneyness = x }`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "currency", "x-default" = "the spot"))]
    pub strike: Option<StrikeRule>,
    /// Whether the strike of a lookback option is the lowest spot for a call and the highest one for a put, or else given.
    #[serde(default)]
    pub floating: bool,
}

/// The terms of a forward-start option.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ForwardStart {
    /// Days from the sale to the hedging date whose spot sets the strike, of the kind that `days` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "days", "x-default" = "required"))]
    pub start_days: Option<f64>,
    /// The strike of a forward-start option over the spot on that date.
    #[serde(default = "one")]
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub moneyness: f64,
}

fn one() -> f64 {
    1.0
}

fn against(kind: OptionKind, what: &str, strike: &str) -> String {
    match kind {
        OptionKind::Call => format!("max({what} - {strike}, 0)"),
        OptionKind::Put => format!("max({strike} - {what}, 0)"),
    }
}

/// `max(average(S, fixings(n)) - K, 0)`, of a geometric mean `max(exp(average(ln(S), fixings(n))) - K, 0)`; a put with the
/// difference the other way round.
pub(super) fn asian(terms: &mut Asian, setting: &Setting<'_>, kind: OptionKind) -> Result<Sold> {
    let strike = setting.fixed_strike(&mut terms.strike)?;
    let schedule = match terms.fixings {
        Some(n) if n > setting.steps => {
            let bound = format!("at most {}, the hedging dates", setting.steps);
            return Err(setting.outside("fixings", bound, n as f64));
        }
        Some(n) => format!(", fixings({n})"),
        None => String::new(),
    };
    let spot = setting.first();
    let mean = match terms.average {
        Mean::Arithmetic => format!("average({spot}{schedule})"),
        Mean::Geometric => format!("exp(average(ln({spot}){schedule}))"),
    };
    let sheet = setting.payoff(&against(kind, &mean, "K"), &[("K", strike)])?;
    let sold = Sold::sheet(strike, sheet);
    Ok(match terms.average {
        Mean::Arithmetic => sold,
        Mean::Geometric => sold.with_formula(GeometricForm {
            kind,
            strike,
            fixings: terms.fixings,
        }),
    })
}

/// `max(highest(S) - K, 0)` for a call and `max(K - lowest(S), 0)` for a put; floating `S - lowest(S)` and `highest(S) - S`.
pub(super) fn lookback(
    terms: &mut Lookback,
    setting: &Setting<'_>,
    kind: OptionKind,
) -> Result<Sold> {
    let spot = setting.first();
    if terms.floating {
        if terms.strike.is_some() {
            let words =
                "has no meaning for a floating lookback option, whose strike is that of the path";
            return Err(Error::key(setting.name("strike"), words));
        }
        let amount = match kind {
            OptionKind::Call => format!("{spot} - lowest({spot})"),
            OptionKind::Put => format!("highest({spot}) - {spot}"),
        };
        let sold = Sold::sheet(setting.spot, setting.payoff(&amount, &[])?);
        return Ok(sold.with_formula(LookbackForm { kind, strike: None }));
    }
    let strike = setting.fixed_strike(&mut terms.strike)?;
    let extreme = match kind {
        OptionKind::Call => format!("highest({spot})"),
        OptionKind::Put => format!("lowest({spot})"),
    };
    let sheet = setting.payoff(&against(kind, &extreme, "K"), &[("K", strike)])?;
    let form = LookbackForm {
        kind,
        strike: Some(strike),
    };
    Ok(Sold::sheet(strike, sheet).with_formula(form))
}

/// `max(S - m * sum(when(observation == n, S, 0)), 0)`, where the sum is the spot on hedging date n from that date on.
pub(super) fn forward_start(
    terms: &mut ForwardStart,
    setting: &Setting<'_>,
    kind: OptionKind,
) -> Result<Sold> {
    let days = crate::bounds::required(&terms.start_days, &setting.name("start_days"))?;
    let dt = setting.expiry / setting.steps as f64;
    let start = (days / setting.days_per_year / dt).round();
    if !(1.0..setting.steps as f64).contains(&start) {
        let last = setting.expiry * setting.days_per_year;
        let bound = format!(
            "nearest to a hedging date after the sale and before the expiry after {last} days"
        );
        return Err(setting.outside("start_days", bound, days));
    }
    let spot = setting.first();
    let strike = format!("m * sum(when(observation == start, {spot}, 0))");
    let parameters = [("m", terms.moneyness), ("start", start)];
    let sheet = setting.payoff(&against(kind, &spot, &strike), &parameters)?;
    let sold = Sold::sheet(terms.moneyness * setting.spot, sheet);
    Ok(sold.with_formula(ForwardStartForm {
        kind,
        moneyness: terms.moneyness,
        start: start as usize,
    }))
}
