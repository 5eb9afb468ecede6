//! The tables of a walk-forward backtest.

use super::breakdown;
use super::table::{Cell, Table};
use crate::runs::walk_forward::{Bounded, Period, Results, Test, Window};

/// `0.95` → `95 %`.
pub fn percent(level: f64) -> String {
    // Without the last digits that the factor leaves.
    format!("{} %", (1e12 * level).round() / 1e10)
}

/// In words: how many comparisons are significant, then who has the lower CVaR and by how much.
pub fn findings(results: &Results) -> Vec<String> {
    super::significance::summary(&results.tests, results.level)
        .into_iter()
        .chain(changes(results))
        .collect()
}

/// In words: who has the lower CVaR, by how much, and whether that is significant.
fn changes(results: &Results) -> Vec<String> {
    let tests = results.tests.iter().filter(|test| test.statistic == "cvar");
    tests
        .map(|test| {
            let Test {
                strategy,
                against,
                difference,
                corrected,
                ..
            } = test;
            let theirs = results.strategies.iter().find(|r| r.breakdown.strategy == *against);
            let theirs = theirs.map_or(f64::NAN, |result| result.cvar.value);
            let share = 100.0 * difference.value.abs() / theirs.abs();
            let share = match share.is_finite() {
                true => format!(" ({share:.0} %)"),
                false => String::new(),
            };
            let side = if difference.value < 0.0 {
                "below"
            } else {
                "above"
            };
            let verdict = if *corrected < super::significance::LEVEL {
                "significant"
            } else {
                "not significant"
            };
            format!(
                "The CVaR {} of {strategy} lies {:.3}{share} {side} that of {against}, interval of the \
                 difference [{:.3}, {:.3}], p = {corrected:.3} after correction: {verdict}.",
                percent(results.level),
                difference.value.abs(),
                difference.interval.low,
                difference.interval.high,
            )
        })
        .collect()
}

/// Every table that has rows, in reading order.
pub fn tables(results: &Results) -> Vec<Table> {
    let broken_down = breakdown::tables(results.breakdowns());
    let all = [strategies(results), tests(results)]
        .into_iter()
        .chain(broken_down)
        .chain([
            periods(
                "Stress",
                "Total P&L of the contracts alive in a fall of the index.",
                &results.stress,
            ),
            periods("Years of sale", "Total P&L.", &results.years),
            years(results),
            windows(results),
        ]);
    all.filter(|table| !table.rows.is_empty()).collect()
}

fn table(
    caption: &str,
    note: &str,
    heads: Vec<String>,
    rows: impl Iterator<Item = Vec<Cell>>,
) -> Table {
    Table {
        caption: caption.into(),
        heads,
        rows: rows.collect(),
        findings: Vec::new(),
        notes: (!note.is_empty())
            .then(|| note.into())
            .into_iter()
            .collect(),
    }
}

pub(super) fn words(heads: &[&str]) -> Vec<String> {
    heads.iter().map(ToString::to_string).collect()
}

fn bounded(value: &Bounded) -> Cell {
    let Bounded { value, interval } = value;
    if !value.is_finite() {
        return Cell::plain("n/a");
    }
    Cell {
        value: format!("{value:.3}"),
        error: Some(format!("[{:.3}, {:.3}]", interval.low, interval.high)),
        verdict: None,
    }
}

/// Without the sign of a zero; n/a for what is not defined, such as the spread of a single contract.
pub(super) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "n/a".into();
    }
    format!("{:.3}", (1000.0 * value).round() / 1000.0 + 0.0)
}

fn strategies(results: &Results) -> Table {
    let cvar = format!("CVaR {}", percent(results.level));
    let mut heads = words(&["strategy", "mean P&L", "std"]);
    heads.push(cvar.clone());
    heads.extend(words(&["Sharpe a year", "cost", "turnover"]));
    let several = results.strategies.iter().any(|r| r.between_seeds.is_some());
    let mut note = "";
    if several {
        heads.extend([
            "seeds".into(),
            "mean between seeds".into(),
            format!("{cvar} between seeds"),
        ]);
        note = "The last columns are standard deviations between the seeds of a strategy.";
    }
    let rows = results.strategies.iter().map(|r| {
        let mut row = vec![
            Cell::plain(&r.breakdown.strategy),
            bounded(&r.mean),
            bounded(&r.std),
            bounded(&r.cvar),
            bounded(&r.sharpe),
            Cell::plain(number(r.cost)),
            Cell::plain(format!("{:.2}", r.turnover)),
        ];
        if several {
            row.extend(match &r.between_seeds {
                Some(between) => [
                    r.seeds.to_string(),
                    number(between.mean),
                    number(between.cvar),
                ]
                .map(Cell::plain),
                None => Default::default(),
            });
        }
        row
    });
    table("Strategies", note, heads, rows)
}

fn tests(results: &Results) -> Table {
    let first = results.tests.first();
    let caption = first.map_or(String::new(), |test| {
        format!("{} less the others", test.strategy)
    });
    let note = "Paired on the same contracts; p-values of no difference, then corrected by Holm for all of this table.";
    let heads = words(&["against", "statistic", "difference", "p", "corrected"]);
    let rows = results.tests.iter().map(|test| {
        let statistic = super::significance::statistic(test, results.level);
        vec![
            Cell::plain(&test.against),
            Cell::plain(statistic),
            bounded(&test.difference),
            Cell::plain(number(test.p)),
            Cell::plain(number(test.corrected)),
        ]
    });
    table(&caption, note, heads, rows)
}

fn periods(caption: &str, note: &str, periods: &[Period]) -> Table {
    let mut heads = words(&["period", "contracts"]);
    if let Some(first) = periods.first() {
        heads.extend(first.pnl.iter().map(|(strategy, _)| strategy.clone()));
    }
    let rows = periods.iter().map(|period| {
        let mut row = vec![
            Cell::plain(&period.name),
            Cell::plain(period.contracts.to_string()),
        ];
        let sums = period.pnl.iter();
        row.extend(sums.map(|(_, pnl)| Cell::plain(format!("{pnl:.2}"))));
        row
    });
    table(caption, note, heads, rows)
}

fn years(results: &Results) -> Table {
    let cvar = format!("CVaR {}", percent(results.level));
    let mut heads = words(&["strategy", "year", "contracts", "mean P&L", "std"]);
    heads.push(cvar);
    heads.extend(words(&[
        "Sharpe a year",
        "cost",
        "turnover",
        "maximum drawdown",
    ]));
    let strategies = results.strategies.iter().map(|r| &r.breakdown.strategy);
    let rows = strategies.flat_map(|strategy| {
        let years = results.years.iter().filter_map(move |year| {
            let mut statistics = year.statistics.iter();
            let found = statistics.find(|of| of.strategy == *strategy);
            found.map(|of| (year, of))
        });
        years.map(move |(year, of)| {
            let values = [
                of.mean,
                of.std,
                of.cvar,
                of.sharpe,
                of.cost,
                of.turnover,
                of.maximum_drawdown,
            ];
            let cells = values.map(|value| match value.is_finite() {
                true => Cell::plain(number(value)),
                false => Cell::default(),
            });
            let mut row = vec![
                Cell::plain(strategy),
                Cell::plain(&year.name),
                Cell::plain(year.contracts.to_string()),
            ];
            row.extend(cells);
            row
        })
    });
    let note = "The CVaR of few contracts is the loss of the worst, and one year says little of a Sharpe ratio.";
    table("Years of sale by strategy", note, heads, rows)
}

fn windows(results: &Results) -> Table {
    let first = results.windows.first();
    let numbers = first.iter().flat_map(|window| &window.model);
    let numbers = numbers.filter(|(_, value)| value.is_number());
    let names: Vec<&String> = numbers.map(|(name, _)| name).collect();
    let mut heads = words(&["calibrated on", "sold", "contracts"]);
    heads.extend(names.iter().map(ToString::to_string));
    let feller = results.windows.iter().any(|w| w.feller.is_some());
    heads.extend(feller.then(|| "Feller".to_owned()));
    heads.extend(words(&["drift", "band λ", "on a bound"]));
    let not_identified = |w: &Window| !w.precision.not_identified.is_empty();
    let unidentified = results.windows.iter().any(not_identified);
    heads.extend(unidentified.then(|| "not identified".to_owned()));
    let rows = results.windows.iter().map(|w| {
        let mut row = vec![
            Cell::plain(format!("{} to {}", w.calibrated_from, w.calibrated_to)),
            Cell::plain(format!("{} to {}", w.first_sale, w.last_sale)),
            Cell::plain(w.contracts.to_string()),
        ];
        row.extend(names.iter().map(|name| {
            let value = w.model.get(*name).and_then(serde_json::Value::as_f64);
            let error = w.precision.standard_errors.get(*name);
            let error = error.and_then(serde_json::Value::as_f64);
            Cell {
                value: value.map_or("n/a".into(), |value| format!("{value:.4}")),
                error: error.map(|error| format!("±{error:.4}")),
                verdict: None,
            }
        }));
        row.extend(feller.then(|| Cell::plain(if w.feller == Some(true) { "yes" } else { "no" })));
        row.extend([
            Cell::plain(number(w.drift)),
            Cell::plain(number(w.band_aversion)),
            Cell::plain(w.precision.at_bound.join(", ")),
        ]);
        row.extend(unidentified.then(|| Cell::plain(w.precision.not_identified.join(", "))));
        row
    });
    let note =
        "± is one standard error. Feller: whether 2κθ ≥ σ², so that the variance stays above 0.";
    let mut table = table(
        "Windows",
        if feller {
            note
        } else {
            "± is one standard error."
        },
        heads,
        rows,
    );
    table.notes.extend(
        results
            .undetermined()
            .map(|undetermined| format!("Beware: {undetermined}.")),
    );
    table
}
