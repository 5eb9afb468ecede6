//! What is traded, and what trading it costs.

use super::contract::{Strike, Terms};
use super::file::Strategy;
use super::market::check_prices;
use crate::bounds::{check, outside, positive};
use crate::contract::{Charge, Contract, Costs, Instrument, OptionKind, Vanilla};
use crate::error::{Error, Fault, Result, excerpt};
use crate::market::{Market, Quotes};
use crate::products::StrikeRule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};

const KEY: &str = "policy.instruments";

/// An instrument as it is written: a name, or an option as a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum InstrumentSection {
    /// What is known by its name alone.
    Named(NamedInstrument),
    /// An option.
    Option(OptionSection),
}

/// An instrument that is known by its name alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NamedInstrument {
    /// The underlying itself, always the first instrument.
    Spot,
    /// A swap on the variance until expiry, quoted so that a unit is worth a share at the sale; it needs a model whose variance moves by itself, such as Heston.
    VarianceSwap,
}

/// An option that hedges.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OptionSection {
    /// Whether it is a call or a put.
    #[serde(rename = "type")]
    pub kind: OptionKind,
    /// The strike: a number, or `{ moneyness = x }`, a multiple of the spot.
    #[schemars(extend("x-unit" = "currency"))]
    pub strike: StrikeRule,
    /// Days to expiry: those of the contract, where the option is settled in cash, or more.
    #[schemars(extend("x-unit" = "days", "x-default" = "`contract.expiry_days`"))]
    pub expiry_days: Option<f64>,
    /// The cost of a trade as a share of its value.
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0, "x-unit" = "share of traded value", "x-default" = "`costs.proportional`"))]
    pub proportional: Option<f64>,
    /// Half of the spread between bid and ask, paid on every option traded.
    #[schemars(range(min = 0.0), extend("x-unit" = "currency an option", "x-default" = "`costs.half_spread`"))]
    pub half_spread: Option<f64>,
}

impl Default for InstrumentSection {
    fn default() -> Self {
        Self::Named(NamedInstrument::Spot)
    }
}

/// The instruments of `policy.instruments`, the spot first; costs and expiries that depend on others are filled in.
pub(super) fn instruments(
    strategy: &mut Strategy,
    market: &Market,
    terms: &Terms,
    costs: Costs,
) -> Result<Vec<(Instrument, Charge)>> {
    const SWAP: InstrumentSection = InstrumentSection::Named(NamedInstrument::VarianceSwap);
    let swapped = strategy.policy.instruments.contains(&SWAP);
    let swap = swap_charge(strategy, market, costs, swapped)?;
    let written = &mut strategy.policy.instruments;
    let read = |one: &mut InstrumentSection| match one {
        InstrumentSection::Named(NamedInstrument::Spot) => Ok((Instrument::SPOT, costs.spot)),
        InstrumentSection::Named(NamedInstrument::VarianceSwap) => {
            Ok((Instrument::VarianceSwap(0), swap))
        }
        InstrumentSection::Option(option) => vanilla(option, market, terms, costs.spot),
    };
    if written
        .iter()
        .any(|one| matches!(one, InstrumentSection::Option(_)))
    {
        check_prices(market, KEY, "an option")?;
    }
    let list: Vec<(Instrument, Charge)> = written.iter_mut().map(read).collect::<Result<_>>()?;
    let distinct = (1..list.len()).all(|i| list[..i].iter().all(|other| other.0 != list[i].0));
    let spot_first = list
        .first()
        .is_some_and(|first| first.0 == Instrument::SPOT);
    if distinct && spot_first {
        return Ok(list);
    }
    let names = written.iter().map(toml::Value::try_from);
    let names: Vec<String> = names.flatten().map(|one| one.to_string()).collect();
    Err(outside(
        KEY,
        "distinct instruments, \"spot\" first",
        format!("[{}]", excerpt(&names.join(", "))),
    ))
}

/// What trading the variance swap costs, if there is one.
fn swap_charge(
    strategy: &mut Strategy,
    market: &Market,
    costs: Costs,
    swapped: bool,
) -> Result<Charge> {
    let section = &mut strategy.costs;
    if !swapped {
        let superfluous = [
            ("costs.variance_swap", section.variance_swap),
            (
                "costs.variance_swap_half_spread",
                section.variance_swap_half_spread,
            ),
        ];
        return match superfluous.iter().find(|(_, value)| value.is_some()) {
            Some((key, _)) => {
                let beside = format!("unless `{KEY}` has \"variance_swap\"");
                Err(Error::setting(*key, Fault::NoMeaning { beside }))
            }
            None => Ok(Charge::default()),
        };
    }
    let process = market.model.variance_process();
    if process.markov().is_none() {
        let why = if process.is_constant() {
            "it is constant"
        } else {
            "its future depends on more than its present"
        };
        return Err(Error::key(
            KEY,
            format!(
                ": \"variance_swap\" needs a model whose variance varies by itself, and under \"{}\" {why}",
                market.model.name()
            ),
        ));
    }
    if strategy.backtest.is_some() {
        return Err(Error::key(
            "backtest",
            format!(": a history of closes has no prices of the \"variance_swap\" in `{KEY}`"),
        ));
    }
    let spot = costs.spot;
    Ok(Charge {
        proportional: *section.variance_swap.get_or_insert(spot.proportional),
        half_spread: *section
            .variance_swap_half_spread
            .get_or_insert(spot.half_spread),
    })
}

fn vanilla(
    option: &mut OptionSection,
    market: &Market,
    terms: &Terms,
    spot: Charge,
) -> Result<(Instrument, Charge)> {
    const STRIKE: &str = "policy.instruments.strike";
    if let Strike::Delta { .. } = terms.strike {
        return Err(Error::key(
            KEY,
            ": options need a `contract.strike` that is a number or { moneyness = x }",
        ));
    }
    let strike = match option.strike {
        StrikeRule::Amount(amount) => positive(STRIKE, amount)?,
        StrikeRule::Moneyness { moneyness } => {
            market.spot * positive("policy.instruments.strike.moneyness", moneyness)?
        }
        StrikeRule::Delta { .. } => {
            return Err(Error::key(
                STRIKE,
                "must be a number or { moneyness = x }: hedges are compared on options of one strike",
            ));
        }
    };
    let own = terms.tenor.days;
    let days = *option.expiry_days.get_or_insert(own);
    let bound = format!("at least `contract.expiry_days` = {own}");
    let days = check("policy.instruments.expiry_days", days, days >= own, &bound)?;
    let charge = Charge {
        proportional: *option.proportional.get_or_insert(spot.proportional),
        half_spread: *option.half_spread.get_or_insert(spot.half_spread),
    };
    let option = Vanilla {
        asset: 0,
        kind: option.kind,
        strike,
        expiry: days / terms.tenor.days_per_year,
    };
    Ok((Instrument::Option(option), charge))
}

/// The quotes that a plan made last: the tables of options take seconds under Heston. Clones of a plan share them.
#[derive(Debug, Clone, Default)]
pub(super) struct QuoteCache(Arc<Mutex<Option<Arc<Quotes>>>>);

impl QuoteCache {
    /// # Errors
    /// That of `stop`, which is asked while they are made.
    pub fn of(
        &self,
        market: &Market,
        contract: &Contract,
        instruments: &[Instrument],
        stop: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Arc<Quotes>> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match last.as_ref() {
            Some(quotes) if quotes.are_of(market, contract, instruments) => Ok(Arc::clone(quotes)),
            _ => {
                let quotes = Arc::new(Quotes::unless(market, contract, instruments, stop)?);
                *last = Some(Arc::clone(&quotes));
                Ok(quotes)
            }
        }
    }
}
