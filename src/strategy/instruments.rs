//! What is traded, and what trading it costs.

use super::contract::{Given, Strike, Terms, given};
use super::raw::{Raw, RawInstrument};
use crate::bounds::{check, filled, fraction, not_negative, one_of, positive, required};
use crate::contract::{Charge, Contract, Costs, Instrument, OptionKind, Vanilla};
use crate::error::{Error, Result, excerpt};
use crate::market::{Market, Quotes};
use std::sync::{Arc, Mutex, PoisonError};

const KEY: &str = "policy.instruments";

/// The instruments of `policy.instruments`, the spot first.
pub(super) fn instruments(
    raw: &mut Raw,
    market: &Market,
    terms: &Terms,
    costs: Costs,
) -> Result<Vec<(Instrument, Charge)>> {
    let spot = || toml::Value::String("spot".into());
    let mut written = filled(&mut raw.policy.instruments, vec![spot()]);
    let has = |name: &str| written.iter().any(|value| value.as_str() == Some(name));
    let swap = swap_charge(raw, market, costs, has("variance_swap"))?;
    let mut list = Vec::with_capacity(written.len());
    for value in &mut written {
        let instrument = match value.as_str() {
            Some(name) => match one_of(KEY, name, &Instrument::NAMED)? {
                Instrument::VarianceSwap => (Instrument::VarianceSwap, swap),
                named => (named, costs.spot),
            },
            None => {
                let mut option = RawInstrument::read(value)
                    .map_err(|message| Error::input(format!("`{KEY}`: {message}")))?;
                let read = vanilla(&mut option, market, terms, costs.spot)?;
                *value = option.written()?;
                read
            }
        };
        list.push(instrument);
    }
    let distinct = (1..list.len()).all(|i| list[..i].iter().all(|other| other.0 != list[i].0));
    let valid = distinct
        && list
            .first()
            .is_some_and(|first| first.0 == Instrument::Spot);
    if !valid {
        let names: Vec<String> = written.iter().map(ToString::to_string).collect();
        return Err(Error::input(format!(
            "`{KEY}` must be distinct instruments, \"spot\" first, was [{}]",
            excerpt(&names.join(", "))
        )));
    }
    raw.policy.instruments = Some(written);
    Ok(list)
}

/// What trading the variance swap costs, if there is one.
fn swap_charge(raw: &mut Raw, market: &Market, costs: Costs, swapped: bool) -> Result<Charge> {
    const COST: &str = "costs.variance_swap";
    const SPREAD: &str = "costs.variance_swap_half_spread";
    if !swapped {
        let superfluous = [
            (COST, raw.costs.variance_swap),
            (SPREAD, raw.costs.variance_swap_half_spread),
        ];
        return match superfluous.iter().find(|(_, value)| value.is_some()) {
            Some((key, _)) => Err(Error::input(format!(
                "`{key}` has no meaning unless `{KEY}` has \"variance_swap\""
            ))),
            None => Ok(Charge::default()),
        };
    }
    if market.model.variance_process().is_constant() {
        return Err(Error::input(format!(
            "`{KEY}`: \"variance_swap\" needs a model whose variance varies, and under \"{}\" it is constant",
            market.model.name()
        )));
    }
    if raw.backtest.is_some() {
        return Err(Error::input(format!(
            "`backtest`: a history of closes has no prices of the \"variance_swap\" in `{KEY}`"
        )));
    }
    let swap = &mut raw.costs;
    let spread = filled(&mut swap.variance_swap_half_spread, costs.spot.half_spread);
    Ok(Charge {
        proportional: fraction(
            COST,
            filled(&mut swap.variance_swap, costs.spot.proportional),
        )?,
        half_spread: not_negative(SPREAD, spread)?,
    })
}

fn vanilla(
    option: &mut RawInstrument,
    market: &Market,
    terms: &Terms,
    spot: Charge,
) -> Result<(Instrument, Charge)> {
    const STRIKE: &str = "policy.instruments.strike";
    const EXPIRY: &str = "policy.instruments.expiry_days";
    if let Strike::Delta { .. } = terms.strike {
        return Err(Error::input(format!(
            "`{KEY}`: options need a `contract.strike` that is a number or {{ moneyness = x }}"
        )));
    }
    let kinds = [("call", OptionKind::Call), ("put", OptionKind::Put)];
    let kind = required(&option.kind, "policy.instruments.type")?;
    let kind = one_of("policy.instruments.type", &kind, &kinds)?;
    let strike = match given(STRIKE, &required(&option.strike, STRIKE)?)? {
        Given::Amount(amount) => positive(STRIKE, amount)?,
        Given::Moneyness(moneyness) => {
            market.spot * positive("policy.instruments.strike.moneyness", moneyness)?
        }
        Given::Delta(_) => {
            return Err(Error::input(format!(
                "`{STRIKE}` must be a number or {{ moneyness = x }}: hedges are compared on options of one strike"
            )));
        }
    };
    let own = terms.tenor.days;
    let days = filled(&mut option.expiry_days, own);
    let bound = format!("at least `contract.expiry_days` = {own}");
    let option_charge = Charge {
        proportional: fraction(
            "policy.instruments.proportional",
            filled(&mut option.proportional, spot.proportional),
        )?,
        half_spread: not_negative(
            "policy.instruments.half_spread",
            filled(&mut option.half_spread, spot.half_spread),
        )?,
    };
    let option = Vanilla {
        kind,
        strike,
        expiry: check(EXPIRY, days, days >= own, &bound)? / terms.tenor.days_per_year,
    };
    Ok((Instrument::Option(option), option_charge))
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
