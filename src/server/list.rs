//! The page of all runs.

use super::api::Stage;
use super::app::{App, off_thread};
use super::layout::frame;
use super::place::encoded;
use super::problem::Problem;
use crate::numbers::{Rounding, percent};
use crate::report::markup::{readable_time, swatch, with_minus};
use crate::report::summary::{Statistic, Verdict, cvar_label, lines, main_level, strategies};
use crate::runs::index::{Entry, Filter};
use crate::runs::metrics::Metrics;
use crate::runs::state;
use crate::runs::store::{self, RunFolder, State as RunState};
use axum::extract::{Query, State};
use axum::response::Html;
use maud::{Markup, PreEscaped, html};
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

/// The list of runs, newest first.
pub async fn list(
    State(app): State<App>,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Result<Html<String>, Problem> {
    let place = app.place("/");
    let made = off_thread(move || Ok(body(&app, &Wanted::new(&asked))?));
    Ok(Html(frame(&place, "Runs", &made.await?)))
}

fn body(app: &App, wanted: &Wanted) -> crate::Result<Markup> {
    let entries = app.index.list(&wanted.filter)?;
    if entries.is_empty() && wanted.everything() {
        return Ok(html! {
            h1 { "Runs" }
            div class="message" data-follow="api/v1/runs" {
                p { "No runs in " code { (app.root.display()) } " yet. Make one with" }
                pre tabindex="0" { code { "deephedge compare strategies/heston_call.toml" } }
                p { "or " a href="./jobs" { "as a job" } "." }
            }
        });
    }
    let total = entries.len();
    let pages = total.div_ceil(PER_PAGE).max(1);
    let page = wanted.page.min(pages);
    let first = (page - 1) * PER_PAGE;
    let shown = &entries[first..total.min(first + PER_PAGE)];
    // A run may have been deleted since the list was made.
    let rows = shown.iter().filter_map(|entry| {
        let folder = store::open_exact(&app.root, &entry.id).ok()?;
        Some(row(app, entry, &folder))
    });
    let follow = wanted.address("api/v1/runs", page);
    Ok(html! {
        h1 { "Runs" }
        (filter_form(wanted, &app.index.tags()?))
        @if shown.is_empty() {
            p class="message" data-follow=(follow) {
                "No run is like that. " a href="./" { "All runs" }
            }
        } @else {
            form action="./compare" {
                div class="scroll" tabindex="0" role="region" aria-label="Runs" data-follow=(follow) {
                    table class="list" {
                        thead {
                            tr {
                                @for head in ["compare", "run", "made", "tail risk by strategy", "change"] {
                                    th scope="col" { (head) }
                                }
                            }
                        }
                        tbody { @for row in rows { (row) } }
                    }
                }
                p class="row" {
                    button { "Compare the chosen runs" }
                    @if pages > 1 {
                        span {
                            "Runs " (first + 1) " to " (first + shown.len()) " of " (total)
                            @if page > 1 { " " a href=(wanted.address("./", page - 1)) { "Newer" } }
                            @if page < pages { " " a href=(wanted.address("./", page + 1)) { "Older" } }
                        }
                    }
                }
            }
            p class="note" {
                "Tail risk is the CVaR of the loss in money per contract, on simulated test paths where there are any; "
                "change is that of the tail risk against the baseline; ± is one standard error."
            }
        }
    })
}

/// The form that narrows the list.
fn filter_form(wanted: &Wanted, tags: &[String]) -> Markup {
    let options = |values: &[(&str, &str)], chosen: Option<&str>| {
        html! {
            option value="" { "any" }
            @for (value, words) in values {
                option value=(value) selected[chosen == Some(*value)] { (words) }
            }
        }
    };
    let Filter {
        tag,
        state: chosen,
        search,
    } = &wanted.filter;
    let tags: Vec<(&str, &str)> = tags
        .iter()
        .map(|tag| (tag.as_str(), tag.as_str()))
        .collect();
    let stages = Stage::ALL.map(|stage| (stage.name(), state::word(stage.name())));
    html! {
        form class="row" action="./" role="search" {
            label {
                "Name or run "
                input type="search" name="search" value=(search.as_deref().unwrap_or_default());
            }
            label {
                "State "
                select name="state" { (options(&stages, chosen.as_deref())) }
            }
            label { "Tag " select name="tag" { (options(&tags, tag.as_deref())) } }
            button { "Show" }
        }
    }
}

fn row(app: &App, entry: &Entry, folder: &RunFolder) -> Markup {
    let id = &entry.id;
    let name = match entry.name.as_str() {
        "" => "unnamed run",
        name => name,
    };
    let name = html! {
        th scope="row" {
            a href={ "./runs/" (id) } { (name) }
            @for tag in &entry.tags {
                " " a class="tag" href={ "./?tag=" (encoded(tag)) } { (tag) }
            }
            br;
            small { (id) }
            @if !entry.note.is_empty() { br; small class="note" { (entry.note) } }
        }
    };
    let incomplete = |what: &str| html! { tr { td {} (name) td colspan="3" { (what) } } };
    if entry.state != "complete" {
        let why = entry.summary.as_str().unwrap_or_default();
        return match entry.share {
            Some(share) if share.is_trained() => incomplete(&share.to_string()),
            Some(share) => incomplete(&format!("{share}, {}", words(app, entry, folder))),
            None if why.is_empty() => incomplete(words(app, entry, folder)),
            None => incomplete(why),
        };
    }
    let results = app.cache.part("row", folder, || match folder.state() {
        RunState::Complete(metrics) => results(&metrics).into_string(),
        // Its results went away since the list was made.
        RunState::Incomplete | RunState::Unreadable(_) => String::new(),
    });
    if results.is_empty() {
        return incomplete("stopped");
    }
    html! {
        tr {
            td { input type="checkbox" name="runs" value=(id) aria-label={ "Compare " (id) }; }
            (name)
            (PreEscaped(results))
        }
    }
}

/// What the state of a run without results is called.
fn words(app: &App, entry: &Entry, folder: &RunFolder) -> &'static str {
    if entry.state != "stopped" {
        return state::word(entry.state);
    }
    let job = app.index.job(&entry.id).ok().flatten();
    state::unfinished(folder, job.map(|job| app.queue.as_it_is(job).state))
}

/// The cells of a run that has results.
fn results(metrics: &Metrics) -> Markup {
    html! {
        td class="time" {
            (readable_time(&metrics.created))
            br;
            small { (metrics.command.replace('_', " ")) }
        }
        td { (risks(metrics)) }
        td { (changes(metrics)) }
    }
}

fn risks(metrics: &Metrics) -> Markup {
    let rows = if metrics.evaluation.is_empty() {
        &metrics.backtest
    } else {
        &metrics.evaluation
    };
    let level = main_level(metrics);
    let order = strategies(metrics);
    let lines = lines(rows);
    let risks: Vec<_> = lines
        .iter()
        .filter_map(|line| {
            let cvar = line.estimate(&Statistic::Cvar(level.to_owned()))?;
            Some((line.strategy, cvar))
        })
        .collect();
    let pairs = risks
        .iter()
        .map(|(_, cvar)| (cvar.value, Some(cvar.standard_error)));
    let rounding = Rounding::of_estimates(pairs);
    html! {
        @if !risks.is_empty() {
            small { (cvar_label(level)) }
            ul class="plain" {
                @for (strategy, cvar) in &risks {
                    li {
                        span { (swatch(strategy, &order)) } " "
                        span {
                            (with_minus(&rounding.write(cvar.value)))
                            // A tail of very few contracts has no standard error.
                            @if cvar.standard_error.is_finite() {
                                " " small { "±" (rounding.write(cvar.standard_error)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn changes(metrics: &Metrics) -> Markup {
    let (comparisons, part) = if metrics.comparisons.is_empty() {
        (&metrics.backtest_comparisons, "backtest, ")
    } else {
        (&metrics.comparisons, "")
    };
    html! {
        ul {
            @for c in comparisons {
                @let verdict = Verdict::lower_is_better(c.cvar_change, c.cvar_change_standard_error);
                li {
                    (part) (c.strategy) " against " (c.baseline) ":"
                    br;
                    span class=(class(verdict)) {
                        @if verdict == Verdict::Unknown {
                            "n/a"
                        } @else {
                            @let (change, error) = percent(c.cvar_change, c.cvar_change_standard_error);
                            (with_minus(&change)) " " (error)
                        }
                        ", " (verdict.words())
                    }
                }
            }
        }
    }
}

/// The class of a change that stands in running text: one that decides nothing has no colour.
fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "better",
        Verdict::Worse => "worse",
        Verdict::Undecided | Verdict::Unknown => "",
    }
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
        assert!(risks(&metrics).0.contains('±'));
        for row in &mut metrics.evaluation {
            row.cvar_standard_error.clear();
        }
        let shown = risks(&metrics).into_string();
        assert!(!shown.contains('±') && !shown.contains("NaN"), "{shown}");
        metrics.evaluation.clear();
        metrics.backtest.clear();
        assert_eq!(risks(&metrics).into_string(), "");
    }
}
