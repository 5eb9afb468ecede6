//! The section `contract`.

use super::tenor::{DayCount, Tenor};
use crate::bounds::{check, positive, required, within};
use crate::contract::{Contract, Leg, OptionKind, options};
use crate::error::{Error, Fault, Result};
use crate::market::{Assets, Market, Simulator};
use crate::random::{Purpose, Sampling};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Hedging periods, at most.
const MOST_STEPS: usize = 100_000;

/// What is sold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["expiry_days"]))]
pub struct ContractSection {
    /// What the contract pays at expiry.
    #[serde(rename = "type")]
    #[schemars(title = "Payoff")]
    pub kind: PayoffForm,
    /// The strike, or the lower one of two: a number, `{ moneyness = x }`, a multiple of the spot, or `{ delta = x }`, where
    /// the Black–Scholes delta of the call or put has this size, for a contract on history on the day of its sale.
    #[schemars(extend("x-unit" = "currency", "x-default" = "the spot"))]
    pub strike: Option<StrikeRule>,
    /// The upper strike of a strangle or a spread: a number or `{ moneyness = x }`.
    #[schemars(extend("x-unit" = "currency", "x-default" = "required", "x-when" = {"type": ["strangle", "call_spread", "put_spread"]}))]
    pub upper_strike: Option<StrikeRule>,
    /// Days from the sale to expiry, of the kind that `days` says.
    #[schemars(title = "Days to expiry", extend("exclusiveMinimum" = 0.0, "x-unit" = "days"))]
    pub expiry_days: f64,
    /// What the days to expiry count.
    #[schemars(title = "Kind of days", extend("x-default" = "calendar for 360 `days_per_year` or more, trading for fewer; if those are not given, trading with a `backtest` and else calendar"))]
    pub days: Option<DayCount>,
    /// Days of a year.
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "days", "x-default" = "252 trading or 365 calendar"))]
    pub days_per_year: Option<f64>,
    /// Hedging periods; on history a divisor of the trading days, or of the calendar days if a period is a day or at least
    /// 7 days.
    #[schemars(title = "Hedging periods", range(min = 1, max = 100_000), extend("x-default" = "one a day"))]
    pub steps: Option<usize>,
    /// What the seller receives: an amount, or the model's arbitrage-free price.
    #[schemars(extend("x-unit" = "currency"))]
    pub premium: PremiumRule,
}

impl Default for ContractSection {
    fn default() -> Self {
        Self {
            kind: PayoffForm::Call,
            strike: None,
            upper_strike: None,
            expiry_days: 30.0,
            days: None,
            days_per_year: None,
            steps: None,
            premium: PremiumRule::Rule(ModelPrice::Model),
        }
    }
}

/// What a contract pays at expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PayoffForm {
    /// A call.
    Call,
    /// A put.
    Put,
    /// A call and a put of one strike.
    Straddle,
    /// A put and a call of a higher strike.
    Strangle,
    /// A call less a call of a higher strike.
    CallSpread,
    /// A put of the higher strike less a put of the lower one.
    PutSpread,
}

impl PayoffForm {
    fn name(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Put => "put",
            Self::Straddle => "straddle",
            Self::Strangle => "strangle",
            Self::CallSpread => "call_spread",
            Self::PutSpread => "put_spread",
        }
    }
}

/// A strike as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum StrikeRule {
    /// An amount of money.
    Amount(f64),
    /// A multiple of the spot.
    Moneyness {
        /// The multiple.
        moneyness: f64,
    },
    /// The strike at which the Black–Scholes delta has a size.
    Delta {
        /// The size, without its sign.
        delta: f64,
    },
}

/// A premium as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PremiumRule {
    /// An amount of money.
    Amount(f64),
    /// A rule.
    Rule(ModelPrice),
}

/// The rule by which a premium is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelPrice {
    /// The model's arbitrage-free price.
    Model,
}

impl From<PremiumRule> for Premium {
    fn from(rule: PremiumRule) -> Self {
        match rule {
            PremiumRule::Amount(amount) => Self::Amount(amount),
            PremiumRule::Rule(ModelPrice::Model) => Self::Model,
        }
    }
}

/// What the seller of the option receives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Premium {
    /// The model's arbitrage-free price.
    Model,
    /// An amount of money.
    Amount(f64),
}

impl Premium {
    /// The premium of `contract` in the market of `assets`.
    pub fn of(&self, assets: &Assets, contract: &Contract) -> f64 {
        match self {
            Self::Model => model_price(assets, contract),
            Self::Amount(amount) => *amount,
        }
    }
}

/// What the strike of a contract follows on the day it is sold.
///
/// History and paths are scaled so that every contract has the strike of the strategy; what differs is the spot at the
/// sale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Strike {
    /// The spot: the strike is always the same multiple of it.
    Moneyness,
    /// The spot and the volatility: the option, a call or a put, has this Black–Scholes delta, without its sign, at the
    /// volatility that the model expects until expiry.
    Delta {
        /// The option whose delta it is.
        kind: OptionKind,
        /// The absolute value of the delta.
        size: f64,
    },
}

impl Strike {
    /// The spot at which `contract` has the strike that the rule asks for in `market`.
    pub fn spot(self, market: &Market, contract: &Contract) -> f64 {
        match self {
            Self::Moneyness => market.spot,
            Self::Delta { kind, size } => {
                market.spot * contract.strike / strike_of_delta(market, contract.expiry, kind, size)
            }
        }
    }
}

/// The model's price of a contract: by its calls and puts or, where it is no sum of those, the discounted mean of what it pays
/// on simulated paths.
fn model_price(assets: &Assets, contract: &Contract) -> f64 {
    const PATHS: usize = 1 << 16;
    if let Some(legs) = contract.legs() {
        return assets.first().price(legs, contract.expiry);
    }
    let simulator = Simulator {
        assets: assets.clone(),
        steps: contract.steps,
        dt: contract.dt(),
        seed: 0,
        purpose: Purpose::Pricing,
        sampling: Sampling::Antithetic,
    };
    let payoffs = simulator.payoffs(contract, 0, PATHS);
    let discount = (-assets.first().rate * contract.expiry).exp();
    discount * payoffs.iter().sum::<f64>() / PATHS as f64
}

fn strike_of_delta(market: &Market, expiry: f64, kind: OptionKind, size: f64) -> f64 {
    let leg = Leg::one(kind, market.spot);
    let variance = market.model.initial_volatility().powi(2);
    let volatility = market.model.mean_variance(variance, expiry).sqrt();
    market
        .black_scholes(leg, expiry, volatility)
        .strike_of_delta(size)
}

/// What the section `contract` says.
pub(super) struct Terms {
    pub contract: Contract,
    pub strike: Strike,
    pub tenor: Tenor,
}

const STRIKE: &str = "contract.strike";
const UPPER: &str = "contract.upper_strike";

/// The section `contract` in the strategy's own market; what depends on others is filled in.
pub(super) fn contract(
    section: &mut ContractSection,
    market: &Market,
    on_history: bool,
) -> Result<Terms> {
    let tenor = Tenor::new(section, on_history);
    let expiry = tenor.years();
    let form = section.kind;
    let written = *section
        .strike
        .get_or_insert(StrikeRule::Amount(market.spot));
    let (strike, rule) = match written {
        StrikeRule::Amount(amount) => (positive(STRIKE, amount)?, Strike::Moneyness),
        StrikeRule::Moneyness { moneyness } => {
            let key = "contract.strike.moneyness";
            (market.spot * positive(key, moneyness)?, Strike::Moneyness)
        }
        StrikeRule::Delta { delta } => {
            let greatest = (-market.dividend * expiry).exp();
            let bound = format!("above 0 and below {greatest:.4}");
            let holds = delta > 0.0 && delta < greatest;
            let size = check("contract.strike.delta", delta, holds, &bound)?;
            let kind = match form {
                PayoffForm::Put => OptionKind::Put,
                PayoffForm::Call | PayoffForm::Straddle => OptionKind::Call,
                PayoffForm::Strangle | PayoffForm::CallSpread | PayoffForm::PutSpread => {
                    return Err(no_delta(STRIKE, form));
                }
            };
            let strike = strike_of_delta(market, expiry, kind, size);
            (strike, Strike::Delta { kind, size })
        }
    };
    let upper = || upper_strike(section, market, strike);
    let legs = match form {
        PayoffForm::Call => vec![Leg::one(OptionKind::Call, strike)],
        PayoffForm::Put => vec![Leg::one(OptionKind::Put, strike)],
        PayoffForm::Straddle => options::straddle(strike),
        PayoffForm::Strangle => options::strangle(strike, upper()?),
        PayoffForm::CallSpread => options::call_spread(strike, upper()?),
        PayoffForm::PutSpread => options::put_spread(strike, upper()?),
    };
    let steps = *section.steps.get_or_insert(tenor.days.ceil() as usize);
    let steps = within("contract.steps", steps, 1, MOST_STEPS)?;
    if on_history {
        tenor.rebalancing(steps)?;
    }
    Ok(Terms {
        contract: Contract::of_options(form.name().replace('_', " "), legs, strike, expiry, steps),
        strike: rule,
        tenor,
    })
}

fn upper_strike(section: &ContractSection, market: &Market, lower: f64) -> Result<f64> {
    let upper = match required(&section.upper_strike, UPPER)? {
        StrikeRule::Amount(amount) => amount,
        StrikeRule::Moneyness { moneyness } => market.spot * moneyness,
        StrikeRule::Delta { .. } => return Err(no_delta(UPPER, section.kind)),
    };
    check(UPPER, upper, upper > lower, &format!("above {lower}"))
}

/// The error of a delta where there are two strikes.
fn no_delta(key: &str, form: PayoffForm) -> Error {
    let beside = format!(
        "for the type \"{}\", which has two strikes: give numbers or {{ moneyness = x }}",
        form.name()
    );
    Error::setting(format!("{key}.delta"), Fault::NoMeaning { beside })
}
