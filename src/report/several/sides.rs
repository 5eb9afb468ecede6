//! Two runs of a difference, on paths that they share or on paths of their own.

use super::names::named;
use crate::hedging::Book;
use crate::report::summary::{Line, Statistic, lines};
use crate::report::verdict::overlap;
use crate::risk::{Estimate, Risk, Row};
use crate::runs::comparison::{Comparison, Measured};
use crate::runs::tables::{BacktestTable, EvaluationTable};

/// A book of a table with its strategy, its seed, and the days of its contracts.
pub(super) struct Measurement {
    strategy: String,
    seed: Option<u64>,
    days: Vec<[chrono::NaiveDate; 2]>,
    book: Book,
}

/// The books of the simulated test paths.
pub(super) fn simulated_books(table: Option<EvaluationTable>) -> Vec<Measurement> {
    let books = table.into_iter().flat_map(|table| table.books);
    books
        .map(|of| Measurement {
            strategy: of.strategy,
            seed: of.seed,
            days: Vec::new(),
            book: Book {
                pnl: of.pnl,
                cost: of.cost,
                turnover: of.turnover,
            },
        })
        .collect()
}

/// The books of the contracts sold on history.
pub(super) fn historical_books(table: Option<BacktestTable>) -> Vec<Measurement> {
    let books = table.into_iter().flat_map(|table| table.books);
    books
        .map(|of| Measurement {
            strategy: of.strategy,
            seed: of.seed,
            days: of
                .date
                .into_iter()
                .zip(of.expiry)
                .map(|(date, expiry)| [date, expiry])
                .collect(),
            book: Book {
                pnl: of.pnl,
                cost: of.cost,
                turnover: of.turnover,
            },
        })
        .collect()
}

/// One run of a difference.
pub(super) struct Side<'a> {
    /// The number of the run.
    pub(super) run: usize,
    /// Its rows.
    pub(super) rows: &'a [Row],
    /// The books behind them.
    pub(super) books: &'a [Measurement],
}

impl Side<'_> {
    /// Whether some hedge without training has the same P&L on every path, or on contracts of the same days; absent where one side
    /// has no rows.
    pub(super) fn shares_paths(&self, other: &Self) -> Option<bool> {
        if self.rows.is_empty() || other.rows.is_empty() {
            return None;
        }
        let untrained = |side: &Self| side.books.iter().filter(|of| of.seed.is_none()).count();
        let same = |ours: &Measurement| {
            other.books.iter().any(|theirs| {
                theirs.strategy == ours.strategy
                    && theirs.seed.is_none()
                    && theirs.days == ours.days
                    && theirs.book.pnl == ours.book.pnl
            })
        };
        let found = untrained(self) > 0 && untrained(other) > 0;
        let mut ours = self.books.iter().filter(|of| of.seed.is_none());
        Some(found && ours.any(same))
    }

    /// The rows with their books, by names that tell the runs apart.
    fn renamed(&self) -> Vec<(Row, &Book)> {
        let of = |measured: &Measurement| {
            let mut rows = self.rows.iter();
            let row =
                rows.find(|row| row.strategy == measured.strategy && row.seed == measured.seed)?;
            // Rows of fewer paths than the table has are about something else.
            (row.paths == measured.book.pnl.len()).then(|| Row {
                strategy: named(&row.strategy, self.run),
                ..row.clone()
            })
        };
        let books = self.books.iter();
        books
            .filter_map(|measured| Some((of(measured)?, &measured.book)))
            .collect()
    }
}

/// The changes of every strategy that both sides have, of the first side against the second; paired where `paired` is the risk
/// measure of it.
pub(super) fn changes(sides: &[Side<'_>; 2], paired: Option<Risk>, level: &str) -> Vec<Comparison> {
    let [ours, theirs] = sides;
    let both: Vec<(Row, &Book)> = match paired {
        Some(_) => ours.renamed().into_iter().chain(theirs.renamed()).collect(),
        None => Vec::new(),
    };
    let measured: Vec<Measured<'_>> = both.iter().map(|(row, book)| (row, *book)).collect();
    let overlap = measured.first().map_or(1.0, |(row, _)| overlap(row));
    let of_theirs = lines(theirs.rows);
    let common = lines(ours.rows).into_iter().filter_map(|line| {
        let other = of_theirs
            .iter()
            .find(|other| other.strategy == line.strategy)?;
        let names = [(ours.run), (theirs.run)].map(|run| named(line.strategy, run));
        let paired = paired
            .and_then(|risk| Comparison::of(&measured, (&names[0], &names[1]), risk, overlap));
        Some(paired.unwrap_or_else(|| unpaired([&line, other], names, level)))
    });
    common.collect()
}

/// The change between two samples that have nothing in common: x/y − 1 has the standard error √(s_x² + (x/y)² s_y²)/|y|.
fn unpaired(
    [ours, theirs]: [&Line<'_>; 2],
    [strategy, baseline]: [String; 2],
    level: &str,
) -> Comparison {
    let both = |statistic: &Statistic| {
        let none = Estimate {
            value: f64::NAN,
            standard_error: f64::NAN,
        };
        [ours, theirs].map(|line| line.estimate(statistic).unwrap_or(none))
    };
    let relative = |statistic: &Statistic| {
        let [x, y] = both(statistic);
        let drag = x.value / y.value;
        (
            (x.value - y.value) / y.value.abs(),
            x.standard_error.hypot(drag * y.standard_error) / y.value.abs(),
        )
    };
    let absolute = |statistic: &Statistic| {
        let [x, y] = both(statistic);
        (x.value - y.value, x.standard_error.hypot(y.standard_error))
    };
    let variance = relative(&Statistic::PnlVariance);
    let cost = relative(&Statistic::Cost);
    let cvar = relative(&Statistic::Cvar(level.to_owned()));
    let risk = absolute(&Statistic::Risk);
    let sharpe = absolute(&Statistic::Sharpe);
    let whole = |line: &Line<'_>| line.steps().unwrap_or(0.0).round() as usize;
    let seconds = |line: &Line<'_>| line.seconds().unwrap_or(f64::NAN);
    Comparison {
        strategy,
        baseline,
        seeds: ours.seeds().min(theirs.seeds()),
        pnl_variance_change: variance.0,
        pnl_variance_change_standard_error: variance.1,
        cost_change: cost.0,
        cost_change_standard_error: cost.1,
        cvar_change: cvar.0,
        cvar_change_standard_error: cvar.1,
        risk_difference: risk.0,
        risk_difference_standard_error: risk.1,
        sharpe_difference: sharpe.0,
        sharpe_difference_standard_error: sharpe.1,
        steps: whole(ours),
        baseline_steps: whole(theirs),
        seconds: seconds(ours),
        baseline_seconds: seconds(theirs),
        at_indifference: None,
    }
}
