//! Several runs beside each other.

use super::answer::{JSON, PAGE, answer, json};
use super::app::{App, off_thread};
use super::charts::{bad_request, complete};
use super::described::{RUNS, Refusal};
use super::elements::chart;
use super::layout::{frame, with_charts};
use super::problem::{Problem, missing};
use crate::charts::{self, CHARTS, Figure, RunData};
use crate::error::excerpt;
use crate::report::markup::{readable_time, table};
use crate::report::palette::Palette;
use crate::report::summary::strategies;
use crate::report::tables::{backtest, evaluation};
use crate::runs::index::{Entry, Filter};
use crate::runs::metrics::Metrics;
use crate::runs::store::RunFolder;
use crate::runs::tables::EvaluationTable;
use crate::runs::warnings::Disagreement;
use axum::extract::{Path as Segment, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{Html, IntoResponse, Response};
use maud::{Markup, html};

/// Runs that are compared at once, at most.
const MOST: usize = 6;

/// The runs that `runs` names, once each and in their order.
fn ids(runs: &str) -> Result<Vec<&str>, Problem> {
    let mut ids: Vec<&str> = Vec::new();
    for id in runs.split(',').filter(|id| !id.is_empty()) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    if !(2..=MOST).contains(&ids.len()) {
        return Err(bad_request(
            Some("runs"),
            format!(
                "`runs` names {} runs: must be 2 to {MOST}, with commas between them",
                ids.len()
            ),
        ));
    }
    Ok(ids)
}

type Compared<'a> = [(&'a RunFolder, Metrics)];

/// The ids in a query: `runs=a,b`, or `runs=a&runs=b` as forms send it. Ids need no escapes, commas may have one.
fn asked(query: Option<&str>) -> String {
    let pairs = query.unwrap_or_default().split('&');
    let runs: Vec<String> = pairs
        .filter_map(|pair| pair.strip_prefix("runs="))
        .map(|ids| ids.replace("%2C", ",").replace("%2c", ","))
        .collect();
    runs.join(",")
}

/// A row or a book of run number `run`, by a name that tells the runs apart.
fn named(strategy: &str, run: usize) -> String {
    format!("{strategy} ({})", letter(run))
}

/// A, B, C …
fn letter(run: usize) -> char {
    char::from(b'A' + run as u8)
}

/// One run's metrics out of those of several: their rows, by names that tell the runs apart.
fn joined(runs: &Compared<'_>) -> Metrics {
    let mut all = runs[0].1.clone();
    all.training.clear();
    all.comparisons.clear();
    all.backtest_comparisons.clear();
    all.backtest_breakdown.clear();
    all.evaluation.clear();
    all.backtest.clear();
    all.disagreements.clear();
    all.hedges.clear();
    all.best_classical.clear();
    for (run, (_, metrics)) in runs.iter().enumerate() {
        let renamed = |row: &crate::risk::Row| crate::risk::Row {
            strategy: named(&row.strategy, run),
            ..row.clone()
        };
        all.evaluation
            .extend(metrics.evaluation.iter().map(renamed));
        all.backtest.extend(metrics.backtest.iter().map(renamed));
        let disagreements = metrics.disagreements.iter();
        all.disagreements
            .extend(disagreements.map(|found| Disagreement {
                strategy: named(&found.strategy, run),
                ..found.clone()
            }));
    }
    all
}

/// What is drawn: the trained strategies or, if there are none, all. With the classical hedges of every run there would
/// be more lines than can be told apart.
fn drawn(all: &Metrics) -> Vec<String> {
    let mut trained = all.clone();
    trained.evaluation.retain(|row| row.seed.is_some());
    trained.backtest.retain(|row| row.seed.is_some());
    let trained = strategies(&trained);
    if trained.is_empty() {
        strategies(all)
    } else {
        trained
    }
}

/// The page that compares runs, or asks which.
pub async fn page(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let runs = asked(query.as_deref());
    if runs.is_empty() {
        let place = app.place("/compare");
        let made = off_thread(move || Ok(frame(&place, "Compare runs", &choice(&app)?)));
        let page = made.await.map(Html);
        return page.map(IntoResponse::into_response);
    }
    let ids = ids(&runs)?;
    let what = ("comparison".to_owned(), PAGE);
    let place = app.place("/compare");
    let made = answer(&app, &headers, what, &ids, move |folders| {
        let runs: Vec<_> = folders.iter().map(complete).collect::<Result<_, _>>()?;
        Ok(with_charts(&place, "Comparison of runs", &body(&runs)).into())
    });
    made.await
}

/// The runs that can be compared.
fn choice(app: &App) -> Result<Markup, Problem> {
    let complete = Filter {
        state: Some("complete".into()),
        ..Filter::default()
    };
    let runs = app.index.list(&complete)?;
    if runs.len() < 2 {
        return Ok(html! {
            h1 { "Compare runs" }
            p class="message" {
                "Two runs with results are needed. " a href="./jobs" { "Make one as a job" }
                ", or with " code { "deephedge compare" } "."
            }
        });
    }
    Ok(html! {
        h1 { "Compare runs" }
        p { "Choose 2 to " (MOST) " runs." }
        form action="./compare" {
            div class="scroll" tabindex="0" role="region" aria-label="Runs" {
                table class="list" {
                    thead {
                        tr {
                            @for head in ["compare", "run", "made", "command", "trained on"] {
                                th scope="col" { (head) }
                            }
                        }
                    }
                    tbody { @for run in &runs { (choice_row(run)) } }
                }
            }
            p { button { "Compare the chosen runs" } }
        }
    })
}

fn choice_row(run: &Entry) -> Markup {
    let id = &run.id;
    let said = |key: &str| run.summary[key].as_str().unwrap_or_default();
    html! {
        tr {
            td { input type="checkbox" name="runs" value=(id) aria-label={ "Compare " (id) }; }
            th scope="row" {
                a href={ "./runs/" (id) } { (run.name) }
                br;
                small { (id) }
            }
            td class="time" { (readable_time(said("created"))) }
            td { (said("command")) }
            td { (said("risk")) }
        }
    }
}

fn body(runs: &Compared<'_>) -> Markup {
    let all = joined(runs);
    let order = drawn(&all);
    let differ = runs.windows(2).any(|pair| pair[0].1.risk != pair[1].1.risk);
    let mut tables: Vec<_> = [evaluation(&all), backtest(&all)]
        .into_iter()
        .flatten()
        .collect();
    for shown in &mut tables {
        // What is said of one run's market is not true of all.
        shown.notes.truncate(2);
        shown.notes.push(
            "Rows of different runs are on paths of their own where the strategies differ; changes against Adam, \
             paired on common paths, are on the page of each run."
                .into(),
        );
    }
    let ids: Vec<&str> = runs.iter().map(|(folder, _)| folder.id()).collect();
    let ids = ids.join(",");
    html! {
        h1 { "Comparison of runs" }
        dl class="facts" {
            @for (run, (folder, metrics)) in runs.iter().enumerate() {
                div {
                    dt { (letter(run)) }
                    dd {
                        a href={ "./runs/" (folder.id()) } { (metrics.name) }
                        br;
                        small {
                            (folder.id()) ", " (readable_time(&metrics.created)) ", trained on " (metrics.risk)
                        }
                    }
                }
            }
        }
        @if differ {
            p class="message" {
                "These runs were trained on different risk measures: a hedge is best at its own."
            }
        }
        @for shown in &tables { (table(shown, &order)) }
        @if !all.evaluation.is_empty() {
            section {
                h2 { "Charts" }
                div class="figures" {
                    @for of in CHARTS {
                        @if let Some(caption) = of.of_several {
                            (chart(&format!("api/v1/charts/{}?runs={ids}", of.name), caption))
                        }
                    }
                }
            }
        }
    }
}

/// A chart of several runs: `pnl_histogram` or `cost_cvar`.
#[utoipa::path(get, path = "/api/v1/charts/{name}", tag = RUNS,
    params(("name" = String, Path, description = "Chart"),
           ("runs" = Vec<String>, Query, min_items = 2, max_items = 6,
            description = "2 to 6 runs, repeated or with commas between them")),
    responses((status = 200, body = Figure), (status = 400, body = Refusal), (status = 404, body = Refusal),
              (status = 409, description = "No results yet", body = Refusal)))]
pub async fn chart_of_runs(
    State(app): State<App>,
    Segment(name): Segment<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let runs = asked(query.as_deref());
    let ids = ids(&runs)?;
    let what = (format!("chart {name}"), JSON);
    let made = answer(&app, &headers, what, &ids, move |folders| {
        let runs: Vec<_> = folders.iter().map(complete).collect::<Result<_, _>>()?;
        let mut all = joined(&runs);
        let drawn = drawn(&all);
        all.evaluation.retain(|row| drawn.contains(&row.strategy));
        let data = RunData::of_several(&all, Palette::new(drawn.clone()), || {
            let mut table = books(&runs)?;
            table.books.retain(|book| drawn.contains(&book.strategy));
            Ok(table)
        });
        let none = || missing(format!("these runs have no chart `{}`", excerpt(&name)));
        let chart = charts::named(&name).filter(|chart| chart.of_several.is_some());
        let figure = (chart.ok_or_else(none)?.draw)(&data, None)?;
        json(&figure.ok_or_else(none)?)
    });
    made.await
}

fn books(runs: &Compared<'_>) -> crate::Result<EvaluationTable> {
    let mut all = EvaluationTable::default();
    for (run, (folder, _)) in runs.iter().enumerate() {
        let table = folder.evaluation()?.unwrap_or_default();
        all.books.extend(table.books.into_iter().map(|mut book| {
            book.strategy = named(&book.strategy, run);
            book
        }));
    }
    Ok(all)
}
