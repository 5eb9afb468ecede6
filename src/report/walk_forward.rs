//! The tables of a walk-forward backtest.

use super::protocol::bounded;
use super::table::{Cell, Table, heads};
use super::verdicts::Choice;
use super::{breakdown, classical, protocol, significance};
use crate::numbers::{Rounding, share, significant};
use crate::runs::asset::AssetMarket;
use crate::runs::precision::Precision;
use crate::runs::walk_forward::{Bounded, Period, Results, Test, Window};
use serde_json::{Map, Value};

/// In words: how many comparisons are significant, then who has the lower CVaR and by how much.
pub fn findings(results: &Results) -> Vec<String> {
    if let Some(choice) = choice(results) {
        let name = results.test_from.iter();
        let name = name.map(|day| format!("the test from {day} on"));
        let said = choice.paragraph(&name.collect::<String>());
        let first = said.into_iter().chain(choice.chosen());
        return first.chain(choice.figures()).collect();
    }
    best_classical(results)
        .into_iter()
        .chain(significance::summary(&results.tests, results.level))
        .chain(changes(results))
        .collect()
}

/// The rows that the test is read by, of a run with a validation period that has reached its test.
pub fn choice(results: &Results) -> Option<Choice<'_>> {
    Some(Choice {
        validation: results.validation.as_deref(),
        test: results.test.as_deref()?,
    })
}

/// In words: the best classical hedge, and whether the learned policies beat it.
pub fn best_classical(results: &Results) -> Option<String> {
    let best = results.best_classical.as_ref()?;
    let mut strategies = results.strategies.iter();
    let hedge = strategies.find(|one| one.breakdown.strategy == best.strategy)?;
    let level = share(results.level);
    let mut text = format!(
        "Best classical hedge, chosen in every window before its first sale: {} (CVaR {level} {}).",
        best.title,
        significant(hedge.cvar.value, 4)
    );
    for test in &best.policies {
        let Bounded { value, interval } = test.difference;
        let rounding = Rounding::of_values([value, interval.low, interval.high], 4);
        let size = rounding.write(value.abs());
        let relative = 100.0 * value.abs() / hedge.cvar.value.abs();
        let relative = match relative.is_finite() {
            true => format!(" ({})", classical::percent(relative)),
            false => String::new(),
        };
        let (low, high) = (rounding.write(interval.low), rounding.write(interval.high));
        let name = &test.strategy;
        let found = if interval.high < 0.0 {
            format!("{name} beats it: its CVaR is lower by {size}{relative}")
        } else if interval.low > 0.0 {
            format!("{name} does not beat it: its CVaR is higher by {size}{relative}")
        } else {
            format!("{name} does not beat it: the CVaR is not distinguishable")
        };
        text.push_str(&format!(
            " {found}, interval of the difference [{low}, {high}]."
        ));
    }
    Some(text)
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
            let relative = 100.0 * difference.value.abs() / theirs.abs();
            let rounding = Rounding::of_values(
                [difference.value, difference.interval.low, difference.interval.high],
                4,
            );
            let relative = match relative.is_finite() {
                true => format!(" ({relative:.0} %)"),
                false => String::new(),
            };
            let side = if difference.value < 0.0 {
                "below"
            } else {
                "above"
            };
            let verdict = if *corrected < significance::LEVEL {
                "significant"
            } else {
                "not significant"
            };
            format!(
                "The CVaR {} of {strategy} lies {}{relative} {side} that of {against}, interval of the \
                 difference [{}, {}], p = {corrected:.3} after correction: {verdict}.",
                share(results.level),
                rounding.write(difference.value.abs()),
                rounding.write(difference.interval.low),
                rounding.write(difference.interval.high),
            )
        })
        .collect()
}

/// Every table that has rows, in reading order.
pub fn tables(results: &Results) -> Vec<Table> {
    with(results, breakdown::tables(results.breakdowns()))
}

/// The same without worst contracts, which pages have in the tear sheet.
pub fn of_page(results: &Results) -> Vec<Table> {
    with(results, breakdown::attribution(results.breakdowns()))
}

fn with(results: &Results, broken_down: impl IntoIterator<Item = Table>) -> Vec<Table> {
    let compared = match choice(results) {
        Some(choice) => protocol::tables(&choice),
        None => vec![strategies(results), tests(results)],
    };
    let all = compared
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
        ])
        .chain(further_assets(results));
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
        notes: (!note.is_empty())
            .then(|| note.into())
            .into_iter()
            .collect(),
        ..Table::default()
    }
}

/// The rounding of numbers that are not money: three decimals of those that are about 1.
fn plain() -> Rounding {
    Rounding::of_values([1.0], 4)
}

fn strategies(results: &Results) -> Table {
    let cvar = format!("CVaR {}", share(results.level));
    let mut columns = heads(&["strategy", "mean P&L", "std"]);
    columns.push(cvar.clone());
    columns.extend(heads(&["Sharpe a year", "cost", "turnover"]));
    let several = results.strategies.iter().any(|r| r.between_seeds.is_some());
    let mut note = "";
    if several {
        columns.extend([
            "seeds".into(),
            "mean between seeds".into(),
            format!("{cvar} between seeds"),
        ]);
        note = "The last columns are standard deviations between the seeds of a strategy.";
    }
    let all = results.strategies.iter();
    let money = Rounding::of_values(
        all.flat_map(|r| [r.mean.value, r.std.value, r.cvar.value, r.cost]),
        4,
    );
    let rows = results.strategies.iter().map(|r| {
        let mut row = vec![
            Cell::plain(&r.breakdown.strategy),
            bounded(&r.mean, money),
            bounded(&r.std, money),
            bounded(&r.cvar, money),
            bounded(&r.sharpe, plain()),
            Cell::number(r.cost, money),
            Cell::plain(format!("{:.2}", r.turnover)),
        ];
        if several {
            row.extend(match &r.between_seeds {
                Some(between) => [
                    Cell::plain(r.seeds.to_string()),
                    Cell::number(between.mean, money),
                    Cell::number(between.cvar, money),
                ],
                None => Default::default(),
            });
        }
        row
    });
    table("Strategies", note, columns, rows)
}

/// The differences of the strategy under test against every other one; without rows if there are none.
pub fn tests(results: &Results) -> Table {
    let first = results.tests.first();
    let caption = first.map_or(String::new(), |test| {
        format!("{} less the others", test.strategy)
    });
    let note = "Paired on the same contracts; p-values of no difference, then corrected by Holm for all of this table.";
    let heads = heads(&["against", "statistic", "difference", "p", "corrected"]);
    let differences = results.tests.iter().map(|test| test.difference.value);
    let money = Rounding::of_values(differences, 4);
    let rows = results.tests.iter().map(|test| {
        let statistic = significance::statistic(test, results.level);
        vec![
            Cell::plain(&test.against),
            Cell::plain(statistic),
            bounded(&test.difference, money),
            Cell::number(test.p, plain()),
            Cell::number(test.corrected, plain()),
        ]
    });
    table(&caption, note, heads, rows)
}

fn periods(caption: &str, note: &str, periods: &[Period]) -> Table {
    let mut heads = heads(&["period", "contracts"]);
    if let Some(first) = periods.first() {
        heads.extend(first.pnl.iter().map(|(strategy, _)| strategy.clone()));
    }
    let sums = periods.iter().flat_map(|period| &period.pnl);
    let money = Rounding::of_values(sums.map(|(_, pnl)| *pnl), 4);
    let rows = periods.iter().map(|period| {
        let mut row = vec![
            Cell::plain(&period.name),
            Cell::plain(period.contracts.to_string()),
        ];
        row.extend(period.pnl.iter().map(|(_, pnl)| Cell::number(*pnl, money)));
        row
    });
    table(caption, note, heads, rows)
}

fn years(results: &Results) -> Table {
    let cvar = format!("CVaR {}", share(results.level));
    let mut columns = heads(&["strategy", "year", "contracts", "mean P&L", "std"]);
    columns.push(cvar);
    columns.extend(heads(&[
        "Sharpe a year",
        "cost",
        "turnover",
        "maximum drawdown",
    ]));
    let all = results.years.iter().flat_map(|year| &year.statistics);
    let money = Rounding::of_values(all.flat_map(|of| [of.mean, of.std, of.cvar, of.cost]), 4);
    let strategies = results.strategies.iter().map(|r| &r.breakdown.strategy);
    let rows = strategies.flat_map(|strategy| {
        let years = results.years.iter().filter_map(move |year| {
            let mut statistics = year.statistics.iter();
            let found = statistics.find(|of| of.strategy == *strategy);
            found.map(|of| (year, of))
        });
        years.map(move |(year, of)| {
            let values = [
                (of.mean, money),
                (of.std, money),
                (of.cvar, money),
                (of.sharpe, plain()),
                (of.cost, money),
                (of.turnover, plain()),
                (of.maximum_drawdown, money),
            ];
            let cells = values.map(|(value, rounding)| match value.is_finite() {
                true => Cell::number(value, rounding),
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
    table("Years of sale by strategy", note, columns, rows)
}

/// What every window was calibrated on, and to which parameters.
pub fn windows(results: &Results) -> Table {
    let first = results.windows.first();
    let numbers = first.iter().flat_map(|window| &window.model);
    let numbers = numbers.filter(|(_, value)| value.is_number());
    let names: Vec<&String> = numbers.map(|(name, _)| name).collect();
    let mut columns = heads(&["calibrated on", "sold", "contracts"]);
    columns.extend(names.iter().map(ToString::to_string));
    let feller = results.windows.iter().any(|w| w.feller.is_some());
    columns.extend(feller.then(|| "Feller".to_owned()));
    columns.extend(heads(&["drift", "band λ", "on a bound"]));
    let not_identified = |w: &Window| !w.precision.not_identified.is_empty();
    let unidentified = results.windows.iter().any(not_identified);
    columns.extend(unidentified.then(|| "not identified".to_owned()));
    let band = Rounding::of_values(results.windows.iter().map(|w| w.band_aversion), 4);
    let rows = results.windows.iter().map(|w| {
        let mut row = vec![
            Cell::plain(format!("{} to {}", w.calibrated_from, w.calibrated_to)),
            Cell::plain(format!("{} to {}", w.first_sale, w.last_sale)),
            Cell::plain(w.contracts.to_string()),
        ];
        let of_first = names.iter();
        row.extend(of_first.map(|name| parameter(name, &w.model, &w.precision)));
        row.extend(feller.then(|| Cell::plain(if w.feller == Some(true) { "yes" } else { "no" })));
        row.extend([
            Cell::number(w.drift, plain()),
            Cell::number(w.band_aversion, band),
            Cell::plain(w.precision.at_bound.join(", ")),
        ]);
        row.extend(unidentified.then(|| Cell::plain(w.precision.not_identified.join(", "))));
        row
    });
    let note =
        "± is one standard error. Feller: whether 2κθ ≥ σ², so that the variance stays above 0.";
    let first_asset = first.and_then(|window| window.assets.first());
    let caption = first_asset.map_or("Windows".into(), |asset| format!("Windows: {}", asset.name));
    let mut table = table(
        &caption,
        if feller {
            note
        } else {
            "± is one standard error."
        },
        columns,
        rows,
    );
    let bound = results.hedges_at_bound().into_iter();
    table
        .notes
        .extend(bound.map(|found| format!("Beware: {found}.")));
    table.notes.extend(
        results
            .undetermined()
            .map(|undetermined| format!("Beware: {undetermined}.")),
    );
    table
}

/// What every asset after the first was calibrated to in each window, and the correlations with those before it.
fn further_assets(results: &Results) -> Vec<Table> {
    let first = results.windows.first();
    let assets = first.map_or(&[][..], |window| &window.assets);
    let of = |(place, asset): (usize, &AssetMarket)| {
        let numbers = asset
            .parameters
            .iter()
            .filter(|(_, value)| value.is_number());
        let names: Vec<&String> = numbers.map(|(name, _)| name).collect();
        let mut columns = heads(&["calibrated on"]);
        columns.extend(names.iter().map(ToString::to_string));
        let correlated = asset.correlation.iter();
        columns.extend(correlated.map(|(name, _)| format!("correlation with {name}")));
        columns.extend(heads(&["on a bound"]));
        let rows = results.windows.iter().map(|window| {
            let mut row = vec![Cell::plain(format!(
                "{} to {}",
                window.calibrated_from, window.calibrated_to
            ))];
            let Some(asset) = window.assets.get(place) else {
                return row;
            };
            row.extend(
                names
                    .iter()
                    .map(|name| parameter(name, &asset.parameters, &asset.precision)),
            );
            let correlated = asset.correlation.iter();
            row.extend(correlated.map(|(_, c)| Cell::number(*c, plain())));
            row.push(Cell::plain(asset.precision.at_bound.join(", ")));
            row
        });
        let caption = format!("Windows: {}", asset.name);
        table(&caption, "± is one standard error.", columns, rows)
    };
    assets.iter().enumerate().skip(1).map(of).collect()
}

/// An estimated parameter with its standard error, where it has one.
fn parameter(name: &str, parameters: &Map<String, Value>, precision: &Precision) -> Cell {
    let Some(value) = parameters.get(name).and_then(Value::as_f64) else {
        return Cell::plain("n/a");
    };
    let error = precision.standard_errors.get(name).and_then(Value::as_f64);
    Cell::estimate(value, error, Rounding::of_parameter(value))
}
