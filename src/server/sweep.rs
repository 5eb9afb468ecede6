//! Many runs beside each other: what they set differently, and what came of it.

use super::app::{App, off_thread};
use super::charts::bad_request;
use super::described::{RUNS, Refusal};
use super::elements::slot;
use super::layout::{framed, module, script};
use super::list::{Wanted, search_field};
use super::problem::{Problem, missing};
use super::summary::{Headline, MEASURES};
use crate::charts::{Dimension, Figure, MOST_AXES, parallel};
use crate::error::Error;
use crate::numbers::significant;
use crate::report::markup::with_minus;
use crate::runs::differences::Written;
use crate::runs::index::{Entry, Filter, Sweep};
use axum::Json;
use axum::extract::{Query, State};
use axum::response::Html;
use maud::{Markup, html};
use serde::Deserialize;
use std::collections::BTreeMap;
use utoipa::IntoParams;

/// Runs of a chart, at most.
const MOST_RUNS: usize = 1000;

/// Rows of the table, at most.
const MOST_ROWS: usize = 200;

/// The place of the result by which runs are ranked: the tail risk, of which less is better.
const RANKED: usize = 3;

/// The page of many runs.
pub async fn page(
    State(app): State<App>,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Result<Html<String>, Problem> {
    let place = app.place("/sweep");
    let wanted = Wanted::new(&asked);
    let made = off_thread(move || Ok(body(&app, &wanted)?));
    let scripts = html! { (script(&place, "plotly.js")) (module(&place, "run.js")) };
    let body = made.await?;
    Ok(Html(framed(
        &place,
        "Runs beside each other",
        &scripts,
        &body,
    )))
}

fn body(app: &App, wanted: &Wanted) -> crate::Result<Markup> {
    let form = html! {
        form class="row" action="./sweep" role="search" {
            (search_field(&wanted.filter, &app.index.keys()?))
            @if let Some(tag) = &wanted.filter.tag { input type="hidden" name="tag" value=(tag); }
            button { "Show" }
        }
    };
    let (sweep, problem) = match app.index.sweep(&wanted.filter, MOST_RUNS) {
        Ok(sweep) => (Ranked::from(sweep), None),
        Err(Error::Setting(error)) => (Ranked::default(), Some(error.to_string())),
        Err(error) => return Err(error),
    };
    let axes = axes(&sweep);
    let width = 96 * (axes.len() + MEASURES.len());
    let address = wanted.filtered("api/v1/charts/sweep");
    Ok(html! {
        h1 { "Runs beside each other" }
        (form)
        @if let Some(problem) = problem {
            p class="message problem" role="alert" { (problem) "." }
        } @else if sweep.runs.len() < 2 {
            p class="message" {
                "Two runs with results are needed, and " (sweep.runs.len()) " is like that. " a href="./" { "All runs" }
            }
        } @else {
            p {
                (sweep.runs.len()) " runs with results, which differ in " (sweep.keys.len())
                @if sweep.keys.len() == 1 { " key." } @else { " keys." }
                @if axes.len() < sweep.keys.len() { " The chart has the " (axes.len()) " with the fewest different values." }
            }
            h2 { "Parallel coordinates" }
            figure {
                div class="scroll" tabindex="0" role="region" aria-label="Parallel coordinates" {
                    div style={ "min-width: " (width) "px" } { (slot(address.trim_end_matches(['?', '&']), None, false)) }
                }
                figcaption {
                    "A line for every run, from its settings on the left to the results of its headline hedge on the right; the runs "
                    "with the least CVaR of the loss are drawn over the others. Axes of widely different numbers are logarithmic."
                }
            }
            (table(&sweep))
        }
    })
}

/// A run of a sweep.
struct Swept {
    id: String,
    /// What it has at the keys of the sweep.
    values: Vec<Option<Written>>,
    /// The results of its headline hedge.
    results: [Option<f64>; MEASURES.len()],
}

/// Runs beside each other, those with the least tail risk first and those without one last.
#[derive(Default)]
struct Ranked {
    keys: Vec<String>,
    runs: Vec<Swept>,
}

impl From<Sweep> for Ranked {
    fn from(sweep: Sweep) -> Self {
        let swept = |(entry, values): (Entry, _)| Swept {
            results: Headline::read(&entry.summary)
                .map_or([None; MEASURES.len()], |headline| headline.results()),
            id: entry.id,
            values,
        };
        let mut runs: Vec<Swept> = sweep.runs.into_iter().map(swept).collect();
        let risk = |run: &Swept| run.results[RANKED].unwrap_or(f64::INFINITY);
        runs.sort_by(|a, b| risk(a).total_cmp(&risk(b)));
        Self {
            keys: sweep.keys,
            runs,
        }
    }
}

/// The keys that have an axis, by their places: those with the fewest different values, which group runs, in the order of their
/// names.
fn axes(sweep: &Ranked) -> Vec<usize> {
    let different = |key: usize| {
        let mut texts: Vec<Option<&String>> = sweep
            .runs
            .iter()
            .map(|run| run.values[key].as_ref().map(|value| &value.text))
            .collect();
        texts.sort_unstable();
        texts.dedup();
        texts.len()
    };
    let mut keys: Vec<usize> = (0..sweep.keys.len()).collect();
    // The name says what the other keys say.
    keys.retain(|key| sweep.keys[*key] != "name");
    keys.sort_by_cached_key(|key| different(*key));
    keys.truncate(MOST_AXES - MEASURES.len());
    keys.sort_unstable();
    keys
}

fn table(sweep: &Ranked) -> Markup {
    let shown = sweep.runs.iter().take(MOST_ROWS);
    html! {
        div class="scroll tall" tabindex="0" role="region" aria-label="Runs" {
            table class="numbers sweep" {
                caption {
                    span {
                        "Settings and results"
                        @if sweep.runs.len() > MOST_ROWS { ", the " (MOST_ROWS) " runs with the least CVaR" }
                    }
                }
                thead {
                    tr {
                        th scope="col" { "run" }
                        @for key in &sweep.keys { th scope="col" { (key.replace('.', ". ")) } }
                        @for (_, head) in MEASURES { th scope="col" { (head) } }
                    }
                }
                tbody {
                    @for run in shown {
                        tr {
                            th scope="row" { a href={ "./runs/" (run.id) } { (run.id) } }
                            @for value in &run.values {
                                td { (value.as_ref().map_or("–", |value| &value.text)) }
                            }
                            @for result in &run.results {
                                td { @if let Some(value) = result { (with_minus(&significant(*value, 4))) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Which runs a chart of many shows.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SweepQuery {
    /// Only runs with this tag.
    tag: Option<String>,
    /// Words and conditions, as those of the list of runs.
    search: Option<String>,
}

/// Parallel coordinates of the complete runs that a search finds: the settings in which they differ, and their results.
#[utoipa::path(get, path = "/api/v1/charts/sweep", tag = RUNS, params(SweepQuery),
    responses((status = 200, body = Figure), (status = 400, body = Refusal), (status = 404, body = Refusal)))]
pub async fn chart(
    State(app): State<App>,
    Query(query): Query<SweepQuery>,
) -> Result<Json<Figure>, Problem> {
    let filter = Filter {
        tag: query.tag,
        state: None,
        search: query.search,
    };
    let made = off_thread(move || {
        let sweep = match app.index.sweep(&filter, MOST_RUNS) {
            Err(error @ Error::Setting(_)) => {
                return Err(bad_request(error.at_key(), error.to_string()));
            }
            sweep => Ranked::from(sweep?),
        };
        let none = || missing("fewer than two runs with results are like that".into());
        drawn(&sweep).ok_or_else(none)
    });
    made.await.map(Json)
}

fn drawn(sweep: &Ranked) -> Option<Figure> {
    if sweep.runs.len() < 2 {
        return None;
    }
    let mut dimensions: Vec<Dimension> = axes(sweep)
        .into_iter()
        .map(|key| Dimension {
            name: sweep.keys[key].clone(),
            values: sweep
                .runs
                .iter()
                .map(|run| run.values[key].clone())
                .collect(),
        })
        .collect();
    dimensions.extend(MEASURES.iter().enumerate().map(|(index, (_, name))| {
        Dimension {
            name: (*name).to_owned(),
            values: sweep
                .runs
                .iter()
                .map(|run| Written::of(run.results[index]?))
                .collect(),
        }
    }));
    let names: Vec<String> = sweep.runs.iter().map(|run| run.id.clone()).collect();
    let places: Vec<usize> = (0..names.len()).collect();
    parallel("Settings and results", &dimensions, (&names, &places))
}
