//! Changes of one strategy against another on the same paths.

use crate::hedging::Book;
use crate::risk::paired::{
    Pair, cvar_influence, mean_influence, risk_influence, sharpe_influence, variance_influence,
};
use crate::risk::{Estimate, Risk, Row, null_as_nan};
use serde::{Deserialize, Serialize};

/// A change of one strategy against a baseline, paired on common paths.
///
/// Changes of variance, cost and CVaR are fractions of the absolute value of the baseline
/// (−0.344 is 34.4 % lower), so that a negative change is an improvement even where the
/// baseline's CVaR is a gain. Standard errors are over paths (delta method on
/// paired paths) and, for several seeds, between seeds too.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct Comparison {
    /// The name of the strategy.
    pub strategy: String,
    /// The strategy that it is compared with.
    pub baseline: String,
    /// The seeds that the comparison is over.
    pub seeds: usize,
    /// The change of the variance of P&L, as a fraction.
    #[serde(deserialize_with = "null_as_nan")]
    pub pnl_variance_change: f64,
    /// The standard error of the change of the variance.
    #[serde(deserialize_with = "null_as_nan")]
    pub pnl_variance_change_standard_error: f64,
    /// The change of the mean cost, as a fraction.
    #[serde(deserialize_with = "null_as_nan")]
    pub cost_change: f64,
    /// The standard error of the change of the cost.
    #[serde(deserialize_with = "null_as_nan")]
    pub cost_change_standard_error: f64,
    /// Change of the CVaR at the trained level (95 % if the measure is not CVaR).
    #[serde(deserialize_with = "null_as_nan")]
    pub cvar_change: f64,
    /// The standard error of the change of the CVaR.
    #[serde(deserialize_with = "null_as_nan")]
    pub cvar_change_standard_error: f64,
    /// Difference of the trained risk measure in money.
    #[serde(deserialize_with = "null_as_nan")]
    pub risk_difference: f64,
    /// The standard error of the difference of the risk measure.
    #[serde(deserialize_with = "null_as_nan")]
    pub risk_difference_standard_error: f64,
    /// The difference of the Sharpe ratios per contract.
    #[serde(deserialize_with = "null_as_nan")]
    pub sharpe_difference: f64,
    /// The standard error of the difference of the Sharpe ratios.
    #[serde(deserialize_with = "null_as_nan")]
    pub sharpe_difference_standard_error: f64,
    /// Steps and mean seconds of the two sides.
    pub steps: usize,
    /// The steps of the baseline.
    pub baseline_steps: usize,
    /// The mean seconds of training of the strategy.
    #[serde(deserialize_with = "null_as_nan")]
    pub seconds: f64,
    /// The mean seconds of training of the baseline.
    #[serde(deserialize_with = "null_as_nan")]
    pub baseline_seconds: f64,
    /// Both strategies where a contract is sold for the indifference premium of the baseline; absent in runs of older
    /// versions, and where the risk measure counts no cash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_indifference: Option<AtIndifference>,
}

/// The Sharpe ratios of two strategies that both sell for the premium at which the baseline's risk ρ is zero.
///
/// At the premium p of the run a hedge may lose on average, and a Sharpe ratio z̄/σ below zero rises with the deviation σ: it
/// rewards risk. At p + c with c = ρ(z)/k, z the baseline's P&L and k the cash that ρ counts (ρ(z + c) = ρ(z) − k c), the
/// baseline is as good as not having sold, and a seller would ask for no less.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct AtIndifference {
    /// What the baseline asks for beyond the run's premium, c, in the spot's currency at expiry; a mean over its seeds.
    #[serde(deserialize_with = "null_as_nan")]
    pub premium_increase: f64,
    /// The Sharpe ratio per contract of the strategy at that premium; a mean over its seeds.
    #[serde(deserialize_with = "null_as_nan")]
    pub sharpe: f64,
    /// The Sharpe ratio per contract of the baseline at that premium.
    #[serde(deserialize_with = "null_as_nan")]
    pub baseline_sharpe: f64,
    /// The difference of the two, paired on common paths.
    #[serde(deserialize_with = "null_as_nan")]
    pub sharpe_difference: f64,
    /// The standard error of the difference; the premium counts as given.
    #[serde(deserialize_with = "null_as_nan")]
    pub sharpe_difference_standard_error: f64,
}

/// A row and the book behind it.
pub type Measured<'a> = (&'a Row, &'a Book);

/// One side of a comparison: a strategy with the books of its seeds.
struct Side<'a> {
    books: Vec<Measured<'a>>,
}

impl<'a> Side<'a> {
    fn of(name: &str, results: &[Measured<'a>]) -> Self {
        let books = results.iter().filter(|(row, _)| row.strategy == name);
        Self {
            books: books.copied().collect(),
        }
    }

    /// The book of a hedge that was not trained, if the side is one.
    fn untrained(&self) -> Option<&'a Book> {
        match self.books.as_slice() {
            [(row, book)] if row.seed.is_none() => Some(*book),
            _ => None,
        }
    }

    fn mean(&self, of: impl Fn(&Row) -> Option<f64>) -> f64 {
        let known = self.books.iter().filter_map(|(row, _)| of(row));
        known.sum::<f64>() / self.books.len() as f64
    }

    fn steps(&self) -> usize {
        self.mean(|row| row.steps.map(|steps| steps as f64)).round() as usize
    }

    fn seconds(&self) -> f64 {
        self.mean(|row| row.seconds)
    }
}

impl Comparison {
    /// Every learned strategy that is not a baseline against every baseline; if all are of one kind, the others against the
    /// first. `learned` are the names, each with whether it is a baseline.
    pub fn all(
        results: &[Measured<'_>],
        learned: &[(&str, bool)],
        risk: Risk,
        overlap: f64,
    ) -> Vec<Self> {
        let present = |name: &str| results.iter().any(|(row, _)| row.strategy == name);
        let found = learned.iter().filter(|(name, _)| present(name)).copied();
        let (baselines, others): (Vec<_>, Vec<_>) = found.partition(|(_, baseline)| *baseline);
        let (baselines, others) = match (baselines.is_empty(), others.is_empty()) {
            (false, false) => (baselines, others),
            (true, _) | (_, true) => {
                let mut all = baselines;
                all.extend(others);
                let others = all.split_off(1.min(all.len()));
                (all, others)
            }
        };
        let others = others.iter();
        let pairs = others.flat_map(|(strategy, _)| {
            baselines
                .iter()
                .map(move |(baseline, _)| (*strategy, *baseline))
        });
        pairs
            .filter_map(|pair| Self::of(results, pair, risk, overlap))
            .collect()
    }

    /// The change of `strategy` against `baseline`, paths paired with paths and seeds with seeds; a hedge that is not trained is
    /// paired with every seed of the other side. `overlap` contracts live at a time (see [`crate::risk::RowInput`]).
    ///
    /// Nothing if there is no pair.
    pub fn of(
        results: &[Measured<'_>],
        (strategy, baseline): (&str, &str),
        risk: Risk,
        overlap: f64,
    ) -> Option<Self> {
        let level = risk.watched_level();
        let (ours, theirs) = (Side::of(strategy, results), Side::of(baseline, results));
        let pairs: Vec<Pair<'_>> = match (ours.untrained(), theirs.untrained()) {
            (_, Some(theirs)) => {
                let ours = ours.books.iter();
                ours.map(|(_, ours)| Pair { ours, theirs }).collect()
            }
            (Some(ours), None) => {
                let theirs = theirs.books.iter();
                theirs.map(|(_, theirs)| Pair { ours, theirs }).collect()
            }
            (None, None) => {
                let of_seed = |seed: Option<u64>| {
                    let mut theirs = theirs.books.iter();
                    theirs.find(|(other, _)| other.seed == seed)
                };
                let mut same = Vec::new();
                for (row, ours) in &ours.books {
                    if let Some((_, theirs)) = of_seed(row.seed) {
                        same.push(Pair { ours, theirs });
                    }
                }
                same
            }
        };
        if pairs.is_empty() {
            return None;
        }
        let variance = Pair::estimate(&pairs, overlap, true, variance_influence);
        let cost = Pair::estimate(&pairs, overlap, true, |book| mean_influence(&book.cost));
        let cvar = Pair::estimate(&pairs, overlap, true, |book| {
            cvar_influence(&book.pnl, level)
        });
        let difference = Pair::estimate(&pairs, overlap, false, |book| {
            risk_influence(&book.pnl, risk)
        });
        let sharpe = Pair::estimate(&pairs, overlap, false, |book| sharpe_influence(&book.pnl));
        Some(Self {
            strategy: strategy.into(),
            baseline: baseline.into(),
            seeds: pairs.len(),
            pnl_variance_change: variance.value,
            pnl_variance_change_standard_error: variance.standard_error,
            cost_change: cost.value,
            cost_change_standard_error: cost.standard_error,
            cvar_change: cvar.value,
            cvar_change_standard_error: cvar.standard_error,
            risk_difference: difference.value,
            risk_difference_standard_error: difference.standard_error,
            sharpe_difference: sharpe.value,
            sharpe_difference_standard_error: sharpe.standard_error,
            steps: ours.steps(),
            baseline_steps: theirs.steps(),
            seconds: ours.seconds(),
            baseline_seconds: theirs.seconds(),
            at_indifference: AtIndifference::of(&pairs, risk, overlap),
        })
    }
}

impl AtIndifference {
    /// Nothing where the measure counts no cash, or a risk is not a number.
    fn of(pairs: &[Pair<'_>], risk: Risk, overlap: f64) -> Option<Self> {
        let cash = risk.cash();
        let risks = pairs
            .iter()
            .map(|pair| risk.evaluate(&pair.theirs.pnl).value);
        let premium_increase = risks.sum::<f64>() / pairs.len() as f64 / cash;
        if !premium_increase.is_finite() {
            return None;
        }
        let sold = |book: &Book| -> Vec<f64> {
            let pnl = book.pnl.iter();
            pnl.map(|pnl| pnl + premium_increase).collect()
        };
        let difference: Estimate =
            Pair::estimate(pairs, overlap, false, |book| sharpe_influence(&sold(book)));
        let sharpe = |book: &Book| sharpe_influence(&sold(book)).value;
        let count = pairs.len() as f64;
        let ours = pairs.iter().map(|pair| sharpe(pair.ours)).sum::<f64>() / count;
        Some(Self {
            premium_increase,
            sharpe: ours,
            baseline_sharpe: ours - difference.value,
            sharpe_difference: difference.value,
            sharpe_difference_standard_error: difference.standard_error,
        })
    }
}

#[cfg(test)]
#[path = "comparison_tests.rs"]
mod tests;
