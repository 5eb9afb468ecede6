//! What is traded, and what trading it costs.

use super::contract::{Strike, Terms};
use super::costs::{CostsSection, OwnCosts, OwnOptionCosts};
use super::file::Strategy;
use super::market::check_prices;
use crate::bounds::{check, outside, positive};
use crate::contract::{Charge, Contract, Instrument, OptionKind, Vanilla};
use crate::error::{Error, Fault, Result, excerpt};
use crate::market::{Assets, Quotes};
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
    /// The spot or the variance swap of a named asset: `spot:NAME`, `variance_swap:NAME`.
    OfAsset(String),
    /// An option.
    Option(OptionSection),
    /// The spot or the variance swap of an asset with costs of its own.
    Costly(CostlySection),
}

/// The spot or the variance swap of an asset, at costs that are not those of the section `costs`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CostlySection {
    /// The name of the asset whose spot it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spot: Option<String>,
    /// The name of the asset whose variance swap it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variance_swap: Option<String>,
    /// Its costs.
    #[serde(flatten)]
    pub costs: OwnCosts,
}

impl CostlySection {
    /// What it is, and the number of its asset.
    fn read(&self, assets: &Assets) -> Result<(NamedInstrument, usize)> {
        match (&self.spot, &self.variance_swap) {
            (Some(name), None) => Ok((NamedInstrument::Spot, number(assets, name)?)),
            (None, Some(name)) => Ok((NamedInstrument::VarianceSwap, number(assets, name)?)),
            (Some(_), Some(_)) | (None, None) => Err(Error::key(
                KEY,
                ": a table must have one of `type`, `spot` and `variance_swap`",
            )),
        }
    }
}

/// An instrument that is known by its name alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NamedInstrument {
    /// The underlying itself, always the first instrument; with several assets all of them.
    Spot,
    /// A swap on the variance until expiry, quoted so that a unit is worth a share at the sale; it needs a model whose variance moves by itself, such as Heston.
    VarianceSwap,
}

/// The instruments of an asset by the words before its name.
const OF_ASSET: [(&str, NamedInstrument); 2] = [
    ("spot", NamedInstrument::Spot),
    ("variance_swap", NamedInstrument::VarianceSwap),
];

/// What is written as `spot:NAME` or `variance_swap:NAME`, and the number of the asset.
fn of_asset(written: &str, assets: &Assets) -> Result<(NamedInstrument, usize)> {
    let parts = written.split_once(':').and_then(|(kind, asset)| {
        let (_, kind) = OF_ASSET.iter().find(|(name, _)| *name == kind)?;
        Some((*kind, asset))
    });
    let (kind, asset) = parts.ok_or_else(|| {
        outside(
            KEY,
            "one of spot, variance_swap, spot:NAME, variance_swap:NAME or a table",
            format!("\"{}\"", excerpt(written)),
        )
    })?;
    Ok((kind, number(assets, asset)?))
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
    /// The name of the asset that it is an option on, of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "the first of `market.assets`"))]
    pub asset: Option<String>,
    /// Days to expiry: those of the contract, where the option is settled in cash, or more.
    #[schemars(extend("x-unit" = "days", "x-default" = "`contract.expiry_days`"))]
    pub expiry_days: Option<f64>,
    /// Its costs.
    #[serde(flatten)]
    pub costs: OwnCosts,
    /// Its costs that no other instrument has.
    #[serde(flatten)]
    pub option_costs: OwnOptionCosts,
}

impl Default for InstrumentSection {
    fn default() -> Self {
        Self::Named(NamedInstrument::Spot)
    }
}

/// The instruments of `policy.instruments`, the first asset first; costs and expiries that depend on others are filled in.
pub(super) fn instruments(
    strategy: &mut Strategy,
    assets: &Assets,
    terms: &Terms,
) -> Result<Vec<(Instrument, Charge)>> {
    spread_out(&mut strategy.policy.instruments, assets);
    let mut swapped = Vec::new();
    for one in &strategy.policy.instruments {
        let (kind, asset) = match one {
            InstrumentSection::Named(kind) => (*kind, 0),
            InstrumentSection::OfAsset(text) => of_asset(text, assets)?,
            InstrumentSection::Costly(section) => section.read(assets)?,
            InstrumentSection::Option(_) => continue,
        };
        if kind == NamedInstrument::VarianceSwap {
            swapped.push(asset);
        }
    }
    let swap = swap_costs(strategy, assets, &swapped)?;
    let costs = &strategy.costs;
    let written = &mut strategy.policy.instruments;
    let days = terms.tenor.trading_days_per_year();
    let named = |kind: NamedInstrument, asset: usize| match kind {
        NamedInstrument::Spot => (Instrument::Spot(asset), costs),
        NamedInstrument::VarianceSwap => (Instrument::VarianceSwap(asset), &swap),
    };
    let usual = |(instrument, costs): (Instrument, &CostsSection)| {
        Ok((instrument, costs.charge("costs", days)?))
    };
    let read = |one: &mut InstrumentSection| match one {
        InstrumentSection::Named(kind) => usual(named(*kind, 0)),
        InstrumentSection::OfAsset(text) => {
            let (kind, asset) = of_asset(text, assets)?;
            usual(named(kind, asset))
        }
        InstrumentSection::Costly(section) => {
            let (kind, asset) = section.read(assets)?;
            let (instrument, usual) = named(kind, asset);
            let own = section.costs.over(usual);
            Ok((instrument, own.charge(KEY, days)?))
        }
        InstrumentSection::Option(option) => vanilla(option, assets, terms, costs),
    };
    let list: Vec<(Instrument, Charge)> = written.iter_mut().map(read).collect::<Result<_>>()?;
    for (instrument, _) in &list {
        if let Instrument::Option(option) = instrument {
            check_prices(assets.market(option.asset), KEY, "an option")?;
        }
    }
    let distinct = (1..list.len()).all(|i| list[..i].iter().all(|other| other.0 != list[i].0));
    let spot_first = list
        .first()
        .is_some_and(|first| first.0 == Instrument::SPOT);
    if distinct && spot_first {
        return Ok(list);
    }
    let names = written.iter().map(toml::Value::try_from);
    let names: Vec<String> = names.flatten().map(|one| one.to_string()).collect();
    let bound = match assets.count() {
        1 => "distinct instruments, \"spot\" first".to_owned(),
        _ => format!(
            "distinct instruments, \"spot\" or \"spot:{}\" first",
            assets.list()[0].name
        ),
    };
    Err(outside(
        KEY,
        bound,
        format!("[{}]", excerpt(&names.join(", "))),
    ))
}

/// Writes the spots of all assets where "spot" stands for several.
fn spread_out(written: &mut Vec<InstrumentSection>, assets: &Assets) {
    const SPOT: InstrumentSection = InstrumentSection::Named(NamedInstrument::Spot);
    if assets.count() == 1 {
        return;
    }
    if let Some(place) = written.iter().position(|one| *one == SPOT) {
        let spots = assets
            .list()
            .iter()
            .map(|asset| InstrumentSection::OfAsset(format!("spot:{}", asset.name)));
        written.splice(place..=place, spots);
    }
}

/// The number of the asset of that name.
fn number(assets: &Assets, name: &str) -> Result<usize> {
    let list = assets.list();
    let found = list.iter().position(|asset| asset.name == name);
    found.ok_or_else(|| {
        let names: Vec<&str> = list.iter().map(|asset| asset.name.as_str()).collect();
        let known = match assets.count() {
            1 => "there are no `market.assets`".to_owned(),
            _ => format!("must be one of {}", names.join(", ")),
        };
        Error::key(KEY, format!(": no asset \"{}\", {known}", excerpt(name)))
    })
}

/// What trading variance swaps costs; `swapped` are the numbers of their assets.
fn swap_costs(strategy: &mut Strategy, assets: &Assets, swapped: &[usize]) -> Result<CostsSection> {
    let section = &mut strategy.costs;
    if swapped.is_empty() {
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
            None => Ok(section.clone()),
        };
    }
    let models = swapped.iter().map(|asset| &assets.market(*asset).model);
    let mut unfit = models.filter(|model| model.variance_process().markov().is_none());
    if let Some(model) = unfit.next() {
        let why = if model.variance_process().is_constant() {
            "it is constant"
        } else {
            "its expectation is not linear in what it is"
        };
        return Err(Error::key(
            KEY,
            format!(
                ": \"variance_swap\" needs a model whose variance varies by itself, and under \"{}\" {why}",
                model.name()
            ),
        ));
    }
    if strategy.backtest.is_some() {
        return Err(Error::key(
            "backtest",
            format!(": a history of closes has no prices of the \"variance_swap\" in `{KEY}`"),
        ));
    }
    let (share, half_spread) = (section.proportional, section.half_spread);
    let (swap, swap_spread) = (
        &mut section.variance_swap,
        &mut section.variance_swap_half_spread,
    );
    let (share, half_spread) = (
        *swap.get_or_insert(share),
        *swap_spread.get_or_insert(half_spread),
    );
    Ok(CostsSection {
        proportional: share,
        half_spread,
        ..section.clone()
    })
}

fn vanilla(
    option: &mut OptionSection,
    assets: &Assets,
    terms: &Terms,
    usual: &CostsSection,
) -> Result<(Instrument, Charge)> {
    const STRIKE: &str = "policy.instruments.strike";
    if let Strike::Delta { .. } = terms.strike {
        return Err(Error::key(
            KEY,
            ": options need a `contract.strike` that is a number or { moneyness = x }",
        ));
    }
    let asset = match &option.asset {
        Some(name) => number(assets, name)?,
        None => 0,
    };
    let strike = match option.strike {
        StrikeRule::Amount(amount) => positive(STRIKE, amount)?,
        StrikeRule::Moneyness { moneyness } => {
            assets.market(asset).spot * positive("policy.instruments.strike.moneyness", moneyness)?
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
    let costs = option.option_costs.over(&option.costs.over(usual));
    let charge = costs.option_charge(KEY, terms.tenor.trading_days_per_year())?;
    let option = Vanilla {
        asset,
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
        assets: &Assets,
        contract: &Contract,
        instruments: &[Instrument],
        stop: &mut dyn FnMut() -> Result<()>,
    ) -> Result<Arc<Quotes>> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match last.as_ref() {
            Some(quotes) if quotes.are_of(assets, contract, instruments) => Ok(Arc::clone(quotes)),
            _ => {
                let quotes = Arc::new(Quotes::unless(assets, contract, instruments, stop)?);
                *last = Some(Arc::clone(&quotes));
                Ok(quotes)
            }
        }
    }
}

#[cfg(test)]
#[path = "instruments_tests.rs"]
mod tests;
