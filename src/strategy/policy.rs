//! The sections `policy` and `evaluation`.

use super::hedges::{HedgeSection, check, hedges, rivals, usual};
use super::instruments::InstrumentSection;
use super::smoothing::Smoothing;
use crate::bounds::{at_least, check as check_bound, outside, positive, shown};
use crate::contract::{Charge, Contract, Instrument};
use crate::error::{Error, Result};
use crate::hedging::{Centre, ClassicalHedge, ClassicalName, Parameter};
use crate::market::Market;
use crate::network::{
    Action, ActionName, ActionSettings, Actor, Engine, Feature, NetworkName, Shape, Sizes,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Risk aversion λ of the Whalley–Wilmott band.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Aversion {
    /// The one that the strategy gives.
    Given(f64),
    /// The one with the least risk on the validation paths.
    Tuned,
}

/// A number for every instrument.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PerInstrument {
    /// The same for all of them.
    One(f64),
    /// One for each, in the order of `policy.instruments`.
    Each(Vec<f64>),
}

impl PerInstrument {
    /// One for each of `count` instruments; `key` is what names it.
    fn each(&self, key: &str, count: usize) -> Result<Vec<f64>> {
        match self {
            Self::One(number) => Ok(vec![*number; count]),
            Self::Each(numbers) if numbers.len() == count => Ok(numbers.clone()),
            Self::Each(numbers) => Err(outside(
                key,
                format!("a number, or a list of {count}, one for every instrument"),
                format!("a list of {}", numbers.len()),
            )),
        }
    }
}

/// What the widths of a spot's learned band are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BandForm {
    /// Units of the position.
    Constant,
    /// The width (³⁄₂ C Γ²/λ)^{1/3} of Whalley and Wilmott's band on every date, C what a unit costs to trade, Γ the contract's gamma and λ one
    /// over a hundredth of the spot at the sale.
    WhalleyWilmott,
}

/// What the network sees and trades.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PolicySection {
    /// The network that turns what is seen of a date into a position.
    pub network: NetworkName,
    /// Units of every layer of the network.
    #[schemars(title = "Hidden units", range(min = 1, max = 4096), extend("x-unit" = "units", "x-when" = {"network": ["lstm", "gru", "mlp", "attention"]}))]
    pub hidden: usize,
    /// Layers of the network, one above the other.
    #[schemars(range(min = 1, max = 64), extend("x-when" = {"network": ["lstm", "gru", "mlp", "attention"]}))]
    pub layers: usize,
    /// Heads of every layer of attention, among which its units are divided.
    #[schemars(range(min = 1, max = 64), extend("x-when" = {"network": ["attention"]}))]
    pub heads: usize,
    /// What the network sees at a date, beside the running quantities that the contract's payments depend on. With several assets
    /// it sees all of it but time and value of each; the moneyness of those after the first is relative to their spot at the sale.
    /// `delta`, `gamma` and `value` are the answers of a benchmark, 0 once the contract has ended.
    #[schemars(length(min = 1))]
    pub features: Vec<Feature>,
    /// Whether every input but positions held is seen as (x − mean)/deviation, measured on simulated paths of the market that the policy is
    /// trained in; the numbers are kept in the policy's file.
    pub standardise: bool,
    /// The bound b of every input but positions held, which is seen within ±b.
    #[schemars(extend("exclusiveMinimum" = 0.0, "x-default" = "none"))]
    pub feature_bound: Option<f64>,
    /// What the network trades, the spot first. With several assets "spot" stands for the spots of all of them, and
    /// "spot:NAME" for that of one; `{ spot = "NAME", proportional = x, half_spread = y }` is one at costs of its own, and
    /// `{ type = "call", strike = K, asset = "NAME" }` an option on one.
    pub instruments: Vec<InstrumentSection>,
    /// How positions come of the network's outputs, one for every instrument at every date.
    pub action: ActionName,
    /// The classical hedge that the action departs from: a name, or `{ centre = "NAME", rule = "NAME" }` with all of its parameters.
    #[schemars(extend("x-when" = {"action": ["residual", "band", "centred_band"]}, "x-default" = "black_scholes; { centre = \"hedged_monte_carlo\" } for a contract without a delta in closed form"))]
    pub benchmark: Option<HedgeSection>,
    /// How far from its centre each edge of the band lies before training, above 0: a number, or a list of one for every instrument.
    #[schemars(extend("x-unit" = "units of an instrument a contract", "x-when" = {"action": ["band", "centred_band"]}))]
    pub band_width: PerInstrument,
    /// How far from its centre an edge of a learned band may lie at most, at least `band_width`: a number, or a list of one for every
    /// instrument.
    #[schemars(extend("x-unit" = "units of an instrument a contract", "x-when" = {"action": ["centred_band"]}))]
    pub widest_band: PerInstrument,
    /// What the widths of a spot's learned band are counted in.
    #[schemars(extend("x-when" = {"action": ["centred_band"]}))]
    pub band_form: BandForm,
    /// How far an output of 1 moves the centre of a learned band, as a share of the benchmark's position in an option, and of the contract's
    /// own delta for the spot: a number, or a list of one for every instrument, at least 0.
    #[schemars(extend("x-when" = {"action": ["centred_band"]}))]
    pub centre_scale: PerInstrument,
    /// How far an output of 1 more moves the centre of a spot's learned band where the contract's delta moves, in units of Γ S σ √τ; with 0
    /// there is no such output.
    #[schemars(range(min = 0.0), extend("x-when" = {"action": ["centred_band"]}))]
    pub curvature_scale: f64,
    /// The share of the way to the middle of the band that training lets a position go on every date, at the beginning: so both edges learn on every date, and a band in which nothing is traded leads back. All figures of a finished run are without it.
    #[schemars(title = "Leak of the band", range(min = 0.0), extend("exclusiveMaximum" = 1.0, "x-unit" = "share a date", "x-when" = {"action": ["band", "centred_band"]}))]
    pub band_leak: f64,
    /// The leak at the end of training, to which it falls by the same share in every part of it.
    #[schemars(title = "Leak at the end", range(min = 0.0), extend("exclusiveMaximum" = 1.0, "x-unit" = "share a date", "x-when" = {"action": ["band", "centred_band"]}))]
    pub band_leak_end: f64,
    /// The bound below every position.
    #[schemars(extend("x-unit" = "units of an instrument a contract", "x-when" = {"action": ["bounded"]}))]
    pub lowest_position: f64,
    /// The bound above every position.
    #[schemars(extend("x-unit" = "units of an instrument a contract", "x-when" = {"action": ["bounded"]}))]
    pub highest_position: f64,
    /// Whether the output of every layer goes on normalised over its units. Layers of attention always normalise what they take.
    #[schemars(extend("x-when" = {"network": ["lstm", "gru", "mlp"]}))]
    pub layer_normalisation: bool,
    /// The implementation that moves the network through time.
    pub sweep: Engine,
}

impl Default for PolicySection {
    fn default() -> Self {
        Self {
            network: NetworkName::Lstm,
            hidden: 32,
            layers: 1,
            heads: 2,
            features: Feature::USUAL.to_vec(),
            standardise: false,
            feature_bound: None,
            instruments: vec![InstrumentSection::default()],
            action: ActionName::Direct,
            benchmark: None,
            band_width: PerInstrument::One(0.05),
            widest_band: PerInstrument::One(1.0),
            band_form: BandForm::Constant,
            centre_scale: PerInstrument::One(0.3),
            curvature_scale: 0.0,
            band_leak: 0.1,
            band_leak_end: 0.001,
            lowest_position: 0.0,
            highest_position: 1.0,
            layer_normalisation: false,
            sweep: Engine::Block,
        }
    }
}

impl PolicySection {
    /// Refuses what nobody knows of contract and instruments.
    pub(super) fn check_features(
        &self,
        contract: &Contract,
        instruments: &[(Instrument, Charge)],
    ) -> Result<()> {
        const KEY: &str = "policy.features";
        let is_option = |one: &(Instrument, Charge)| matches!(one.0, Instrument::Option(_));
        for feature in &self.features {
            let refused = |why: &str| {
                let name = serde_json::to_value(feature).unwrap_or_default();
                Err(Error::key(KEY, format!(": {name} {why}")))
            };
            if feature.needs_closed_form() && !contract.has_delta() {
                let name = &contract.name;
                return refused(&format!(
                    "needs a delta in closed form, and the contract ({name}) has none"
                ));
            }
            if feature.needs_option() && !instruments.iter().any(is_option) {
                return refused("needs an option in `policy.instruments`");
            }
        }
        Ok(())
    }

    /// How positions come of the network's outputs, for every instrument.
    pub(super) fn actions(
        &self,
        contract: &Contract,
        instruments: &[(Instrument, Charge)],
    ) -> Result<Vec<Action>> {
        if self.lowest_position >= self.highest_position {
            return Err(outside(
                "policy.lowest_position",
                format!(
                    "below `policy.highest_position` ({})",
                    shown(self.highest_position)
                ),
                shown(self.lowest_position),
            ));
        }
        let cost_widths = self.band_form == BandForm::WhalleyWilmott;
        let needs_gamma = cost_widths || self.curvature_scale > 0.0;
        if self.action.is_on_benchmark() && needs_gamma && !contract.has_delta() {
            let name = &contract.name;
            let key = match cost_widths {
                true => "policy.band_form",
                false => "policy.curvature_scale",
            };
            let words =
                format!(": needs a delta in closed form, and the contract ({name}) has none");
            return Err(Error::key(key, words));
        }
        let count = instruments.len();
        let widths = self.band_width.each("policy.band_width", count)?;
        let widest = self.widest_band.each("policy.widest_band", count)?;
        let scales = self.centre_scale.each("policy.centre_scale", count)?;
        let action = |place: usize| {
            let is_spot = matches!(instruments[place].0, Instrument::Spot(_));
            positive("policy.band_width", widths[place])?;
            positive("policy.widest_band", widest[place])?;
            if self.band_form == BandForm::Constant && self.action == ActionName::CentredBand {
                let bound = format!("at least `policy.band_width` ({})", shown(widths[place]));
                let holds = widest[place] >= widths[place];
                check_bound("policy.widest_band", widest[place], holds, &bound)?;
            }
            let scale = scales[place];
            check_bound("policy.centre_scale", scale, scale >= 0.0, "at least 0")?;
            Ok(self.action.of(&ActionSettings {
                band_width: widths[place],
                widest_band: widest[place],
                cost_widths: cost_widths && is_spot,
                centre_scale: scale,
                curvature_scale: if is_spot { self.curvature_scale } else { 0.0 },
                lowest_position: self.lowest_position,
                highest_position: self.highest_position,
            }))
        };
        (0..count).map(action).collect()
    }

    /// How the band leaks in training.
    pub(super) fn leak(&self) -> Smoothing {
        Smoothing {
            start: self.band_leak,
            end: self.band_leak_end,
        }
    }

    /// The hedge that the action departs from, if it does; a default is filled in. `market` says whether a hedge may see a surface in it.
    pub(super) fn reference(
        &mut self,
        contract: &Contract,
        instruments: &[(Instrument, Charge)],
        market: (&Market, bool),
    ) -> Result<Option<ClassicalHedge>> {
        const KEY: &str = "policy.benchmark";
        if !self.action.is_on_benchmark() {
            return Ok(None);
        }
        let section = self
            .benchmark
            .get_or_insert_with(|| match contract.has_delta() {
                true => HedgeSection::Named(ClassicalName::BlackScholes),
                false => HedgeSection::Table(Centre::HedgedMonteCarlo.into()),
            });
        let hedge = section.hedge(KEY)?;
        let name = hedge.name();
        check(KEY, &hedge, &name, contract, instruments, market)?;
        if let Some(missing) = hedge.missing().first() {
            let (centre, rule) = (hedge.centre.name(), hedge.rule.name());
            let missing = missing.name();
            let words = format!(
                ": the {missing} of \"{name}\" must be given: {{ centre = \"{centre}\", rule = \"{rule}\", {missing} = x }}"
            );
            return Err(Error::key(KEY, words));
        }
        if hedge.needs().prices {
            let words =
                format!(": \"{name}\" is too slow: every training step would integrate its prices");
            return Err(Error::key(KEY, words));
        }
        Ok(Some(hedge))
    }

    /// The shape of the network that has so many inputs, and whose outputs `actor` makes positions of.
    pub(super) fn shape(&self, inputs: usize, actor: &Actor) -> Result<Shape> {
        let sizes = Sizes {
            inputs: at_least("policy.features", inputs, 1)?,
            head: actor.head(self.features.contains(&Feature::PreviousPosition)),
            hidden: self.hidden,
            layers: self.layers,
            heads: self.heads,
            layer_normalisation: self.layer_normalisation,
        };
        self.network.shape(sizes, &|key| format!("policy.{key}"))
    }
}

/// How policies are judged, and beside what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct EvaluationSection {
    /// Paths that all hedges are tested on.
    #[schemars(title = "Test paths", range(min = 2, max = 100_000_000), extend("x-unit" = "paths"))]
    pub paths: usize,
    /// The classical hedges that policies are compared with.
    #[schemars(title = "Classical hedges", extend("x-default" = "naked, black_scholes, whalley_wilmott and zakamouline; naked and hedged_monte_carlo for a contract without a delta in closed form"))]
    pub hedges: Option<Vec<HedgeSection>>,
    /// The risk aversion of the Whalley–Wilmott band; `"tuned"` takes the least risky on validation paths of 2^(k/2)
    /// over the strategy's unit of money, k = −16 … 16 and on beyond an end for as long as the risk falls.
    #[schemars(title = "Whalley–Wilmott risk aversion", extend("x-unit" = "1/currency"))]
    pub risk_aversion: AversionRule,
    /// What `scaled_delta` multiplies the delta by, where it is named without a table.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Scale of the scaled delta", range(min = 0.0), extend("x-default" = "tuned"))]
    pub scale: Option<f64>,
    /// What the parameters of classical hedges are found on where there is a history, each where the strategy's risk is least.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-default" = "past with `backtest.surface`, else model"))]
    pub tune_on: Option<TuneOn>,
    /// Whether the mean positions of every optimizer's policies, one for each seed, are measured too, as a strategy of its own.
    pub ensemble: bool,
}

crate::named::named! {
    /// What the parameters of classical hedges are found on where there is a history.
    pub enum TuneOn {
        /// The contracts of the schedule that have expired when the first one is sold; in a walk-forward those of every window. Formulas with
        /// coefficients are fitted on them too.
        Past = "past",
        /// Validation paths of the model, or of the source that a walk-forward trains on.
        Model = "model",
    }
}

/// The risk aversion of the Whalley–Wilmott band as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum AversionRule {
    /// A number.
    Number(#[schemars(extend("exclusiveMinimum" = 0.0))] f64),
    /// A rule.
    Rule(TunedAversion),
}

/// The rule by which a risk aversion is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TunedAversion {
    /// The one with the least risk on the validation paths.
    Tuned,
}

impl Default for EvaluationSection {
    fn default() -> Self {
        Self {
            paths: 100_000,
            hedges: None,
            risk_aversion: AversionRule::Rule(TunedAversion::Tuned),
            scale: None,
            tune_on: None,
            ensemble: false,
        }
    }
}

impl EvaluationSection {
    /// The classical hedges, if contract and instruments allow for them; `market` says whether a hedge may see a surface in it.
    pub(super) fn hedges(
        &mut self,
        contract: &Contract,
        instruments: &[(Instrument, Charge)],
        market: (&Market, bool),
    ) -> Result<Vec<ClassicalHedge>> {
        let sections = self.hedges.get_or_insert_with(|| match market {
            (_, true) => rivals(contract, instruments),
            (_, false) => usual(contract),
        });
        let mut hedges = hedges(sections, contract, instruments, market)?;
        for (section, hedge) in sections.iter().zip(&mut hedges) {
            if let HedgeSection::Named(_) = section {
                hedge.share(Parameter::Scale, self.scale);
            }
        }
        Ok(hedges)
    }

    /// What the parameters of the hedges are found on.
    ///
    /// # Errors
    /// If it is the past, and there is none.
    pub(super) fn tuned_on(&mut self, on_history: bool, on_surface: bool) -> Result<TuneOn> {
        if self.tune_on == Some(TuneOn::Past) && !on_history {
            return Err(Error::key(
                "evaluation.tune_on",
                "= \"past\": needs `backtest.data` or `backtest.surface`",
            ));
        }
        let past = on_history && on_surface;
        let usual = if past { TuneOn::Past } else { TuneOn::Model };
        Ok(*self.tune_on.get_or_insert(usual))
    }

    /// The risk aversion of the Whalley–Wilmott band.
    pub(super) fn aversion(&self) -> Aversion {
        match self.risk_aversion {
            AversionRule::Number(number) => Aversion::Given(number),
            AversionRule::Rule(TunedAversion::Tuned) => Aversion::Tuned,
        }
    }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
