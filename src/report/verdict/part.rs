//! Two strategies and their difference on one kind of paths.

use super::choice::Pair;
use crate::numbers::{counted, significant};
use crate::report::summary::{self, Statistic, Verdict, cvar_label, main_level};
use crate::risk::{Estimate, Row};
use crate::runs::comparison::{AtIndifference, Comparison};
use crate::runs::metrics::Metrics;
use serde::Serialize;

/// What the contracts of a part are hedged on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Paths {
    /// Simulated test paths.
    Simulated,
    /// History, by policies that were trained once.
    Historical,
    /// History, by policies that were trained anew for every window.
    WalkForward,
}

impl Paths {
    /// The head of the part.
    pub fn title(self) -> &'static str {
        match self {
            Self::Simulated => "Simulated",
            Self::Historical => "Historical",
            Self::WalkForward => "Walk-forward",
        }
    }

    /// Where something is found, inside a sentence.
    pub(super) fn place(self) -> &'static str {
        match self {
            Self::Simulated => "on simulated paths",
            Self::Historical => "on history",
            Self::WalkForward => "on history, walked forward",
        }
    }
}

/// What is measured of a hedge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// The variance of P&L.
    PnlVariance,
    /// The mean transaction cost.
    Cost,
    /// The CVaR of the loss.
    Cvar,
    /// The Sharpe ratio per contract.
    Sharpe,
    /// The Sharpe ratio per contract, sold for the baseline's indifference premium.
    SharpeAtIndifference,
}

/// One measure of two strategies, and their difference.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct Line {
    /// What is measured.
    pub measure: Measure,
    /// The same in words.
    pub title: String,
    /// The baseline, a mean over its seeds.
    pub baseline: Estimate,
    /// The strategy, a mean over its seeds.
    pub strategy: Estimate,
    /// The strategy less the baseline, paired on common paths and seeds; its error is between seeds too, where there are several.
    pub difference: Estimate,
    /// Whether the difference is a fraction of the absolute value of the baseline, or in the measure's own unit.
    pub relative: bool,
    /// What the difference comes to.
    pub verdict: Verdict,
    /// Why there is no verdict, where the measure ranks nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Two strategies on one kind of paths.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct Part {
    /// The kind of paths.
    pub paths: Paths,
    /// The number of paths or contracts.
    pub count: usize,
    /// The first and the last day of sale, on history.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "dashboard", schema(value_type = Option<Vec<String>>))]
    pub sold: Option<[String; 2]>,
    /// The trainings behind the differences; 0 where neither strategy is trained.
    pub seeds: usize,
    /// The measures in the order in which they are read.
    pub lines: Vec<Line>,
}

impl Part {
    /// What stands above the part: `Historical, 240 contracts, 2004-01-02 to 2023-12-29`.
    pub fn caption(&self) -> String {
        let unit = match self.paths {
            Paths::Simulated => "path",
            Paths::Historical | Paths::WalkForward => "contract",
        };
        let sold = self.sold.iter();
        let sold = sold.map(|[first, last]| format!(", sold {first} to {last}"));
        format!(
            "{}, {}{}",
            self.paths.title(),
            counted(self.count, unit),
            sold.collect::<String>()
        )
    }

    /// The line of a measure.
    pub fn line(&self, measure: Measure) -> Option<&Line> {
        self.lines.iter().find(|line| line.measure == measure)
    }
}

/// The parts of a run that have rows of both strategies.
pub(super) fn all(metrics: &Metrics, pair: &Pair) -> Vec<Part> {
    let simulated = part(
        metrics,
        pair,
        Paths::Simulated,
        (&metrics.evaluation, &metrics.comparisons),
    );
    let market = metrics.backtest_market.as_ref();
    let walked = market.is_some_and(|market| market.source == "walk_forward");
    let historical = part(
        metrics,
        pair,
        match walked {
            true => Paths::WalkForward,
            false => Paths::Historical,
        },
        (&metrics.backtest, &metrics.backtest_comparisons),
    );
    simulated.into_iter().chain(historical).collect()
}

fn part(
    metrics: &Metrics,
    pair: &Pair,
    paths: Paths,
    (rows, comparisons): (&[Row], &[Comparison]),
) -> Option<Part> {
    let lines = summary::lines(rows);
    let of = |name: &str| lines.iter().find(|line| line.strategy == name);
    let (ours, theirs) = (of(&pair.strategy)?, of(&pair.baseline)?);
    let change = pair.of(comparisons);
    let trained = ours.seeds() > 0 || theirs.seeds() > 0;
    let seeds = match change {
        Some(change) if trained => change.seeds,
        Some(_) => 0,
        None => ours.seeds().max(theirs.seeds()),
    };
    let sides =
        |statistic: &Statistic| Some([theirs.estimate(statistic)?, ours.estimate(statistic)?]);
    let line = |measure, title: String, statistic: &Statistic, of: fn(&Comparison) -> Estimate| {
        let [baseline, strategy] = sides(statistic)?;
        let difference = change.map_or_else(|| unpaired(baseline, strategy), of);
        let verdict = Verdict::lower_is_better(difference.value, difference.standard_error);
        Some(Line {
            measure,
            title,
            baseline,
            strategy,
            difference,
            relative: true,
            verdict: verdict.of_seeds(seeds),
            why: None,
        })
    };
    let level = main_level(metrics);
    let lines = [
        line(
            Measure::PnlVariance,
            "P&L variance".into(),
            &Statistic::PnlVariance,
            |c| estimate(c.pnl_variance_change, c.pnl_variance_change_standard_error),
        ),
        line(
            Measure::Cost,
            "Transaction cost".into(),
            &Statistic::Cost,
            |c| estimate(c.cost_change, c.cost_change_standard_error),
        ),
        line(
            Measure::Cvar,
            cvar_label(level),
            &Statistic::Cvar(level.to_owned()),
            |c| estimate(c.cvar_change, c.cvar_change_standard_error),
        ),
        sides(&Statistic::Sharpe)
            .zip(sides(&Statistic::PnlMean))
            .map(|([baseline, strategy], means)| {
                let difference = match change {
                    Some(c) => estimate(c.sharpe_difference, c.sharpe_difference_standard_error),
                    None => estimate(strategy.value - baseline.value, f64::NAN),
                };
                sharpe(
                    [baseline, strategy, difference],
                    means.map(|mean| mean.value),
                    seeds,
                )
            }),
        change
            .and_then(|change| change.at_indifference.as_ref())
            .map(|at| at_indifference(metrics, pair, at, seeds)),
    ];
    let market = metrics.backtest_market.as_ref();
    let sold = market.map(|market| [market.first.clone(), market.last.clone()]);
    Some(Part {
        paths,
        count: rows.first()?.paths,
        sold: sold.filter(|_| paths != Paths::Simulated),
        seeds,
        lines: lines.into_iter().flatten().collect(),
    })
}

fn estimate(value: f64, standard_error: f64) -> Estimate {
    Estimate {
        value,
        standard_error,
    }
}

/// The change of two means as a fraction, with an error that nobody knows.
fn unpaired(baseline: Estimate, strategy: Estimate) -> Estimate {
    let change = (strategy.value - baseline.value) / baseline.value.abs();
    estimate(change, f64::NAN)
}

fn sharpe([baseline, strategy, difference]: [Estimate; 3], means: [f64; 2], seeds: usize) -> Line {
    let verdict = Verdict::higher_is_better(difference.value, difference.standard_error);
    let verdict = verdict.of_seeds(seeds).of_ratios(means);
    let why = "where the mean P&L is below zero, the ratio rises with the deviation: it would reward risk";
    Line {
        measure: Measure::Sharpe,
        title: "Sharpe ratio".into(),
        baseline,
        strategy,
        difference,
        relative: false,
        verdict,
        why: (verdict == Verdict::Withheld).then(|| why.into()),
    }
}

fn at_indifference(metrics: &Metrics, pair: &Pair, at: &AtIndifference, seeds: usize) -> Line {
    let difference = estimate(at.sharpe_difference, at.sharpe_difference_standard_error);
    let verdict = Verdict::higher_is_better(difference.value, difference.standard_error);
    Line {
        measure: Measure::SharpeAtIndifference,
        title: format!(
            "Sharpe ratio, premium {} {}",
            if at.premium_increase < 0.0 {
                '−'
            } else {
                '+'
            },
            significant(at.premium_increase.abs(), 3)
        ),
        baseline: estimate(at.baseline_sharpe, f64::NAN),
        strategy: estimate(at.sharpe, f64::NAN),
        difference,
        relative: false,
        verdict: verdict
            .of_seeds(seeds)
            .of_ratios([at.baseline_sharpe, at.sharpe]),
        why: Some(format!(
            "at the premium at which the {} of {} is zero, below which it would not sell",
            metrics.risk, pair.baseline
        )),
    }
}
