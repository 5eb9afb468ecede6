//! The tables of a walk-forward backtest.

use super::breakdown;
use super::table::{Cell, Table};
use crate::runs::walk_forward::{Bounded, Period, Results, Test};

/// `0.95` → `95 %`.
pub fn percent(level: f64) -> String {
    // Without the last digits that the factor leaves.
    format!("{} %", (1e12 * level).round() / 1e10)
}

/// In words: who has the lower CVaR, by how much, and whether the contracts tell.
pub fn findings(results: &Results) -> Vec<String> {
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
            let side = if difference.value < 0.0 {
                "below"
            } else {
                "above"
            };
            let verdict = if *corrected < 0.05 {
                "which the contracts establish"
            } else {
                "which the contracts do not establish"
            };
            format!(
                "The CVaR {} of {strategy} lies {:.3} ({share:.0} %) {side} that of {against}, interval of the \
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
            windows(results),
        ]);
    all.filter(|table| !table.rows.is_empty()).collect()
}

fn table(
    caption: &str,
    note: &str,
    heads: Vec<String>,
    rows: impl Iterator<Item = Vec<String>>,
) -> Table {
    let cell = |value| Cell {
        value,
        ..Cell::default()
    };
    Table {
        caption: caption.into(),
        heads,
        rows: rows
            .map(|row| row.into_iter().map(cell).collect())
            .collect(),
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

fn bounded(value: &Bounded) -> String {
    let Bounded { value, interval } = value;
    format!("{value:.3} [{:.3}, {:.3}]", interval.low, interval.high)
}

/// Without the sign of a zero.
pub(super) fn number(value: f64) -> String {
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
            r.breakdown.strategy.clone(),
            bounded(&r.mean),
            bounded(&r.std),
            bounded(&r.cvar),
            bounded(&r.sharpe),
            number(r.cost),
            format!("{:.2}", r.turnover),
        ];
        if several {
            row.extend(match &r.between_seeds {
                Some(between) => [
                    r.seeds.to_string(),
                    number(between.mean),
                    number(between.cvar),
                ],
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
        let statistic = match test.statistic.as_str() {
            "cvar" => format!("CVaR {}", percent(results.level)),
            "mean" => "mean P&L".into(),
            other => other.into(),
        };
        vec![
            test.against.clone(),
            statistic,
            bounded(&test.difference),
            number(test.p),
            number(test.corrected),
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
        let mut row = vec![period.name.clone(), period.contracts.to_string()];
        row.extend(period.pnl.iter().map(|(_, pnl)| format!("{pnl:.2}")));
        row
    });
    table(caption, note, heads, rows)
}

fn windows(results: &Results) -> Table {
    let first = results.windows.first();
    let numbers = first.iter().flat_map(|window| &window.model);
    let numbers = numbers.filter(|(_, value)| value.is_number());
    let names: Vec<&String> = numbers.map(|(name, _)| name).collect();
    let mut heads = words(&["calibrated on", "sold", "contracts"]);
    heads.extend(names.iter().map(ToString::to_string));
    heads.extend(words(&["drift", "band λ", "on a bound"]));
    let rows = results.windows.iter().map(|w| {
        let mut row = vec![
            format!("{} to {}", w.calibrated_from, w.calibrated_to),
            format!("{} to {}", w.first_sale, w.last_sale),
            w.contracts.to_string(),
        ];
        let value = |name: &String| w.model.get(name).and_then(serde_json::Value::as_f64);
        row.extend(
            names
                .iter()
                .map(|name| format!("{:.4}", value(name).unwrap_or(f64::NAN))),
        );
        row.extend([
            number(w.drift),
            number(w.band_aversion),
            w.at_bound.join(", "),
        ]);
        row
    });
    table("Windows", "", heads, rows)
}
