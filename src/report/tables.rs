//! The tables that every run may have.

use super::summary::{Line, Statistic, Verdict, cvar_label, lines, main_level, sentence};
use super::table::{Cell, Table, estimates};
use super::{breakdown, classical, crossed, levels};
use crate::numbers::{Rounding, counted, significant};
use crate::risk::Row;
use crate::runs::metrics::{BacktestMarket, Comparison, Metrics};

/// The simulated test paths, if there were any.
pub fn evaluation(metrics: &Metrics) -> Option<Table> {
    let mut table = statistics(metrics, &metrics.evaluation, "Simulated test paths", "path")?;
    table.notes.extend(classical::parameters(&metrics.hedges));
    if let Some(aversion) = metrics.band_aversion.filter(|_| metrics.hedges.is_empty()) {
        table.notes.push(format!(
            "The Whalley–Wilmott band has risk aversion {}.",
            significant(aversion, 4)
        ));
    }
    let idle = metrics.idle().into_iter();
    table
        .notes
        .extend(idle.map(|words| format!("Beware: {words}.")));
    let disagreements = metrics.disagreements.iter();
    table
        .notes
        .extend(disagreements.map(|found| format!("Beware: {found}.")));
    Some(table)
}

/// The contracts of the backtest, if there were any.
pub fn backtest(metrics: &Metrics) -> Option<Table> {
    let mut table = statistics(metrics, &metrics.backtest, "Backtest", "contract")?;
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
        let undetermined = market.undetermined_parameters();
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
    if market.source == "walk_forward" {
        return format!(
            "Sold from {} to {}; parameters estimated anew for every window.",
            market.first, market.last
        );
    }
    if market.source == "surfaces" {
        return format!(
            "Sold from {} to {}; premiums, hedging options and hedges at the implied-volatility surface of the day.",
            market.first, market.last
        );
    }
    let source = match (&market.estimated_from, &market.estimated_to) {
        (Some(from), Some(to)) => format!("estimated from closes of {from} to {to}"),
        (None, None) => "given by the strategy".into(),
        (Some(_), None) | (None, Some(_)) => "estimated from closes of unknown dates".into(),
    };
    let parameters = match market.assets.is_empty() {
        true => numbers(&market.parameters),
        false => {
            let assets = market.assets.iter();
            let words = assets.map(|asset| format!("{}: {}", asset.name, asset.words()));
            words.collect::<Vec<_>>().join("; ")
        }
    };
    format!(
        "Sold from {} to {}; parameters {source}: {parameters}.",
        market.first, market.last
    )
}

/// The parameters that are numbers: `kappa 1.500, theta 0.0400`.
fn numbers(parameters: &serde_json::Map<String, serde_json::Value>) -> String {
    let words = parameters.iter().filter_map(|(name, value)| {
        let value = value.as_f64()?;
        Some(format!(
            "{name} {}",
            Rounding::of_parameter(value).write(value)
        ))
    });
    words.collect::<Vec<_>>().join(", ")
}

/// Changes against the baseline on the simulated test paths, if there were any.
pub fn comparison(metrics: &Metrics) -> Option<Table> {
    table_of_changes(
        metrics,
        (&metrics.comparisons, &metrics.evaluation),
        "simulated test paths",
        "paths",
    )
}

/// Changes against the baseline in the backtest, if there were any.
pub fn backtest_comparison(metrics: &Metrics) -> Option<Table> {
    table_of_changes(
        metrics,
        (&metrics.backtest_comparisons, &metrics.backtest),
        "backtest",
        "contracts",
    )
}

/// The strategies on the simulated test paths and in the backtest, as far as the run has them.
pub fn measured(metrics: &Metrics) -> Vec<Table> {
    let all = [evaluation(metrics), backtest(metrics)];
    all.into_iter().flatten().collect()
}

/// The changes against the baseline on both, as far as the run has them.
pub fn changes(metrics: &Metrics) -> Vec<Table> {
    let all = [comparison(metrics), backtest_comparison(metrics)];
    all.into_iter().flatten().collect()
}

/// What the run has besides: the way to levels of risk, and the parts of the P&L in the backtest; its worst contracts are in the tear
/// sheet.
pub fn further(metrics: &Metrics) -> Vec<Table> {
    let levels = levels::table(metrics).into_iter();
    levels
        .chain(breakdown::attribution(metrics.backtest_breakdown.iter()))
        .collect()
}

/// Every table that the run has, in reading order.
pub fn all(metrics: &Metrics) -> Vec<Table> {
    [
        evaluation(metrics),
        comparison(metrics),
        levels::table(metrics),
        backtest(metrics),
        backtest_comparison(metrics),
    ]
    .into_iter()
    .flatten()
    .chain(breakdown::tables(metrics.backtest_breakdown.iter()))
    .chain(crossed::tables(metrics))
    .collect()
}

fn statistics(metrics: &Metrics, rows: &[Row], caption: &str, unit: &str) -> Option<Table> {
    let lines = lines(rows);
    let first = rows.first()?;
    let mut columns = vec![(
        "premium".to_owned(),
        estimates(lines.iter().map(|line| Some((line.premium(), None)))),
    )];
    for (head, statistic) in statistic_columns(metrics) {
        columns.push((head, of_lines(&lines, &statistic)));
    }
    let trained = lines.iter().any(|line| line.seeds() > 0);
    if trained {
        columns.push((
            "steps".to_owned(),
            lines.iter().map(|line| whole(line.steps())).collect(),
        ));
        columns.push((
            "seconds".to_owned(),
            lines
                .iter()
                .map(|line| line.seconds().map_or_else(Cell::default, Cell::seconds))
                .collect(),
        ));
    }
    let several = lines.iter().any(|line| line.seeds() > 1);
    if several {
        let seeds = |line: &Line<'_>| whole((line.seeds() > 0).then_some(line.seeds() as f64));
        columns.push(("seeds".to_owned(), lines.iter().map(seeds).collect()));
    }
    let error = if several {
        format!("± is one standard error over {unit}s and, where there are several, between seeds.")
    } else {
        format!("± is one standard error over {unit}s.")
    };
    Some(Table {
        caption: format!("{caption}, {}", counted(first.paths, unit)),
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

fn table_of_changes(
    metrics: &Metrics,
    (comparisons, rows): (&[Comparison], &[Row]),
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
    let changes = comparisons
        .iter()
        .map(|c| {
            vec![
                Cell::plain(&c.strategy),
                Cell::plain(&c.baseline),
                Cell::change(
                    c.pnl_variance_change,
                    c.pnl_variance_change_standard_error,
                    c.seeds,
                ),
                Cell::change(c.cost_change, c.cost_change_standard_error, c.seeds),
                Cell::change(c.cvar_change, c.cvar_change_standard_error, c.seeds),
                Cell::difference(
                    c.risk_difference,
                    c.risk_difference_standard_error,
                    Verdict::lower_is_better(c.risk_difference, c.risk_difference_standard_error)
                        .of_seeds(c.seeds),
                ),
                Cell::difference(
                    c.sharpe_difference,
                    c.sharpe_difference_standard_error,
                    ratios(rows, c),
                ),
                spent(c.steps as f64, c.baseline_steps as f64, |steps| {
                    format!("{steps:.0}")
                }),
                spent(c.seconds, c.baseline_seconds, |seconds| {
                    significant(seconds, 3)
                }),
                Cell::plain(c.seeds.to_string()),
            ]
        })
        .collect();
    let findings = comparisons.iter().map(|c| sentence(metrics, c)).collect();
    Some(Table {
        caption: format!("Change against {}, {part}", baselines.join(" and ")),
        heads: heads.to_vec(),
        rows: changes,
        findings,
        notes: vec![format!(
            "Paired on common {units}; the risk difference is in money ({}); ± is one standard error.",
            metrics.risk
        )],
    })
}

/// What the training of both sides took; a side that took nothing was not trained, or its run does not say.
fn spent(ours: f64, theirs: f64, words: fn(f64) -> String) -> Cell {
    let side = |taken: f64| match taken > 0.0 {
        true => words(taken),
        false => "none".to_owned(),
    };
    match ours > 0.0 || theirs > 0.0 {
        true => Cell::plain(format!("{} vs {}", side(ours), side(theirs))),
        false => Cell::default(),
    }
}

/// What a difference of Sharpe ratios comes to, beside the means of both sides.
fn ratios(rows: &[Row], c: &Comparison) -> Verdict {
    let lines = lines(rows);
    let mean = |name: &str| {
        let line = lines.iter().find(|line| line.strategy == name);
        let mean = line.and_then(|line| line.estimate(&Statistic::PnlMean));
        mean.map_or(f64::NAN, |mean| mean.value)
    };
    Verdict::higher_is_better(c.sharpe_difference, c.sharpe_difference_standard_error)
        .of_seeds(c.seeds)
        .of_ratios([mean(&c.strategy), mean(&c.baseline)])
}

fn of_lines(lines: &[Line<'_>], statistic: &Statistic) -> Vec<Cell> {
    estimates(lines.iter().map(|line| {
        let estimate = line.estimate(statistic)?;
        Some((estimate.value, Some(estimate.standard_error)))
    }))
}

fn whole(value: Option<f64>) -> Cell {
    value.map_or_else(Cell::default, |value| Cell::plain(format!("{value:.0}")))
}

#[cfg(test)]
#[path = "tables_tests.rs"]
mod tests;
