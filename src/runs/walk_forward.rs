//! What a walk-forward backtest leaves for programs: `walk_forward.json` and each window's `window.json`.

use super::asset::AssetMarket;
use super::breakdown::Breakdown;
use super::classical::HedgeRow;
use super::precision::{Precision, listed};
use super::protocol::{Compared, Registered};
use super::store::RunFolder;
use crate::error::Result;
use crate::risk::bootstrap::Interval;
use crate::risk::null_as_nan;
use serde::{Deserialize, Serialize};

/// The file of [`Results`] in the folder of a run.
pub const FILE: &str = "walk_forward.json";

/// `walk_forward.json`.
///
/// # Units
/// Those of [`crate::risk::Row`]; Sharpe ratios are annualised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// The windows in their order.
    pub windows: Vec<Window>,
    /// The strategies on all contracts.
    pub strategies: Vec<StrategyResult>,
    /// Differences of the strategy under test against every other one.
    pub tests: Vec<Test>,
    /// The P&L in falls of the index.
    pub stress: Vec<Period>,
    /// The P&L by year of sale.
    pub years: Vec<Period>,
    /// The best classical hedge and the learned policies beside it; absent in runs of older versions and without classical hedges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_classical: Option<BestOfWindows>,
    /// Mean length of the bootstrap's blocks, in contracts.
    pub block: f64,
    /// Level of the CVaR.
    pub level: f64,
    /// The first day of the test, where the strategy has a validation period: all that is said of contracts above is said of
    /// those of the test or, of a run that ends before it, of the validation period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_from: Option<String>,
    /// Every strategy beside every classical hedge on the contracts of the validation period, if the strategy has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Box<Compared>>,
    /// The same on the contracts of the test, of a strategy with a validation period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<Box<Compared>>,
    /// The registered plan that the run was begun under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration: Option<Registered>,
}

/// Which period of a study the contracts of a window belong to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Sold and expired before the test begins.
    Validation,
    /// Sold from the first day of the test on, or on any day where there is no validation period.
    #[default]
    Test,
}

impl Phase {
    fn is_test(&self) -> bool {
        *self == Self::Test
    }
}

/// A statistic and its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bounded {
    /// Not a number where too few contracts leave it undefined.
    #[serde(deserialize_with = "null_as_nan")]
    pub value: f64,
    /// The 95 % interval.
    #[serde(flatten)]
    pub interval: Interval,
}

/// One strategy on all contracts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StrategyResult {
    /// Where the P&L comes from, and how bad it gets.
    #[serde(flatten)]
    pub breakdown: Breakdown,
    /// Trainings behind it, 0 for hedges that are not trained; every figure is a mean over them.
    pub seeds: usize,
    /// The number of contracts.
    pub contracts: usize,
    /// Standard deviations between seeds, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between_seeds: Option<BetweenSeeds>,
    /// The mean P&L.
    pub mean: Bounded,
    /// The standard deviation of P&L.
    pub std: Bounded,
    /// The CVaR of the loss.
    pub cvar: Bounded,
    /// The Sharpe ratio per year.
    pub sharpe: Bounded,
    /// The mean transaction cost.
    pub cost: f64,
    /// The mean turnover.
    pub turnover: f64,
}

/// Standard deviations of a strategy's statistics between its seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BetweenSeeds {
    /// The standard deviation of the mean P&L between seeds.
    pub mean: f64,
    /// The standard deviation of the P&L's standard deviation between seeds.
    pub std: f64,
    /// The standard deviation of the CVaR between seeds.
    pub cvar: f64,
}

/// A difference of a statistic on the same contracts: `strategy` less `against`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Test {
    /// The name of the strategy.
    pub strategy: String,
    /// The strategy that is subtracted.
    pub against: String,
    /// The statistic: `mean` or `cvar`.
    pub statistic: String,
    /// The difference with its interval.
    pub difference: Bounded,
    /// The two-sided p-value of no difference, and the same after Holm's correction for all tests.
    pub p: f64,
    /// The p-value after Holm's correction for all tests.
    pub corrected: f64,
}

/// The classical hedge with the least risk on the validation paths of all windows, on average, and the learned policies beside it on
/// the contracts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BestOfWindows {
    /// The name of its row.
    pub strategy: String,
    /// What people call it.
    pub title: String,
    /// The mean over windows of its risk without premium on validation paths.
    #[serde(deserialize_with = "null_as_nan")]
    pub validation_risk: f64,
    /// The CVaR of every learned policy less that of the hedge; of these tests none is corrected for the others.
    pub policies: Vec<Test>,
}

/// Contracts alive in a period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Period {
    /// The name of the period.
    pub name: String,
    /// The first day of the period.
    pub from: String,
    /// The last day of the period.
    pub to: String,
    /// The number of contracts.
    pub contracts: usize,
    /// Total P&L of each strategy.
    pub pnl: Vec<(String, f64)>,
    /// Further statistics of each strategy.
    #[serde(default)]
    pub statistics: Vec<PeriodStatistics>,
}

/// One strategy on the contracts of a period: means over its seeds; the drawdown is that of P&L averaged over them. What
/// too few contracts leave undefined is not a number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeriodStatistics {
    /// The name of the strategy.
    pub strategy: String,
    /// The mean P&L.
    pub mean: f64,
    /// The standard deviation of P&L.
    #[serde(deserialize_with = "null_as_nan")]
    pub std: f64,
    /// The CVaR of the loss.
    pub cvar: f64,
    /// The Sharpe ratio per year.
    #[serde(deserialize_with = "null_as_nan")]
    pub sharpe: f64,
    /// The mean transaction cost.
    pub cost: f64,
    /// The mean turnover.
    pub turnover: f64,
    /// The greatest fall of P&L added up in the order of sale.
    pub maximum_drawdown: f64,
}

/// What a window did, `window.json` in its folder; written after everything else there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// The number of the window, from 0.
    pub number: usize,
    /// The period that its contracts belong to.
    #[serde(default, skip_serializing_if = "Phase::is_test")]
    pub phase: Phase,
    /// The first close that the window is calibrated on.
    pub calibrated_from: String,
    /// The last close that the window is calibrated on.
    pub calibrated_to: String,
    /// The first sale date.
    pub first_sale: String,
    /// The last sale date.
    pub last_sale: String,
    /// The number of contracts.
    pub contracts: usize,
    /// The model and its parameters.
    pub model: serde_json::Map<String, serde_json::Value>,
    /// How precisely the parameters were estimated.
    #[serde(flatten)]
    pub precision: Precision,
    /// What else the estimation found, such as a likelihood and parameters that a strategy cannot give, by name; absent in runs of older
    /// versions.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub estimates: serde_json::Map<String, serde_json::Value>,
    /// All assets, where there are several; `model` and `precision` are those of the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<AssetMarket>,
    /// Whether 2κθ ≥ σ², under Heston.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feller: Option<bool>,
    /// Drift of the calibrated returns, per year.
    pub drift: f64,
    /// Risk aversion λ of the Whalley–Wilmott band, in one over the spot's currency.
    pub band_aversion: f64,
    /// Whether the search for that aversion ended at a bound, beyond which the risk may still fall.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub band_at_bound: bool,
    /// The classical hedges with their parameters; absent in runs of older versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hedges: Vec<HedgeRow>,
    /// Seconds of training of every optimizer and seed.
    pub seconds: Vec<(String, u64, f64)>,
    /// How those trainings ended; absent in runs of older versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trainings: Vec<TrainingEnd>,
}

/// How a training of a window ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingEnd {
    /// The name of the optimizer.
    pub strategy: String,
    /// The seed of the training.
    pub seed: u64,
    /// Seconds of training, validation excluded.
    pub seconds: f64,
    /// Steps that were taken.
    pub steps: usize,
    /// The risk on training batches, averaged over the last tenth of the steps.
    #[serde(deserialize_with = "null_as_nan")]
    pub risk: f64,
}

impl Window {
    /// The parameters that the returns do not determine, of several assets with the name of the asset.
    fn undetermined(&self) -> Vec<String> {
        let names = |precision: &Precision, of: &str| -> Vec<String> {
            let all = precision.at_bound.iter().chain(&precision.not_identified);
            all.map(|name| format!("{name}{of}")).collect()
        };
        if self.assets.is_empty() {
            return names(&self.precision, "");
        }
        let assets = self.assets.iter();
        assets
            .flat_map(|asset| names(&asset.precision, &format!(" of {}", asset.name)))
            .collect()
    }
}

impl Results {
    /// The number of contracts that strategies and tests speak of.
    pub fn contracts(&self) -> usize {
        self.strategies.first().map_or(0, |result| result.contracts)
    }

    /// The windows whose contracts strategies and tests speak of.
    pub fn reported(&self) -> impl Iterator<Item = &Window> + Clone {
        let only_validation = self.windows.iter().all(|window| !window.phase.is_test());
        let windows = self.windows.iter();
        windows.filter(move |window| window.phase.is_test() || only_validation)
    }

    /// That of each strategy.
    pub fn breakdowns(&self) -> impl Iterator<Item = &Breakdown> + Clone {
        self.strategies.iter().map(|result| &result.breakdown)
    }

    /// That some windows' data do not determine all parameters, in a sentence; nothing if all do.
    pub fn undetermined(&self) -> Option<String> {
        let mut names: Vec<(String, usize)> = Vec::new();
        let mut windows = 0;
        for window in &self.windows {
            let of_window = window.undetermined();
            windows += usize::from(!of_window.is_empty());
            for name in of_window {
                match names.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, count)) => *count += 1,
                    None => names.push((name, 1)),
                }
            }
        }
        let all = self.windows.len();
        let words: Vec<String> = names
            .iter()
            .map(|(name, count)| format!("{name} (in {count})"))
            .collect();
        (windows > 0).then(|| {
            format!(
                "in {windows} of {all} windows the returns do not determine all parameters: {} on a bound of the search \
                 or not identified",
                listed(&words)
            )
        })
    }

    /// That the search for a parameter of a classical hedge ended at a bound in some windows, in a sentence for each hedge.
    pub fn hedges_at_bound(&self) -> Vec<String> {
        let all = self.windows.len();
        let mut found: Vec<(&str, usize)> = Vec::new();
        for window in &self.windows {
            let old = window.band_at_bound && window.hedges.is_empty();
            let titles = window
                .hedges
                .iter()
                .filter(|one| one.at_bound().next().is_some());
            let titles = titles.map(|one| one.title.as_str());
            for title in titles.chain(old.then_some("Whalley–Wilmott band")) {
                match found.iter_mut().find(|(known, _)| *known == title) {
                    Some((_, count)) => *count += 1,
                    None => found.push((title, 1)),
                }
            }
        }
        let sentence = |(title, windows): (&str, usize)| {
            format!(
                "in {windows} of {all} windows the {title} with the least risk lies at a bound of the search for its parameters"
            )
        };
        found.into_iter().map(sentence).collect()
    }

    /// The results of a run, if it is a walk-forward that has ended.
    ///
    /// # Errors
    /// If the file is damaged.
    pub fn of_run(folder: &RunFolder) -> Result<Option<Self>> {
        folder.read_json(FILE)
    }
}
