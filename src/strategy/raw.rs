//! The strategy file as it is written: every key optional, unknown keys refused.
//!
//! Ranges are checked, and defaults filled in, in the module of the section; here only the shape of the file is known.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A strategy file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Raw {
    pub name: Option<String>,
    pub seed: Option<u64>,
    #[serde(default)]
    pub market: RawMarket,
    /// Further markets, by what they change in the first.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub markets: BTreeMap<String, RawMarket>,
    #[serde(default)]
    pub contract: RawContract,
    #[serde(default)]
    pub costs: RawCosts,
    #[serde(default)]
    pub risk: RawRisk,
    #[serde(default)]
    pub policy: RawPolicy,
    #[serde(default)]
    pub training: RawTraining,
    #[serde(default)]
    pub evaluation: RawEvaluation,
    pub backtest: Option<RawBacktest>,
    pub walk_forward: Option<RawWalkForward>,
    #[serde(default)]
    pub optimizers: BTreeMap<String, RawOptimizer>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawMarket {
    pub model: Option<String>,
    pub spot: Option<f64>,
    pub rate: Option<f64>,
    pub dividend: Option<f64>,
    /// Geometric Brownian motion, Merton.
    pub volatility: Option<f64>,
    /// Heston.
    pub v0: Option<f64>,
    pub kappa: Option<f64>,
    pub theta: Option<f64>,
    pub sigma: Option<f64>,
    pub rho: Option<f64>,
    /// Merton.
    pub jump_intensity: Option<f64>,
    pub log_jump_mean: Option<f64>,
    pub log_jump_std: Option<f64>,
}

impl RawMarket {
    /// This market with what `change` says instead; the parameters of another model begin from nothing.
    pub(super) fn changed(&self, change: &Self) -> Self {
        let same = change.model.is_none() || change.model == self.model;
        let parameter = |new: Option<f64>, old: Option<f64>| new.or(old.filter(|_| same));
        Self {
            model: change.model.clone().or(self.model.clone()),
            spot: change.spot.or(self.spot),
            rate: change.rate.or(self.rate),
            dividend: change.dividend.or(self.dividend),
            volatility: parameter(change.volatility, self.volatility),
            v0: parameter(change.v0, self.v0),
            kappa: parameter(change.kappa, self.kappa),
            theta: parameter(change.theta, self.theta),
            sigma: parameter(change.sigma, self.sigma),
            rho: parameter(change.rho, self.rho),
            jump_intensity: parameter(change.jump_intensity, self.jump_intensity),
            log_jump_mean: parameter(change.log_jump_mean, self.log_jump_mean),
            log_jump_std: parameter(change.log_jump_std, self.log_jump_std),
        }
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawContract {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// A number, `{ moneyness = x }` or `{ delta = x }`.
    pub strike: Option<toml::Value>,
    pub upper_strike: Option<toml::Value>,
    pub expiry_days: Option<f64>,
    /// `"trading"` or `"calendar"`.
    pub days: Option<String>,
    pub days_per_year: Option<f64>,
    pub steps: Option<usize>,
    pub premium: Option<RawPremium>,
}

/// Either the word `"model"` or an amount of money.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RawPremium {
    Amount(f64),
    Rule(String),
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawCosts {
    pub proportional: Option<f64>,
    pub half_spread: Option<f64>,
    pub variance_swap: Option<f64>,
    pub variance_swap_half_spread: Option<f64>,
    pub liquidation: Option<bool>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawRisk {
    pub measure: Option<String>,
    pub level: Option<f64>,
    pub aversion: Option<f64>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawPolicy {
    pub hidden: Option<usize>,
    pub layers: Option<usize>,
    pub features: Option<Vec<String>>,
    /// Names, and options as tables.
    pub instruments: Option<Vec<toml::Value>>,
    pub layer_normalisation: Option<bool>,
    pub sweep: Option<String>,
}

/// An option that hedges, in the list of instruments.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawInstrument {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// A number or `{ moneyness = x }`.
    pub strike: Option<toml::Value>,
    pub expiry_days: Option<f64>,
    pub proportional: Option<f64>,
    pub half_spread: Option<f64>,
}

impl RawInstrument {
    pub(super) fn read(value: &toml::Value) -> Result<Self, String> {
        if !value.is_table() {
            return Err(format!("must be names and tables, was {value}"));
        }
        let read = value.clone().try_into();
        read.map_err(|error: toml::de::Error| error.message().replace('\n', " "))
    }

    pub(super) fn written(&self) -> crate::Result<toml::Value> {
        let value = toml::Value::try_from(self);
        value.map_err(|error| crate::Error::Computation(format!("instrument: {error}")))
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawTraining {
    pub steps: Option<usize>,
    pub seconds: Option<f64>,
    pub paths: Option<usize>,
    pub lengths: Option<Vec<usize>>,
    pub sampling: Option<String>,
    pub clock: Option<String>,
    pub control_variate: Option<bool>,
    pub validation_paths: Option<usize>,
    pub validation_period: Option<usize>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawEvaluation {
    pub paths: Option<usize>,
    pub hedges: Option<Vec<String>>,
    pub risk_aversion: Option<RawAversion>,
}

/// Either a number or the word `"tuned"`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RawAversion {
    Number(f64),
    Rule(String),
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RawOptimizer {
    pub method: Option<String>,
    pub relative_steps: Option<f64>,
    pub paths: Option<usize>,
    pub lengths: Option<Vec<usize>>,
    pub tune_paths: Option<bool>,
    pub average: Option<String>,
    pub average_decay: Option<f64>,
    pub average_start: Option<f64>,
    /// What the method itself knows; it refuses other keys.
    #[serde(flatten)]
    pub settings: toml::Table,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawBacktest {
    pub data: Option<RawFiles>,
    pub start: Option<String>,
    pub end: Option<String>,
    pub spacing: Option<RawSpacing>,
    pub parameters: Option<String>,
    pub repair: Option<Vec<String>>,
    pub days_per_year: Option<f64>,
    pub variance: Option<String>,
    pub variance_days: Option<usize>,
    pub variance_decay: Option<f64>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawWalkForward {
    pub years: Option<f64>,
    pub months: Option<u32>,
    pub warm_start: Option<bool>,
    pub warm_share: Option<f64>,
    pub paths: Option<String>,
    pub block: Option<f64>,
    pub seeds: Option<usize>,
}

/// One file or several.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RawFiles {
    One(String),
    Several(Vec<String>),
}

impl From<RawFiles> for Vec<PathBuf> {
    fn from(files: RawFiles) -> Self {
        match files {
            RawFiles::One(file) => vec![file.into()],
            RawFiles::Several(files) => files.into_iter().map(PathBuf::from).collect(),
        }
    }
}

impl From<&[PathBuf]> for RawFiles {
    fn from(files: &[PathBuf]) -> Self {
        let mut names: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
        match names.len() {
            1 => Self::One(names.remove(0)),
            _ => Self::Several(names),
        }
    }
}

/// Either a rule (`"non_overlapping"`, `"daily"`, `"weekly"`, `"monthly"`) or a number of trading days.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RawSpacing {
    Days(usize),
    Rule(String),
}
