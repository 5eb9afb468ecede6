//! Several runs beside each other.

use super::cache::{self, JSON, PAGE, json};
use super::charts::{bad_request, complete};
use super::openapi::{RUNS, Refusal};
use super::pages::{chart, frame, shell_with_charts};
use super::{App, Problem, missing, off_thread};
use crate::charts::{Figure, cost_cvar, pnl_histogram};
use crate::error::excerpt;
use crate::report::html::{escape, readable_time, table};
use crate::report::palette::Palette;
use crate::report::summary::strategies;
use crate::report::table::{backtest, evaluation};
use crate::runs::index::Filter;
use crate::runs::metrics::{Disagreement, Metrics};
use crate::runs::store::RunFolder;
use crate::runs::tables::EvaluationTable;
use axum::extract::{Path as Segment, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{Html, IntoResponse, Response};

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
    let answer = cache::answer(&app, &headers, what, &ids, move |folders| {
        let runs: Vec<_> = folders.iter().map(complete).collect::<Result<_, _>>()?;
        Ok(shell_with_charts(&place, "Comparison of runs", &body(&runs)).into())
    });
    answer.await
}

/// The runs that can be compared.
fn choice(app: &App) -> Result<String, Problem> {
    let complete = Filter {
        state: Some("complete".into()),
        ..Filter::default()
    };
    let runs = app.index.list(&complete)?;
    if runs.len() < 2 {
        return Ok(
            "<h1>Compare runs</h1>\n<p class=\"message\">Two runs with results are needed. \
             <a href=\"./jobs\">Make one as a job</a>, or with <code>deephedge compare</code>.</p>\n"
                .to_owned(),
        );
    }
    let rows: String = runs
        .iter()
        .map(|run| {
            let id = escape(&run.id);
            let said = |key: &str| run.summary[key].as_str().unwrap_or_default();
            format!(
                "<tr><td><input type=\"checkbox\" name=\"runs\" value=\"{id}\" aria-label=\"Compare {id}\"></td>\
                 <th scope=\"row\"><a href=\"./runs/{id}\">{}</a><br><small>{id}</small></th>\
                 <td class=\"time\">{}</td><td>{}</td><td>{}</td></tr>\n",
                escape(&run.name),
                escape(&readable_time(said("created"))),
                escape(said("command")),
                escape(said("risk")),
            )
        })
        .collect();
    Ok(format!(
        "<h1>Compare runs</h1>\n<p>Choose 2 to {MOST} runs.</p>\n<form action=\"./compare\">\
         <div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Runs\"><table class=\"list\">\n\
         <thead><tr><th scope=\"col\">compare</th><th scope=\"col\">run</th><th scope=\"col\">made</th>\
         <th scope=\"col\">command</th><th scope=\"col\">trained on</th></tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n\
         <p><button>Compare the chosen runs</button></p></form>\n"
    ))
}

fn body(runs: &Compared<'_>) -> String {
    let mut out = String::from("<h1>Comparison of runs</h1>\n<dl class=\"facts\">\n");
    for (run, (folder, metrics)) in runs.iter().enumerate() {
        out.push_str(&format!(
            "<div><dt>{}</dt><dd><a href=\"./runs/{id}\">{}</a><br><small>{id}, {}, trained on {}</small></dd></div>\n",
            letter(run),
            escape(&metrics.name),
            escape(&readable_time(&metrics.created)),
            escape(&metrics.risk),
            id = escape(folder.id()),
        ));
    }
    out.push_str("</dl>\n");
    let all = joined(runs);
    let order = drawn(&all);
    let differ = runs.windows(2).any(|pair| pair[0].1.risk != pair[1].1.risk);
    if differ {
        out.push_str(
            "<p class=\"message\">These runs were trained on different risk measures: a hedge is best at its own.</p>\n",
        );
    }
    for mut shown in [evaluation(&all), backtest(&all)].into_iter().flatten() {
        // What is said of one run's market is not true of all.
        shown.notes.truncate(2);
        shown.notes.push(
            "Rows of different runs are on paths of their own where the strategies differ; changes against Adam, \
             paired on common paths, are on the page of each run."
                .into(),
        );
        out.push_str(&table(&shown, &order));
    }
    let ids: Vec<&str> = runs.iter().map(|(folder, _)| folder.id()).collect();
    let ids = ids.join(",");
    if !all.evaluation.is_empty() {
        out.push_str("<section><h2>Charts</h2>\n<div class=\"figures\">\n");
        for (name, caption) in [
            (
                "pnl_histogram",
                "How the P&L at expiry of the trained strategies is spread over each run's test paths.",
            ),
            (
                "cost_cvar",
                "Cost against tail risk of the trained strategies; bars are one standard error.",
            ),
        ] {
            let address = format!("api/v1/charts/{name}?runs={ids}");
            out.push_str(&chart(&address, "", caption));
        }
        out.push_str("</div></section>\n");
    }
    out
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
    let answer = cache::answer(&app, &headers, what, &ids, move |folders| {
        let runs: Vec<_> = folders.iter().map(complete).collect::<Result<_, _>>()?;
        let mut all = joined(&runs);
        let drawn = drawn(&all);
        let palette = Palette::new(drawn.clone());
        let figure = match name.as_str() {
            "cost_cvar" => {
                all.evaluation.retain(|row| drawn.contains(&row.strategy));
                cost_cvar(&all, &palette)
            }
            "pnl_histogram" => {
                let mut table = books(&runs)?;
                table.books.retain(|book| drawn.contains(&book.strategy));
                pnl_histogram(&table, &palette)
            }
            _ => None,
        };
        let none = || missing(format!("these runs have no chart `{}`", excerpt(&name)));
        json(&figure.ok_or_else(none)?)
    });
    answer.await
}

fn books(runs: &Compared<'_>) -> Result<EvaluationTable, Problem> {
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
