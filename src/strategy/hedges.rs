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

/// A centre under a rule, with the parameters that are given; those that are not are tuned on validation paths.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HedgeTable {
    /// The position that the hedge moves towards.
    pub centre: Centre,
    /// When it trades.
    #[serde(default)]
    #[schemars(extend("x-default" = "every_date"))]
    pub rule: TradingRule,
    /// The risk aversion of its band.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-unit" = "1/currency", "x-default" = "`evaluation.risk_aversion`"))]
    pub aversion: Option<f64>,
    /// What the centre is multiplied by.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0), extend("x-default" = "tuned"))]
    pub scale: Option<f64>,
    /// How far the centre must have moved since the last trade.
    #[serde(rename = "move", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0), extend("x-unit" = "units of the instrument", "x-default" = "tuned"))]
    pub least_move: Option<f64>,
    /// Every how many dates it trades.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1), extend("x-unit" = "dates", "x-default" = "tuned"))]
    pub every: Option<usize>,
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
    /// A centre that is held on every date, without parameters.
    pub(super) fn on_every_date(centre: Centre) -> Self {
        Self {
            centre,
            rule: TradingRule::default(),
            aversion: None,
            scale: None,
            least_move: None,
            every: None,
        }
    }

    fn given(&self, parameter: Parameter) -> Option<f64> {
        match parameter {
            Parameter::Aversion => self.aversion,
            Parameter::Scale => self.scale,
            Parameter::Move => self.least_move,
            Parameter::Every => self.every.map(|every| every as f64),
        }
    }

    fn hedge(&self, key: &str) -> Result<ClassicalHedge> {
        let mut hedge = ClassicalHedge::new(self.centre, self.rule);
        if !hedge.fits_together() {
            let (centre, rule) = (self.centre.name(), self.rule.name());
            let words = format!(
                ": centre \"{centre}\" lacks what rule \"{rule}\" asks for: gamma or volatility"
            );
            return Err(Error::key(key, words));
        }
        let known = hedge.parameters();
        for parameter in Parameter::all() {
            let given = self.given(parameter);
            if given.is_some() && !known.contains(&parameter) {
                let words = format!(": \"{}\" has no {}", hedge.name(), parameter.name());
                return Err(Error::key(key, words));
            }
            hedge.given[parameter as usize] = given;
        }
        Ok(hedge)
    }
}

/// The hedges of a strategy, if contract and instruments allow for them.
///
/// # Errors
/// The hedge and what it lacks, or that a row of tables would have two of them.
pub(super) fn hedges(
    sections: &[HedgeSection],
    contract: &Contract,
    instruments: &[(Instrument, Charge)],
    market: &Market,
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

/// Refuses a hedge that needs what is not there; `key` is where it is written.
pub(super) fn check(
    key: &str,
    hedge: &ClassicalHedge,
    name: &str,
    contract: &Contract,
    instruments: &[(Instrument, Charge)],
    market: &Market,
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
    let options = instruments.iter().any(
        |(instrument, _)| matches!(instrument, Instrument::Option(option) if option.asset == 0),
    );
    if needs.option && !options {
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
