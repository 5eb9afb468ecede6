//! What lists say of a run.

use crate::report::summary::{Line, Statistic, lines, main_level};
use crate::risk::Estimate;
use crate::runs::index::Summary;
use crate::runs::metrics::{Comparison, Metrics};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The hedge that a run is about beside its baseline, on simulated test paths or, where there are none, on history.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Headline {
    /// Whether the contracts were sold on history.
    pub on_history: bool,
    /// The hedge that the run is about.
    pub strategy: String,
    /// What it is compared with, if there was a comparison.
    pub baseline: Option<String>,
    /// The seeds that it was trained with; none of a hedge that is not trained.
    pub seeds: usize,
    /// P&L variance, mean cost, Sharpe ratio and CVaR.
    pub figures: [Figure; 4],
}

/// One result of a hedge and of its baseline. What is not a number is absent.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Figure {
    /// The hedge's result.
    pub value: Number,
    /// The baseline's result.
    pub baseline: Number,
    /// The change: a fraction of the baseline's, of the Sharpe ratio a difference.
    pub change: Number,
}

/// A number with its standard error.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Number {
    /// The number, if it is one.
    pub value: Option<f64>,
    /// Its standard error, if it has one.
    pub standard_error: Option<f64>,
}

impl Number {
    fn new(value: f64, standard_error: f64) -> Self {
        let finite = |number: f64| Some(number).filter(|number| number.is_finite());
        Self {
            value: finite(value),
            standard_error: finite(standard_error),
        }
    }

    fn of(estimate: Option<Estimate>) -> Self {
        estimate.map_or_else(Self::default, |estimate| {
            Self::new(estimate.value, estimate.standard_error)
        })
    }
}

impl Headline {
    /// The hedge of the first comparison beside its baseline; without one the first trained hedge, or else the first of all.
    /// Nothing of a run that measured none.
    pub fn of(metrics: &Metrics) -> Option<Self> {
        let on_history = metrics.evaluation.is_empty();
        let (rows, comparisons) = match on_history {
            true => (&metrics.backtest, &metrics.backtest_comparisons),
            false => (&metrics.evaluation, &metrics.comparisons),
        };
        let lines = lines(rows);
        let named = |name: &str| lines.iter().find(|line| line.strategy == name);
        let compared = comparisons
            .iter()
            .find_map(|of| Some((named(&of.strategy)?, named(&of.baseline)?, of)));
        let statistics = [
            Statistic::PnlVariance,
            Statistic::Cost,
            Statistic::Sharpe,
            Statistic::Cvar(main_level(metrics).to_owned()),
        ];
        let of = |line: &Line<'_>, against: Option<(&Line<'_>, &Comparison)>| Self {
            on_history,
            strategy: line.strategy.to_owned(),
            baseline: against.map(|(baseline, _)| baseline.strategy.to_owned()),
            seeds: line.seeds(),
            figures: std::array::from_fn(|index| Figure {
                value: Number::of(line.estimate(&statistics[index])),
                baseline: against.map_or_else(Number::default, |(baseline, _)| {
                    Number::of(baseline.estimate(&statistics[index]))
                }),
                change: against
                    .map_or_else(Number::default, |(_, comparison)| change(comparison, index)),
            }),
        };
        match compared {
            Some((line, baseline, comparison)) => Some(of(line, Some((baseline, comparison)))),
            None => {
                let trained = lines.iter().find(|line| line.seeds() > 0);
                trained.or(lines.first()).map(|line| of(line, None))
            }
        }
    }

    /// What a list says of a run, if it has results.
    pub fn read(summary: &Value) -> Option<Self> {
        Self::deserialize(&summary["headline"]).ok()
    }
}

/// The change of variance, cost, Sharpe ratio or CVaR.
fn change(comparison: &Comparison, index: usize) -> Number {
    let c = comparison;
    let changes = [
        (c.pnl_variance_change, c.pnl_variance_change_standard_error),
        (c.cost_change, c.cost_change_standard_error),
        (c.sharpe_difference, c.sharpe_difference_standard_error),
        (c.cvar_change, c.cvar_change_standard_error),
    ];
    Number::new(changes[index].0, changes[index].1)
}

/// What lists say of a complete run.
pub fn summary(metrics: &Metrics) -> Summary {
    let rows = if metrics.evaluation.is_empty() {
        &metrics.backtest
    } else {
        &metrics.evaluation
    };
    let cvar = Statistic::Cvar(main_level(metrics).to_owned());
    let strategies: Vec<Value> = lines(rows)
        .iter()
        .map(|line| {
            let estimate = line.estimate(&cvar);
            json!({
                "strategy": line.strategy,
                "cvar": estimate.map(|e| e.value),
                "cvar_standard_error": estimate.map(|e| e.standard_error),
            })
        })
        .collect();
    let headline = Headline::of(metrics);
    let results = headline.as_ref().map_or([None; 4], |headline| {
        headline.figures.map(|figure| figure.value.value)
    });
    let said = json!({
        "name": metrics.name,
        "command": metrics.command,
        "created": metrics.created,
        "risk": metrics.risk,
        "cvar_level": main_level(metrics),
        "headline": headline,
        "strategies": strategies,
        "comparisons": metrics.comparisons,
    });
    Summary { said, results }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::fixture;

    /// The headline is that of the run's comparison; what is read from the list is what was written; without test paths it is
    /// that of history, without a comparison the first trained hedge, and without a trained one the first hedge.
    #[test]
    fn the_headline_is_what_the_run_is_about() {
        let mut metrics = fixture::metrics();
        let summary = super::summary(&metrics);
        let read = Headline::read(&summary.said).unwrap();
        assert_eq!(
            (read.strategy.as_str(), read.baseline.as_deref(), read.seeds),
            ("kfac", Some("adam"), 2)
        );
        assert!(!read.on_history);
        let change = metrics.comparisons[0].cost_change;
        assert_eq!(read.figures[1].change.value, Some(change));
        let costs = |name: &str| {
            let rows = metrics.evaluation.iter();
            let costs: Vec<f64> = rows
                .filter(|row| row.strategy == name)
                .map(|row| row.cost_mean)
                .collect();
            costs.iter().sum::<f64>() / costs.len() as f64
        };
        for (number, name) in [(read.figures[1].value, "kfac"), (read.figures[1].baseline, "adam")] {
            assert!((number.value.unwrap() - costs(name)).abs() < 1e-12);
        }
        assert_eq!(summary.results[1], read.figures[1].value.value);

        metrics.evaluation.clear();
        metrics.comparisons.clear();
        assert!(Headline::of(&metrics).unwrap().on_history);
        metrics.backtest_comparisons.clear();
        let alone = Headline::of(&metrics).unwrap();
        assert_eq!((alone.strategy.as_str(), alone.baseline), ("kfac", None));
        metrics.backtest.retain(|row| row.seed.is_none());
        assert_eq!(Headline::of(&metrics).unwrap().strategy, "naked");
        metrics.backtest.clear();
        assert!(Headline::of(&metrics).is_none());
    }
}
