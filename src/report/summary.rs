//! Rows of several seeds drawn together: one [`Line`] per strategy.

use crate::numbers::{percent, significant};
use crate::risk::{Estimate, Row};
use crate::runs::metrics::{Comparison, Metrics};
use serde::{Deserialize, Serialize};

/// A statistic of [`Row`] that comes with a standard error.
#[derive(Debug, Clone, PartialEq)]
pub enum Statistic {
    /// The mean P&L.
    PnlMean,
    /// The standard deviation of P&L.
    PnlStd,
    /// The variance of P&L.
    PnlVariance,
    /// At the level with this key.
    Cvar(String),
    /// The trained risk measure.
    Risk,
    /// The mean transaction cost.
    Cost,
    /// The mean turnover.
    Turnover,
    /// The Sharpe ratio per contract.
    Sharpe,
    /// The Sharpe ratio per year.
    SharpeAnnualised,
}

impl Statistic {
    /// The statistic in one row; absent if the row lacks the CVaR level.
    pub fn of(&self, row: &Row) -> Option<Estimate> {
        let (value, standard_error) = match self {
            Self::PnlMean => (row.pnl_mean, row.pnl_mean_standard_error),
            Self::PnlStd => (row.pnl_std, row.pnl_std_standard_error),
            Self::PnlVariance => (row.pnl_variance, row.pnl_variance_standard_error),
            Self::Cvar(key) => (
                row.cvar.get(key)?.as_f64()?,
                row.cvar_standard_error
                    .get(key)
                    .and_then(|value| value.as_f64())
                    .unwrap_or(f64::NAN),
            ),
            Self::Risk => (row.risk, row.risk_standard_error),
            Self::Cost => (row.cost_mean, row.cost_mean_standard_error),
            Self::Turnover => (row.turnover, row.turnover_standard_error),
            Self::Sharpe => (row.sharpe, row.sharpe_standard_error),
            Self::SharpeAnnualised => (row.sharpe_annualised, row.sharpe_annualised_standard_error),
        };
        Some(Estimate {
            value,
            standard_error,
        })
    }
}

/// The rows of one strategy, one per seed.
#[derive(Debug, Clone)]
pub struct Line<'a> {
    /// The name of the strategy.
    pub strategy: &'a str,
    /// The rows, one for every seed.
    pub rows: Vec<&'a Row>,
}

/// Groups rows by strategy, in order of first appearance.
pub fn lines(rows: &[Row]) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    for row in rows {
        match lines.iter_mut().find(|line| line.strategy == row.strategy) {
            Some(line) => line.rows.push(row),
            None => lines.push(Line {
                strategy: &row.strategy,
                rows: vec![row],
            }),
        }
    }
    lines
}

impl Line<'_> {
    /// The mean of the statistic over the rows, see [`Estimate::over_seeds`].
    pub fn estimate(&self, statistic: &Statistic) -> Option<Estimate> {
        let estimates: Option<Vec<Estimate>> =
            self.rows.iter().map(|row| statistic.of(row)).collect();
        Some(Estimate::over_seeds(&estimates?))
    }

    /// Mean premium over the rows.
    pub fn premium(&self) -> f64 {
        self.rows.iter().map(|row| row.premium).sum::<f64>() / self.rows.len() as f64
    }

    /// The number of trained policies behind the line; 0 for a hedge that is not trained.
    pub fn seeds(&self) -> usize {
        self.rows.iter().filter(|row| row.seed.is_some()).count()
    }

    /// Mean steps, rounded; absent for hedges that are not trained.
    pub fn steps(&self) -> Option<f64> {
        mean(self.rows.iter().map(|row| row.steps.map(|s| s as f64)))
    }

    /// Mean training seconds; absent for hedges that are not trained.
    pub fn seconds(&self) -> Option<f64> {
        mean(self.rows.iter().map(|row| row.seconds))
    }
}

fn mean(values: impl ExactSizeIterator<Item = Option<f64>>) -> Option<f64> {
    let n = values.len() as f64;
    values.sum::<Option<f64>>().map(|sum| sum / n)
}

/// Every strategy of a run in order of first appearance, trained ones first. Among variants of one method, which share a
/// colour, the place decides the dashes.
pub fn strategies(metrics: &Metrics) -> Vec<String> {
    let names = (metrics.training.iter().map(|curve| &curve.strategy))
        .chain(metrics.evaluation.iter().map(|row| &row.strategy))
        .chain(metrics.backtest.iter().map(|row| &row.strategy))
        .chain(metrics.crossed.iter().map(|result| &result.strategy));
    let mut found: Vec<String> = Vec::new();
    for name in names {
        if !found.contains(name) {
            found.push(name.clone());
        }
    }
    found
}

/// The most lines of a chart that are told apart at a glance.
pub const MOST_LINES: usize = 9;

/// Which of `strategies` a chart shows at first: all of them, unless they are more than are told apart; then those that are
/// trained, those that they are compared with, no hedge, the best classical hedges, and of the others the one with the least
/// risk in each table.
pub fn leading(metrics: &Metrics, strategies: &[&str]) -> Vec<bool> {
    if strategies.len() <= MOST_LINES {
        return vec![true; strategies.len()];
    }
    let tables = [&metrics.evaluation, &metrics.backtest];
    let untrained = |rows: &'_ Vec<Row>| -> Option<String> {
        let rows = rows.iter().filter(|row| row.seed.is_none());
        let least = rows
            .filter(|row| row.risk.is_finite())
            .min_by(|a, b| a.risk.total_cmp(&b.risk));
        least.map(|row| row.strategy.clone())
    };
    let least: Vec<String> = tables.into_iter().filter_map(untrained).collect();
    let is_trained = |name: &str| {
        let mut rows = tables.into_iter().flatten();
        rows.any(|row| row.strategy == name && row.seed.is_some())
    };
    let comparisons = || {
        metrics
            .comparisons
            .iter()
            .chain(&metrics.backtest_comparisons)
    };
    let leads = |name: &str| {
        is_trained(name)
            || name == "naked"
            || least.iter().any(|best| best == name)
            || comparisons().any(|c| c.strategy == name || c.baseline == name)
            || metrics
                .best_classical
                .iter()
                .any(|best| best.strategy == name)
    };
    strategies.iter().map(|name| leads(name)).collect()
}

/// `0.95` → `CVaR 95 %`.
pub fn cvar_label(key: &str) -> String {
    match key.parse::<f64>() {
        // Rounded, because 0.99 × 100 is not 99 in binary.
        Ok(level) => format!("CVaR {} %", (level * 1e6).round() / 1e4),
        Err(_) => format!("CVaR {key}"),
    }
}

/// The CVaR level that the run is about: the trained one, or 95 %.
pub fn main_level(metrics: &Metrics) -> &str {
    metrics.trained_level.as_deref().unwrap_or("0.95")
}

/// What a difference and its standard error say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The change is an improvement.
    Better,
    /// The change is a deterioration.
    Worse,
    /// Less than two standard errors from zero.
    Undecided,
    /// A learned side was trained once: what differs between paths does not say what differs between trainings.
    OneSeed,
    /// The statistic ranks nothing here, whatever its error.
    Withheld,
    /// The difference or its standard error is not a number.
    Unknown,
}

impl Verdict {
    /// The verdict on a change that is an improvement when negative.
    pub fn lower_is_better(change: f64, standard_error: f64) -> Self {
        if !change.is_finite() || !standard_error.is_finite() {
            Self::Unknown
        } else if change == 0.0 || change.abs() < 2.0 * standard_error {
            Self::Undecided
        } else if change < 0.0 {
            Self::Better
        } else {
            Self::Worse
        }
    }

    /// The verdict on a change that is an improvement when positive.
    pub fn higher_is_better(change: f64, standard_error: f64) -> Self {
        Self::lower_is_better(-change, standard_error)
    }

    /// The verdict where so many trainings stand behind the learned side of a difference: one tells nothing of the method.
    pub fn of_seeds(self, seeds: usize) -> Self {
        match self {
            Self::Better | Self::Worse | Self::Undecided if seeds == 1 => Self::OneSeed,
            verdict => verdict,
        }
    }

    /// The verdict on a difference of Sharpe ratios z̄/σ whose means are those: where one lies below zero, the ratio rises with
    /// the deviation and ranks nothing.
    pub fn of_ratios(self, means: [f64; 2]) -> Self {
        match self {
            Self::Unknown => Self::Unknown,
            _ if means.iter().any(|mean| *mean < 0.0) => Self::Withheld,
            verdict => verdict,
        }
    }

    /// The verdict in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Undecided => "not distinguishable",
            Self::OneSeed => "one seed",
            Self::Withheld => "no verdict",
            Self::Unknown => "not comparable",
        }
    }
}

/// The comparison in one sentence or two, for people who read nothing else.
pub fn sentence(metrics: &Metrics, comparison: &Comparison) -> String {
    let Comparison {
        strategy,
        baseline,
        cvar_change: change,
        cvar_change_standard_error: error,
        ..
    } = comparison;
    let cvar = cvar_label(main_level(metrics));
    let (signed, within) = percent(*change, *error);
    let size = signed.trim_start_matches(['+', '-']);
    let direction = if *change < 0.0 { "lower" } else { "higher" };
    let finding = match Verdict::lower_is_better(*change, *error).of_seeds(comparison.seeds) {
        verdict @ (Verdict::Better | Verdict::Worse) => format!(
            "{cvar} is {size} {direction} ({within}), {}",
            verdict.words()
        ),
        Verdict::Undecided => format!(
            "{cvar} is not distinguishable ({signed} {within}, less than two standard errors)"
        ),
        Verdict::OneSeed => format!(
            "{cvar} is {size} {direction} ({within} between paths) with one seed, which does not tell the methods apart"
        ),
        Verdict::Withheld | Verdict::Unknown => format!("{cvar} could not be compared"),
    };
    let mut text = format!(
        "{strategy} against {baseline}: {finding}. {} steps in {} s against {} steps in {} s.",
        comparison.steps,
        significant(comparison.seconds, 3),
        comparison.baseline_steps,
        significant(comparison.baseline_seconds, 3),
    );
    if (2..4).contains(&comparison.seeds) {
        text.push_str(&format!(
            " With {} seeds the standard error is itself uncertain.",
            comparison.seeds
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::fixture;

    /// Over seeds: the mean of the rows; for two of them, |a − b|/2 and the mean error over paths add in squares.
    #[test]
    fn two_seeds_are_averaged() {
        let metrics = fixture::metrics();
        let lines = lines(&metrics.evaluation);
        let names: Vec<_> = lines.iter().map(|line| line.strategy).collect();
        assert_eq!(
            names,
            ["kfac", "adam", "naked", "black_scholes", "whalley_wilmott"]
        );
        let (a, b) = (lines[0].rows[0].pnl_variance, lines[0].rows[1].pnl_variance);
        let estimate = lines[0].estimate(&Statistic::PnlVariance).unwrap();
        assert!((estimate.value - (a + b) / 2.0).abs() < 1e-12);
        let errors = [0, 1].map(|row: usize| lines[0].rows[row].pnl_variance_standard_error);
        let expected = (a - b).abs() / 2.0;
        let expected = expected.hypot((errors[0] + errors[1]) / 2.0);
        assert!((estimate.standard_error - expected).abs() < 1e-12);
        assert_eq!((lines[0].seeds(), lines[0].steps()), (2, Some(300.0)));
        // A hedge without training keeps its own row.
        let naked = lines[2].estimate(&Statistic::PnlVariance).unwrap();
        assert_eq!(
            naked.standard_error,
            lines[2].rows[0].pnl_variance_standard_error
        );
        assert_eq!((lines[2].seeds(), lines[2].steps()), (0, None));
        assert_eq!(lines[0].estimate(&Statistic::Cvar("0.8".into())), None);
    }

    /// The border is two standard errors, and what is not a number decides nothing.
    #[test]
    fn verdicts_need_two_standard_errors() {
        let verdict = Verdict::lower_is_better;
        assert_eq!(verdict(-0.2, 0.1), Verdict::Better);
        assert_eq!(verdict(-0.199, 0.1), Verdict::Undecided);
        assert_eq!(verdict(0.3, 0.1), Verdict::Worse);
        assert_eq!(verdict(0.0, 0.0), Verdict::Undecided);
        assert_eq!(verdict(f64::NAN, 0.1), Verdict::Unknown);
        assert_eq!(verdict(-0.2, f64::NAN), Verdict::Unknown);
        assert_eq!(Verdict::higher_is_better(0.3, 0.1), Verdict::Better);
        assert_eq!(verdict(-0.3, 0.1).of_seeds(1), Verdict::OneSeed);
        assert_eq!(verdict(-0.3, 0.1).of_seeds(2), Verdict::Better);
        assert_eq!(verdict(f64::NAN, 0.1).of_seeds(1), Verdict::Unknown);
        assert_eq!(verdict(-0.3, 0.1).of_ratios([-0.1, 0.2]), Verdict::Withheld);
        assert_eq!(verdict(-0.3, 0.1).of_ratios([0.0, 0.2]), Verdict::Better);
    }

    /// The sentence states the change, its error, the verdict and what both sides spent.
    #[test]
    fn sentences_say_what_was_found_and_at_what_cost() {
        let metrics = fixture::metrics();
        assert_eq!(
            sentence(&metrics, &metrics.comparisons[0]),
            "kfac against adam: CVaR 95 % is 14.2 % lower (±1.3 %), better. 300 steps in 58.6 s \
             against 900 steps in 60.2 s. With 2 seeds the standard error is itself uncertain."
        );
        let undecided = sentence(&metrics, &metrics.backtest_comparisons[0]);
        assert!(
            undecided.contains("CVaR 95 % is not distinguishable (-6 % ±11 %"),
            "{undecided}"
        );
    }

    /// With one seed the sentence says by how much and over what, and neither better nor worse.
    #[test]
    fn one_seed_is_not_judged() {
        let mut metrics = fixture::metrics();
        metrics.comparisons[0].seeds = 1;
        let said = sentence(&metrics, &metrics.comparisons[0]);
        assert!(
            said.starts_with(
                "kfac against adam: CVaR 95 % is 14.2 % lower (±1.3 % between paths) with one seed, which does not tell \
                 the methods apart."
            ),
            "{said}"
        );
        assert!(!said.contains("better"));
    }

    #[test]
    fn levels_are_named_in_per_cent() {
        assert_eq!(cvar_label("0.95"), "CVaR 95 %");
        assert_eq!(cvar_label("0.99"), "CVaR 99 %");
        assert_eq!(cvar_label("0.975"), "CVaR 97.5 %");
    }
}
