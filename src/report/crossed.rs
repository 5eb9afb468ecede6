//! A comparison across markets: its tables, its heat maps, and what it comes to.

use super::markup::{swatch, typeset, with_minus};
use super::summary::{Verdict, strategies};
use super::table::{Cell, Table};
use super::verdict::Pair;
use crate::numbers::{Rounding, percent};
use crate::risk::Estimate;
use crate::runs::crossed::Crossed;
use crate::runs::metrics::Metrics;
use maud::{Markup, html};

/// How the tables are read.
const READ: &str = "Rows are the market that a policy was trained in, or whose parameters a classical hedge assumes; \
                    columns the market of the test paths. ± is one standard error over paths and, where there are \
                    several, between seeds.";

/// The tables of every strategy, of its risk and of the change against its own made for the market of the test, and one of the
/// hedges that assume nothing of a market; none unless the run is such a comparison.
pub fn tables(metrics: &Metrics) -> Vec<Table> {
    let risk = &metrics.risk;
    let mut tables = Vec::new();
    let (moved, still) = moved_and_still(metrics);
    for (strategy, own) in &moved {
        let rounding = rounding(own);
        tables.push(table(format!("{strategy}: {risk}"), own, |r| {
            Cell::estimate(r.risk.value, Some(r.risk.standard_error), rounding)
        }));
        tables.push(table(
            format!("{strategy}: change of the {risk} against its own made for the market"),
            own,
            |r| change(r.change),
        ));
    }
    tables.extend(unmoved(metrics, &still));
    if let Some(last) = tables.last_mut() {
        last.notes.push(READ.into());
    }
    tables
}

/// The same as heat maps: of every strategy its risk, shaded by how much it is above that of its own made for the market.
pub fn shown(metrics: &Metrics) -> Markup {
    let order = strategies(metrics);
    let (moved, still) = moved_and_still(metrics);
    let still = unmoved(metrics, &still);
    html! {
        div class="heats" {
            @for (strategy, own) in &moved { (heat_map(metrics, strategy, own, &order)) }
        }
        @if let Some(still) = &still { (super::markup::table(still, &order)) }
        p class="note" { (READ) " Shades are of the change in brackets, against the strategy's own made for the market of the test." }
    }
}

/// The results of every strategy by name: of those whose positions depend on the market that they are made for, and of those
/// whose do not.
type ByStrategy<'a> = Vec<(&'a str, Vec<&'a Crossed>)>;

fn moved_and_still(metrics: &Metrics) -> (ByStrategy<'_>, ByStrategy<'_>) {
    let results = &metrics.crossed;
    names(results, |r| &r.strategy)
        .into_iter()
        .map(|strategy| {
            let own = results.iter().filter(|r| r.strategy == strategy);
            (strategy, own.collect::<Vec<_>>())
        })
        .partition(|(_, own)| own.iter().any(|r| r.change.value != 0.0))
}

/// One table of the hedges that are the same whatever market they are made for; nothing if there is none.
fn unmoved(metrics: &Metrics, still: &ByStrategy<'_>) -> Option<Table> {
    let (_, first) = still.first()?;
    let markets = names(first.iter().copied(), |r| &r.tested_in);
    let mut heads = vec!["strategy".to_owned()];
    heads.extend(markets.iter().map(|market| format!("tested in {market}")));
    let all: Vec<&Crossed> = still
        .iter()
        .flat_map(|(_, own)| own.iter().copied())
        .collect();
    let rounding = rounding(&all);
    let rows = still.iter().map(|(strategy, own)| {
        let of = |market: &&str| {
            let mut own = own.iter();
            let found = own.find(|r| r.tested_in == **market && r.made_for == **market);
            found.map_or_else(Cell::default, |r| {
                Cell::estimate(r.risk.value, Some(r.risk.standard_error), rounding)
            })
        };
        std::iter::once(Cell::plain(*strategy))
            .chain(markets.iter().map(of))
            .collect()
    });
    Some(Table {
        caption: format!(
            "The same whatever market they are made for: {}",
            metrics.risk
        ),
        heads,
        rows: rows.collect(),
        ..Table::default()
    })
}

fn rounding(results: &[&Crossed]) -> Rounding {
    let risks = results.iter();
    Rounding::of_estimates(risks.map(|r| (r.risk.value, Some(r.risk.standard_error))))
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
        verdict: None,
    }
}

fn heat_map(metrics: &Metrics, strategy: &str, own: &[&Crossed], order: &[String]) -> Markup {
    let made_for = names(own.iter().copied(), |r| &r.made_for);
    let tested_in = names(own.iter().copied(), |r| &r.tested_in);
    let rounding = rounding(own);
    let of = |row: &str, column: &str| {
        let mut own = own.iter();
        own.find(|r| r.made_for == row && r.tested_in == column)
    };
    let caption = format!("{strategy}: {}", metrics.risk);
    html! {
        div class="scroll" tabindex="0" role="region" aria-label=(caption) {
            table class="numbers heat" {
                caption { span { (swatch(strategy, order)) ": " (typeset(&metrics.risk)) } }
                thead {
                    tr {
                        th scope="col" { "made for" }
                        @for market in &tested_in { th scope="col" { "tested in " (market) } }
                    }
                }
                tbody {
                    @for row in &made_for {
                        tr {
                            th scope="row" { (row) }
                            @for column in &tested_in {
                                @match of(row, column) {
                                    Some(r) => td class=(shade(r.change.value)) {
                                        span class="value" { (with_minus(&rounding.write(r.risk.value))) }
                                        " " span class="error" {
                                            @if row == column { "its own" } @else {
                                                "(" (typeset(&with_minus(&percent(r.change.value, r.change.standard_error).0))) ")"
                                            }
                                        }
                                    },
                                    None => td {},
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The class of a change: the shades begin at so many per cent more risk.
fn shade(change: f64) -> String {
    const STEPS: [f64; 5] = [0.01, 0.05, 0.15, 0.5, 1.0];
    match change < -STEPS[0] {
        true => "heat-less".to_owned(),
        false => format!(
            "heat-{}",
            STEPS.iter().filter(|step| change >= **step).count()
        ),
    }
}

/// What the comparison comes to, in a sentence for each side of `pair` and one of both together.
pub fn conclusion(metrics: &Metrics, pair: &Pair) -> String {
    let of = |name: &str| -> Vec<&Crossed> {
        let results = metrics.crossed.iter();
        results.filter(|r| r.strategy == name).collect()
    };
    let (ours, theirs) = (of(&pair.strategy), of(&pair.baseline));
    let mut said: Vec<String> = [(&pair.strategy, &ours), (&pair.baseline, &theirs)]
        .into_iter()
        .filter_map(|(name, own)| robustness(name, own, &metrics.risk))
        .collect();
    said.extend(together(pair, &ours, &theirs));
    said.join(" ")
}

/// How much a strategy loses in markets that it is not made for.
fn robustness(name: &str, own: &[&Crossed], risk: &str) -> Option<String> {
    let elsewhere = own.iter().filter(|r| r.made_for != r.tested_in);
    let known = elsewhere.filter(|r| r.change.value.is_finite());
    let worst = known
        .clone()
        .max_by(|a, b| a.change.value.total_cmp(&b.change.value))?;
    let Crossed {
        made_for,
        tested_in,
        change,
        seeds,
        ..
    } = worst;
    let places = known.clone().count();
    let worse = |r: &&&Crossed| {
        Verdict::lower_is_better(r.change.value, r.change.standard_error) == Verdict::Worse
    };
    let lost = known.filter(worse).count();
    let (size, error) = percent(change.value, change.standard_error);
    let seeds = if *seeds == 1 { " (one seed)" } else { "" };
    Some(format!(
        "{name}{seeds}, made for another market than that of the test, has more {risk} than its own made for it in {lost} of \
         {places} cases; at most {size} ({error}), made for {made_for} and tested in {tested_in}."
    ))
}

/// In how many cases one side has less risk than the other: two standard errors of both sides apart, which is safe, because
/// the sides share their paths.
fn together(pair: &Pair, ours: &[&Crossed], theirs: &[&Crossed]) -> Option<String> {
    let mut counts = [0; 3];
    let mut one_seed = false;
    for our in ours {
        let mut all = theirs.iter();
        let their = all.find(|r| r.made_for == our.made_for && r.tested_in == our.tested_in)?;
        one_seed |= our.seeds == 1 && their.seeds == 1;
        let error = our.risk.standard_error.hypot(their.risk.standard_error);
        let verdict = Verdict::lower_is_better(our.risk.value - their.risk.value, error);
        counts[0] += usize::from(verdict == Verdict::Better);
        counts[1] += usize::from(verdict == Verdict::Worse);
        counts[2] += 1;
    }
    let [less, more, all] = counts;
    let Pair { strategy, baseline } = pair;
    match (all, one_seed) {
        (0, _) => None,
        (_, true) => Some(format!(
            "With one seed {strategy} and {baseline} cannot be told from the luck of their trainings."
        )),
        (_, false) => Some(format!(
            "{strategy} has less risk than {baseline} in {less} of {all} cases and more in {more}."
        )),
    }
}

#[cfg(test)]
#[path = "crossed_tests.rs"]
mod tests;
