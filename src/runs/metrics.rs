//! The contents of a run folder that programs read: `metrics.json` and its parts.
//!
//! ```text
//! runs/<id>/
//!   strategy.toml          the strategy with every default filled in
//!   comparison.json        [`Request`]
//!   progress.jsonl         [`super::progress`]
//!   trainings/*.json, tuning/*.json   what a comparison has finished
//!   checkpoints/*.safetensors         trainings under way
//!   distributed.json       [`crate::groups::Distributed`], of jobs on several ranks
//!   trained_on.json        [`super::trained_on::TrainedOn`]
//!   metrics.json           [`Metrics`]
//!   evaluation.parquet     strategy, seed, path, pnl, cost, turnover (the simulated test paths)
//!   backtest.parquet       strategy, seed, date, expiry, premium, pnl, cost, turnover (one row per contract)
//!   crossed.parquet        [`Crossed`], a row each
//!   example_path.json      [`ExamplePath`]: one simulated path with every strategy's positions
//!   policies/<strategy>-<seed>.safetensors, with -in_<market>, -steps_<length> or -risk_<parameter> for others
//!   figures/*.svg
//!   report.html
//! ```

pub use super::comparison::Comparison;

use super::asset::AssetMarket;
use super::breakdown::Breakdown;
use super::classical::{BestClassical, HedgeRow};
use super::crossed::Crossed;
use super::precision::Precision;
use super::shard::Shard;
use super::store::RunFolder;
use super::warnings::Disagreement;
use crate::error::{Error, Result, excerpt};
use crate::market::valuation::ContractPrice;
use crate::risk::{Row, null_as_nan};
use crate::training::TrainingPoint;
use serde::{Deserialize, Serialize};

/// `metrics.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct Metrics {
    /// The id of the run.
    pub run: String,
    /// The command that made the run: `compare`, `train`, `backtest` or `cross`.
    pub command: String,
    /// The name of the strategy file.
    pub name: String,
    /// When the run was made, in RFC 3339.
    pub created: String,
    /// The version of the program that made the run.
    pub version: String,
    /// The risk measure that was trained, in words: `CVaR 95 %`.
    pub risk: String,
    /// The key in [`Row::cvar`] of the level that was trained, if the measure is CVaR.
    pub trained_level: Option<String>,
    /// The seeds that policies were trained with.
    pub seeds: Vec<u64>,
    /// The curves of all trainings.
    #[serde(default)]
    pub training: Vec<TrainingCurve>,
    /// The results on the simulated test paths, a row for every strategy and seed.
    #[serde(default)]
    pub evaluation: Vec<Row>,
    /// The results on history, a row for every strategy and seed.
    #[serde(default)]
    pub backtest: Vec<Row>,
    /// Changes of each trained strategy against the Adam baseline, on the simulated test paths.
    #[serde(default)]
    pub comparisons: Vec<Comparison>,
    /// The changes of each trained strategy against the Adam baseline, on history.
    #[serde(default)]
    pub backtest_comparisons: Vec<Comparison>,
    /// Parts of the P&L, drawdown and worst contracts of each strategy in the backtest; a walk-forward has them in its
    /// own file.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub backtest_breakdown: Vec<Breakdown>,
    /// The trials of a search for settings, if there was one; the strategy file has the best ones.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub tuning: Vec<Trial>,
    /// Rows of trainings of several lengths, if there were any, the main table's among them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub lengths: Vec<LengthRow>,
    /// Rows of trainings for several levels or aversions, if there were any, the main table's among them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub frontier: Vec<FrontierRow>,
    /// What strategies made for one market do in others, if that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub crossed: Vec<Crossed>,
    /// Policies whose risk on test paths is not that of their training.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub disagreements: Vec<Disagreement>,
    /// The model's price for which the contract is sold on the simulated test paths, how it came about, and its standard error;
    /// absent if the premium is an amount, and in runs of older versions.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub model_premium: Option<ContractPrice>,
    /// The unit in which the optimizers' settings and statistics count money, in the spot's currency; absent in runs of older
    /// versions, whose optimizers counted that currency itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub money_unit: Option<f64>,
    /// Risk aversion λ of the Whalley–Wilmott band, in one over the spot's currency, when it was among the hedges.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub band_aversion: Option<f64>,
    /// Whether the search for that aversion ended at a bound, beyond which the risk may still fall.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub band_at_bound: bool,
    /// The classical hedges with their parameters; absent in runs of older versions.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub hedges: Vec<HedgeRow>,
    /// The best classical hedge and the learned policies beside it, in a comparison across markets that of each market; absent in
    /// runs of older versions and without classical hedges.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub best_classical: Vec<BestClassical>,
    /// The names of the assets that the contract depends on and nothing that is traded does.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub untraded: Vec<String>,
    /// What the backtest assumed, when there was one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub backtest_market: Option<BacktestMarket>,
}

/// Market parameters the backtest was run with, and where they came from.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct BacktestMarket {
    /// The names of the data files.
    pub data: String,
    /// `history` if they were estimated from returns before `first`, `walk_forward` if anew for every window,
    /// `strategy` if given, `surfaces` if contracts are sold and hedged at the implied-volatility surfaces of the days.
    pub source: String,
    /// The first close that parameters were estimated from.
    pub estimated_from: Option<String>,
    /// The last close that parameters were estimated from.
    pub estimated_to: Option<String>,
    /// First and last sale dates.
    pub first: String,
    /// The last sale date.
    pub last: String,
    /// The number of contracts.
    pub contracts: usize,
    /// How long a contract lives, and how often the data have a close, in words; absent in runs of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenor: Option<String>,
    /// How often the data have a close, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes: Option<String>,
    /// Defects of the data that were repaired: kind and number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repaired: Vec<(String, usize)>,
    /// What is odd in the data and no defect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// The parameters of the model by name.
    #[cfg_attr(feature = "dashboard", schema(value_type = Object))]
    pub parameters: serde_json::Map<String, serde_json::Value>,
    /// How precisely the parameters were estimated, if they were; every window of a walk-forward has its own.
    #[serde(flatten)]
    pub precision: Precision,
    /// All assets, where there are several; `parameters` are those of the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<AssetMarket>,
}

impl BacktestMarket {
    /// The parameters that the data do not determine, in words, of several assets those of each; nothing if they determine all.
    pub fn undetermined_parameters(&self) -> Option<String> {
        if self.assets.is_empty() {
            return self.precision.undetermined();
        }
        let of = |asset: &AssetMarket| {
            let names = asset.precision.undetermined()?;
            Some(format!("{names} of {}", asset.name))
        };
        let all: Vec<String> = self.assets.iter().filter_map(of).collect();
        (!all.is_empty()).then(|| all.join(", "))
    }

    /// That estimated parameters are not determined by the data, in a sentence; nothing if they are.
    pub fn undetermined(&self) -> Option<String> {
        let names = self.undetermined_parameters()?;
        Some(format!(
            "{}: the returns do not determine {names}; more history, another model or given parameters would",
            self.data
        ))
    }

    /// What was repaired in the data, in words; nothing if nothing was.
    pub fn repairs(&self) -> Option<String> {
        let repaired = self.repaired.iter();
        let words: Vec<String> = repaired.map(|(kind, n)| format!("{kind} ({n})")).collect();
        (!words.is_empty()).then(|| words.join(", "))
    }
}

/// `comparison.json`: what a run was asked for, so that it can go on after it was stopped.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct Request {
    /// `compare`, `train`, `cross`, `backtest` or `walk_forward`.
    #[serde(default = "compare")]
    pub command: String,
    /// The resolved strategy as it was before any search for settings.
    pub strategy: String,
    /// The seeds of the trainings.
    pub seeds: Vec<u64>,
    /// Candidates of the search for each optimizer's settings, if they are searched.
    pub candidates: Option<usize>,
    /// CVaR levels or risk aversions that policies are trained for too.
    pub frontier: Vec<f64>,
    /// The number of trainings, without the search; of a shard that of its own.
    pub trainings: usize,
    /// Which share of the job's trainings the run has, if it is a shard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// The number of trainings of all shards of the job, if the run is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_trainings: Option<usize>,
    /// The run whose policies are tested on history, of backtests: its id, or a path if it lies under another root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<String>,
    /// When the folder was made, in the universal time (RFC 3339); later for every later run under the same root,
    /// whatever the clock says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The version of the program that made the folder; absent in runs of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

impl Request {
    /// The command of a walk-forward.
    pub const WALK_FORWARD: &str = "walk_forward";
    /// The command of a comparison across markets.
    pub const CROSS: &str = "cross";
    /// The command of a backtest.
    pub const BACKTEST: &str = "backtest";

    /// The number of trainings of the whole job, whether the run is a shard of it or not.
    pub fn all_trainings(&self) -> usize {
        self.job_trainings.unwrap_or(self.trainings)
    }

    /// Whether this version of the program may go on with a shard: all shards of a job have one version, so that they come
    /// to the bits of one run.
    ///
    /// # Errors
    /// [`Error::Input`] naming both versions.
    pub fn check_version(&self, folder: &RunFolder) -> Result<()> {
        const OWN: &str = env!("CARGO_PKG_VERSION");
        match (self.shard, self.version.as_deref()) {
            (Some(shard), Some(version)) if version != OWN => Err(Error::input(format!(
                "run `{}`: {shard}, made by deephedge {}, this is {OWN}",
                folder.id(),
                excerpt(version)
            ))),
            (Some(_) | None, _) => Ok(()),
        }
    }

    /// What goes on with the run `id` on the command line.
    pub fn resumption(&self, id: &str) -> String {
        match self.command.as_str() {
            Self::WALK_FORWARD => format!("backtest {id} --walk-forward"),
            Self::BACKTEST => format!("backtest {id}"),
            command => format!("{command} --resume {id}"),
        }
    }
}

fn compare() -> String {
    "compare".into()
}

/// The results of a training with its own whole schedule.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct LengthRow {
    /// Steps of the strategy; an optimizer takes its own multiple of them.
    pub length: usize,
    /// The results.
    #[serde(flatten)]
    pub row: Row,
}

/// The results of a training for a risk measure of the strategy's kind.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct FrontierRow {
    /// CVaR level or risk aversion.
    pub parameter: f64,
    /// The results.
    #[serde(flatten)]
    pub row: Row,
}

/// One training of a search for settings.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct Trial {
    /// The name of the strategy.
    pub strategy: String,
    /// The round of successive halving, from 0.
    pub rung: usize,
    /// Its length as a share of the comparison's.
    pub share: f64,
    /// The seed of the training.
    pub seed: u64,
    /// The risk on validation paths at the end; not a number if the training failed.
    #[serde(deserialize_with = "null_as_nan")]
    pub risk: f64,
    /// Paths of a step.
    pub paths: usize,
    /// The settings of the optimizer.
    #[cfg_attr(feature = "dashboard", schema(value_type = Object))]
    pub settings: toml::Table,
}

/// One optimizer's training run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct TrainingCurve {
    /// The name of the strategy.
    pub strategy: String,
    /// The seed of the training.
    pub seed: u64,
    /// The recorded steps in their order.
    pub points: Vec<TrainingPoint>,
}

/// One simulated path with the positions that every strategy held on it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct ExamplePath {
    /// Years from the start, one entry per date (steps + 1).
    pub time: Vec<f64>,
    /// The spot at every date.
    pub spot: Vec<f64>,
    /// The square root of the variance at every date.
    pub volatility: Vec<f64>,
    /// The strike of the contract, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strike: Option<f64>,
    /// The spots of all assets by their names, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<(String, Vec<f64>)>,
    /// Strategy → position in the spot over each period (steps entries); those in another instrument, and with several assets
    /// all of them, are named "strategy, instrument".
    pub positions: Vec<(String, Vec<f64>)>,
    /// Strategy → P&L at expiry.
    pub pnl: Vec<(String, f64)>,
    /// The days of a year, trading days or those of the calendar, in which the contract's life is counted; absent in runs of
    /// older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_per_year: Option<f64>,
}
