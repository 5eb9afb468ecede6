//! Several runs beside each other.

use super::answer::{JSON, PAGE, answer, json};
use super::app::{App, off_thread};
use super::charts::{bad_request, complete};
use super::described::{RUNS, Refusal};
use super::elements::chart;
use super::layout::{frame, with_charts};
use super::problem::{Problem, missing};
use crate::charts::{Figure, MOST_RUNS, OneRun, SEVERAL_CHARTS};
use crate::error::excerpt;
use crate::report::markup::{readable_time, table};
use crate::report::several::{OneOfSeveral, Several, letter};
use crate::report::summary::strategies;
use crate::report::tables::{backtest, evaluation};
use crate::runs::differences::{Written, differences, settings};
use crate::runs::index::{Entry, Filter};
use crate::runs::metrics::Metrics;
use crate::runs::store::RunFolder;
use crate::strategy::Strategy;
use axum::extract::{Path as Segment, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{Html, IntoResponse, Response};
use maud::{Markup, html};

/// Rows of the page that asks which runs are compared.
const CHOICES: usize = 50;

/// The runs that `runs` names, once each and in their order.
fn ids(runs: &str) -> Result<Vec<&str>, Problem> {
    let mut ids: Vec<&str> = Vec::new();
    for id in runs.split(',').filter(|id| !id.is_empty()) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    if !(2..=MOST_RUNS).contains(&ids.len()) {
        return Err(bad_request(
            Some("runs"),
            format!(
                "`runs` names {} runs: must be 2 to {MOST_RUNS}, with commas between them",
                ids.len()
            ),
        ));
    }
    Ok(ids)
}

/// The values of the fields `name` of a query, with commas between them: `runs=a,b`, or `runs=a&runs=b` as forms send it. Ids need
/// no escapes, commas may have one.
fn asked(query: Option<&str>, name: &str) -> String {
    let pairs = query.unwrap_or_default().split('&');
    let runs: Vec<String> = pairs
        .filter_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
        .map(|ids| ids.replace("%2C", ",").replace("%2c", ","))
        .collect();
    runs.join(",")
}

/// The page that compares runs, or asks which.
pub async fn page(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let runs = asked(query.as_deref(), "runs");
    if runs.is_empty() {
        let place = app.place("/compare");
        let made = off_thread(move || Ok(frame(&place, "Compare runs", &choice(&app)?)));
        let page = made.await.map(Html);
        return page.map(IntoResponse::into_response);
    }
    let ids = ids(&runs)?;
    let against = asked(query.as_deref(), "against");
    let reference = match against.as_str() {
        "" => 0,
        id => ids.iter().position(|known| *known == id).ok_or_else(|| {
            let message = format!("`against` must be one of `runs`, was `{}`", excerpt(id));
            bad_request(Some("against"), message)
        })?,
    };
    let what = (format!("comparison with {reference}"), PAGE);
    let place = app.place("/compare");
    let made = answer(&app, &headers, what, &ids, move |folders| {
        let body = body(&folders, reference)?;
        Ok(with_charts(&place, "Comparison of runs", &body).into())
    });
    made.await
}

/// The newest runs that can be compared.
fn choice(app: &App) -> Result<Markup, Problem> {
    let complete = Filter {
        state: Some("complete".into()),
        ..Filter::default()
    };
    let runs = app.index.page(&complete, &Default::default(), 0..CHOICES)?;
    if runs.total < 2 {
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
        p { "Choose 2 to " (MOST_RUNS) " runs." }
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
                    tbody { @for run in &runs.entries { (choice_row(run)) } }
                }
            }
            p class="row" {
                button { "Compare the chosen runs" }
                @if runs.total > CHOICES {
                    span {
                        "These are the newest " (CHOICES) " of " (runs.total) ". "
                        a href="./" { "All runs" } " can be searched and sorted, and compared from there."
                    }
                }
            }
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

fn body(folders: &[RunFolder], reference: usize) -> Result<Markup, Problem> {
    let mut runs = Vec::new();
    for folder in folders {
        let (_, metrics) = complete(folder)?;
        runs.push(OneOfSeveral {
            strategy: folder.strategy()?,
            evaluation: folder.evaluation()?,
            backtest: folder.backtest()?,
            metrics,
        });
    }
    let ids: Vec<&str> = folders.iter().map(RunFolder::id).collect();
    let heads = html! {
        @for (run, one) in runs.iter().enumerate() { (introduced(run, &ids, one)) }
    };
    let files: Vec<_> = runs.iter().map(|run| run.strategy.clone()).collect();
    let risks: Vec<&String> = runs.iter().map(|run| &run.metrics.risk).collect();
    let differ = risks.windows(2).any(|pair| pair[0] != pair[1]);
    let several = Several::new(runs, reference);
    let order = strategies(&several.joined);
    let addresses = ids.join(",");
    Ok(html! {
        h1 { "Comparison of runs" }
        dl class="facts" { (heads) }
        (picker(&ids, reference))
        @if differ {
            p class="message" {
                "These runs were trained on different risk measures: a hedge is best at its own."
            }
        }
        section id="differences" {
            h2 { "Differences from " (letter(reference)) }
            @for finding in several.findings() { p class="finding" { (finding) } }
            @for shown in several.tables() { (table(&shown, &order)) }
            @for note in several.notes() { p class="note" { (note) } }
            p class="note" {
                "Money per contract in the spot's currency; CVaR is of the loss; a change is a fraction of " (letter(reference))
                "'s value; ± is one standard error over paths and, where there are several, between seeds."
            }
        }
        (files_differ(&files, reference))
        section {
            h2 { "Charts" }
            div class="figures" {
                @for of in SEVERAL_CHARTS {
                    (chart(&format!("api/v1/charts/{}?runs={addresses}", of.name), of.caption))
                }
            }
        }
        (everything(&several.joined, &order))
    })
}

/// A run: its letter, its name, and what it is.
fn introduced(run: usize, ids: &[&str], one: &OneOfSeveral) -> Markup {
    let metrics = &one.metrics;
    let file = one.strategy.as_deref();
    let hedged = file.and_then(|text| Some(Strategy::parse(text).ok()?.in_words()));
    html! {
        div {
            dt { (letter(run)) }
            dd {
                a href={ "./runs/" (ids[run]) } { (metrics.name) }
                br;
                small {
                    @if let Some(hedged) = hedged { (hedged) br; }
                    (ids[run]) ", " (readable_time(&metrics.created)) ", trained on " (metrics.risk)
                    @if metrics.seeds.len() > 1 { ", " (metrics.seeds.len()) " seeds" }
                }
            }
        }
    }
}

/// The form that chooses the run that the others are compared with.
fn picker(ids: &[&str], reference: usize) -> Markup {
    html! {
        form class="row" action="./compare" {
            @for id in ids { input type="hidden" name="runs" value=(id); }
            label {
                "Differences from "
                select name="against" {
                    @for (run, id) in ids.iter().enumerate() {
                        option value=(id) selected[run == reference] { (letter(run)) ", " (id) }
                    }
                }
            }
            button { "Show" }
        }
    }
}

/// The keys in which the strategy files differ, and nothing else of them.
fn files_differ(files: &[Option<String>], reference: usize) -> Markup {
    let read: Vec<_> = files
        .iter()
        .map(|file| file.as_deref().map(settings).unwrap_or_default())
        .collect();
    let found = differences(&read);
    let text = |value: &Option<Written>| match value {
        Some(value) => value.text.clone(),
        None => "–".into(),
    };
    html! {
        section id="settings" {
            h2 { "Settings that differ" }
            @if found.is_empty() {
                p { "The strategy files are the same." }
            } @else {
                div class="scroll tall" tabindex="0" role="region" aria-label="Settings that differ" {
                    table class="settings" {
                        thead {
                            tr {
                                th scope="col" { "key" }
                                @for run in 0..files.len() { th scope="col" { (letter(run)) } }
                            }
                        }
                        tbody {
                            @for key in &found {
                                tr {
                                    th scope="row" { code { (key.key) } }
                                    @for value in &key.values {
                                        td class=[(*value != key.values[reference]).then_some("other")] { (text(value)) }
                                    }
                                }
                            }
                        }
                    }
                }
                p class="note" {
                    "Of strategy files with every default filled in; – where a file has no such key, which has no meaning beside "
                    "its others."
                }
            }
        }
    }
}

/// Every statistic of every strategy of the runs.
fn everything(joined: &Metrics, order: &[String]) -> Markup {
    let mut tables: Vec<_> = [evaluation(joined), backtest(joined)]
        .into_iter()
        .flatten()
        .collect();
    for shown in &mut tables {
        // What is said of one run's market is not true of all.
        shown.notes.truncate(2);
    }
    html! {
        @if !tables.is_empty() {
            details {
                summary { "Every statistic of every strategy" }
                div class="inside" { @for shown in &tables { (table(shown, order)) } }
            }
        }
    }
}

/// A chart of several runs: `cost_cvar`, `pnl_histogram`, `validation_steps` or `validation_seconds`.
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
    let runs = asked(query.as_deref(), "runs");
    let ids = ids(&runs)?;
    let what = (format!("chart {name}"), JSON);
    let made = answer(&app, &headers, what, &ids, move |folders| {
        let read: Vec<_> = folders.iter().map(complete).collect::<Result<_, _>>()?;
        let runs: Vec<OneRun<'_>> = read
            .iter()
            .map(|(folder, metrics)| OneRun { folder, metrics })
            .collect();
        let none = || missing(format!("these runs have no chart `{}`", excerpt(&name)));
        let chart = SEVERAL_CHARTS.into_iter().find(|chart| chart.name == name);
        let figure = (chart.ok_or_else(none)?.draw)(&runs)?;
        json(&figure.ok_or_else(none)?)
    });
    made.await
}
