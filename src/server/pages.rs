//! Runs as pages.

use super::guard::FILE_POLICY;
use super::{Failure, Problem, Runs, asset_address, blocking, find, missing};
use crate::report::figures::{Figure, Form, KINDS};
use crate::report::html::{escape, page, picture, readable_time, sections, signed, swatch};
use crate::report::summary::{Statistic, Verdict, cvar_label, lines, main_level, strategies};
use crate::runs::metrics::Metrics;
use crate::runs::store::{self, Listed, RunFolder, State as RunState};
use axum::extract::{Path as Segment, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

/// The list of runs, newest first.
pub async fn list(State(root): Runs) -> Result<Html<String>, Failure> {
    let listed = blocking(root, |root| {
        let listed = store::list(root)?;
        Ok((root.display().to_string(), listed))
    });
    let (root, listed) = listed.await.map_err(Failure::Page)?;
    let body = if listed.is_empty() {
        format!(
            "<h1>Runs</h1>\n<div class=\"message\" data-follow=\"/api/v1/runs\"><p>No runs in \
             <code>{}</code> yet. Make one with</p>\n\
             <pre tabindex=\"0\"><code>deephedge compare strategies/heston_call.toml</code></pre>\
             </div>\n",
            escape(&root)
        )
    } else {
        let rows: String = listed.iter().map(list_row).collect();
        format!(
            "<h1>Runs</h1>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" \
             aria-label=\"Runs\" data-follow=\"/api/v1/runs\"><table class=\"list\">\n<thead><tr>\
             <th scope=\"col\">run</th><th scope=\"col\">made</th><th scope=\"col\">command</th>\
             <th scope=\"col\">tail risk by strategy</th>\
             <th scope=\"col\">change against the baseline</th></tr></thead>\n<tbody>\n{rows}\
             </tbody></table></div>\n<p class=\"note\">Tail risk is the CVaR of the loss in money \
             per contract, on simulated test paths where there are any; ± is one standard \
             error.</p>\n"
        )
    };
    Ok(Html(frame("Runs", &body)))
}

fn list_row(entry: &Listed) -> String {
    let id = escape(entry.folder.id());
    let name = |words: &str| {
        format!("<th scope=\"row\"><a href=\"/runs/{id}\">{words}</a><br><small>{id}</small></th>")
    };
    match &entry.state {
        RunState::Complete(metrics) => format!(
            "<tr>{}<td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
            name(&escape(&metrics.name)),
            escape(&readable_time(&metrics.created)),
            escape(&metrics.command),
            risks(metrics),
            changes(metrics)
        ),
        RunState::Incomplete => format!(
            "<tr>{}<td colspan=\"4\">incomplete: still going, or stopped</td></tr>\n",
            name("unfinished run")
        ),
        RunState::Unreadable(why) => format!(
            "<tr>{}<td colspan=\"4\">{}</td></tr>\n",
            name("unreadable run"),
            escape(why)
        ),
    }
}

fn risks(metrics: &Metrics) -> String {
    let rows = if metrics.evaluation.is_empty() {
        &metrics.backtest
    } else {
        &metrics.evaluation
    };
    let level = main_level(metrics);
    let order = strategies(metrics);
    let items: String = lines(rows)
        .iter()
        .filter_map(|line| {
            let cvar = line.estimate(&Statistic::Cvar(level.to_owned()))?;
            Some(format!(
                "<li><span>{}</span> <span>{:.3} <small>±{:.3}</small></span></li>",
                swatch(line.strategy, &order),
                cvar.value,
                cvar.standard_error
            ))
        })
        .collect();
    format!(
        "<small>{}</small><ul class=\"plain\">{items}</ul>",
        escape(&cvar_label(level))
    )
}

fn changes(metrics: &Metrics) -> String {
    let (comparisons, part) = if metrics.comparisons.is_empty() {
        (&metrics.backtest_comparisons, "backtest, ")
    } else {
        (&metrics.comparisons, "")
    };
    let items: String = comparisons
        .iter()
        .map(|c| {
            let (change, error) = (c.cvar_change, c.cvar_change_standard_error);
            let verdict = Verdict::lower_is_better(change, error);
            let class = match verdict {
                Verdict::Better => "better",
                Verdict::Worse => "worse",
                Verdict::Undecided | Verdict::Unknown => "",
            };
            let finding = if verdict == Verdict::Unknown {
                "n/a".to_owned()
            } else {
                format!("{} % ±{:.1} %", signed(100.0 * change, 1), 100.0 * error)
            };
            format!(
                "<li>{part}{} against {}:<br><span class=\"{class}\">{finding}, {}</span></li>",
                escape(&c.strategy),
                escape(&c.baseline),
                verdict.words()
            )
        })
        .collect();
    format!("<ul>{items}</ul>")
}

/// One run with its tables and figures.
pub async fn run(State(root): Runs, Segment(id): Segment<String>) -> Result<Html<String>, Failure> {
    let made = blocking(root, move |root| {
        let folder = find(root, &id)?;
        Ok(match folder.state() {
            RunState::Complete(metrics) => frame(&metrics.name, &run_body(&folder, &metrics)?),
            RunState::Incomplete => frame(
                &id,
                &format!(
                    "<h1>{0}</h1>\n<p class=\"message\" data-follow=\"/api/v1/runs/{0}\">This run has \
                     no results: it is still going, or it was stopped.</p>\n",
                    escape(&id)
                ),
            ),
            RunState::Unreadable(why) => frame(
                &id,
                &format!(
                    "<h1>{}</h1>\n<p class=\"message\">{}</p>\n",
                    escape(&id),
                    escape(&why)
                ),
            ),
        })
    });
    made.await.map(Html).map_err(Failure::Page)
}

fn run_body(folder: &RunFolder, metrics: &Metrics) -> Result<String, Problem> {
    let base = format!("/runs/{}", folder.id());
    let figures: Vec<_> = KINDS
        .into_iter()
        .filter(|kind| {
            let drawn = |form| folder.path().join(Figure::file(kind.name, form)).is_file();
            drawn(Form::Wide) && drawn(Form::Narrow)
        })
        .map(|kind| (kind, picture(&base, kind)))
        .collect();
    let mut body = sections(metrics, folder.strategy()?.as_deref(), &figures);
    if figures.is_empty() {
        body.push_str(&format!(
            "<p class=\"message\">The figures have not been drawn: \
             <code>deephedge report {}</code> draws them.</p>\n",
            escape(folder.id())
        ));
    }
    let mut links = format!(
        "<a href=\"/api/v1/runs/{}\">Metrics as JSON</a>",
        folder.id()
    );
    if folder.path().join("report.html").is_file() {
        links = format!("<a href=\"{base}/report.html\">Report as one file</a>, {links}");
    }
    body.push_str(&format!("<p class=\"note\">{links}</p>\n"));
    Ok(body)
}

/// The stand-alone report of one run.
pub async fn report(State(root): Runs, Segment(id): Segment<String>) -> Result<Response, Failure> {
    let read = blocking(root, move |root| {
        find(root, &id)?
            .read_bytes("report.html")?
            .ok_or_else(|| missing(format!("run `{id}` has no report")))
    });
    let bytes = read.await.map_err(Failure::Page)?;
    Ok(file("text/html; charset=utf-8", bytes))
}

/// One figure of one run; only names of [`KINDS`] are looked for.
pub async fn figure(
    State(root): Runs,
    Segment((id, name)): Segment<(String, String)>,
) -> Result<Response, Failure> {
    let read = blocking(root, move |root| {
        let folder = find(root, &id)?;
        let none = || missing(format!("run `{id}` has no figure `{name}`"));
        let file = KINDS
            .iter()
            .flat_map(|kind| [Form::Wide, Form::Narrow].map(|form| Figure::file(kind.name, form)))
            .find(|file| file.strip_prefix("figures/") == Some(&name))
            .ok_or_else(none)?;
        folder.read_bytes(&file)?.ok_or_else(none)
    });
    let bytes = read.await.map_err(Failure::Page)?;
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

/// The page that says what went wrong.
pub fn problem(status: StatusCode, message: &str) -> String {
    let title = if status == StatusCode::NOT_FOUND {
        "Not found"
    } else {
        "Something went wrong"
    };
    let body = format!(
        "<h1>{title}</h1>\n<p class=\"message\">{}.</p>\n<p><a href=\"/\">All runs</a></p>\n",
        escape(message)
    );
    frame(title, &body)
}

pub fn frame(title: &str, body: &str) -> String {
    let head = format!(
        "<link rel=\"icon\" href=\"{}\">\n<link rel=\"stylesheet\" href=\"{}\">\n\
         <script type=\"module\" src=\"{}\"></script>",
        asset_address("icon.svg"),
        asset_address("app.css"),
        asset_address("app.js")
    );
    let navigation = "<nav aria-label=\"Main\"><a class=\"brand\" href=\"/\">deephedge</a>\
                      <a href=\"/\">Runs</a></nav>";
    page(title, &head, navigation, body)
}
