//! The section `contract`.

use super::raw::{Raw, RawPremium};
use super::tenor::Tenor;
use crate::bounds::{check, filled, finite, one_of, positive, required, within};
use crate::contract::{Contract, Leg, OptionKind, Payoff};
use crate::error::{Error, Result};
use crate::market::Market;

/// Hedging periods, at most.
const MOST_STEPS: usize = 100_000;

/// What the seller of the option receives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Premium {
    /// The model's arbitrage-free price.
    Model,
    /// An amount of money.
    Amount(f64),
}

impl Premium {
    /// The premium of `contract` in `market`.
    pub fn of(&self, market: &Market, contract: &Contract) -> f64 {
        match self {
            Self::Model => market.price(contract),
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
    Delta { kind: OptionKind, size: f64 },
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

fn strike_of_delta(market: &Market, expiry: f64, kind: OptionKind, size: f64) -> f64 {
    let leg = Leg {
        quantity: 1.0,
        kind,
        strike: market.spot,
    };
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

/// The forms of payoff, some of which have a second strike.
const FORMS: [(&str, Form); 6] = [
    ("call", Form::One(Payoff::Call)),
    ("put", Form::One(Payoff::Put)),
    ("straddle", Form::One(Payoff::Straddle)),
    ("strangle", Form::Two(|upper| Payoff::Strangle { upper })),
    (
        "call_spread",
        Form::Two(|upper| Payoff::CallSpread { upper }),
    ),
    ("put_spread", Form::Two(|upper| Payoff::PutSpread { upper })),
];

#[derive(Clone, Copy)]
enum Form {
    One(Payoff),
    Two(fn(f64) -> Payoff),
}

/// The section `contract` in the strategy's own market.
pub(super) fn contract(raw: &mut Raw, market: &Market) -> Result<Terms> {
    let terms = &mut raw.contract;
    let tenor = Tenor::new(terms, raw.backtest.is_some())?;
    let expiry = tenor.years();
    let name = filled(&mut terms.kind, "call".into());
    let form = one_of("contract.type", &name, &FORMS)?;
    let written = filled(&mut terms.strike, toml::Value::Float(market.spot));
    let (strike, rule) = match given(STRIKE, &written)? {
        Given::Amount(amount) => (positive(STRIKE, amount)?, Strike::Moneyness),
        Given::Moneyness(moneyness) => {
            let key = "contract.strike.moneyness";
            (market.spot * positive(key, moneyness)?, Strike::Moneyness)
        }
        Given::Delta(delta) => {
            let greatest = (-market.dividend * expiry).exp();
            let bound = format!("above 0 and below {greatest:.4}");
            let holds = delta > 0.0 && delta < greatest;
            let size = check("contract.strike.delta", delta, holds, &bound)?;
            let kind = match form {
                Form::One(Payoff::Put) => OptionKind::Put,
                Form::One(_) => OptionKind::Call,
                Form::Two(_) => {
                    return Err(Error::input(format!(
                        "`contract.strike.delta` has no meaning for the type \"{name}\", which has two strikes: give numbers or {{ moneyness = x }}"
                    )));
                }
            };
            let strike = strike_of_delta(market, expiry, kind, size);
            (strike, Strike::Delta { kind, size })
        }
    };
    let kind = match (form, &terms.upper_strike) {
        (Form::One(kind), None) => kind,
        (Form::One(_), Some(_)) => {
            return Err(Error::input(format!(
                "`{UPPER}` has no meaning for the type \"{name}\""
            )));
        }
        (Form::Two(form), written) => {
            let upper = match given(UPPER, &required(written, UPPER)?)? {
                Given::Amount(amount) => amount,
                Given::Moneyness(moneyness) => market.spot * moneyness,
                Given::Delta(_) => {
                    return Err(Error::input(format!(
                        "`{UPPER}.delta` has no meaning for the type \"{name}\", which has two strikes: give numbers or {{ moneyness = x }}"
                    )));
                }
            };
            form(check(
                UPPER,
                upper,
                upper > strike,
                &format!("above {strike}"),
            )?)
        }
    };
    let steps = within(
        "contract.steps",
        filled(&mut terms.steps, tenor.days.ceil() as usize),
        1,
        MOST_STEPS,
    )?;
    if raw.backtest.is_some() {
        tenor.rebalancing(steps)?;
    }
    Ok(Terms {
        contract: Contract {
            kind,
            strike,
            expiry,
            steps,
        },
        strike: rule,
        tenor,
    })
}

const STRIKE: &str = "contract.strike";
const UPPER: &str = "contract.upper_strike";

/// A strike as it is written.
pub(super) enum Given {
    Amount(f64),
    Moneyness(f64),
    Delta(f64),
}

pub(super) fn given(key: &str, value: &toml::Value) -> Result<Given> {
    let number = |value: &toml::Value| value.as_float().or(value.as_integer().map(|i| i as f64));
    let rule = value.as_table().filter(|table| table.len() == 1);
    let rule = rule.and_then(|table| table.iter().next());
    let read = match (rule, number(value)) {
        (None, Some(amount)) => Some(Given::Amount(amount)),
        (Some((name, value)), _) => match (name.as_str(), number(value)) {
            ("moneyness", Some(moneyness)) => Some(Given::Moneyness(moneyness)),
            ("delta", Some(delta)) => Some(Given::Delta(delta)),
            _ => None,
        },
        (None, None) => None,
    };
    read.ok_or_else(|| {
        Error::input(format!(
            "`{key}` must be a number, {{ moneyness = x }} or {{ delta = x }}, was {value}"
        ))
    })
}

/// Reads `contract.premium`.
pub(super) fn premium(raw: &mut Raw) -> Result<Premium> {
    Ok(
        match filled(&mut raw.contract.premium, RawPremium::Rule("model".into())) {
            RawPremium::Amount(amount) => Premium::Amount(finite("contract.premium", amount)?),
            RawPremium::Rule(rule) => {
                one_of("contract.premium", &rule, &[("model", Premium::Model)])?
            }
        },
    )
}
