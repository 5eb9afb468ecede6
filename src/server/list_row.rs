//! A run in the list of all runs.

use super::place::encoded;
use super::summary::{Figure, Headline, MEASURES, Number};
use crate::numbers::Rounding;
use crate::report::markup::{readable_time, typeset, with_minus};
use crate::report::summary::Verdict;
use crate::report::table::Cell;
use crate::runs::index::Entry;
use maud::{Markup, html};

/// The results of the runs of a page, written so that their points line up in every column.
pub struct Columns(Vec<Option<Written>>);

/// A run's results as they are shown.
struct Written {
    headline: Headline,
    /// Of each result the hedge's and the baseline's, on the first kind of paths.
    values: [[String; 2]; MEASURES.len()],
}

impl Columns {
    /// The results of `entries`, of those that have any.
    pub fn of(entries: &[Entry]) -> Self {
        let written = |entry: &Entry| {
            let headline = Headline::read(&entry.summary)?;
            let values = headline
                .parts
                .first()?
                .figures
                .map(|figure| written(&figure));
            Some(Written { headline, values })
        };
        let mut rows: Vec<Option<Written>> = entries.iter().map(written).collect();
        for column in 0..MEASURES.len() {
            let cells = rows.iter_mut().flatten();
            align(
                cells
                    .flat_map(|row| row.values[column].iter_mut())
                    .collect(),
            );
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
        number
            .value
            .map_or_else(String::new, |value| with_minus(&rounding.write(value)))
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

/// The row of a run, which is number `index` of its page; `keys` are those that the search names, and `state` is the word for how far a
/// run is that has no results.
pub fn row(
    entry: &Entry,
    keys: &[String],
    (columns, index): (&Columns, usize),
    state: &dyn Fn() -> &'static str,
) -> Markup {
    let id = &entry.id;
    let results = columns.0.get(index).and_then(Option::as_ref);
    html! {
        tr {
            td {
                @if entry.state == "complete" {
                    input type="checkbox" name="runs" value=(id) aria-label={ "Compare " (id) };
                }
            }
            (name(entry, results.and_then(|written| written.headline.hedged.as_deref())))
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
                None => td colspan="5" { (unfinished(entry, state)) },
            }
        }
    }
}

/// The name of a run and what it hedged, with its tags and its note.
fn name(entry: &Entry, hedged: Option<&str>) -> Markup {
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
            @if let Some(hedged) = hedged { small class="hedged" title=(hedged) { (typeset(hedged)) } }
            small class="id" { (entry.id) }
            @if !entry.note.is_empty() { br; small class="note" { (entry.note) } }
        }
    }
}

/// How far a run is that has no results.
fn unfinished(entry: &Entry, state: &dyn Fn() -> &'static str) -> String {
    let why = entry.summary.as_str().unwrap_or_default();
    match entry.share {
        Some(share) if share.is_trained() => share.to_string(),
        Some(share) => format!("{share}, {}", state()),
        None if entry.state == "complete" => "nothing was measured".into(),
        None if why.is_empty() => state().into(),
        None => why.into(),
    }
}

/// The hedge, its baseline and the change on every kind of paths, a line each, for every result.
fn cells(written: &Written) -> Markup {
    let Headline {
        badge,
        strategy,
        baseline,
        parts,
        ..
    } = &written.headline;
    html! {
        td class="hedge" data-head="hedge" {
            div { (strategy) @if let Some(badge) = badge { " " span class="badge" { (badge) } } }
            @if let Some(baseline) = baseline {
                div class="muted" { (baseline) }
                @for part in parts { div class="muted change" { (part.title.to_lowercase()) } }
            } @else {
                @for part in parts { div class="muted" { (part.title.to_lowercase()) } }
            }
        }
        @for (index, ((_, head), values)) in MEASURES.iter().zip(&written.values).enumerate() {
            td class="result" data-head=(head) {
                div { (values[0]) }
                @if baseline.is_some() {
                    div class="muted" { (values[1]) }
                    @for part in parts { (change(&part.figures[index])) }
                }
            }
        }
    }
}

/// The change of a result in a line, with what it comes to.
fn change(figure: &Figure) -> Markup {
    let number = |number: Option<f64>| number.unwrap_or(f64::NAN);
    let (value, error) = (
        number(figure.change.value),
        number(figure.change.standard_error),
    );
    let verdict = figure.verdict.unwrap_or(Verdict::Unknown);
    let cell = match figure.relative {
        // The verdict is said already, so that the number of seeds changes nothing.
        true => Cell::change(value, error, 0),
        false => Cell::difference(value, error, verdict),
    };
    let class = match verdict {
        Verdict::Better => "better",
        Verdict::Worse => "worse",
        Verdict::Undecided | Verdict::OneSeed | Verdict::Withheld | Verdict::Unknown => "muted",
    };
    html! {
        div class={ "change " (class) } title=(verdict.words()) {
            (typeset(&with_minus(&cell.value)))
            @if let Some(error) = &cell.error { " " (typeset(error)) }
            span class="spoken" { ", " (verdict.words()) }
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
            summary: summary(metrics, None).said,
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
        let costs: Vec<&String> = columns
            .0
            .iter()
            .flatten()
            .flat_map(|row| &row.values[1])
            .collect();
        assert_eq!(costs.len(), 4);
        let after = |number: &String| {
            let point = number.find(['.', '\u{2008}']).unwrap();
            number[point..].chars().count()
        };
        assert!(
            costs.iter().all(|cost| after(cost) == after(costs[0])),
            "{costs:?}"
        );
        assert!(
            costs[2].starts_with("14") && costs[2].contains('\u{2007}'),
            "{costs:?}"
        );
        let shown = row(&entries[1], &[], (&columns, 1), &|| "stopped").into_string();
        assert!(
            shown.contains("not comparable") && !shown.contains("NaN"),
            "{shown}"
        );
    }
}
