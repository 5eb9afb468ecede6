//! Changes against another baseline than the run's own, made from its tables.

use super::choice::Pair;
use crate::error::Result;
use crate::hedging::Book;
use crate::report::summary::strategies;
use crate::risk::{Risk, Row};
use crate::runs::comparison::{Comparison, Measured};
use crate::runs::metrics::Metrics;
use crate::runs::store::RunFolder;
use crate::strategy::Strategy;

/// A book of a table with its key.
type Keyed = (String, Option<u64>, Book);

/// The results of a run with the changes of all learned strategies, and of that of `pair`, against the baseline of `pair`: as the
/// run's own are made, from the P&L of every path and contract. A run that has them already, and was not `asked` for another
/// baseline, is left as it is; so is a kind of paths without a table.
///
/// # Errors
/// [`crate::Error::Input`] if a table is damaged.
pub fn against(
    folder: &RunFolder,
    mut metrics: Metrics,
    file: Option<&Strategy>,
    (pair, asked): (&Pair, bool),
) -> Result<Metrics> {
    let has = |rows: &[Row], comparisons: &[Comparison]| {
        rows.is_empty() || pair.of(comparisons).is_some()
    };
    let simulated = has(&metrics.evaluation, &metrics.comparisons);
    let historical = has(&metrics.backtest, &metrics.backtest_comparisons);
    let Some(risk) = file.and_then(|file| file.risk_measure().ok()) else {
        return Ok(metrics);
    };
    let names = compared(&metrics, pair);
    let wanted = |has: bool, rows: &[Row]| (asked || !has) && !rows.is_empty();
    let evaluation = match wanted(simulated, &metrics.evaluation) {
        true => folder.evaluation()?,
        false => None,
    };
    if let Some(table) = evaluation {
        let books = table.books.into_iter();
        let books = books.map(|of| (of.strategy, of.seed, book([of.pnl, of.cost, of.turnover])));
        metrics.comparisons = changes(&metrics.evaluation, books, &names, (pair, risk));
    }
    let backtest = match wanted(historical, &metrics.backtest) {
        true => folder.backtest()?,
        false => None,
    };
    if let Some(table) = backtest {
        let books = table.books.into_iter();
        let books = books.map(|of| (of.strategy, of.seed, book([of.pnl, of.cost, of.turnover])));
        metrics.backtest_comparisons = changes(&metrics.backtest, books, &names, (pair, risk));
    }
    Ok(metrics)
}

fn book([pnl, cost, turnover]: [Vec<f64>; 3]) -> Book {
    Book {
        pnl,
        cost,
        turnover,
    }
}

/// The results of a run with the changes that its usual verdict needs, which runs of older versions that walked forward lack.
///
/// # Errors
/// See [`against`].
pub fn with_changes(folder: &RunFolder, metrics: Metrics, file: Option<&str>) -> Result<Metrics> {
    let file = file.and_then(|text| Strategy::parse(text).ok());
    match Pair::usual(&metrics, file.as_ref()) {
        Some(pair) => against(folder, metrics, file.as_ref(), (&pair, false)),
        None => Ok(metrics),
    }
}

/// The learned strategies and that of the pair, without the baseline.
fn compared(metrics: &Metrics, pair: &Pair) -> Vec<String> {
    let trained = |name: &str| {
        let mut rows = metrics.evaluation.iter().chain(&metrics.backtest);
        rows.any(|row| row.strategy == name && row.seed.is_some())
    };
    let mut names = strategies(metrics);
    names.retain(|name| *name != pair.baseline && (trained(name) || *name == pair.strategy));
    names
}

fn changes(
    rows: &[Row],
    books: impl Iterator<Item = Keyed>,
    names: &[String],
    (pair, risk): (&Pair, Risk),
) -> Vec<Comparison> {
    let wanted = |name: &str| name == pair.baseline || names.iter().any(|one| one == name);
    let books: Vec<Keyed> = books.filter(|(name, _, _)| wanted(name)).collect();
    let measured: Vec<Measured<'_>> = books
        .iter()
        .filter_map(|(name, seed, book)| {
            let mut rows = rows.iter();
            let row = rows.find(|row| row.strategy == *name && row.seed == *seed)?;
            // Rows of fewer paths than the table has are about something else.
            (row.paths == book.pnl.len()).then_some((row, book))
        })
        .collect();
    let overlap = measured.first().map_or(1.0, |(row, _)| overlap(row));
    let names = names.iter();
    names
        .filter_map(|name| Comparison::of(&measured, (name, &pair.baseline), risk, overlap))
        .collect()
}

/// How many contracts live at a time, as the standard error √(s² overlap/n) of a row's mean says; 1 if it says nothing.
pub fn overlap(row: &Row) -> f64 {
    let count = row.paths as f64;
    let found = count * row.pnl_mean_standard_error.powi(2) / row.pnl_variance;
    match found.is_finite() {
        true => found.max(1.0),
        false => 1.0,
    }
}

#[cfg(test)]
#[path = "anew_tests.rs"]
mod tests;
