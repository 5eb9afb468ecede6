//! The tables of a run, before they are laid out as text or HTML.

use super::summary::{Line, Statistic, Verdict, cvar_label, lines, main_level};
use crate::risk::{Estimate, Row};
use crate::runs::metrics::{BacktestMarket, Comparison, Metrics};

/// A table whose first column names its rows and whose other columns are numbers.
#[derive(Debug, Clone)]
pub struct Table {
    pub caption: String,
    pub heads: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
    /// What the numbers say.
    pub findings: Vec<String>,
    /// How to read them.
    pub notes: Vec<String>,
}

/// A value and, if it has one, its standard error.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cell {
    pub value: String,
    pub error: Option<String>,
    pub verdict: Option<Verdict>,
}

/// The simulated test paths, if there were any.
pub fn evaluation(metrics: &Metrics) -> Option<Table> {
    let mut table = statistics(
        metrics,
        &metrics.evaluation,
        "Simulated test paths",
        "paths",
    )?;
    if let Some(aversion) = metrics.band_aversion {
        table.notes.push(format!(
            "The Whalley–Wilmott band has risk aversion {aversion:.3}."
        ));
    }
    let disagreements = metrics.disagreements.iter();
    table
        .notes
        .extend(disagreements.map(|found| format!("Beware: {found}.")));
    Some(table)
}

/// The contracts of the backtest, if there were any.
pub fn backtest(metrics: &Metrics) -> Option<Table> {
    let mut table = statistics(metrics, &metrics.backtest, "Backtest", "contracts")?;
    if let Some(market) = &metrics.backtest_market {
        table.notes.push(assumptions(market));
        if let (Some(tenor), Some(closes)) = (&market.tenor, &market.closes) {
            let note = format!("Contracts live for {tenor}; closes are {closes}.");
            table.notes.push(note);
        }
        let repairs = market.repairs();
        table
            .notes
            .extend(repairs.map(|repairs| format!("Repaired in the data: {repairs}.")));
        let odd = market.warnings.iter();
        table
            .notes
            .extend(odd.map(|odd| format!("Odd in the data: {odd}.")));
        let undetermined = market.precision.undetermined();
        table.notes.extend(
            undetermined.map(|names| {
                format!("Beware: the returns do not determine the parameters: {names}.")
            }),
        );
    }
    Some(table)
}

/// When the contracts were sold and what market they were priced and hedged in, in one sentence.
fn assumptions(market: &BacktestMarket) -> String {
    let parameters: Vec<String> = market
        .parameters
        .iter()
        .filter_map(|(name, value)| Some(format!("{name} {:.4}", value.as_f64()?)))
        .collect();
    if market.source == "walk_forward" {
        return format!(
            "Sold from {} to {}; parameters estimated anew for every window.",
            market.first, market.last
        );
    }
    let source = match (&market.estimated_from, &market.estimated_to) {
        (Some(from), Some(to)) => format!("estimated from closes of {from} to {to}"),
        (None, None) => "given by the strategy".into(),
        (Some(_), None) | (None, Some(_)) => "estimated from closes of unknown dates".into(),
    };
    format!(
        "Sold from {} to {}; parameters {source}: {}.",
        market.first,
        market.last,
        parameters.join(", ")
    )
}

/// Changes against the baseline on the simulated test paths, if there were any.
pub fn comparison(metrics: &Metrics) -> Option<Table> {
    changes(
        metrics,
        &metrics.comparisons,
        "simulated test paths",
        "paths",
    )
}

/// Changes against the baseline in the backtest, if there were any.
pub fn backtest_comparison(metrics: &Metrics) -> Option<Table> {
    changes(
        metrics,
        &metrics.backtest_comparisons,
        "backtest",
        "contracts",
    )
}

/// Every table that the run has, in reading order.
pub fn all(metrics: &Metrics) -> Vec<Table> {
    [
        evaluation(metrics),
        comparison(metrics),
        super::levels::table(metrics),
        backtest(metrics),
        backtest_comparison(metrics),
    ]
    .into_iter()
    .flatten()
    .chain(super::breakdown::tables(metrics.backtest_breakdown.iter()))
    .chain(super::crossed::tables(metrics))
    .collect()
}

fn statistics(metrics: &Metrics, rows: &[Row], caption: &str, unit: &str) -> Option<Table> {
    let lines = lines(rows);
    let first = rows.first()?;
    let mut columns = vec![(
        "premium".to_owned(),
        numbers(lines.iter().map(|line| Some((line.premium(), None)))),
    )];
    for (head, statistic) in statistic_columns(metrics) {
        columns.push((head, estimates(&lines, &statistic)));
    }
    let trained = lines.iter().any(|line| line.seeds() > 0);
    if trained {
        columns.push((
            "steps".to_owned(),
            lines.iter().map(|line| whole(line.steps())).collect(),
        ));
        columns.push((
            "seconds".to_owned(),
            lines.iter().map(|line| seconds(line.seconds())).collect(),
        ));
    }
    let several = lines.iter().any(|line| line.seeds() > 1);
    if several {
        let seeds = |line: &Line<'_>| whole((line.seeds() > 0).then_some(line.seeds() as f64));
        columns.push(("seeds".to_owned(), lines.iter().map(seeds).collect()));
    }
    let error = if several {
        format!("± is one standard error over {unit} and, where there are several, between seeds.")
    } else {
        format!("± is one standard error over {unit}.")
    };
    Some(Table {
        caption: format!("{caption}, {} {unit}", grouped(first.paths)),
        notes: vec![
            format!(
                "Money per contract in the spot's currency; CVaR is of the loss; trained on {}.",
                metrics.risk
            ),
            error,
        ],
        ..columns_to_table(&lines, columns)
    })
}

fn statistic_columns(metrics: &Metrics) -> Vec<(String, Statistic)> {
    let mut levels = vec![main_level(metrics)];
    for level in ["0.95", "0.99"] {
        if !levels.contains(&level) {
            levels.push(level);
        }
    }
    let named = |head: &str, statistic| (head.to_owned(), statistic);
    let mut columns = vec![
        named("mean P&L", Statistic::PnlMean),
        named("std P&L", Statistic::PnlStd),
        named("variance", Statistic::PnlVariance),
    ];
    if metrics.trained_level.is_none() {
        columns.push((metrics.risk.clone(), Statistic::Risk));
    }
    for level in levels {
        columns.push((cvar_label(level), Statistic::Cvar(level.to_owned())));
    }
    columns.extend([
        named("mean cost", Statistic::Cost),
        named("turnover", Statistic::Turnover),
        named("Sharpe", Statistic::Sharpe),
        named("Sharpe p.a.", Statistic::SharpeAnnualised),
    ]);
    columns
}

fn columns_to_table(lines: &[Line<'_>], columns: Vec<(String, Vec<Cell>)>) -> Table {
    let mut heads = vec!["strategy".to_owned()];
    let mut rows: Vec<Vec<Cell>> = lines
        .iter()
        .map(|line| vec![Cell::plain(line.strategy)])
        .collect();
    for (head, cells) in columns {
        // A level that no row has would be a column of blanks.
        if cells.iter().all(|cell| cell.value.is_empty()) {
            continue;
        }
        heads.push(head);
        for (row, cell) in rows.iter_mut().zip(cells) {
            row.push(cell);
        }
    }
    Table {
        caption: String::new(),
        heads,
        rows,
        findings: Vec::new(),
        notes: Vec::new(),
    }
}

fn changes(
    metrics: &Metrics,
    comparisons: &[Comparison],
    part: &str,
    units: &str,
) -> Option<Table> {
    let mut baselines: Vec<&str> = Vec::new();
    for comparison in comparisons {
        if !baselines.contains(&comparison.baseline.as_str()) {
            baselines.push(&comparison.baseline);
        }
    }
    if baselines.is_empty() {
        return None;
    }
    let heads = [
        "strategy".to_owned(),
        "against".to_owned(),
        "variance".to_owned(),
        "cost".to_owned(),
        cvar_label(main_level(metrics)),
        "risk difference".to_owned(),
        "Sharpe difference".to_owned(),
        "steps".to_owned(),
        "seconds".to_owned(),
        "seeds".to_owned(),
    ];
    let rows = comparisons
        .iter()
        .map(|c| {
            vec![
                Cell::plain(&c.strategy),
                Cell::plain(&c.baseline),
                change(c.pnl_variance_change, c.pnl_variance_change_standard_error),
                change(c.cost_change, c.cost_change_standard_error),
                change(c.cvar_change, c.cvar_change_standard_error),
                difference(
                    c.risk_difference,
                    c.risk_difference_standard_error,
                    Verdict::lower_is_better,
                ),
                difference(
                    c.sharpe_difference,
                    c.sharpe_difference_standard_error,
                    Verdict::higher_is_better,
                ),
                Cell::plain(format!("{} vs {}", c.steps, c.baseline_steps)),
                Cell::plain(format!("{:.1} vs {:.1}", c.seconds, c.baseline_seconds)),
                Cell::plain(c.seeds.to_string()),
            ]
        })
        .collect();
    let findings = comparisons
        .iter()
        .map(|c| super::summary::sentence(metrics, c))
        .collect();
    Some(Table {
        caption: format!("Change against {}, {part}", baselines.join(" and ")),
        heads: heads.to_vec(),
        rows,
        findings,
        notes: vec![format!(
            "Paired on common {units}; the risk difference is in money ({}); ± is one standard error.",
            metrics.risk
        )],
    })
}

fn change(fraction: f64, standard_error: f64) -> Cell {
    if !fraction.is_finite() {
        return Cell::plain("n/a");
    }
    Cell {
        value: format!("{:+.1} %", 100.0 * fraction),
        error: standard_error
            .is_finite()
            .then(|| format!("±{:.1} %", 100.0 * standard_error)),
        verdict: Some(Verdict::lower_is_better(fraction, standard_error)),
    }
}

fn difference(value: f64, error: f64, verdict: fn(f64, f64) -> Verdict) -> Cell {
    let mut cell = numbers(std::iter::once(Some((value, Some(error))))).remove(0);
    if value.is_finite() && value > 0.0 {
        cell.value.insert(0, '+');
    }
    cell.verdict = Some(verdict(value, error));
    cell
}

fn estimates(lines: &[Line<'_>], statistic: &Statistic) -> Vec<Cell> {
    numbers(lines.iter().map(|line| {
        line.estimate(statistic).map(
            |Estimate {
                 value,
                 standard_error,
             }| (value, Some(standard_error)),
        )
    }))
}

/// One column of numbers with the same number of decimals, so that points line up.
fn numbers(column: impl Iterator<Item = Option<(f64, Option<f64>)>>) -> Vec<Cell> {
    let column: Vec<_> = column.collect();
    let decimals = decimals(&column);
    column
        .into_iter()
        .map(|entry| match entry {
            None => Cell::default(),
            Some((value, _)) if !value.is_finite() => Cell::plain("n/a"),
            Some((value, error)) => Cell {
                value: fixed(value, decimals),
                error: error
                    .filter(|error| error.is_finite())
                    .map(|error| format!("±{error:.decimals$}")),
                verdict: None,
            },
        })
        .collect()
}

/// Decimals that show two digits of the middle standard error and at least one of the
/// smallest, or four digits of the largest value where there are no errors.
fn decimals(column: &[Option<(f64, Option<f64>)>]) -> usize {
    let mut errors: Vec<f64> = column
        .iter()
        .flatten()
        .filter_map(|(value, error)| error.map(|error| (value, error)))
        // An error of a few roundings is that of a constant and asks for no decimals.
        .filter(|(value, error)| error.is_finite() && *error > 1e-12 * value.abs())
        .map(|(_, error)| error)
        .collect();
    errors.sort_by(f64::total_cmp);
    let places = |number: f64, digits: i32| digits - 1 - number.abs().log10().floor() as i32;
    let wanted = if errors.is_empty() {
        let largest = column
            .iter()
            .flatten()
            .map(|(value, _)| value.abs())
            .filter(|value| value.is_finite())
            .fold(0.0, f64::max);
        if largest > 0.0 { places(largest, 4) } else { 3 }
    } else {
        places(errors[errors.len() / 2], 2).max(places(errors[0], 1))
    };
    wanted.clamp(0, 6) as usize
}

/// `value` with a fixed number of decimals and no negative zero.
fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.bytes().all(|b| matches!(b, b'0' | b'.')) => rest.to_owned(),
        _ => text,
    }
}

fn whole(value: Option<f64>) -> Cell {
    value.map_or_else(Cell::default, |value| Cell::plain(format!("{value:.0}")))
}

fn seconds(value: Option<f64>) -> Cell {
    value.map_or_else(Cell::default, |value| Cell::plain(format!("{value:.1}")))
}

/// `100000` → `100 000`.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

impl Cell {
    pub fn plain(value: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            ..Self::default()
        }
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
