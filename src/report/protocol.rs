//! The tables of learned policies and classical hedges beside each other on the contracts of a period.

use super::significance::LEVEL;
use super::table::{Cell, Table, heads};
use super::verdicts::Choice;
use crate::numbers::{Rounding, share};
use crate::runs::protocol::{Compared, Registered, STATISTICS, Slice, Worst};
use crate::runs::walk_forward::{Bounded, Phase, TrainingEnd};

/// The registered plan, in a sentence.
pub fn registered(registered: &Registered) -> String {
    format!(
        "The plan (recipes, periods, statistics, seeds) was registered at {} before the test was run, with SHA-256 `{}`.",
        registered.registered, registered.sha256
    )
}

/// The name of a statistic.
pub fn statistic(name: &str, level: f64) -> String {
    match name {
        "cvar" => format!("CVaR {}", share(level)),
        "std" => "standard deviation".into(),
        "mean" => "mean P&L".into(),
        "cost" => "cost".into(),
        other => unreachable!("no statistic `{other}`"),
    }
}

/// A value with its interval.
pub fn bounded(value: &Bounded, rounding: Rounding) -> Cell {
    let Bounded { value, interval } = value;
    if !value.is_finite() {
        return Cell::number(*value, rounding);
    }
    let (low, high) = (rounding.write(interval.low), rounding.write(interval.high));
    Cell::with_words(*value, rounding, format!("[{low}, {high}]"))
}

/// Money with three digits of the largest number.
fn money(values: impl IntoIterator<Item = f64>) -> Rounding {
    Rounding::of_values(values, 4)
}

fn phase(compared: &Compared) -> &'static str {
    match compared.phase {
        Phase::Validation => "Validation",
        Phase::Test => "Test",
    }
}

/// Mean, deviation, CVaR and cost of every row, with intervals.
pub fn rows(compared: &Compared) -> Table {
    let cvar = statistic("cvar", compared.level);
    // A measure that is the CVaR would be the same column again.
    let own = compared.measure != cvar;
    let mut columns = vec!["strategy".to_owned()];
    columns.extend(own.then(|| compared.measure.clone()));
    columns.extend(["mean P&L".to_owned(), "std".into(), cvar, "cost".into()]);
    let several = compared.rows.iter().any(|row| row.between_seeds.is_some());
    if several {
        columns.extend(heads(&["seeds", "CVaR between seeds"]));
    }
    let numbers = compared.rows.iter();
    let money = money(numbers.flat_map(|row| [row.mean.value, row.std.value, row.cvar.value]));
    let rows = compared.rows.iter().map(|row| {
        let mut cells = vec![Cell::plain(&row.name)];
        cells.extend(own.then(|| Cell::number(row.risk, money)));
        let statistics = [&row.mean, &row.std, &row.cvar, &row.cost];
        cells.extend(statistics.map(|of| bounded(of, money)));
        if several {
            cells.extend(match &row.between_seeds {
                Some(between) => [
                    Cell::plain(row.seeds.to_string()),
                    Cell::number(between.cvar, money),
                ],
                None => Default::default(),
            });
        }
        cells
    });
    Table {
        caption: format!(
            "{}: {} contracts, {} to {}",
            phase(compared),
            compared.contracts,
            compared.first_sale,
            compared.last_expiry
        ),
        heads: columns,
        rows: rows.collect(),
        ..Table::default()
    }
}

/// The differences of one learned policy from every classical hedge.
fn differences(compared: &Compared, name: &str) -> Table {
    let classical = compared.rows.iter().filter(|row| row.classical);
    let against: Vec<&str> = classical.map(|row| row.name.as_str()).collect();
    let caption = format!("{}: {name} less every classical hedge", phase(compared));
    let note = "Paired on the same contracts, with 95 % intervals; * where p < 0.05 after Holm's correction for the whole table.";
    less(compared, (name, &against), caption, note)
}

/// The differences of the first learned policy from the other ones.
fn between_learned(compared: &Compared) -> Table {
    let mut learned = compared.rows.iter().filter(|row| !row.classical);
    let Some(first) = learned.next() else {
        return Table::default();
    };
    let against: Vec<&str> = learned.map(|row| row.name.as_str()).collect();
    let caption = format!(
        "{}: {} less other learned policies",
        phase(compared),
        first.name
    );
    let note = "Paired on the same contracts, means over seeds; * as above.";
    less(compared, (&first.name, &against), caption, note)
}

fn less(
    compared: &Compared,
    (name, against): (&str, &[&str]),
    caption: String,
    note: &str,
) -> Table {
    let mut columns = vec!["against".to_owned()];
    columns.extend(STATISTICS.map(|of| statistic(of, compared.level)));
    let all = against
        .iter()
        .flat_map(|other| compared.against(name, other));
    let money = money(all.map(|test| test.difference.value));
    let rows = against.iter().map(|other| {
        let mut cells = vec![Cell::plain(*other)];
        cells.extend(compared.against(name, other).map(|test| {
            let mut cell = bounded(&test.difference, money);
            if test.corrected < LEVEL
                && let Some(interval) = &mut cell.error
            {
                interval.push('*');
            }
            cell
        }));
        cells
    });
    Table {
        caption,
        heads: columns,
        rows: rows.collect(),
        notes: vec![note.into()],
        ..Table::default()
    }
}

/// Some rows on parts of the contracts.
fn slices(compared: &Compared, what: &str, slices: &[Slice], names: &[&str]) -> Table {
    let mut columns = vec![what.to_owned(), "contracts".to_owned()];
    for name in names {
        let cvar = statistic("cvar", compared.level);
        columns.extend(["mean", "std", &cvar].map(|of| format!("{name}: {of}")));
    }
    let shown = |slice: &Slice| {
        let mut numbers = Vec::new();
        for name in names {
            let row = slice.rows.iter().find(|row| row.name == *name);
            numbers.extend(row.map_or([f64::NAN; 3], |row| [row.mean, row.std, row.cvar]));
        }
        numbers
    };
    let money = money(slices.iter().flat_map(&shown));
    let rows = slices.iter().map(|slice| {
        let mut cells = vec![
            Cell::plain(&slice.name),
            Cell::plain(slice.contracts.to_string()),
        ];
        cells.extend(
            shown(slice)
                .into_iter()
                .map(|value| match value.is_finite() {
                    true => Cell::number(value, money),
                    false => Cell::default(),
                }),
        );
        cells
    });
    Table {
        caption: format!("{}: by {what}", phase(compared)),
        heads: columns,
        rows: rows.collect(),
        ..Table::default()
    }
}

/// The contracts on which a row lost most, and the P&L of some rows on them.
fn worst(compared: &Compared, worst: &Worst, names: &[&str]) -> Table {
    let pooled = worst.contracts.iter().any(|of| of.problem.is_some());
    let mut columns = heads(&["sold", "expired"]);
    columns.extend(pooled.then(|| "problem".to_owned()));
    columns.extend(names.iter().map(ToString::to_string));
    let all = worst.contracts.iter().flat_map(|of| &of.pnl);
    let money = money(all.map(|(_, pnl)| *pnl));
    let rows = worst.contracts.iter().map(|of| {
        let mut cells = vec![Cell::plain(&of.sold), Cell::plain(&of.expiry)];
        cells.extend(pooled.then(|| Cell::plain(of.problem.clone().unwrap_or_default())));
        cells.extend(names.iter().map(|name| {
            let found = of.pnl.iter().find(|(row, _)| row == name);
            found.map_or_else(Cell::default, |(_, pnl)| Cell::number(*pnl, money))
        }));
        cells
    });
    Table {
        caption: format!("{}: the worst contracts of {}", phase(compared), worst.name),
        heads: columns,
        rows: rows.collect(),
        ..Table::default()
    }
}

/// How the trainings of learned policies ended, a row for every method: steps and seconds of all windows together, the risk at
/// the end averaged over windows, and the CVaR on the contracts, with standard deviations between seeds.
pub fn trainings(compared: &Compared, ends: &[(String, Vec<TrainingEnd>)]) -> Table {
    let cvar = statistic("cvar", compared.level);
    let columns = vec![
        "method".to_owned(),
        "seeds".into(),
        "windows".into(),
        "steps".into(),
        "seconds".into(),
        "risk at the end".into(),
        format!("{cvar} on the test"),
    ];
    let rows = ends.iter().filter_map(|(name, ends)| {
        let row = compared.row(name)?;
        let mut seeds: Vec<u64> = ends.iter().map(|end| end.seed).collect();
        seeds.sort_unstable();
        seeds.dedup();
        let of_seeds = |of: &dyn Fn(&[&TrainingEnd]) -> f64| -> Vec<f64> {
            let own = |seed: &u64| {
                ends.iter()
                    .filter(|end| end.seed == *seed)
                    .collect::<Vec<_>>()
            };
            seeds.iter().map(|seed| of(&own(seed))).collect()
        };
        let count = |ends: &[&TrainingEnd]| ends.len() as f64;
        let steps = of_seeds(&|ends| ends.iter().map(|end| end.steps as f64).sum());
        let seconds = of_seeds(&|ends| ends.iter().map(|end| end.seconds).sum());
        let risks = of_seeds(&|ends| ends.iter().map(|end| end.risk).sum::<f64>() / count(ends));
        let windows = ends.len() / seeds.len().max(1);
        let spread = row.between_seeds.map(|between| between.cvar);
        Some(vec![
            Cell::plain(name),
            Cell::plain(seeds.len().to_string()),
            Cell::plain(windows.to_string()),
            Cell::plain(format!("{:.0}", average(&steps))),
            over_seeds(&seconds),
            over_seeds(&risks),
            Cell::estimate(row.cvar.value, spread, money([row.cvar.value])),
        ])
    });
    Table {
        caption: "Trainings".into(),
        heads: columns,
        rows: rows.collect(),
        notes: vec![
            "Of all windows together; ± is one standard deviation between seeds. The risk at the end is that of the simulated \
             paths of the last tenth of the steps, averaged over windows."
                .into(),
        ],
        ..Table::default()
    }
}

fn average(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn over_seeds(values: &[f64]) -> Cell {
    let mean = average(values);
    let squares = values
        .iter()
        .map(|value| (value - mean).powi(2))
        .sum::<f64>();
    let deviation = (squares / (values.len() as f64 - 1.0)).sqrt();
    let deviation = (values.len() > 1).then_some(deviation);
    Cell::estimate(mean, deviation, Rounding::of_estimates([(mean, deviation)]))
}

/// Every table of a test with its validation period that has rows, in reading order.
pub fn tables(choice: &Choice<'_>) -> Vec<Table> {
    let validation = choice.validation.map(rows);
    validation.into_iter().chain(of_test(choice)).collect()
}

/// Every table of a test that has rows, in reading order.
pub fn of_test(choice: &Choice<'_>) -> Vec<Table> {
    let test = choice.test;
    let mut all = vec![rows(test)];
    let names = choice.names();
    if let Some((recipe, _)) = choice.recipe() {
        all.push(differences(test, &recipe.name));
        all.push(between_learned(test));
    }
    all.push(slices(test, "problem", &test.problems, &names));
    all.push(slices(test, "regime", &test.regimes, &names));
    all.push(slices(test, "year", &test.years, &names));
    let first = names.first();
    let mut each = test.worst.iter();
    let of_first = each.find(|of| Some(&of.name.as_str()) == first);
    all.extend(of_first.map(|of| worst(test, of, &names)));
    all.into_iter()
        .filter(|table| !table.rows.is_empty())
        .collect()
}
