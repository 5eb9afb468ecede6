//! Contracts on several assets.

use super::formulas::{ExchangeForm, RainbowForm};
use super::setting::{Money, Setting, Sold, StrikeRule};
use crate::contract::OptionKind;
use crate::error::{Error, Result};
use crate::pricing::exotic::Choice;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The terms of an option on a weighted sum of assets.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Basket {
    /// The strike: a number or `{ moneyness = x }`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "currency", "x-default" = "the spot"))]
    pub strike: Option<StrikeRule>,
    /// The weights of the assets in a basket, in their order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "equal, with the sum 1"))]
    pub weights: Option<Vec<f64>>,
}

/// The terms of an option on the best or the worst of several assets.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Extreme {
    /// The strike: a number or `{ moneyness = x }`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "currency", "x-default" = "the spot"))]
    pub strike: Option<StrikeRule>,
}

/// The terms of an exchange of two assets: none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Exchange {}

/// The terms of a note that is called when all assets are high enough.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Autocallable {
    /// The money that is redeemed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-unit" = "currency", "x-default" = "the spot"))]
    pub notional: Option<Money>,
    /// The dates on which an autocallable can be called: `quarterly`, or another schedule.
    #[serde(default = "quarterly")]
    pub on: String,
    /// The level of the worst asset, over its spot at the sale, from which on an autocallable is called.
    #[serde(default = "one")]
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub call_level: f64,
    /// What an autocallable pays beside the notional for each date up to the one on which it is called, as a fraction of the
    /// notional.
    #[serde(default = "coupon")]
    pub coupon: f64,
    /// The level of the worst asset at expiry, over its spot at the sale, below which an autocallable redeems that share of the
    /// notional alone.
    #[serde(default = "one")]
    #[schemars(range(min = 0.0))]
    pub protection: f64,
}

fn quarterly() -> String {
    "quarterly".into()
}

fn one() -> f64 {
    1.0
}

fn coupon() -> f64 {
    0.02
}

fn option(setting: &Setting<'_>, kind: OptionKind, what: &str, strike: f64) -> Result<Sold> {
    let amount = match kind {
        OptionKind::Call => format!("max({what} - K, 0)"),
        OptionKind::Put => format!("max(K - {what}, 0)"),
    };
    Ok(Sold::sheet(
        strike,
        setting.payoff(&amount, &[("K", strike)])?,
    ))
}

/// `max(w1 * S.a + w2 * S.b - K, 0)`, a put with the difference the other way round.
pub(super) fn basket(terms: &mut Basket, setting: &Setting<'_>, kind: OptionKind) -> Result<Sold> {
    let spots = setting.several()?;
    let strike = setting.fixed_strike(&mut terms.strike)?;
    let equal = || vec![1.0 / spots.len() as f64; spots.len()];
    let weights = terms.weights.get_or_insert_with(equal);
    if weights.len() != spots.len() {
        let words = format!(
            "must have a weight for each of the {} assets, had {}",
            spots.len(),
            weights.len()
        );
        return Err(Error::key(setting.name("weights"), words));
    }
    let terms: Vec<String> = weights
        .iter()
        .zip(&spots)
        .map(|(weight, spot)| format!("{weight} * {spot}"))
        .collect();
    option(setting, kind, &format!("({})", terms.join(" + ")), strike)
}

/// `max(max(S.a, S.b) - K, 0)` of the best and `max(min(S.a, S.b) - K, 0)` of the worst; puts with the difference the other
/// way round.
pub(super) fn extreme(
    terms: &mut Extreme,
    setting: &Setting<'_>,
    choice: Choice,
    kind: OptionKind,
) -> Result<Sold> {
    let spots = setting.several()?;
    let strike = setting.fixed_strike(&mut terms.strike)?;
    let name = match choice {
        Choice::Best => "max",
        Choice::Worst => "min",
    };
    let sold = option(
        setting,
        kind,
        &format!("{name}({})", spots.join(", ")),
        strike,
    )?;
    Ok(match spots.len() == 2 {
        true => sold.with_formula(RainbowForm {
            kind,
            choice,
            strike,
        }),
        false => sold,
    })
}

/// `max(S.a - S.b, 0)` of the first two assets.
pub(super) fn exchange(setting: &Setting<'_>) -> Result<Sold> {
    let spots = setting.several()?;
    let amount = format!("max({} - {}, 0)", spots[0], spots[1]);
    let sold = Sold::sheet(setting.spot, setting.payoff(&amount, &[])?);
    Ok(sold.with_formula(ExchangeForm))
}

/// On each date with `worst >= level` the notional and a coupon for each date so far, which ends it; at expiry else
/// `N * when(worst >= protection, 1, worst)`, where `worst` is `min(S.a / first(S.a), S.b / first(S.b))`.
pub(super) fn autocallable(terms: &mut Autocallable, setting: &Setting<'_>) -> Result<Sold> {
    let notional = setting.money_or_spot("notional", &mut terms.notional)?;
    let levels: Vec<String> = setting
        .spots()
        .iter()
        .map(|spot| format!("{spot} / first({spot})"))
        .collect();
    let worst = format!("min({})", levels.join(", "));
    let called = format!("{worst} >= level");
    let redeemed = format!("N * when({worst} >= protection, 1, {worst})");
    let payments = [
        (
            terms.on.as_str(),
            Some(called.as_str()),
            "N * (1 + coupon * observation)",
            true,
        ),
        ("expiry", None, redeemed.as_str(), false),
    ];
    let parameters = [
        ("N", notional),
        ("level", terms.call_level),
        ("coupon", terms.coupon),
        ("protection", terms.protection),
    ];
    Ok(Sold::sheet(
        notional,
        setting.payments(&payments, &parameters)?,
    ))
}
