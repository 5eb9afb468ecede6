//! How learned policies and classical hedges compare on the contracts of one period, and the registered plan behind it.

use super::walk_forward::{BetweenSeeds, Bounded, Phase, Test};
use crate::risk::null_as_nan;
use serde::{Deserialize, Serialize};

/// Every row beside every classical hedge on the contracts of one period.
///
/// # Units
/// Those of [`crate::risk::Row`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// The period.
    pub phase: Phase,
    /// The number of contracts.
    pub contracts: usize,
    /// The number of days on which contracts were sold: the calendar windows of the bootstrap.
    pub days: usize,
    /// The first day of sale.
    pub first_sale: String,
    /// The last day of sale.
    pub last_sale: String,
    /// The last day on which a contract expires.
    pub last_expiry: String,
    /// Mean length of the bootstrap's blocks, in days of sale.
    pub block: f64,
    /// Resamples of the bootstrap.
    pub draws: usize,
    /// Level of the CVaR.
    pub level: f64,
    /// The measure of risk that recipes are chosen by, in words.
    pub measure: String,
    /// The rows in their order: learned policies, then classical hedges.
    pub rows: Vec<ComparedRow>,
    /// The learned policies less every classical hedge, in CVaR, standard deviation, mean and cost; corrected by Holm for all
    /// comparisons of a policy.
    pub differences: Vec<Test>,
    /// The first learned policy less the others, corrected by Holm for all of them.
    pub between_learned: Vec<Test>,
    /// By year of sale.
    pub years: Vec<Slice>,
    /// By problem, where contracts of several problems are pooled, such as those of several strikes.
    pub problems: Vec<Slice>,
    /// By terciles of the volatility at the sale, where it is known.
    pub regimes: Vec<Slice>,
    /// The contracts on which each row lost most, the first learned policies' first.
    pub worst: Vec<Worst>,
}

/// One row on the contracts of a period: means over its seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComparedRow {
    /// The name of the row.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// Whether it is a hedge without training.
    pub classical: bool,
    /// Trainings behind it, 0 for hedges that are not trained.
    pub seeds: usize,
    /// The measure of risk that recipes are chosen by.
    #[serde(deserialize_with = "null_as_nan")]
    pub risk: f64,
    /// The mean P&L.
    pub mean: Bounded,
    /// The standard deviation of P&L.
    pub std: Bounded,
    /// The CVaR of the loss.
    pub cvar: Bounded,
    /// The mean transaction cost.
    pub cost: Bounded,
    /// Standard deviations between seeds, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between_seeds: Option<BetweenSeeds>,
}

/// A part of the contracts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slice {
    /// What they have in common.
    pub name: String,
    /// The number of contracts.
    pub contracts: usize,
    /// The rows in their order; what too few contracts leave undefined is not a number.
    pub rows: Vec<SliceRow>,
}

/// A row on a part of the contracts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SliceRow {
    /// The name of the row.
    pub name: String,
    /// The mean P&L.
    #[serde(deserialize_with = "null_as_nan")]
    pub mean: f64,
    /// The standard deviation of P&L.
    #[serde(deserialize_with = "null_as_nan")]
    pub std: f64,
    /// The CVaR of the loss.
    #[serde(deserialize_with = "null_as_nan")]
    pub cvar: f64,
    /// The mean transaction cost.
    #[serde(deserialize_with = "null_as_nan")]
    pub cost: f64,
}

/// The contracts on which a row lost most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Worst {
    /// The name of the row.
    pub name: String,
    /// The contracts, the worst first.
    pub contracts: Vec<WorstContract>,
}

/// A contract on which a row lost much.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorstContract {
    /// The day of the sale.
    pub sold: String,
    /// The day of the expiry.
    pub expiry: String,
    /// The problem that the contract belongs to, where several are pooled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The P&L of every row, averaged over seeds.
    pub pnl: Vec<(String, f64)>,
}

/// The registered plan of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// The SHA-256 of the plan.
    pub sha256: String,
    /// When it was registered, in the universal time (RFC 3339).
    pub registered: String,
}

/// The statistics that are compared, by the names that [`Test::statistic`] has.
pub const STATISTICS: [&str; 4] = ["cvar", "std", "mean", "cost"];

impl ComparedRow {
    /// One of the [`STATISTICS`].
    ///
    /// # Panics
    /// If there is no statistic of that name.
    pub fn statistic(&self, name: &str) -> &Bounded {
        match name {
            "cvar" => &self.cvar,
            "std" => &self.std,
            "mean" => &self.mean,
            "cost" => &self.cost,
            other => unreachable!("no statistic `{other}`"),
        }
    }
}

impl Compared {
    /// The row of a name.
    pub fn row(&self, name: &str) -> Option<&ComparedRow> {
        self.rows.iter().find(|row| row.name == name)
    }

    /// The learned policy or the classical hedge with the least risk on the contracts, the first of several.
    pub fn best(&self, classical: bool) -> Option<&ComparedRow> {
        let rows = self.rows.iter().filter(|row| row.classical == classical);
        let known = rows.filter(|row| !row.risk.is_nan());
        known.min_by(|a, b| a.risk.total_cmp(&b.risk))
    }

    /// The differences of one row from another, in the order of [`STATISTICS`].
    pub fn against<'a>(
        &'a self,
        name: &'a str,
        against: &'a str,
    ) -> impl Iterator<Item = &'a Test> + Clone + 'a {
        let all = self.differences.iter().chain(&self.between_learned);
        all.filter(move |test| test.strategy == name && test.against == against)
    }
}
