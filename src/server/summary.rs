//! What lists say of a run.

use crate::report::summary::{Line, Statistic, Verdict, lines, main_level};
use crate::report::verdict::{Measure, Part, Paths, RunVerdict};
use crate::risk::Estimate;
use crate::runs::index::Summary;
use crate::runs::metrics::Metrics;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The verdict of a run as a row of a list: two strategies, and their difference on every kind of paths.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Headline {
    /// What was hedged, in one line.
    pub hedged: Option<String>,
    /// What stands beside one seed or few.
    pub badge: Option<String>,
    /// The hedge that the run is about.
    pub strategy: String,
    /// What it is compared with, if the run has two hedges.
    pub baseline: Option<String>,
    /// The kinds of paths, simulated ones first.
    pub parts: Vec<HeadlinePart>,
}

/// Variance, cost, Sharpe ratio and CVaR on one kind of paths.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HeadlinePart {
    /// The kind of paths: `Simulated`, `Historical` or `Walk-forward`.
    pub title: String,
    /// The results, in the order of [`MEASURES`].
    pub figures: [Figure; MEASURES.len()],
}

/// The results of a row, with their names.
pub const MEASURES: [(Measure, &str); 4] = [
    (Measure::PnlVariance, "P&L variance"),
    (Measure::Cost, "cost"),
    (Measure::Sharpe, "Sharpe"),
    (Measure::Cvar, "CVaR"),
];

/// One result of a hedge and of its baseline. What is not a number is absent.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Figure {
    /// The hedge's result.
    pub value: Number,
    /// The baseline's result.
    pub baseline: Number,
    /// The difference.
    pub change: Number,
    /// Whether the difference is a fraction of the baseline's result.
    pub relative: bool,
    /// What the difference comes to.
    pub verdict: Option<Verdict>,
}

/// A number with its standard error.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Number {
    /// The number, if it is one.
    pub value: Option<f64>,
    /// Its standard error, if it has one.
    pub standard_error: Option<f64>,
}

impl From<Estimate> for Number {
    fn from(estimate: Estimate) -> Self {
        let finite = |number: f64| Some(number).filter(|number| number.is_finite());
        Self {
            value: finite(estimate.value),
            standard_error: finite(estimate.standard_error),
        }
    }
}

impl From<&Part> for HeadlinePart {
    fn from(part: &Part) -> Self {
        let figure = |(measure, _)| {
            let line = part.line(measure)?;
            Some(Figure {
                value: line.strategy.into(),
                baseline: line.baseline.into(),
                change: line.difference.into(),
                relative: line.relative,
                verdict: Some(line.verdict),
            })
        };
        Self {
            title: part.paths.title().to_owned(),
            figures: MEASURES.map(|measure| figure(measure).unwrap_or_default()),
        }
    }
}

impl Headline {
    /// The usual verdict of a run; of one that has a single hedge its results; nothing of one that measured none.
    pub fn of(metrics: &Metrics, strategy: Option<&str>) -> Option<Self> {
        let verdict = RunVerdict::usual(metrics, strategy);
        let Some(verdict) = verdict.filter(|verdict| !verdict.parts.is_empty()) else {
            return Self::alone(metrics);
        };
        Some(Self {
            badge: verdict.badge(),
            parts: verdict.parts.iter().map(HeadlinePart::from).collect(),
            hedged: verdict.hedged,
            strategy: verdict.strategy,
            baseline: Some(verdict.baseline),
        })
    }

    fn alone(metrics: &Metrics) -> Option<Self> {
        let (paths, rows) = match metrics.evaluation.is_empty() {
            true => (Paths::Historical, &metrics.backtest),
            false => (Paths::Simulated, &metrics.evaluation),
        };
        let lines = lines(rows);
        let line = lines.first()?;
        let of = |line: &Line<'_>, measure: Measure| {
            let statistic = match measure {
                Measure::PnlVariance => Statistic::PnlVariance,
                Measure::Cost => Statistic::Cost,
                Measure::Cvar => Statistic::Cvar(main_level(metrics).to_owned()),
                Measure::Sharpe | Measure::SharpeAtIndifference => Statistic::Sharpe,
            };
            Figure {
                value: line
                    .estimate(&statistic)
                    .map_or_else(Number::default, Number::from),
                ..Figure::default()
            }
        };
        Some(Self {
            strategy: line.strategy.to_owned(),
            parts: vec![HeadlinePart {
                title: paths.title().to_owned(),
                figures: MEASURES.map(|(measure, _)| of(line, measure)),
            }],
            ..Self::default()
        })
    }

    /// What a list says of a run, if it has results.
    pub fn read(summary: &Value) -> Option<Self> {
        Self::deserialize(&summary["headline"]).ok()
    }

    /// The results of the hedge on the first kind of paths.
    pub fn results(&self) -> [Option<f64>; MEASURES.len()] {
        let first = self.parts.first();
        first.map_or([None; MEASURES.len()], |part| {
            part.figures.map(|figure| figure.value.value)
        })
    }
}

/// What lists say of a complete run.
pub fn summary(metrics: &Metrics, strategy: Option<&str>) -> Summary {
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
    let headline = Headline::of(metrics, strategy);
    let results = headline.as_ref().map_or([None; 4], Headline::results);
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

    /// The headline is the run's verdict: what is read from the list is what was written, and of the mean over seeds. A run with one
    /// hedge has its results, and one without hedges nothing.
    #[test]
    fn the_headline_is_the_verdict_of_the_run() {
        let mut metrics = fixture::metrics();
        let summary = super::summary(&metrics, None);
        let read = Headline::read(&summary.said).unwrap();
        assert_eq!(
            (
                read.strategy.as_str(),
                read.baseline.as_deref(),
                read.badge.as_deref()
            ),
            ("kfac", Some("adam"), Some("2 seeds"))
        );
        let titles: Vec<&str> = read.parts.iter().map(|part| part.title.as_str()).collect();
        assert_eq!(titles, ["Simulated", "Historical"]);
        let cost = read.parts[0].figures[1];
        assert_eq!(cost.change.value, Some(metrics.comparisons[0].cost_change));
        let costs = |name: &str| {
            let rows = metrics.evaluation.iter();
            let costs: Vec<f64> = rows
                .filter(|row| row.strategy == name)
                .map(|row| row.cost_mean)
                .collect();
            costs.iter().sum::<f64>() / costs.len() as f64
        };
        for (number, name) in [(cost.value, "kfac"), (cost.baseline, "adam")] {
            assert!((number.value.unwrap() - costs(name)).abs() < 1e-12);
        }
        assert_eq!(summary.results[1], cost.value.value);

        metrics.backtest.clear();
        metrics.evaluation.truncate(1);
        metrics.evaluation[0].sharpe = f64::NAN;
        let alone = Headline::of(&metrics, None).unwrap();
        assert_eq!(
            (alone.strategy.as_str(), alone.baseline.as_deref()),
            ("kfac", None)
        );
        let [variance, _, sharpe, _] = alone.results();
        assert_eq!(
            (variance, sharpe),
            (Some(metrics.evaluation[0].pnl_variance), None)
        );
        metrics.evaluation.clear();
        assert!(Headline::of(&metrics, None).is_none());
    }
}
