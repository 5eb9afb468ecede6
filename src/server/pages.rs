//! Runs as pages.

use super::answer::{PAGE, answer};
use super::app::{App, Root, blocking, find};
use super::book_page::may_hedge;
use super::elements::{labels, slot, slots};
use super::guard::FILE_POLICY;
use super::layout::{frame, with_charts};
use super::place::Place;
use super::problem::{Problem, invalid, missing};
use super::{history, live, walked};
use crate::charts::{CHARTS, Chart, RunData};
use crate::error::excerpt;
use crate::report::figures::{DrawnFigure, FIGURES, Form, Part, SvgFigure};
use crate::report::html::{Contents, Section, Shown};
use crate::report::markup::picture;
use crate::report::summary::{MOST_LINES, lines, strategies};
use crate::report::verdict::{Asked, Pair, RunVerdict, against};
use crate::runs::export;
use crate::runs::metrics::Metrics;
use crate::runs::progress::PROGRESS;
use crate::runs::store::{RunFolder, State as RunState};
use crate::strategy::Strategy;
use axum::extract::{Path as Segment, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;
use utoipa::IntoParams;

/// Which two strategies of a run its verdict is about.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct JudgedQuery {
    /// The strategy that is compared; unless given, K-FAC where the run has it.
    strategy: Option<String>,
    /// The strategy that it is compared with, any other one of the run; unless given, Adam where the run has it. The changes
    /// against it are made from the run's tables.
    baseline: Option<String>,
}

impl From<JudgedQuery> for Asked {
    fn from(query: JudgedQuery) -> Self {
        let given = |name: Option<String>| name.filter(|name| !name.is_empty());
        Self {
            strategy: given(query.strategy),
            baseline: given(query.baseline),
        }
    }
}

/// One run with its verdict, charts and tables.
pub async fn run(
    State(app): State<App>,
    Segment(id): Segment<String>,
    Query(asked): Query<JudgedQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asked = Asked::from(asked);
    let what = (format!("page {}", asked.key()), PAGE);
    let ids = [id.as_str()];
    let place = app.place("/runs/{id}");
    let made = answer(&app, &headers, what, &ids, move |folders| {
        let (folder, id) = (&folders[0], folders[0].id());
        let page = match folder.state() {
            RunState::Complete(metrics) => {
                let name = metrics.name.clone();
                let body = run_body(&place, folder, *metrics, &asked)?;
                with_charts(&place, &name, &body)
            }
            RunState::Incomplete => live::shown(&place, folder)?.unwrap_or_else(|| {
                let body = html! {
                    h1 { (id) }
                    p class="message" data-follow={ "api/v1/runs/" (id) } {
                        "This run has no results: it is still going, or it was stopped."
                    }
                    (labels(id))
                };
                frame(&place, id, &body)
            }),
            RunState::Unreadable(why) => {
                let body = html! {
                    h1 { (id) }
                    p class="message" { (why) }
                    (labels(id))
                };
                frame(&place, id, &body)
            }
        };
        Ok(page.into())
    });
    made.await
}

/// The page of a run that has results, with the verdict on what is asked for.
fn run_body(
    place: &Place,
    folder: &RunFolder,
    metrics: Metrics,
    asked: &Asked,
) -> Result<Markup, Problem> {
    let base = place.to(&format!("runs/{}", folder.id()));
    let api = format!("api/v1/runs/{}", folder.id());
    let (metrics, verdict) = judged(folder, metrics, asked)?;
    let metrics = &metrics;
    let data = RunData::new(folder, metrics)?;
    let charts = |of: &dyn Fn(Part) -> bool| -> Vec<Shown> {
        let own = CHARTS.into_iter().filter(|chart| of(chart.part));
        own.filter(|chart| (chart.has)(&data))
            .map(|chart| shown(chart, folder, &data, &base, &api))
            .collect()
    };
    let of_run = (metrics, data.walk_forward.as_ref());
    let of_history = charts(&|part| part == Part::TearSheet);
    let tear_sheet = history::tear_sheet(folder, of_run, &base, &of_history)?;
    let charts = charts(&|part| part != Part::TearSheet);
    let walked = data.walk_forward.iter().flat_map(walked::sections);
    let own = [
        explorer(folder.id(), metrics),
        hedge_map(folder.id(), metrics, verdict.as_ref()),
    ];
    let own = own.into_iter().flatten();
    let further = tear_sheet.into_iter().chain(walked).chain(own).collect();
    let is_file = |name: &str| folder.path().join(name).is_file();
    let trainings = folder.trainings()?.is_some_and(|(_, asked)| asked > 0);
    let was_trained = is_file(PROGRESS) && (trainings || !metrics.training.is_empty());
    let strategy = folder.strategy()?;
    let contents = Contents {
        metrics,
        verdict: verdict.as_ref(),
        strategy: strategy.as_deref(),
        figures: &charts,
        downloads: Some(downloads(
            &place.to(&api),
            &export::available(folder, metrics),
        )),
        further,
        on_screen: true,
    };
    Ok(html! {
        (contents.body())
        (labels(folder.id()))
        p class="note" {
            @if was_trained { a href={ (base) "/live" } { "How it was trained" } ", " }
            @if may_hedge(folder) { a href={ (base) "/book" } { "Hedge a book" } ", " }
            @if is_file("report.html") {
                a href={ (base) "/report.html" } { "Report as one file" } ", "
            }
            a href=(place.to(&api)) { "Metrics as JSON" }
        }
    })
}

/// The results of a run with the changes against the baseline that is asked for, and the verdict on them.
pub fn judged(
    folder: &RunFolder,
    metrics: Metrics,
    asked: &Asked,
) -> Result<(Metrics, Option<RunVerdict>), Problem> {
    let strategy = folder.strategy()?;
    let file = strategy.and_then(|text| Strategy::parse(&text).ok());
    let pair = Pair::asked(&metrics, file.as_ref(), asked).map_err(|(field, name)| {
        let message = match asked.strategy == asked.baseline {
            true => format!(
                "`{field}` must be another strategy than `{}`",
                excerpt(name)
            ),
            false => format!(
                "`{field}` must be a strategy of run `{}`, was \"{}\"",
                folder.id(),
                excerpt(name)
            ),
        };
        invalid(field, message)
    })?;
    let Some(pair) = pair else {
        return Ok((metrics, None));
    };
    let metrics = against(folder, metrics, file.as_ref(), (&pair, asked.is_any()))?;
    let verdict = RunVerdict::of(&metrics, file.as_ref(), &pair);
    Ok((metrics, verdict))
}

/// A chart of a run, below the choice of what it shows if there is one.
fn shown(chart: &Chart, folder: &RunFolder, data: &RunData<'_>, base: &str, api: &str) -> Shown {
    let address = format!("{api}/charts/{}", chart.name);
    let many = strategies(data.metrics).len() > MOST_LINES;
    let still = chart.figure.and_then(|figure| still(folder, base, figure));
    Shown {
        name: chart.name,
        markup: html! {
            @if let Some(choices) = chart.choices { (choice(&address, choices.label, &(choices.of)(data))) }
            (slot(&address, still.as_ref(), many))
        },
        caption: chart.caption,
        part: chart.part,
    }
}

/// The tables of a run as files.
fn downloads(api: &str, tables: &[&str]) -> Markup {
    html! {
        details class="files" {
            summary { "Tables to download" }
            ul class="downloads" {
                @for name in tables {
                    li {
                        (name.replace('_', " ")) " "
                        a href={ (api) "/tables/" (name) ".csv" } download { "CSV" } ", "
                        a href={ (api) "/tables/" (name) ".parquet" } download { "Parquet" }
                    }
                }
            }
        }
    }
}

/// The figure of the report, shown until the chart is drawn.
pub fn still(folder: &RunFolder, base: &str, figure: &SvgFigure) -> Option<Markup> {
    let drawn = |form| {
        let file = DrawnFigure::file(figure, form);
        folder.path().join(file).is_file()
    };
    (drawn(Form::Wide) && drawn(Form::Narrow)).then(|| picture(base, figure))
}

/// The form that chooses what the chart at `address` shows.
fn choice(address: &str, label: &str, choices: &[(String, String)]) -> Markup {
    html! {
        form class="statistics" data-address=(address) {
            label {
                (label) " "
                select name="key" {
                    @for (key, words) in choices { option value=(key) { (words) } }
                }
            }
        }
    }
}

/// The form that asks for a test path, and where every strategy on it is drawn.
fn explorer(id: &str, metrics: &Metrics) -> Option<Section> {
    let last = metrics.evaluation.first()?.paths.saturating_sub(1);
    let body = html! {
            form class="explorer" data-run=(id) {
                label {
                    "Test path "
                    input name="path" type="number" min="0" max=(last) step="1" value="0";
                }
                span class="note" { "0 to " (last) }
                button type="button" data-to="-1" { "Previous" }
                button type="button" data-to="1" { "Next" }
                button type="button" data-to="random" { "Any" }
                p class="problem" role="alert" {}
            }
            div class="scroll" {
                table class="numbers" {
                    caption { span { "At expiry" } }
                    thead {
                        tr {
                            th scope="col" { "strategy" }
                            th scope="col" { "P&L" }
                            th scope="col" { "cost" }
                        }
                    }
                    tbody {
                        // A script fills in the numbers.
                        @for row in &metrics.evaluation {
                            tr {
                                th scope="row" {
                                    (row.strategy)
                                    @if let Some(seed) = row.seed { ", seed " (seed) }
                                }
                                td { "–" }
                                td { "–" }
                            }
                        }
                    }
                }
            }
            (slots(&[
                "The simulated spot, of several assets relative to that of the sale; the dotted line is the strike, where there is one.",
                "The simulated volatility, the square root of the variance, a year.",
                "What each strategy holds from each date to the next.",
                "What each strategy buys, or sells where negative.",
                "Transaction costs added up.",
                "Premium and gains less costs, what was paid and, where there is a formula of it, the value of the contract; at expiry the P&L of the table.",
                "What each strategy holds less what the classical hedge holds that the title names.",
            ]))
    };
    Some(Section {
        id: "paths",
        title: "One path",
        open: false,
        body,
    })
}

/// The form that asks for a strategy's hedge map, and where the map is drawn.
///
/// The first one shown is that of the verdict.
fn hedge_map(id: &str, metrics: &Metrics, verdict: Option<&RunVerdict>) -> Option<Section> {
    // Every window of a walk-forward run has policies of its own, and none is evaluated.
    if metrics.evaluation.is_empty() {
        return None;
    }
    let body = html! {
            form class="hedge-map" data-run=(id) {
                label {
                    "Strategy "
                    select name="strategy" {
                        @for line in lines(&metrics.evaluation) {
                            option value=(line.strategy) selected[verdict.is_some_and(|of| of.strategy == line.strategy)] { (line.strategy) }
                        }
                    }
                }
            }
            (slots(&[
                "Shares that the strategy holds per contract.",
                "Shares that the benchmark holds: the Black–Scholes delta at the volatility expected until expiry or, for a contract without one, hedged Monte Carlo.",
                "The strategy less the benchmark: blue where it holds more, orange where it holds less.",
            ]))
            p class="note" {
                "A recurrent policy depends on the way to a spot. Here ln S moves evenly from today's spot to the point, "
                "at the variance that the model expects; ratios are averaged over seeds."
            }
    };
    Some(Section {
        id: "hedge-map",
        title: "Hedge ratio over spot and time",
        open: false,
        body,
    })
}

/// The stand-alone report of one run.
pub async fn report(
    State(root): State<Root>,
    Segment(id): Segment<String>,
) -> Result<Response, Problem> {
    let read = blocking(root, move |root| {
        find(root, &id)?
            .read_bytes("report.html")?
            .ok_or_else(|| missing(format!("run `{id}` has no report")))
    });
    let bytes = read.await?;
    Ok(file(PAGE, bytes))
}

/// One figure of one run; only names of [`FIGURES`] are looked for.
pub async fn figure(
    State(root): State<Root>,
    Segment((id, name)): Segment<(String, String)>,
) -> Result<Response, Problem> {
    let read = blocking(root, move |root| {
        let folder = find(root, &id)?;
        let none = || missing(format!("run `{id}` has no figure `{}`", excerpt(&name)));
        let both = |figure| [Form::Wide, Form::Narrow].map(|form| DrawnFigure::file(figure, form));
        let file = FIGURES
            .into_iter()
            .flat_map(both)
            .find(|file| file.strip_prefix("figures/") == Some(&name))
            .ok_or_else(none)?;
        folder.read_bytes(&file)?.ok_or_else(none)
    });
    let bytes = read.await?;
    Ok(file("image/svg+xml", bytes))
}

fn file(kind: &'static str, bytes: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, FILE_POLICY),
        // Drawn again, a figure keeps its address.
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, bytes).into_response()
}
