//! The page of all runs.

use super::api::Stage;
use super::pages::frame;
use super::{App, Problem, off_thread};
use crate::report::html::{escape, readable_time, signed, swatch};
use crate::report::summary::{Statistic, Verdict, cvar_label, lines, main_level, strategies};
use crate::runs::index::{Entry, Filter};
use crate::runs::metrics::Metrics;
use crate::runs::store::{self, RunFolder, State as RunState};
use axum::extract::{Query, State};
use axum::response::Html;
use std::collections::BTreeMap;

/// Runs of a page.
const PER_PAGE: usize = 50;

/// What the form above the list asks for; a field that is empty asks for nothing.
struct Wanted {
    filter: Filter,
    page: usize,
}

impl Wanted {
    fn new(asked: &BTreeMap<String, String>) -> Self {
        let field = |name: &str| {
            let text = asked.get(name).map(|text| text.trim());
            text.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        Self {
            filter: Filter {
                tag: field("tag"),
                state: field("state"),
                search: field("search"),
            },
            page: field("page")
                .and_then(|page| page.parse().ok())
                .unwrap_or(1)
                .max(1),
        }
    }

    fn fields(&self) -> [(&'static str, Option<&str>); 3] {
        [
            ("search", self.filter.search.as_deref()),
            ("state", self.filter.state.as_deref()),
            ("tag", self.filter.tag.as_deref()),
        ]
    }

    fn everything(&self) -> bool {
        self.fields().iter().all(|(_, value)| value.is_none())
    }

    /// The address of page `page` of these runs below `path`.
    fn address(&self, path: &str, page: usize) -> String {
        let mut address = format!("{path}?page={page}");
        for (name, value) in self.fields() {
            if let Some(value) = value {
                address.push_str(&format!("&{name}={}", encoded(value)));
            }
        }
        address
    }
}

/// Percent-encoded, as a value of a query (RFC 3986, 2.3).
pub fn encoded(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encode = |byte: u8| match byte {
        byte if plain(byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    value.bytes().map(encode).collect()
}

/// The list of runs, newest first.
pub async fn list(
    State(app): State<App>,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Result<Html<String>, Problem> {
    let place = app.place("/");
    let made = off_thread(move || Ok(body(&app, &Wanted::new(&asked))?));
    Ok(Html(frame(&place, "Runs", &made.await?)))
}

fn body(app: &App, wanted: &Wanted) -> crate::Result<String> {
    let entries = app.index.list(&wanted.filter)?;
    if entries.is_empty() && wanted.everything() {
        return Ok(format!(
            "<h1>Runs</h1>\n<div class=\"message\" data-follow=\"api/v1/runs\"><p>No runs in \
             <code>{}</code> yet. Make one with</p>\n\
             <pre tabindex=\"0\"><code>deephedge compare strategies/heston_call.toml</code></pre>\
             <p>or <a href=\"./jobs\">as a job</a>.</p></div>\n",
            escape(&app.root.display().to_string())
        ));
    }
    let total = entries.len();
    let pages = total.div_ceil(PER_PAGE).max(1);
    let page = wanted.page.min(pages);
    let first = (page - 1) * PER_PAGE;
    let shown = &entries[first..total.min(first + PER_PAGE)];
    let mut rows = String::new();
    for entry in shown {
        // A run may have been deleted since the list was made.
        if let Ok(folder) = store::open_exact(&app.root, &entry.id) {
            rows.push_str(&row(app, entry, &folder));
        }
    }
    let follow = escape(&wanted.address("api/v1/runs", page));
    let list = if shown.is_empty() {
        format!(
            "<p class=\"message\" data-follow=\"{follow}\">No run is like that. <a href=\"./\">All runs</a></p>\n"
        )
    } else {
        format!(
            "<form action=\"./compare\"><div class=\"scroll\" tabindex=\"0\" role=\"region\" \
             aria-label=\"Runs\" data-follow=\"{follow}\"><table class=\"list\">\n<thead><tr>\
             <th scope=\"col\">compare</th><th scope=\"col\">run</th><th scope=\"col\">made</th>\
             <th scope=\"col\">tail risk by strategy</th>\
             <th scope=\"col\">change</th></tr></thead>\n<tbody>\n{rows}\
             </tbody></table></div>\n<p class=\"row\"><button>Compare the chosen runs</button>{}</p></form>\n\
             <p class=\"note\">Tail risk is the CVaR of the loss in money per contract, on simulated test paths where \
             there are any; change is that of the tail risk against the baseline; ± is one standard error.</p>\n",
            turning(
                wanted,
                page,
                pages,
                &format!("{} to {} of {total}", first + 1, first + shown.len())
            )
        )
    };
    Ok(format!(
        "<h1>Runs</h1>\n{}{list}",
        filter_form(wanted, &app.index.tags()?)
    ))
}

/// The form that narrows the list.
fn filter_form(wanted: &Wanted, tags: &[String]) -> String {
    let options = |all: &str, values: &[&str], chosen: Option<&str>| {
        let mut options = format!("<option value=\"\">{all}</option>");
        for &value in values {
            let selected = if chosen == Some(value) {
                " selected"
            } else {
                ""
            };
            let value = escape(value);
            options.push_str(&format!(
                "<option value=\"{value}\"{selected}>{value}</option>"
            ));
        }
        options
    };
    let Filter { tag, state, search } = &wanted.filter;
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    format!(
        "<form class=\"row\" action=\"./\" role=\"search\">\
         <label>Name or run <input type=\"search\" name=\"search\" value=\"{}\"></label>\
         <label>State <select name=\"state\">{}</select></label>\
         <label>Tag <select name=\"tag\">{}</select></label><button>Show</button></form>\n",
        escape(search.as_deref().unwrap_or_default()),
        options("any", &Stage::ALL.map(Stage::name), state.as_deref()),
        options("any", &tags, tag.as_deref())
    )
}

/// Where in the list the page is, and the way to the next ones.
fn turning(wanted: &Wanted, page: usize, pages: usize, place: &str) -> String {
    if pages == 1 {
        return String::new();
    }
    let link = |to: usize, words: &str| {
        let address = escape(&wanted.address("./", to));
        format!(" <a href=\"{address}\">{words}</a>")
    };
    let newer = (page > 1).then(|| link(page - 1, "Newer"));
    let older = (page < pages).then(|| link(page + 1, "Older"));
    format!(
        "<span>Runs {place}{}{}</span>",
        newer.unwrap_or_default(),
        older.unwrap_or_default()
    )
}

fn row(app: &App, entry: &Entry, folder: &RunFolder) -> String {
    let id = escape(&entry.id);
    let name = match entry.name.as_str() {
        "" => "unnamed run".to_owned(),
        name => escape(name),
    };
    let tags: String = entry
        .tags
        .iter()
        .map(|tag| {
            let address = escape(&format!("./?tag={}", encoded(tag)));
            format!(" <a class=\"tag\" href=\"{address}\">{}</a>", escape(tag))
        })
        .collect();
    let note = match entry.note.as_str() {
        "" => String::new(),
        note => format!("<br><small class=\"note\">{}</small>", escape(note)),
    };
    let name = format!(
        "<th scope=\"row\"><a href=\"./runs/{id}\">{name}</a>{tags}<br><small>{id}</small>{note}</th>"
    );
    let incomplete = |what: &str| {
        format!(
            "<tr><td></td>{name}<td colspan=\"3\">{}</td></tr>\n",
            escape(what)
        )
    };
    if entry.state != "complete" {
        let why = entry.summary.as_str().unwrap_or_default();
        return incomplete(if why.is_empty() { entry.state } else { why });
    }
    let results = app.cache.part("row", folder, || match folder.state() {
        RunState::Complete(metrics) => results(&metrics),
        // Its results went away since the list was made.
        RunState::Incomplete | RunState::Unreadable(_) => String::new(),
    });
    if results.is_empty() {
        return incomplete("stopped");
    }
    format!(
        "<tr><td><input type=\"checkbox\" name=\"runs\" value=\"{id}\" aria-label=\"Compare {id}\"></td>\
         {name}{results}</tr>\n"
    )
}

/// The cells of a run that has results.
fn results(metrics: &Metrics) -> String {
    format!(
        "<td class=\"time\">{}<br><small>{}</small></td><td>{}</td><td>{}</td>",
        escape(&readable_time(&metrics.created)),
        escape(&metrics.command.replace('_', " ")),
        risks(metrics),
        changes(metrics)
    )
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
            // A tail of very few contracts has no standard error.
            let error = match cvar.standard_error {
                error if error.is_finite() => format!(" <small>±{error:.3}</small>"),
                _ => String::new(),
            };
            Some(format!(
                "<li><span>{}</span> <span>{}{error}</span></li>",
                swatch(line.strategy, &order),
                format!("{:.3}", cvar.value).replace('-', "−")
            ))
        })
        .collect();
    if items.is_empty() {
        return String::new();
    }
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

#[cfg(test)]
mod tests {
    use super::risks;
    use crate::runs::fixture::{self, Scratch};

    /// A tail risk of too few contracts for a standard error stands alone.
    #[test]
    fn a_missing_standard_error_is_not_shown() {
        let root = Scratch::new("list-errors");
        let mut metrics = fixture::write(root.path()).metrics().unwrap();
        assert!(risks(&metrics).contains('±'));
        for row in &mut metrics.evaluation {
            row.cvar_standard_error.clear();
        }
        let shown = risks(&metrics);
        assert!(!shown.contains('±') && !shown.contains("NaN"), "{shown}");
        metrics.evaluation.clear();
        metrics.backtest.clear();
        assert_eq!(risks(&metrics), "");
    }
}
