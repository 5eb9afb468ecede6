//! The strategy as it is written: every key with its help, unit, default and bounds.

use super::backtest::BacktestSection;
use super::contract::ContractSection;
use super::costs::CostsSection;
use super::distributed::DistributedSection;
use super::financing::FinancingSection;
use super::limits::LimitsSection;
use super::market::MarketSection;
use super::optimizer::OptimizerSection;
use super::policy::{EvaluationSection, PolicySection};
use super::ranges::Ranges;
use super::training::{RiskSection, TrainingSection};
use super::walk_forward::WalkForwardSection;
use crate::error::{Error, Result, parser_message};
use crate::products::with_types;
use crate::settings::prune;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A strategy: what is sold in which market, what hedging it costs, and how the hedge is trained and judged.
///
/// Its default sells a call at the money for 30 days under geometric Brownian motion, without costs, and trains nothing.
/// A file must name its market and the expiry of its contract; all else has the defaults of the fields here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["market", "contract"]))]
pub struct Strategy {
    /// What the runs of the strategy are called.
    pub name: String,
    /// The seed of all random numbers: the same seed gives the same results, to the last bit.
    pub seed: u64,
    /// The market that training and test paths are simulated in.
    #[schemars(title = "Market")]
    pub market: MarketSection,
    /// Further markets for `cross`, by name: the keys of `market` that differ, or another model with its parameters.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(title = "Further market", with = "BTreeMap<String, Value>")]
    pub markets: BTreeMap<String, toml::Table>,
    /// What is sold.
    #[schemars(title = "Contract")]
    pub contract: ContractSection,
    /// What trading costs.
    #[schemars(title = "Trading costs")]
    pub costs: CostsSection,
    /// What financing the hedge costs beyond the rate.
    #[schemars(title = "Financing")]
    pub financing: FinancingSection,
    /// What every hedge must keep.
    #[schemars(title = "Limits")]
    pub limits: LimitsSection,
    /// What the hedge minimises.
    #[schemars(title = "Risk")]
    pub risk: RiskSection,
    /// What the network sees and trades.
    #[schemars(title = "Network and instruments")]
    pub policy: PolicySection,
    /// How policies are trained.
    #[schemars(title = "Training")]
    pub training: TrainingSection,
    /// How policies are judged, and beside what.
    #[schemars(title = "Evaluation")]
    pub evaluation: EvaluationSection,
    /// What is sold on history.
    #[schemars(title = "History")]
    pub backtest: Option<BacktestSection>,
    /// How policies are trained again as history goes on.
    #[schemars(title = "Walk-forward")]
    pub walk_forward: Option<WalkForwardSection>,
    /// How several ranks do the trainings.
    #[schemars(title = "Several ranks")]
    pub distributed: DistributedSection,
    /// The trainings that are compared, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(title = "Optimizer", with = "BTreeMap<String, Value>")]
    pub optimizers: BTreeMap<String, OptimizerSection>,
    /// The settings that are ranges.
    #[serde(skip)]
    pub ranges: Ranges,
}

impl Default for Strategy {
    fn default() -> Self {
        Self {
            name: "strategy".into(),
            seed: 1,
            market: MarketSection::default(),
            markets: BTreeMap::new(),
            contract: ContractSection::default(),
            costs: CostsSection::default(),
            financing: FinancingSection::default(),
            limits: LimitsSection::default(),
            risk: RiskSection::default(),
            policy: PolicySection::default(),
            training: TrainingSection::default(),
            evaluation: EvaluationSection::default(),
            backtest: None,
            walk_forward: None,
            distributed: DistributedSection::default(),
            optimizers: BTreeMap::new(),
            ranges: Ranges::default(),
        }
    }
}

impl Strategy {
    /// Reads the text of a strategy file.
    ///
    /// # Errors
    /// [`Error::Input`] with the line if it is no TOML, [`Error::Setting`] with key, value and bound.
    pub fn parse(text: &str) -> Result<Self> {
        Self::read(table(text)?)
    }

    /// Reads a table of keys.
    ///
    /// # Errors
    /// [`Error::Setting`] with key, value and bound.
    pub fn read(mut table: toml::Table) -> Result<Self> {
        if let Some(toml::Value::Table(contract)) = table.get_mut("contract") {
            with_types(contract, true);
        }
        let ranges = Ranges::take(&mut table)?;
        super::schema::check(&table)?;
        Ok(Self {
            ranges,
            ..Self::of_single_table(table)?
        })
    }

    /// Reads a table whose settings are no ranges.
    ///
    /// # Errors
    /// [`Error::Setting`] for a value of another type.
    pub(super) fn of_single_table(table: toml::Table) -> Result<Self> {
        serde_path_to_error::deserialize(table).map_err(|error| {
            let message = parser_message(error.inner().message());
            Error::key(error.path().to_string(), format!(": {message}"))
        })
    }

    /// Checks every key on its own; what depends on several is checked when a [`super::Plan`] is made.
    ///
    /// # Errors
    /// [`Error::Setting`] with key, value and bound.
    pub fn check(&self) -> Result<()> {
        let table = self.written()?;
        super::schema::check(&table)?;
        self.ranges.check(&table)
    }

    /// The strategy as a table of keys; keys without meaning beside the others are left out.
    ///
    /// # Errors
    /// If a value has no form in TOML.
    pub fn to_table(&self) -> Result<toml::Table> {
        let mut table = self.to_single_table()?;
        self.ranges.write(&mut table);
        Ok(table)
    }

    /// [`Self::to_table`] with the one number that others see for every range.
    pub(super) fn to_single_table(&self) -> Result<toml::Table> {
        let mut table = self.written()?;
        prune(super::schema::root(), &mut table);
        Ok(table)
    }

    fn written(&self) -> Result<toml::Table> {
        toml::Table::try_from(self)
            .map_err(|error| Error::Computation(format!("strategy as TOML: {error}")))
    }
}

/// The keys of a strategy file, whatever they are.
///
/// # Errors
/// [`Error::Input`] with the line if it is no TOML.
pub(super) fn table(text: &str) -> Result<toml::Table> {
    text.parse().map_err(|error: toml::de::Error| {
        let message = parser_message(error.message());
        let before = error.span().and_then(|span| text.get(..span.start));
        Error::input(match before {
            Some(before) => format!("line {}: {message}", 1 + before.matches('\n').count()),
            None => message,
        })
    })
}
