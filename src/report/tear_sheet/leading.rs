//! Which strategies figures of history draw, where a table or a chart has room for all.

use crate::report::summary::lines;
use crate::runs::metrics::Metrics;
use crate::runs::walk_forward::Results;

/// The strategy under test, what it is measured by, and who else is drawn beside them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leading {
    /// The strategy under test.
    pub strategy: String,
    /// The baseline of the run's comparisons; none where the strategy is alone.
    pub baseline: Option<String>,
    /// Both, the other trained strategies and the best classical hedge, in the order of the run.
    pub shown: Vec<String>,
}

/// How many strategies a figure draws at most.
const MOST: usize = 7;

impl Leading {
    /// Those of a run with a backtest or, with `results`, of a walk-forward; none of a run without history.
    ///
    /// The strategy and its baseline are those of the run's first comparison or, of a walk-forward, the strategy under test and the
    /// first trained one that it is tested against. Where nothing was trained they are the first two.
    pub fn of(metrics: &Metrics, results: Option<&Results>) -> Option<Self> {
        let all: Vec<&str> = lines(&metrics.backtest)
            .iter()
            .map(|l| l.strategy)
            .collect();
        let first_of_all = *all.first()?;
        let is_trained = |name: &str| {
            let mut rows = metrics.backtest.iter();
            rows.any(|row| row.strategy == name && row.seed.is_some())
        };
        let compared = metrics.backtest_comparisons.first();
        let compared = compared.map(|one| (one.strategy.as_str(), Some(one.baseline.as_str())));
        let tested = || {
            let tests = &results?.tests;
            let others = || tests.iter().map(|test| test.against.as_str());
            let trained = others().find(|name| is_trained(name));
            let first = tests.first()?.strategy.as_str();
            Some((first, trained.or_else(|| others().next())))
        };
        let first = || (first_of_all, all.get(1).copied());
        let (strategy, baseline) = compared.or_else(tested).unwrap_or_else(first);
        let simple = metrics.best_classical.first();
        let best = simple.map(|best| best.strategy.as_str()).or_else(|| {
            let best = results?.best_classical.as_ref()?;
            Some(best.strategy.as_str())
        });
        let named = |name: &str| name == strategy || Some(name) == baseline || Some(name) == best;
        let any_trained = all.iter().any(|name| is_trained(name));
        let mut further = MOST - all.iter().filter(|name| named(name)).count().min(MOST);
        let shown = all.iter().filter(|name| {
            let may = named(name) || !any_trained || is_trained(name);
            let takes = may && (named(name) || further > 0);
            further -= usize::from(takes && !named(name));
            takes
        });
        Some(Self {
            shown: shown.map(|name| (*name).to_owned()).collect(),
            strategy: strategy.to_owned(),
            baseline: baseline.map(str::to_owned),
        })
    }

    /// Whether figures draw the strategy.
    pub fn shows(&self, strategy: &str) -> bool {
        self.shown.iter().any(|name| name == strategy)
    }
}
