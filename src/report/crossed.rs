//! The tables of a comparison across markets.

use super::table::{Cell, Table};
use crate::numbers::{Rounding, percent};
use crate::risk::Estimate;
use crate::runs::crossed::Crossed;
use crate::runs::metrics::Metrics;

/// Two tables for every strategy, of its risk and of the change against its own made for the market of the test; none
/// unless the run is such a comparison.
pub fn tables(metrics: &Metrics) -> Vec<Table> {
    const READ: &str = "Rows are the market that a policy was trained in, or whose parameters a classical hedge assumes; \
                        columns the market of the test paths. ± is one standard error over paths and, where there are \
                        several, between seeds.";
    let results = &metrics.crossed;
    let risk = &metrics.risk;
    let mut tables = Vec::new();
    for strategy in names(results, |r| &r.strategy) {
        let own: Vec<&Crossed> = results.iter().filter(|r| r.strategy == strategy).collect();
        let risks = own
            .iter()
            .map(|r| (r.risk.value, Some(r.risk.standard_error)));
        let rounding = Rounding::of_estimates(risks);
        tables.push(table(format!("{strategy}: {risk}"), &own, |r| {
            Cell::estimate(r.risk.value, Some(r.risk.standard_error), rounding)
        }));
        tables.push(table(
            format!("{strategy}: change of the {risk} against its own made for the market"),
            &own,
            |r| change(r.change),
        ));
    }
    if let Some(last) = tables.last_mut() {
        last.notes.push(READ.into());
    }
    tables
}

fn names<'a>(
    results: impl IntoIterator<Item = &'a Crossed>,
    of: impl Fn(&'a Crossed) -> &'a str,
) -> Vec<&'a str> {
    let mut names = Vec::new();
    for result in results {
        if !names.contains(&of(result)) {
            names.push(of(result));
        }
    }
    names
}

fn table(caption: String, results: &[&Crossed], cell: impl Fn(&Crossed) -> Cell) -> Table {
    let markets = names(results.iter().copied(), |r| &r.made_for);
    let mut heads = vec!["made for".to_string()];
    heads.extend(markets.iter().map(|market| format!("tested in {market}")));
    let rows = markets.iter().map(|made_for| {
        let name = Cell::plain(*made_for);
        let row = results.iter().filter(|r| r.made_for == *made_for);
        std::iter::once(name).chain(row.map(|r| cell(r))).collect()
    });
    Table {
        caption,
        heads,
        rows: rows.collect(),
        ..Table::default()
    }
}

/// A change in per cent, which is judged by whoever reads it: rows and columns say against what.
fn change(change: Estimate) -> Cell {
    let (value, error) = percent(change.value, change.standard_error);
    Cell {
        value,
        error: change.standard_error.is_finite().then_some(error),
        ..Cell::default()
    }
}
