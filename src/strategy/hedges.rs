//! Classical hedges as they are written.

use super::market::check_prices;
use crate::contract::{Charge, Contract, Instrument};
use crate::error::{Error, Result};
use crate::hedging::{Centre, ClassicalHedge, ClassicalName, Parameter, TradingRule};
use crate::market::Market;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const KEY: &str = "evaluation.hedges";

/// A classical hedge as it is written: the name of a usual one, or a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum HedgeSection {
    /// A usual hedge.
    Named(ClassicalName),
    /// Any centre under any rule.
    Table(HedgeTable),
}

impl Default for HedgeSection {
    fn default() -> Self {
        Self::Named(ClassicalName::Naked)
    }
}

/// A centre under a rule, with the parameters that are given; those that are not are tuned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HedgeTable {
    /// The position that the hedge moves towards.
    pub centre: Centre,
    /// When it trades.
    #[serde(default)]
    #[schemars(extend("x-default" = "every_date"))]
    pub rule: TradingRule,
    /// When it trades options, by a rule with parameters of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "every_date for static_vega; for delta_vega and delta_gamma constant_band beside a band, else that of `rule`; hedged_monte_carlo trades options by `rule` and its parameters"))]
    pub option_rule: Option<TradingRule>,
    /// The risk aversion of its band.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "1/currency", "x-default" = "`evaluation.risk_aversion`"))]
    pub aversion: Option<f64>,
    /// What its delta is multiplied by.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "tuned for scaled_delta, else 1"))]
    pub scale: Option<Share>,
    /// What its options are multiplied by.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "tuned for static_vega, else 1"))]
    pub ratio: Option<Share>,
    /// How far the centre must have moved since the last trade.
    #[serde(rename = "move", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0), extend("x-unit" = "units of the instrument", "x-default" = "tuned"))]
    pub least_move: Option<f64>,
    /// Every how many dates it trades.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1), extend("x-unit" = "dates", "x-default" = "tuned"))]
    pub every: Option<usize>,
    /// The half-width of a constant band.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0), extend("x-unit" = "units of the instrument", "x-default" = "tuned"))]
    pub width: Option<f64>,
    /// The risk aversion of a band of its options.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "1/currency", "x-default" = "`evaluation.risk_aversion`"))]
    pub option_aversion: Option<f64>,
    /// How far the centre of an option must have moved since its last trade.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0), extend("x-unit" = "options", "x-default" = "tuned"))]
    pub option_move: Option<f64>,
    /// Every how many dates it trades options.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1), extend("x-unit" = "dates", "x-default" = "tuned"))]
    pub option_every: Option<usize>,
    /// The half-width of a constant band of its options.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0), extend("x-unit" = "options", "x-default" = "tuned"))]
    pub option_width: Option<f64>,
}

/// What something is multiplied by, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Share {
    /// A number.
    Number(#[schemars(range(min = 0.0))] f64),
    /// A rule.
    Rule(TunedShare),
}

/// The rule by which it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TunedShare {
    /// The one of least risk.
    Tuned,
}

impl From<Centre> for HedgeTable {
    /// A centre that is held on every date, without parameters.
    fn from(centre: Centre) -> Self {
        Self {
            centre,
            rule: TradingRule::default(),
            option_rule: None,
            aversion: None,
            scale: None,
            ratio: None,
            least_move: None,
            every: None,
            width: None,
            option_aversion: None,
            option_move: None,
            option_every: None,
            option_width: None,
        }
    }
}

impl HedgeSection {
    /// The hedge that is written under `key`.
    ///
    /// # Errors
    /// If a parameter is given that the hedge does not have, or the centre lacks what the rule asks for.
    pub fn hedge(&self, key: &str) -> Result<ClassicalHedge> {
        match self {
            Self::Named(name) => Ok((*name).into()),
            Self::Table(table) => table.hedge(key),
        }
    }
}

impl HedgeTable {
    /// The same with a rule.
    pub(super) fn under(self, rule: TradingRule) -> Self {
        Self { rule, ..self }
    }

    /// The same with a tuned scale.
    pub(super) fn scaled(self) -> Self {
        let scale = Some(Share::Rule(TunedShare::Tuned));
        Self { scale, ..self }
    }

    /// The same with a tuned ratio of options.
    pub(super) fn with_ratio(self) -> Self {
        let ratio = Some(Share::Rule(TunedShare::Tuned));
        Self { ratio, ..self }
    }

    fn given(&self, parameter: Parameter) -> Option<Share> {
        let number = |number: Option<f64>| number.map(Share::Number);
        let count = |count: Option<usize>| number(count.map(|count| count as f64));
        match parameter {
            Parameter::Aversion => number(self.aversion),
            Parameter::Scale => self.scale,
            Parameter::Move => number(self.least_move),
            Parameter::Every => count(self.every),
            Parameter::Width => number(self.width),
            Parameter::Ratio => self.ratio,
            Parameter::OptionAversion => number(self.option_aversion),
            Parameter::OptionMove => number(self.option_move),
            Parameter::OptionEvery => count(self.option_every),
            Parameter::OptionWidth => number(self.option_width),
        }
    }

    fn hedge(&self, key: &str) -> Result<ClassicalHedge> {
        let mut hedge = ClassicalHedge::new(self.centre, self.rule);
        if self.option_rule.is_some() {
            if !hedge.holds_options() {
                let centre = self.centre.name();
                let words = format!(": \"{centre}\" holds no options, and has no option_rule");
                return Err(Error::key(key, words));
            }
            hedge.option_rule = self.option_rule;
        }
        if let Some(rule) = hedge.misfit() {
            let (centre, rule) = (self.centre.name(), rule.name());
            let words = format!(
                ": centre \"{centre}\" lacks what rule \"{rule}\" asks for: gamma or volatility"
            );
            return Err(Error::key(key, words));
        }
        for parameter in Parameter::all() {
            let given = self.given(parameter);
            if given.is_some() && !hedge.knows(parameter) {
                let words = format!(": \"{}\" has no {}", hedge.name(), parameter.name());
                return Err(Error::key(key, words));
            }
            let place = parameter as usize;
            match given {
                None => {}
                Some(Share::Number(value)) => hedge.given[place] = Some(value),
                // What is searched for anyway needs no word.
                Some(Share::Rule(TunedShare::Tuned)) => {
                    hedge.tuned[place] = !hedge.parameters().contains(&parameter);
                }
            }
        }
        Ok(hedge)
    }
}

/// The hedges that a policy is compared with unless a strategy names others.
pub(super) fn usual(contract: &Contract) -> Vec<HedgeSection> {
    let usual = match contract.has_delta() {
        // The others integrate a characteristic function at every date of every path, need an option or a fit, or are weaker rivals than
        // the last of these.
        true => vec![
            ClassicalName::Naked,
            ClassicalName::BlackScholes,
            ClassicalName::WhalleyWilmott,
            ClassicalName::Zakamouline,
        ],
        false => vec![ClassicalName::Naked, ClassicalName::HedgedMonteCarlo],
    };
    usual.into_iter().map(HedgeSection::Named).collect()
}

/// The hedges that a policy is compared with on an implied-volatility surface unless a strategy names others: the strongest that a desk has
/// there, each at its best.
pub(super) fn rivals(
    contract: &Contract,
    instruments: &[(Instrument, Charge)],
) -> Vec<HedgeSection> {
    if !has_legs(contract) {
        return usual(contract);
    }
    let table = |centre: Centre| HedgeTable::from(centre);
    let banded = |table: HedgeTable| table.under(TradingRule::WhalleyWilmott);
    let nine_tenths = HedgeTable {
        scale: Some(Share::Number(0.9)),
        ..table(Centre::ScaledDelta)
    };
    let mut tables = vec![
        table(Centre::Naked),
        table(Centre::SmileDelta),
        nine_tenths,
        table(Centre::ScaledDelta),
        table(Centre::HullWhite),
        table(Centre::HullWhite).scaled(),
        banded(table(Centre::SmileDelta)),
        banded(table(Centre::ScaledDelta)),
        table(Centre::ScaledDelta).under(TradingRule::ConstantBand),
        banded(table(Centre::HullWhite)),
        banded(table(Centre::HullWhite).scaled()),
    ];
    if has_option(instruments) {
        tables.extend([
            table(Centre::DeltaVega),
            table(Centre::DeltaGamma),
            banded(table(Centre::DeltaVega)),
            banded(table(Centre::DeltaVega).with_ratio()),
            banded(table(Centre::DeltaGamma).with_ratio()),
            table(Centre::StaticVega),
            table(Centre::StaticVega).under(TradingRule::ConstantBand),
            banded(table(Centre::StaticVega)),
        ]);
    }
    tables.into_iter().map(HedgeSection::Table).collect()
}

/// Whether an option on the contract's asset is traded.
fn has_option(instruments: &[(Instrument, Charge)]) -> bool {
    let mut traded = instruments.iter();
    traded.any(|(instrument, _)| instrument.is_option_on_first())
}

/// The hedges of a strategy, if contract and instruments allow for them.
///
/// # Errors
/// The hedge and what it lacks, or that a row of tables would have two of them.
pub(super) fn hedges(
    sections: &[HedgeSection],
    contract: &Contract,
    instruments: &[(Instrument, Charge)],
    market: (&Market, bool),
) -> Result<Vec<ClassicalHedge>> {
    let hedges: Vec<ClassicalHedge> = sections
        .iter()
        .map(|section| section.hedge(KEY))
        .collect::<Result<_>>()?;
    let mut names: Vec<String> = Vec::new();
    for hedge in &hedges {
        let name = hedge.name();
        check(KEY, hedge, &name, contract, instruments, market)?;
        if names.contains(&name) {
            return Err(Error::key(KEY, format!(": \"{name}\" is there twice")));
        }
        names.push(name);
    }
    Ok(hedges)
}

/// Whether the contract, or every one of its family, is a sum of calls and puts.
fn has_legs(contract: &Contract) -> bool {
    match contract.family() {
        None => contract.legs().is_some(),
        Some(family) => {
            let mut members = family.members().iter();
            members.all(|member| member.contract.legs().is_some())
        }
    }
}

/// Refuses a hedge that needs what is not there; `key` is where it is written, and `surface` whether it may see one, on simulated paths or
/// on history.
pub(super) fn check(
    key: &str,
    hedge: &ClassicalHedge,
    name: &str,
    contract: &Contract,
    instruments: &[(Instrument, Charge)],
    (market, surface): (&Market, bool),
) -> Result<()> {
    let needs = hedge.needs();
    if needs.one_contract && contract.family().is_some() {
        return Err(Error::key(
            key,
            format!(
                ": \"{name}\" needs one contract for all paths, and the terms of this one are ranges"
            ),
        ));
    }
    let lacks = if needs.delta && !contract.has_delta() {
        Some("a delta in closed form")
    } else if needs.legs && !has_legs(contract) {
        Some("calls and puts on one asset that expire with the contract")
    } else {
        None
    };
    if let Some(lacks) = lacks {
        return Err(Error::key(
            key,
            format!(
                ": \"{name}\" needs {lacks}, and the contract ({}) has none; \"hedged_monte_carlo\" hedges any contract",
                contract.name
            ),
        ));
    }
    if needs.surface && !surface {
        return Err(Error::key(
            key,
            format!(
                ": \"{name}\" needs an implied-volatility surface: `backtest.surface`, or a `market.model` that has one; \"black_scholes\" hedges without"
            ),
        ));
    }
    if needs.option && !has_option(instruments) {
        return Err(Error::key(
            key,
            format!(": \"{name}\" needs an option on the contract's asset in `policy.instruments`"),
        ));
    }
    if needs.prices {
        check_prices(market, key, &format!("\"{name}\""))?;
    }
    Ok(())
}
