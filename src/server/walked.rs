//! What a walk-forward run adds to its page: parts of the P&L, drawdowns and worst contracts, tests, and windows.

use crate::report::breakdown;
use crate::report::html::table;
use crate::report::table::{Cell, Table};
use crate::runs::walk_forward::{Results, Test};

/// The tables of the run.
pub fn sections(results: &Results) -> String {
    let order: Vec<String> = results.breakdowns().map(|of| of.strategy.clone()).collect();
    let tables: String = breakdown::tables(results.breakdowns())
        .into_iter()
        .chain([tests(results), windows(results)].into_iter().flatten())
        .map(|shown| table(&shown, &order))
        .collect();
    format!("<section id=\"walk-forward\"><h2>Walk forward</h2>\n{tables}</section>\n")
}

fn built(caption: &str, heads: &[&str], rows: Vec<Vec<Cell>>, note: &str) -> Option<Table> {
    (!rows.is_empty()).then(|| Table {
        caption: caption.to_owned(),
        heads: heads.iter().map(|head| (*head).to_owned()).collect(),
        rows,
        findings: Vec::new(),
        notes: vec![note.to_owned()],
    })
}

fn cell(value: impl Into<String>) -> Cell {
    Cell {
        value: value.into(),
        ..Cell::default()
    }
}

fn number(value: f64) -> Cell {
    // Without the sign of a zero.
    cell(format!("{:.3}", (1000.0 * value).round() / 1000.0 + 0.0))
}

fn tests(results: &Results) -> Option<Table> {
    let rows = results.tests.iter().map(|test| {
        let Test {
            strategy,
            against,
            statistic,
            difference,
            p,
            corrected,
        } = test;
        let statistic = match statistic.as_str() {
            "cvar" => format!("CVaR {} %", 100.0 * results.level),
            "mean" => "mean P&L".to_owned(),
            other => other.to_owned(),
        };
        vec![
            cell(strategy),
            cell(against),
            cell(statistic),
            Cell {
                value: format!("{:.3}", difference.value),
                error: Some(format!(
                    "[{:.3}, {:.3}]",
                    difference.interval.low, difference.interval.high
                )),
                verdict: None,
            },
            number(*p),
            number(*corrected),
        ]
    });
    built(
        "Tests on the same contracts",
        &[
            "strategy",
            "against",
            "statistic",
            "difference",
            "p",
            "corrected p",
        ],
        rows.collect(),
        "Differences with their 95 % intervals by the stationary bootstrap; p-values of no difference, then corrected by \
         Holm for all rows.",
    )
}

fn windows(results: &Results) -> Option<Table> {
    let first = results.windows.first()?;
    let model = |window: &crate::runs::walk_forward::Window| -> Vec<(String, f64)> {
        let numbers = window.model.iter();
        numbers
            .filter_map(|(name, value)| Some((name.clone(), value.as_f64()?)))
            .collect()
    };
    let names: Vec<String> = model(first).into_iter().map(|(name, _)| name).collect();
    let mut heads = vec!["sold", "calibrated on", "contracts"];
    heads.extend(names.iter().map(String::as_str));
    heads.push("drift");
    let rows = results.windows.iter().map(|window| {
        let mut row = vec![
            cell(format!("{} to {}", window.first_sale, window.last_sale)),
            cell(format!(
                "{} to {}",
                window.calibrated_from, window.calibrated_to
            )),
            cell(window.contracts.to_string()),
        ];
        row.extend(model(window).into_iter().map(|(_, value)| number(value)));
        row.push(number(window.drift));
        row
    });
    let rows = rows.collect();
    built(
        "Windows",
        &heads,
        rows,
        "Parameters are annualised; those on a bound of their search are named in walk_forward.json.",
    )
}
