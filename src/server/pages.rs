//! Runs as pages.

use super::cache::{self, PAGE};
use super::guard::FILE_POLICY;
use super::place::Place;
use super::{App, Problem, Runs, assets, blocking, find, live, missing};
use crate::charts::{self, Source, statistics};
use crate::error::excerpt;
use crate::report::figures::{Figure, Form, Kind};
use crate::report::html::{Shown, escape, page, picture, sections};
use crate::report::summary::lines;
use crate::runs::export;
use crate::runs::metrics::Metrics;
use crate::runs::progress::PROGRESS;
use crate::runs::store::{RunFolder, State as RunState};
use axum::extract::{Path as Segment, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// One run with its tables and figures.
pub async fn run(
    State(app): State<App>,
    Segment(id): Segment<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let what = ("page".to_owned(), PAGE);
    let ids = [id.as_str()];
    let place = app.place("/runs/{id}");
    let answer = cache::answer(&app, &headers, what, &ids, move |folders| {
        let (folder, id) = (&folders[0], folders[0].id());
        let page = match folder.state() {
            RunState::Complete(metrics) => {
                let body = run_body(&place, folder, &metrics)?;
                shell_with_charts(&place, &metrics.name, &body)
            }
            RunState::Incomplete => live::shown(&place, folder)?.unwrap_or_else(|| {
                frame(
                    &place,
                    id,
                    &format!(
                        "<h1>{0}</h1>\n<p class=\"message\" data-follow=\"api/v1/runs/{0}\">This run has \
                         no results: it is still going, or it was stopped.</p>\n{1}",
                        escape(id),
                        labels(id)
                    ),
                )
            }),
            RunState::Unreadable(why) => frame(
                &place,
                id,
                &format!(
                    "<h1>{}</h1>\n<p class=\"message\">{}</p>\n{}",
                    escape(id),
                    escape(&why),
                    labels(id)
                ),
            ),
        };
        Ok(page.into())
    });
    answer.await
}

fn run_body(place: &Place, folder: &RunFolder, metrics: &Metrics) -> Result<String, Problem> {
    let base = place.to(&format!("runs/{}", folder.id()));
    let api = format!("api/v1/runs/{}", folder.id());
    let source = Source::new(folder, metrics)?;
    let charts: Vec<Shown<'_>> = charts::Kind::all()
        .filter(|kind| source.has(*kind))
        .map(|kind| {
            let address = format!("{api}/charts/{}", kind.name());
            let still = kind
                .figure()
                .and_then(|figure| still(folder, &base, figure));
            let choice = if kind == charts::Kind::Statistics {
                choice_of_statistic(&address, metrics)
            } else {
                String::new()
            };
            Shown {
                name: kind.name(),
                markup: format!("{choice}{}", slot(&address, &still.unwrap_or_default())),
                caption: kind.caption(),
            }
        })
        .collect();
    let more = format!(
        "{}{}{}",
        explorer(folder.id(), metrics),
        hedge_map(folder.id(), metrics),
        source
            .walked()
            .map_or(String::new(), super::walked::sections)
    );
    let mut body = sections(metrics, folder.strategy()?.as_deref(), &charts, &more);
    let mut links = format!(
        "<a href=\"{}\">Metrics as JSON</a>",
        escape(&place.to(&api))
    );
    if folder.path().join("report.html").is_file() {
        links = format!("<a href=\"{base}/report.html\">Report as one file</a>, {links}");
    }
    let asked = folder.trainings()?.is_some_and(|(_, asked)| asked > 0);
    if folder.path().join(PROGRESS).is_file() && (asked || !metrics.training.is_empty()) {
        links = format!("<a href=\"{base}/live\">How it was trained</a>, {links}");
    }
    body.push_str(&downloads(
        &place.to(&api),
        &export::available(folder, metrics),
    ));
    body.push_str(&labels(folder.id()));
    body.push_str(&format!("<p class=\"note\">{links}</p>\n"));
    Ok(body)
}

/// The tables of a run as files.
fn downloads(api: &str, tables: &[&str]) -> String {
    let api = escape(api);
    let items: String = tables
        .iter()
        .map(|name| {
            let link = |end: &str, words: &str| {
                format!("<a href=\"{api}/tables/{name}.{end}\" download>{words}</a>")
            };
            format!(
                "<li>{} {}, {}</li>",
                name.replace('_', " "),
                link("csv", "CSV"),
                link("parquet", "Parquet")
            )
        })
        .collect();
    format!(
        "<details><summary>Tables to download</summary><ul class=\"downloads\">{items}</ul></details>\n"
    )
}

/// The form that changes what a run is called by, or deletes it; a script fills it.
pub fn labels(id: &str) -> String {
    format!(
        "<details id=\"labels\" data-run=\"{}\"><summary>Tags, note, deletion</summary>\
         <form aria-busy=\"true\"><label>Tags, separated by commas <input name=\"tags\"></label>\
         <label>Note <textarea name=\"note\" rows=\"3\" maxlength=\"4000\"></textarea></label>\
         <p class=\"row\"><button>Save</button> <span role=\"status\"></span></p></form>\
         <details><summary>Delete this run</summary><p>Its results, policies and figures are lost for good.</p>\
         <p><button type=\"button\" class=\"delete\">Delete for good</button></p></details></details>\n",
        escape(id)
    )
}

/// The figure of the report, shown until the chart is drawn.
fn still(folder: &RunFolder, base: &str, kind: Kind) -> Option<String> {
    let drawn = |form| folder.path().join(Figure::file(kind, form)).is_file();
    (drawn(Form::Wide) && drawn(Form::Narrow)).then(|| picture(base, kind))
}

/// Where the chart at `address` will be drawn, with what is shown until then.
fn slot(address: &str, still: &str) -> String {
    format!(
        "<div class=\"chart\" data-chart=\"{}\">{still}</div>",
        escape(address)
    )
}

/// A chart in a figure of its own.
pub fn chart(address: &str, still: &str, caption: &str) -> String {
    format!(
        "<figure>{}<figcaption>{}</figcaption></figure>\n",
        slot(address, still),
        escape(caption)
    )
}

fn choice_of_statistic(address: &str, metrics: &Metrics) -> String {
    let options: String = statistics(&metrics.training)
        .iter()
        .map(|key| {
            let key = escape(key);
            format!("<option value=\"{key}\">{}</option>", key.replace('_', " "))
        })
        .collect();
    format!(
        "<form class=\"statistics\" data-address=\"{}\"><label>Statistic \
         <select name=\"key\">{options}</select></label></form>",
        escape(address)
    )
}

/// Empty slots that a form's answer is drawn into.
fn slots(captions: &[&str]) -> String {
    let slots: String = captions
        .iter()
        .map(|caption| {
            format!(
                "<figure><div class=\"chart\"></div><figcaption>{}</figcaption></figure>\n",
                escape(caption)
            )
        })
        .collect();
    format!("<div class=\"figures answer\">\n{slots}</div>\n")
}

/// The form that asks for a test path, and where every strategy on it is drawn.
fn explorer(id: &str, metrics: &Metrics) -> String {
    let Some(last) = metrics
        .evaluation
        .first()
        .map(|row| row.paths.saturating_sub(1))
    else {
        return String::new();
    };
    format!(
        "<section id=\"paths\"><h2>One path</h2>\n\
         <form class=\"explorer\" data-run=\"{}\"><label>Test path \
         <input name=\"path\" type=\"number\" min=\"0\" max=\"{last}\" step=\"1\" value=\"0\"></label>\
         <span class=\"note\">0 to {last}</span>\
         <button type=\"button\" data-to=\"-1\">Previous</button>\
         <button type=\"button\" data-to=\"1\">Next</button>\
         <button type=\"button\" data-to=\"random\">Any</button></form>\n\
         <div class=\"scroll\"><table class=\"numbers\"><caption><span>At expiry</span></caption>\
         <thead><tr><th scope=\"col\">strategy</th><th scope=\"col\">P&amp;L</th>\
         <th scope=\"col\">cost</th></tr></thead><tbody></tbody></table></div>\n{}</section>\n",
        escape(id),
        slots(&[
            "The simulated spot; the dotted line is the strike.",
            "Square root of the simulated variance, a year.",
            "What each strategy holds from each date to the next.",
            "What each strategy buys, or sells where negative.",
            "Transaction costs added up.",
            "Premium and gains less costs and the model's value of the contract; at expiry the P&L of the table.",
        ])
    )
}

/// The form that asks for a strategy's hedge map, and where the map is drawn.
fn hedge_map(id: &str, metrics: &Metrics) -> String {
    // Every window of a walk-forward run has policies of its own.
    let rows = if metrics.evaluation.is_empty() {
        &[][..]
    } else {
        &metrics.evaluation
    };
    if rows.is_empty() {
        return String::new();
    }
    let options: String = lines(rows)
        .iter()
        .map(|line| {
            let name = escape(line.strategy);
            format!("<option value=\"{name}\">{name}</option>")
        })
        .collect();
    format!(
        "<section id=\"hedge-map\"><h2>Hedge ratio over spot and time</h2>\n\
         <form class=\"hedge-map\" data-run=\"{}\"><label>Strategy \
         <select name=\"strategy\">{options}</select></label></form>\n{}\
         <p class=\"note\">A recurrent policy depends on the way to a spot. Here ln S moves evenly from today's spot to \
         the point, at the variance that the model expects; ratios are averaged over seeds.</p></section>\n",
        escape(id),
        slots(&[
            "Shares that the strategy holds per contract.",
            "Shares that Black–Scholes holds at the volatility expected until expiry.",
            "The strategy less Black–Scholes: blue where it holds more, orange where it holds less.",
        ])
    )
}

/// The stand-alone report of one run.
pub async fn report(State(root): Runs, Segment(id): Segment<String>) -> Result<Response, Problem> {
    let read = blocking(root, move |root| {
        find(root, &id)?
            .read_bytes("report.html")?
            .ok_or_else(|| missing(format!("run `{id}` has no report")))
    });
    let bytes = read.await?;
    Ok(file(PAGE, bytes))
}

/// One figure of one run; only names of a [`Kind`] are looked for.
pub async fn figure(
    State(root): Runs,
    Segment((id, name)): Segment<(String, String)>,
) -> Result<Response, Problem> {
    let read = blocking(root, move |root| {
        let folder = find(root, &id)?;
        let none = || missing(format!("run `{id}` has no figure `{}`", excerpt(&name)));
        let file = Kind::all()
            .flat_map(|kind| [Form::Wide, Form::Narrow].map(|form| Figure::file(kind, form)))
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

/// The page that says what went wrong.
pub fn problem(place: &Place, status: StatusCode, message: &str) -> String {
    let title = match status {
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::FORBIDDEN => "Refused",
        StatusCode::TOO_MANY_REQUESTS => "Too many tries",
        StatusCode::REQUEST_TIMEOUT => "Too slow",
        _ => "Something went wrong",
    };
    let mut letters = message.trim_end_matches('.').chars();
    let first = letters.next().map(char::to_uppercase);
    let message: String = first.into_iter().flatten().chain(letters).collect();
    let body = format!(
        "<h1>{title}</h1>\n<p class=\"message\">{}.</p>\n<p><a href=\"{}\">All runs</a></p>\n",
        escape(&message),
        place.to("")
    );
    frame(place, title, &body)
}

pub fn frame(place: &Place, title: &str, body: &str) -> String {
    framed(place, title, "", body)
}

/// A page with charts; their script is fetched beside the page and run after it is read.
pub fn shell_with_charts(place: &Place, title: &str, body: &str) -> String {
    let scripts = script(place, "plotly.js", false) + &script(place, "run.js", true);
    framed(place, title, &scripts, body)
}

/// The element that loads a script, a module or one that is run before the modules.
pub fn script(place: &Place, name: &str, module: bool) -> String {
    let kind = if module { "type=\"module\"" } else { "defer" };
    format!(
        "\n<script {kind} src=\"{}\"></script>",
        place.to(&assets::address(name))
    )
}

pub fn framed(place: &Place, title: &str, scripts: &str, body: &str) -> String {
    let asset = |name| place.to(&assets::address(name));
    let head = format!(
        "<link rel=\"icon\" href=\"{}\">\n\
         <link rel=\"stylesheet\" id=\"plotly.js-style-global\" class=\"no-inline-styles\" href=\"{}\">\n\
         <script type=\"module\" src=\"{}\"></script>{scripts}",
        asset("icon.svg"),
        asset("app.css"),
        asset("app.js")
    );
    let leave = if place.leave {
        format!(
            "<form method=\"post\" action=\"{}\"><button>Log out</button></form>",
            place.to("logout")
        )
    } else {
        String::new()
    };
    let navigation = format!(
        "<nav aria-label=\"Main\"><a class=\"brand\" href=\"{home}\">deephedge</a>\
         <a href=\"{home}\">Runs</a><a href=\"{}\">Jobs</a>\
         <a href=\"{}\">Compare</a>{leave}</nav>",
        place.to("jobs"),
        place.to("compare"),
        home = place.to(""),
    );
    page(title, &head, &navigation, body)
}
