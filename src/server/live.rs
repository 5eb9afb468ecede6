//! A run as it goes on.

use super::app::{App, Root, blocking, find};
use super::described::{RUNS, Refusal};
use super::elements::labels;
use super::layout::{framed, module, script};
use super::place::Place;
use super::problem::{Problem, missing};
use crate::charts::{
    FIRST, Figure, LIVE_CHARTS, LiveChart, LiveChoice, LiveData, SMOOTHINGS, UNITS,
};
use crate::experiment;
use crate::report::markup::sample;
use crate::report::palette::Palette;
use crate::risk::Risk;
use crate::runs::metrics::Request;
use crate::runs::progress::{PROGRESS, Planned};
use crate::runs::store::{RunFolder, State as RunState};
use crate::strategy::Plan;
use crate::walk_forward;
use axum::Json;
use axum::extract::{Path as Segment, State};
use axum::http::StatusCode;
use axum::response::Html;
use maud::{Markup, html};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What a page needs to show the events of a run.
#[derive(Debug, Serialize, ToSchema)]
pub struct Live {
    /// The optimizers in their order.
    strategies: Vec<String>,
    /// The classes of the element that shows a piece of the line of each optimizer.
    swatches: Vec<String>,
    /// The trainings in their order, if the run says which.
    trainings: Vec<Planned>,
    /// Charts by name, with a line without points for every strategy.
    #[schema(value_type = Object)]
    figures: BTreeMap<&'static str, Figure>,
    /// Statistics that are shown first.
    first: Vec<&'static str>,
    /// Units of statistics; those that are not here are dimensionless.
    units: BTreeMap<&'static str, &'static str>,
}

fn plan(folder: &RunFolder) -> Result<(Plan, Vec<Planned>), Problem> {
    let read = || match folder.request()? {
        Some(request) if request.command == Request::WALK_FORWARD => {
            walk_forward::planned(&request).map(Some)
        }
        Some(request) => experiment::planned(&request).map(Some),
        None => {
            let strategy = folder.strategy()?;
            let plan = strategy.map(|text| Plan::parse(&text, |_| {}));
            Ok(plan.transpose()?.map(|plan| (plan, Vec::new())))
        }
    };
    let unreadable = |error: crate::Error| Problem {
        status: StatusCode::CONFLICT,
        code: "unreadable",
        message: error.to_string(),
        field: None,
    };
    let none = || missing(format!("run `{}` has no strategy", folder.id()));
    read().map_err(unreadable)?.ok_or_else(none)
}

/// What has a line and a colour of its own: the optimizers, in every market where they are trained in several. Lengths
/// and windows of one follow a comma.
fn strategies(plan: &Plan, trainings: &[Planned]) -> Vec<String> {
    let mut strategies: Vec<String> = Vec::new();
    for training in trainings {
        let name = base(&training.strategy);
        if strategies.iter().all(|known| known != name) {
            strategies.push(name.to_owned());
        }
    }
    if strategies.is_empty() {
        strategies.extend(
            plan.optimizers
                .iter()
                .map(|optimizer| optimizer.name.clone()),
        );
    }
    strategies
}

/// The strategy of a training, without the length or window that it is of.
fn base(training: &str) -> &str {
    training.split(", ").next().unwrap_or_default()
}

/// The tail risk that is measured on validation paths.
fn tail_risk(risk: Risk) -> String {
    Risk::cvar(risk.watched_level()).to_string()
}

/// The trainings that a run asks for, and the charts that its events fill.
#[utoipa::path(get, path = "/api/v1/runs/{id}/live", tag = RUNS, params(("id" = String, Path, description = "Run")),
    responses((status = 200, body = Live), (status = 404, body = Refusal), (status = 409, body = Refusal)))]
pub async fn live(
    State(root): State<Root>,
    Segment(id): Segment<String>,
) -> Result<Json<Live>, Problem> {
    let made = blocking(root, move |root| {
        let (plan, trainings) = plan(&find(root, &id)?)?;
        let strategies = strategies(&plan, &trainings);
        let (risk, cvar) = (plan.risk.to_string(), tail_risk(plan.risk));
        let data = LiveData::new(&strategies, &risk, &cvar);
        let figures = LIVE_CHARTS.map(|chart| (chart.name, (chart.draw)(&data)));
        Ok(Live {
            figures: figures.into_iter().collect(),
            swatches: data.swatches(),
            strategies,
            trainings,
            first: FIRST.to_vec(),
            units: UNITS.into_iter().collect(),
        })
    });
    made.await.map(Json)
}

/// The page of a run that goes on, or of how it was trained.
pub async fn page(
    State(app): State<App>,
    Segment(id): Segment<String>,
) -> Result<Html<String>, Problem> {
    let place = app.place("/runs/{id}/live");
    let made = blocking(app.root, move |root| {
        let folder = find(root, &id)?;
        match shown(&place, &folder)? {
            Some(page) => Ok(page),
            None => Err(missing(format!("run `{id}` has no record of its training"))),
        }
    });
    made.await.map(Html)
}

/// The page, if the run says what it asks for or what it has done.
pub fn shown(place: &Place, folder: &RunFolder) -> Result<Option<String>, Problem> {
    let request = folder.request()?;
    if request.is_none() && !folder.path().join(PROGRESS).is_file() {
        return Ok(None);
    }
    let Ok((plan, trainings)) = plan(folder) else {
        return Ok(None);
    };
    let command = request.as_ref().map_or("backtest".into(), |request| {
        request.command.replace('_', " ")
    });
    let shard = request.and_then(|request| request.shard);
    let shard = shard.map(|shard| format!("{} of {}", shard.number, shard.of));
    let title = folder.name().unwrap_or_else(|| folder.id().to_owned());
    let scripts = html! {
        (module(place, "live.js"))
        (script(place, "plotly.js"))
    };
    let risk = plan.risk.to_string();
    let mut facts = vec![("command", command.as_str()), ("trained on", &risk)];
    facts.extend(shard.as_ref().map(|shard| ("shard", shard.as_str())));
    let strategies = strategies(&plan, &trainings);
    let palette = Palette::new(strategies);
    let about = About {
        title: &title,
        facts: &facts,
        cvar: &tail_risk(plan.risk),
        trainings: &trainings,
        palette: &palette,
        has_results: matches!(folder.state(), RunState::Complete(_)),
    };
    let body = body(folder.id(), &about);
    Ok(Some(framed(place, &title, &scripts, &body)))
}

/// What the page says before any event.
struct About<'a> {
    title: &'a str,
    facts: &'a [(&'a str, &'a str)],
    cvar: &'a str,
    trainings: &'a [Planned],
    palette: &'a Palette,
    has_results: bool,
}

/// A training that has not begun, as the script shows it too, so that the rows are there before it.
fn row(training: &Planned, columns: usize, palette: &Palette) -> Markup {
    html! {
        tr {
            th scope="row" {
                (sample(palette.look(base(&training.strategy))))
                (training.strategy) ", seed " (training.seed)
            }
            @for column in 1..columns { td { @if column == 1 { "waiting" } } }
        }
    }
}

fn body(id: &str, about: &About<'_>) -> Markup {
    let About {
        title,
        facts,
        cvar,
        trainings,
        palette,
        has_results,
    } = about;
    let cards = [
        ("progress", "Trainings done"),
        ("speed", "Throughput"),
        ("spent", "Training time"),
        ("left", "Time left"),
    ];
    let cvar = format!("{cvar} (money)");
    let heads = [
        "training",
        "state",
        "steps",
        "time (s)",
        "paths/s",
        &cvar,
        "mean cost (money)",
        "std of P&L (money)",
    ];
    html! {
        h1 { (title) }
        dl class="facts" {
            div { dt { "run" } dd { (id) } }
            @for (what, value) in *facts { div { dt { (what) } dd { (value) } } }
        }
        section id="live" data-run=(id) {
            div class="message state" {
                p role="status" id="state" {
                    noscript { "A training is shown by a script as it goes on." }
                }
                p role="status" id="connection" {}
                progress max="1" value="0" aria-label="Trainings done" {}
                div class=(if *has_results { "actions" } else { "actions kept" }) {}
            }
            p id="notify" {}
            // A backtest trains nothing.
            div hidden[trainings.is_empty()] {
                ul class="cards" {
                    @for (name, words) in cards {
                        li class="card" {
                            p class="term" { (words) }
                            p class="value" data-value=(name) { "–" }
                        }
                    }
                }
                div class="scroll" tabindex="0" role="region" aria-label="Trainings" {
                    table class="numbers" id="trainings" {
                        caption { span { "Trainings, on validation paths where they were hedged last" } }
                        thead { tr { @for head in heads { th scope="col" { (head) } } } }
                        tbody { @for training in *trainings { (row(training, heads.len(), palette)) } }
                    }
                }
                h2 { "Charts" }
                div class="figures" { @for chart in &LIVE_CHARTS { (place_of(chart)) } }
            }
        }
        (labels(id))
    }
}

/// Where a chart is drawn as events come, below the choice of what it shows if there is one.
fn place_of(chart: &LiveChart) -> Markup {
    html! {
        figure {
            @match chart.choice {
                Some(LiveChoice::Statistic) => {
                    form class="statistics" { label { "Statistic " select name="key" {} } }
                }
                Some(LiveChoice::Smoothing) => {
                    form class="statistics" {
                        label {
                            "Smoothing "
                            select name="smoothing" {
                                @for (words, share) in SMOOTHINGS { option value=(share) { (words) } }
                            }
                        }
                    }
                }
                None => {}
            }
            div class="chart" id=(chart.name) {
                p class="message" { "Not loaded yet." }
            }
            figcaption { (chart.caption) }
        }
    }
}
