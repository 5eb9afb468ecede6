//! What is traded, and what trading it costs.

use super::contract::{Strike, Terms};
use super::file::Strategy;
use super::market::check_prices;
use crate::bounds::{check, outside, positive};
use crate::contract::{Charge, Contract, Costs, Instrument, OptionKind, Vanilla};
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

/// The instruments of `policy.instruments`, the first asset first; costs and expiries that depend on others are filled in.
pub(super) fn instruments(
    strategy: &mut Strategy,
    assets: &Assets,
    terms: &Terms,
    costs: Costs,
) -> Result<Vec<(Instrument, Charge)>> {
    spread_out(&mut strategy.policy.instruments, assets);
    let mut swapped = Vec::new();
    for one in &strategy.policy.instruments {
        let (kind, asset) = match one {
            InstrumentSection::Named(kind) => (*kind, 0),
            InstrumentSection::OfAsset(text) => of_asset(text, assets)?,
            InstrumentSection::Option(_) => continue,
        };
        if kind == NamedInstrument::VarianceSwap {
            swapped.push(asset);
        }
    }
    let swap = swap_charge(strategy, assets, costs, &swapped)?;
    let written = &mut strategy.policy.instruments;
    let named = |kind: NamedInstrument, asset: usize| match kind {
        NamedInstrument::Spot => (Instrument::Spot(asset), costs.spot),
        NamedInstrument::VarianceSwap => (Instrument::VarianceSwap(asset), swap),
    };
    let read = |one: &mut InstrumentSection| match one {
        InstrumentSection::Named(kind) => Ok(named(*kind, 0)),
        InstrumentSection::OfAsset(text) => {
            let (kind, asset) = of_asset(text, assets)?;
            Ok(named(kind, asset))
        }
        InstrumentSection::Option(option) => vanilla(option, assets, terms, costs.spot),
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

/// What trading variance swaps costs, if there are any; `swapped` are the numbers of their assets.
fn swap_charge(
    strategy: &mut Strategy,
    assets: &Assets,
    costs: Costs,
    swapped: &[usize],
) -> Result<Charge> {
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
            None => Ok(Charge::default()),
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
    assets: &Assets,
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
    let charge = Charge {
        proportional: *option.proportional.get_or_insert(spot.proportional),
        half_spread: *option.half_spread.get_or_insert(spot.half_spread),
    };
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
