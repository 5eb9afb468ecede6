//! The section `contract`.

use super::given::check_grid;
use super::tenor::{DayCount, Tenor};
use crate::bounds::{check, within};
use crate::contract::{Contract, Formula, Leg, OptionKind, Position};
use crate::error::{Error, Result};
use crate::market::valuation::exercise_rule;
use crate::market::{Assets, Market, Simulator};
use crate::products::{Made, Part, Product, Setting, Sold};
use crate::random::{Purpose, Sampling};
use crate::simd::BLOCK;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Hedging periods, at most.
const MOST_STEPS: usize = 100_000;

/// What is sold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["expiry_days"]))]
pub struct ContractSection {
    /// What is sold, with its own keys.
    #[serde(flatten)]
    #[schemars(skip)]
    pub product: Product,
    /// Days from the sale to expiry, of the kind that `days` says; `[low, high]` where every path draws a contract of its own, which
    /// lives for a whole number of hedging periods.
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
            product: Product::default(),
            expiry_days: 30.0,
            days: None,
            days_per_year: None,
            steps: None,
            premium: PremiumRule::Rule(ModelPrice::Model),
        }
    }
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

const SECTION: &str = "contract";

/// The section `contract` in the strategy's own market of `assets`, by their names; what depends on others is filled in.
pub(super) fn contract(
    section: &mut ContractSection,
    market: &Market,
    assets: &[String],
    on_history: bool,
) -> Result<Terms> {
    let tenor = Tenor::new(section, on_history);
    let expiry = tenor.years();
    let steps = *section.steps.get_or_insert(tenor.days.ceil() as usize);
    let steps = within("contract.steps", steps, 1, MOST_STEPS)?;
    check_grid(market, steps)?;
    let strike_of_delta = |key: &str, kind, delta: f64| {
        let greatest = market.dividend.discount(0.0, expiry);
        let bound = format!("above 0 and below {greatest:.4}");
        let size = check(key, delta, delta > 0.0 && delta < greatest, &bound)?;
        Ok(strike_of_delta(market, expiry, kind, size))
    };
    let setting = Setting {
        key: SECTION,
        kind: section.product.name(),
        assets,
        spot: market.spot,
        expiry,
        steps,
        days_per_year: tenor.days_per_year,
        strike_of_delta: &strike_of_delta,
    };
    let sold = section.product.sold(&setting)?;
    if on_history {
        tenor.rebalancing(steps)?;
    }
    let strike = match sold.delta {
        Some((kind, size)) => Strike::Delta { kind, size },
        None => Strike::Moneyness,
    };
    Ok(Terms {
        contract: made(sold, &setting, market)?,
        strike,
        tenor,
    })
}

/// The contract of what is sold: calls and puts that expire together keep their closed form, and what may be exercised gets its
/// rule.
fn made(sold: Sold, setting: &Setting<'_>, market: &Market) -> Result<Contract> {
    let name = setting.kind.replace('_', " ");
    let Setting { expiry, steps, .. } = *setting;
    let strike = sold.strike;
    if let [part] = &sold.parts[..]
        && part.quantity == 1.0
        && part.expiry.is_none()
    {
        match &part.made {
            Made::Options(legs) => {
                let legs = legs.clone();
                return Ok(Contract::of_options(name, legs, strike, expiry, steps));
            }
            Made::American(kind) => {
                let rule = exercise_rule(market, *kind, strike, expiry, steps)?;
                return Ok(Contract::american(rule, expiry, steps));
            }
            Made::GivenPayoff => return Ok(Contract::given_payoff(name, strike, expiry, steps)),
            Made::Sheet(_) => {}
        }
    }
    let position = |part: Part| {
        Ok(Position {
            quantity: part.quantity,
            expiry: part.expiry.unwrap_or(expiry),
            sheet: match part.made {
                Made::Sheet(sheet) => sheet,
                Made::Options(legs) => setting.sheet_of_options(&legs)?,
                Made::American(_) => {
                    let words = "may be exercised, and must be sold alone";
                    return Err(Error::key(setting.name("type"), words));
                }
                Made::GivenPayoff => {
                    let words = ": payoffs that are given are those of a contract alone";
                    return Err(Error::key(setting.name("type"), words));
                }
            },
        })
    };
    let formula = sold.formula;
    let positions = sold.parts.into_iter().map(position);
    let contract = Contract::of_sheets(
        name,
        positions.collect::<Result<_>>()?,
        setting.assets,
        setting.days_per_year,
        strike,
        (expiry, steps),
    )?;
    // A form that takes rates to be the same at all times is none under rates that are not.
    let holds =
        |form: &Arc<dyn Formula>| market.has_constant_carry() || !form.needs_constant_carry();
    Ok(match formula.filter(holds) {
        Some(formula) => contract.with_formula(formula),
        None => contract,
    })
}

/// Checks on some simulated paths that what the contract pays are finite numbers.
///
/// # Errors
/// The key of an amount that is none.
pub(super) fn check_payments(assets: &Assets, contract: &Contract) -> Result<()> {
    const BLOCKS: usize = 4;
    if contract.legs().is_some() {
        return Ok(());
    }
    let simulator = Simulator {
        assets: assets.clone(),
        steps: contract.steps,
        dt: contract.dt(),
        seed: 0,
        purpose: Purpose::Pricing,
        sampling: Sampling::Antithetic,
        family: None,
    };
    for block in 0..BLOCKS {
        let paths = simulator.paths::<f64>(block as u64, BLOCK);
        contract.check(paths.block(0).spots())?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "contract_tests.rs"]
mod tests;
