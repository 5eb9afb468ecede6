//! What a run says of its strategies, in one structure: what was hedged, one sentence, and a grid of two strategies and their
//! difference on every kind of paths. Pages, reports, lists and the API draw from it, so that they cannot disagree.

mod anew;
mod choice;
mod markup;
mod part;
mod words;

pub use anew::{against, overlap, with_changes};
pub use choice::{Asked, Pair};
pub use markup::shown;
pub use part::{Line, Measure, Part, Paths};

use super::crossed;
use super::table::{Cell, Table, estimates};
use crate::numbers::percent;
use crate::runs::metrics::Metrics;
use crate::strategy::Strategy;
use serde::Serialize;

/// The verdict of a run.
///
/// # Units
/// Those of [`crate::risk::Row`]; what is not a number is null in JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct RunVerdict {
    /// What was hedged, in one line; absent where the strategy file cannot be read by this version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hedged: Option<String>,
    /// What was found, in one sentence, and in a second one what limits it.
    pub sentence: String,
    /// The strategy that is compared.
    pub strategy: String,
    /// The strategy that it is compared with.
    pub baseline: String,
    /// The strategies of the run, each of which may be the baseline.
    pub strategies: Vec<String>,
    /// The trainings behind each difference; 0 where neither strategy is trained.
    pub seeds: usize,
    /// Whether a learned strategy was trained once, so that nothing is said to be better or worse.
    pub one_seed: bool,
    /// The strategies on each kind of paths that the run has.
    pub parts: Vec<Part>,
    /// How to read the numbers.
    pub notes: Vec<String>,
}

impl RunVerdict {
    /// The verdict on `pair`, whose changes `metrics` has; of a comparison across markets its conclusion, without a grid. Nothing
    /// where the run has results of fewer than two strategies.
    pub fn of(metrics: &Metrics, file: Option<&Strategy>, pair: &Pair) -> Option<Self> {
        let parts = part::all(metrics, pair);
        if parts.is_empty() && metrics.crossed.is_empty() {
            return None;
        }
        let of_parts = parts.iter().map(|part| part.seeds);
        let crossed = metrics
            .crossed
            .iter()
            .filter(|r| r.strategy == pair.strategy);
        let seeds: Vec<usize> = of_parts.chain(crossed.map(|r| r.seeds)).collect();
        let mut verdict = Self {
            hedged: file.map(Strategy::in_words),
            sentence: String::new(),
            strategy: pair.strategy.clone(),
            baseline: pair.baseline.clone(),
            strategies: super::summary::strategies(metrics),
            seeds: seeds.iter().copied().max().unwrap_or(0),
            one_seed: seeds.contains(&1),
            parts,
            notes: Vec::new(),
        };
        if verdict.parts.is_empty() {
            verdict.sentence = crossed::conclusion(metrics, pair);
            return Some(verdict);
        }
        verdict.sentence = words::sentence(&verdict);
        verdict.notes = words::notes(&verdict, metrics);
        Some(verdict)
    }

    /// The verdict that a run's page shows if nothing else is asked for, made of `metrics.json` and the text of the strategy
    /// file alone.
    pub fn usual(metrics: &Metrics, file: Option<&str>) -> Option<Self> {
        let file = file.and_then(|text| Strategy::parse(text).ok());
        let pair = Pair::usual(metrics, file.as_ref())?;
        Self::of(metrics, file.as_ref(), &pair)
    }

    /// What stands beside one seed or few, in two or three words; nothing for four seeds and more, and where nothing is trained.
    pub fn badge(&self) -> Option<String> {
        match self.seeds {
            1 => Some("one seed".into()),
            few @ 2..4 => Some(format!("{few} seeds")),
            _ => None,
        }
    }

    /// The grid as tables, one for each kind of paths, for terminals.
    pub fn tables(&self) -> Vec<Table> {
        let of = |part: &Part| {
            let heads = ["", &self.baseline, &self.strategy, "difference", ""];
            Table {
                caption: part.caption(),
                heads: heads.map(str::to_owned).to_vec(),
                rows: part.lines.iter().map(cells).collect(),
                ..Table::default()
            }
        };
        let mut tables: Vec<Table> = self.parts.iter().map(of).collect();
        if let Some(last) = tables.last_mut() {
            last.notes.clone_from(&self.notes);
        }
        tables
    }
}

/// A line of the grid: what is measured, the baseline, the strategy, their difference, and what it comes to.
fn cells(line: &Line) -> Vec<Cell> {
    let sides = [line.baseline, line.strategy];
    let mut cells = vec![Cell::plain(&line.title)];
    cells.extend(estimates(
        sides.map(|side| Some((side.value, Some(side.standard_error)))),
    ));
    cells.push(difference(line));
    cells.push(Cell::plain(line.verdict.words()));
    cells
}

/// The difference of a line, a fraction in per cent or an amount, each with its sign.
pub(crate) fn difference(line: &Line) -> Cell {
    let of = line.difference;
    if !of.value.is_finite() {
        return Cell::plain("n/a");
    }
    if !line.relative {
        return Cell::difference(of.value, of.standard_error, line.verdict);
    }
    let (value, error) = percent(of.value, of.standard_error);
    Cell {
        value,
        error: of.standard_error.is_finite().then_some(error),
        verdict: Some(line.verdict),
        link: None,
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
