//! A run in the list of all runs.

use super::place::encoded;
use super::summary::{Figure, Headline, Number};
use crate::numbers::{Rounding, percent};
use crate::report::markup::{readable_time, with_minus};
use crate::report::summary::Verdict;
use crate::runs::index::Entry;
use maud::{Markup, html};

/// The heads of the results, where a row is a block of its own.
const HEADS: [&str; 4] = ["P&L variance", "cost", "Sharpe", "CVaR"];

/// The place of the Sharpe ratio, whose change is a difference and better where it is higher.
const SHARPE: usize = 2;

/// The results of the runs of a page, written so that their points line up in every column.
pub struct Columns(Vec<Option<Written>>);

/// A run's results as they are shown.
struct Written {
    headline: Headline,
    /// Of each result the hedge's and the baseline's.
    values: [[String; 2]; 4],
}

impl Columns {
    /// The results of `entries`, of those that have any.
    pub fn of(entries: &[Entry]) -> Self {
        let written = |entry: &Entry| {
            let headline = Headline::read(&entry.summary)?;
            let values = headline.figures.map(|figure| written(&figure));
            Some(Written { headline, values })
        };
        let mut rows: Vec<Option<Written>> = entries.iter().map(written).collect();
        for column in 0..HEADS.len() {
            let cells = rows.iter_mut().flatten();
            align(cells.flat_map(|row| row.values[column].iter_mut()).collect());
        }
        Self(rows)
    }
}

/// A result of the hedge and of its baseline, rounded alike.
fn written(figure: &Figure) -> [String; 2] {
    let estimate = |number: &Number| Some((number.value?, number.standard_error));
    let both = [&figure.value, &figure.baseline];
    let rounding = Rounding::of_estimates(both.into_iter().filter_map(estimate));
    both.map(|number| {
        number.value.map_or_else(String::new, |value| {
            with_minus(&rounding.write(value))
        })
    })
}

/// Widens numbers on the right, by spaces as wide as a digit and as a point, so that the points of numbers that end in the
/// same place stand below each other.
fn align(numbers: Vec<&mut String>) {
    const DIGIT: &str = "\u{2007}";
    const POINT: &str = "\u{2008}";
    let decimals = |number: &str| number.split_once('.').map(|(_, rest)| rest.chars().count());
    let most = numbers.iter().filter_map(|number| decimals(number)).max();
    let Some(most) = most else { return };
    for number in numbers.into_iter().filter(|number| !number.is_empty()) {
        match decimals(number) {
            Some(own) => number.push_str(&DIGIT.repeat(most - own)),
            None => {
                number.push_str(POINT);
                number.push_str(&DIGIT.repeat(most));
            }
        }
    }
}

/// The row of a run, which is number `index` of its page; `keys` are those that the search names.
pub fn row(entry: &Entry, keys: &[String], columns: &Columns, index: usize) -> Markup {
    let id = &entry.id;
    let results = columns.0.get(index).and_then(Option::as_ref);
    html! {
        tr {
            td {
                @if entry.state == "complete" {
                    input type="checkbox" name="runs" value=(id) aria-label={ "Compare " (id) };
                }
            }
            (name(entry))
            td class="time" data-head="made" {
                (readable_time(&entry.created))
                @if let Some(command) = entry.summary["command"].as_str() {
                    br; small { (command.replace('_', " ")) }
                }
            }
            @for (key, value) in keys.iter().zip(&entry.values) {
                td class="setting" data-head=(key) { (value.as_deref().unwrap_or("–")) }
            }
            @match results {
                Some(written) => (cells(written)),
                None => td colspan="5" { (unfinished(entry)) },
            }
        }
    }
}

/// The name of a run, with its tags and its note.
fn name(entry: &Entry) -> Markup {
    let name = match entry.name.as_str() {
        "" => "unnamed run",
        name => name,
    };
    html! {
        th scope="row" {
            a href={ "./runs/" (entry.id) } { (name) }
            @for tag in &entry.tags {
                " " a class="tag" href={ "./?tag=" (encoded(tag)) } { (tag) }
            }
            br;
            small { (entry.id) }
            @if !entry.note.is_empty() { br; small class="note" { (entry.note) } }
        }
    }
}

/// How far a run is that has no results.
fn unfinished(entry: &Entry) -> String {
    let why = entry.summary.as_str().unwrap_or_default();
    match entry.share {
        Some(share) if share.is_trained() => share.to_string(),
        Some(share) => format!("{share}, {}", entry.state),
        None if entry.state == "complete" => "nothing was measured".into(),
        None if why.is_empty() => entry.state.into(),
        None => why.into(),
    }
}

/// The hedge, its baseline and the change, a line each, for every result.
fn cells(written: &Written) -> Markup {
    let Headline {
        on_history,
        strategy,
        baseline,
        seeds,
        figures,
    } = &written.headline;
    let compared = baseline.is_some();
    html! {
        td class="hedge" data-head="hedge" {
            div { (strategy) }
            @if let Some(baseline) = baseline { div class="baseline" { (baseline) } }
            div class="baseline" {
                @if compared { "change" }
                @if *on_history { @if compared { ", " } "history" }
                @if *seeds == 1 { @if compared || *on_history { ", " } "one seed" }
            }
        }
        @for (index, (head, values)) in HEADS.iter().zip(&written.values).enumerate() {
            td class="result" data-head=(head) {
                div { (values[0]) }
                @if compared {
                    div class="baseline" { (values[1]) }
                    (change(&figures[index].change, index))
                }
            }
        }
    }
}

/// The change of a result in a line, with what it comes to.
fn change(change: &Number, index: usize) -> Markup {
    let (value, error) = (
        change.value.unwrap_or(f64::NAN),
        change.standard_error.unwrap_or(f64::NAN),
    );
    let (verdict, (words, within)) = match index == SHARPE {
        true => {
            let rounding = Rounding::of_estimates([(value, Some(error))]);
            let sign = if value > 0.0 { "+" } else { "" };
            (
                Verdict::higher_is_better(value, error),
                (
                    format!("{sign}{}", rounding.write(value)),
                    format!("±{}", rounding.write(error)),
                ),
            )
        }
        false => (
            Verdict::lower_is_better(value, error),
            percent(value, error),
        ),
    };
    let class = match verdict {
        Verdict::Better => "better",
        Verdict::Worse => "worse",
        Verdict::Undecided | Verdict::Unknown => "",
    };
    html! {
        div class={ "change " (class) } {
            @if verdict == Verdict::Unknown {
                "n/a"
            } @else {
                (with_minus(&words)) " " (within)
                span class="spoken" { ", " (verdict.words()) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::fixture;
    use crate::server::summary;

    /// Every number of a column has its point in the same place from the right, whatever its size, and a change without a
    /// standard error is not shown as one.
    #[test]
    fn points_line_up() {
        let mut metrics = fixture::metrics();
        let entry = |metrics: &crate::runs::metrics::Metrics| Entry {
            id: "a".into(),
            state: "complete",
            name: "a".into(),
            created: metrics.created.clone(),
            summary: summary(metrics).said,
            tags: Vec::new(),
            note: String::new(),
            share: None,
            values: Vec::new(),
        };
        let small = entry(&metrics);
        for row in &mut metrics.evaluation {
            row.cost_mean *= 12_345.0;
            row.cost_mean_standard_error *= 12_345.0;
        }
        metrics.comparisons[0].cvar_change_standard_error = f64::NAN;
        let entries = [small, entry(&metrics)];
        let columns = Columns::of(&entries);
        let costs: Vec<&String> = columns.0.iter().flatten().flat_map(|row| &row.values[1]).collect();
        assert_eq!(costs.len(), 4);
        let after = |number: &String| {
            let point = number.find(['.', '\u{2008}']).unwrap();
            number[point..].chars().count()
        };
        assert!(costs.iter().all(|cost| after(cost) == after(costs[0])), "{costs:?}");
        assert!(costs[2].starts_with("14") && costs[2].contains('\u{2007}'), "{costs:?}");
        let shown = row(&entries[1], &[], &columns, 1).into_string();
        assert!(shown.contains("n/a") && !shown.contains("NaN"), "{shown}");
    }
}
