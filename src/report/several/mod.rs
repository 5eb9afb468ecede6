//! Several runs beside each other, and their differences from one of them.

mod names;
mod sides;

pub use names::{letter, named};

use super::summary::{Line, Statistic, Verdict, cvar_label, lines, main_level};
use super::table::{Cell, Table, estimates, heads};
use super::verdict::{Pair, RunVerdict};
use crate::risk::Row;
use crate::runs::comparison::Comparison;
use crate::runs::metrics::Metrics;
use crate::runs::tables::{BacktestTable, EvaluationTable};
use crate::runs::warnings::Disagreement;
use crate::strategy::Strategy;
use sides::{Measurement, Side, changes, historical_books, simulated_books};

/// What is read of a run to set it beside others.
pub struct OneOfSeveral {
    /// The results.
    pub metrics: Metrics,
    /// The text of the strategy file, if there is one.
    pub strategy: Option<String>,
    /// The P&L on every simulated test path, if there were any.
    pub evaluation: Option<EvaluationTable>,
    /// The P&L of every contract sold on history, if there were any.
    pub backtest: Option<BacktestTable>,
}

/// Several runs beside each other.
pub struct Several {
    /// All their rows, by names that tell the runs apart, and the changes of every strategy of every other run against the one of
    /// the same name of the run that is compared with.
    pub joined: Metrics,
    /// Of each run whether its test paths are those of the run that is compared with, path by path; absent without paths.
    pub same_paths: Vec<Option<bool>>,
    /// The same of contracts on history.
    pub same_contracts: Vec<Option<bool>>,
    reference: usize,
    runs: usize,
    /// The strategies that are compared, first the one that the run that is compared with is about.
    compared: Vec<String>,
}

impl Several {
    /// The runs with their differences from run number `reference`.
    ///
    /// Two runs have the same paths if some hedge without training has the same P&L on every one of them, to the last bit: then
    /// differences are paired, path by path and seed by seed. Otherwise the two sides are taken to be independent.
    pub fn new(runs: Vec<OneOfSeveral>, reference: usize) -> Self {
        let mut joined = joined(&runs);
        let risk = runs[reference].strategy.as_deref();
        let risk = risk.and_then(|text| Strategy::parse(text).ok()?.risk_measure().ok());
        let level = main_level(&runs[reference].metrics).to_owned();
        let compared = compared(&runs, reference);
        let count = runs.len();
        let (mut simulated, mut historical) = (Vec::new(), Vec::new());
        let (mut on_paths, mut on_history) = (Vec::new(), Vec::new());
        for run in runs {
            simulated.push(simulated_books(run.evaluation));
            historical.push(historical_books(run.backtest));
            on_paths.push(run.metrics.evaluation);
            on_history.push(run.metrics.backtest);
        }
        let measure = |books: &[Vec<Measurement>], rows: &[Vec<Row>]| {
            let mut same = Vec::new();
            let mut comparisons = Vec::new();
            for run in (0..count).filter(|run| *run != reference) {
                let sides = [run, reference].map(|run| Side {
                    run,
                    rows: &rows[run],
                    books: &books[run],
                });
                let common = sides[0].shares_paths(&sides[1]);
                same.push((run, common));
                let paired = risk.filter(|_| common == Some(true));
                comparisons.extend(changes(&sides, paired, &level));
            }
            let of_run = |run| {
                same.iter()
                    .find(|(of, _)| *of == run)
                    .and_then(|(_, same)| *same)
            };
            ((0..count).map(of_run).collect(), comparisons)
        };
        let (same_paths, comparisons) = measure(&simulated, &on_paths);
        joined.comparisons = comparisons;
        let (same_contracts, comparisons) = measure(&historical, &on_history);
        joined.backtest_comparisons = comparisons;
        Self {
            joined,
            same_paths,
            same_contracts,
            reference,
            runs: count,
            compared,
        }
    }

    /// What the strategy that is compared first comes to in every other run, in a sentence each.
    pub fn findings(&self) -> Vec<String> {
        let others = (0..self.runs).filter(|run| *run != self.reference);
        let pairs = others.zip(self.compared.first().into_iter().cycle());
        let pairs = pairs.map(|(run, strategy)| Pair {
            strategy: named(strategy, run),
            baseline: named(strategy, self.reference),
        });
        let verdicts = pairs.filter_map(|pair| RunVerdict::of(&self.joined, None, &pair));
        verdicts.map(|verdict| verdict.sentence).collect()
    }

    /// How the differences were made, in a sentence for each kind of paths.
    pub fn notes(&self) -> Vec<String> {
        let of = |same: &[Option<bool>], what: &str| {
            let named = |wanted: bool| -> Vec<String> {
                let runs = same.iter().enumerate();
                let runs = runs.filter(|(_, same)| **same == Some(wanted));
                runs.map(|(run, _)| letter(run).to_string()).collect()
            };
            let (common, own) = (named(true), named(false));
            let reference = letter(self.reference);
            let mut notes = Vec::new();
            if !common.is_empty() {
                notes.push(format!(
                    "{} and {reference} have the same {what}: differences are paired on them.",
                    common.join(", ")
                ));
            }
            if !own.is_empty() {
                notes.push(format!(
                    "{} and {reference} have different {what}: differences are between two samples, taken to be independent.",
                    own.join(", ")
                ));
            }
            notes
        };
        let mut notes = of(&self.same_paths, "test paths");
        notes.extend(of(&self.same_contracts, "contracts on history"));
        notes
    }

    /// Variance, cost, CVaR and Sharpe ratio of the trained strategies of all runs, with their differences, on each kind of paths.
    pub fn tables(&self) -> Vec<Table> {
        let joined = &self.joined;
        let parts = [
            (
                "Simulated test paths",
                &joined.evaluation,
                &joined.comparisons,
            ),
            ("History", &joined.backtest, &joined.backtest_comparisons),
        ];
        let tables = parts.into_iter().filter_map(|(part, rows, comparisons)| {
            let caption = format!("{part}: differences from {}", letter(self.reference));
            self.table(caption, rows, comparisons)
        });
        tables.collect()
    }

    fn table(&self, caption: String, rows: &[Row], comparisons: &[Comparison]) -> Option<Table> {
        let lines = lines(rows);
        let mut found = Vec::new();
        for strategy in &self.compared {
            for run in 0..self.runs {
                let name = named(strategy, run);
                let line = lines.iter().find(|line| line.strategy == name);
                found.extend(line.map(|line| {
                    let comparison = comparisons.iter().find(|of| of.strategy == name);
                    (line, comparison)
                }));
            }
        }
        if found.is_empty() {
            return None;
        }
        let level = main_level(&self.joined);
        let cvar = cvar_label(level);
        let columns = [
            ("P&L variance", Statistic::PnlVariance),
            ("cost", Statistic::Cost),
            (cvar.as_str(), Statistic::Cvar(level.to_owned())),
            ("Sharpe", Statistic::Sharpe),
        ];
        let mut table = Table {
            caption,
            heads: heads(&["strategy"]),
            rows: found
                .iter()
                .map(|(line, _)| vec![Cell::plain(line.strategy)])
                .collect(),
            ..Table::default()
        };
        for (column, (head, statistic)) in columns.iter().enumerate() {
            table.heads.push((*head).to_owned());
            table.heads.push(match column {
                3 => "difference".into(),
                _ => "change".into(),
            });
            let values = estimates(found.iter().map(|(line, _)| {
                let estimate = line.estimate(statistic)?;
                Some((estimate.value, Some(estimate.standard_error)))
            }));
            for ((row, value), (_, comparison)) in table.rows.iter_mut().zip(values).zip(&found) {
                row.push(value);
                let cell = comparison.map(|of| {
                    let means = [&of.strategy, &of.baseline].map(|name| mean(&lines, name));
                    difference(of, column, means)
                });
                row.push(cell.unwrap_or_default());
            }
        }
        Some(table)
    }
}

/// The mean P&L of a strategy.
fn mean(lines: &[Line<'_>], strategy: &str) -> f64 {
    let line = lines.iter().find(|line| line.strategy == strategy);
    let mean = line.and_then(|line| line.estimate(&Statistic::PnlMean));
    mean.map_or(f64::NAN, |mean| mean.value)
}

/// The change of variance, cost or CVaR, or the difference of the Sharpe ratios of hedges whose mean P&L are `means`.
fn difference(c: &Comparison, column: usize, means: [f64; 2]) -> Cell {
    let (value, error) = match column {
        0 => (c.pnl_variance_change, c.pnl_variance_change_standard_error),
        1 => (c.cost_change, c.cost_change_standard_error),
        2 => (c.cvar_change, c.cvar_change_standard_error),
        _ => (c.sharpe_difference, c.sharpe_difference_standard_error),
    };
    if column < 3 {
        return Cell::change(value, error, c.seeds);
    }
    let verdict = Verdict::higher_is_better(value, error);
    Cell::difference(value, error, verdict.of_seeds(c.seeds).of_ratios(means))
}

/// The trained strategies of the runs in order of appearance, but first the one that the run number `reference` is about; all
/// strategies where none is trained.
fn compared(runs: &[OneOfSeveral], reference: usize) -> Vec<String> {
    let run = &runs[reference];
    let file = run
        .strategy
        .as_deref()
        .and_then(|text| Strategy::parse(text).ok());
    let usual = Pair::usual(&run.metrics, file.as_ref()).map(|pair| pair.strategy);
    let all = |trained: bool| {
        let mut names: Vec<String> = Vec::new();
        for run in runs {
            let rows = run.metrics.evaluation.iter().chain(&run.metrics.backtest);
            for row in rows.filter(|row| row.seed.is_some() || !trained) {
                if !names.contains(&row.strategy) {
                    names.push(row.strategy.clone());
                }
            }
        }
        names
    };
    let trained = all(true);
    let mut names = if trained.is_empty() {
        all(false)
    } else {
        trained
    };
    names.sort_by_key(|name| usual.as_ref() != Some(name));
    names
}

/// One run's metrics out of those of several: their rows, by names that tell the runs apart.
fn joined(runs: &[OneOfSeveral]) -> Metrics {
    let mut all = Metrics {
        training: Vec::new(),
        comparisons: Vec::new(),
        backtest_comparisons: Vec::new(),
        backtest_breakdown: Vec::new(),
        evaluation: Vec::new(),
        backtest: Vec::new(),
        disagreements: Vec::new(),
        hedges: Vec::new(),
        best_classical: Vec::new(),
        backtest_market: None,
        ..runs[0].metrics.clone()
    };
    for (run, OneOfSeveral { metrics, .. }) in runs.iter().enumerate() {
        let renamed = |row: &Row| Row {
            strategy: named(&row.strategy, run),
            ..row.clone()
        };
        all.evaluation
            .extend(metrics.evaluation.iter().map(renamed));
        all.backtest.extend(metrics.backtest.iter().map(renamed));
        let disagreements = metrics.disagreements.iter();
        all.disagreements
            .extend(disagreements.map(|found| Disagreement {
                strategy: named(&found.strategy, run),
                ..found.clone()
            }));
    }
    all
}

#[cfg(test)]
mod tests;
