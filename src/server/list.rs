//! The page of all runs.

use super::api::Stage;
use super::app::{App, off_thread};
use super::layout::frame;
use super::list_row::{Columns, row};
use super::place::encoded;
use super::problem::Problem;
use crate::error::Error;
use crate::runs::index::{Entry, Filter, Order, Page};
use crate::runs::state;
use crate::runs::store;
use axum::extract::{Query, State};
use axum::response::Html;
use maud::{Markup, html};
use std::collections::BTreeMap;

/// Runs of a page.
const PER_PAGE: usize = 50;

/// What the columns are sorted by: the name in addresses, the head, and whether the first look is at the greatest.
const SORTED: [(&str, &str, bool); 6] = [
    ("name", "run", false),
    ("made", "made", true),
    ("variance", "P&L variance", false),
    ("cost", "cost", false),
    ("sharpe", "Sharpe", true),
    ("cvar", "CVaR", false),
];

/// What the form above the list asks for; a field that is empty asks for nothing.
pub struct Wanted {
    /// Which runs.
    pub filter: Filter,
    order: Order,
    page: usize,
}

impl Wanted {
    /// What the fields of a query ask for.
    pub fn new(asked: &BTreeMap<String, String>) -> Self {
        let field = |name: &str| {
            let text = asked.get(name).map(|text| text.trim());
            text.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let usual = Order::default();
        let by = field("sort").unwrap_or(usual.by);
        let descending = match field("order").as_deref() {
            Some("ascending") => false,
            Some("descending") => true,
            Some(_) | None => SORTED
                .iter()
                .any(|(name, _, greatest)| *name == by && *greatest),
        };
        Self {
            filter: Filter {
                tag: field("tag"),
                state: field("state"),
                search: field("search"),
            },
            order: Order { by, descending },
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

    /// The address of these runs below `path`, which is followed by further fields.
    pub fn filtered(&self, path: &str) -> String {
        let mut address = format!("{path}?");
        for (name, value) in self.fields() {
            if let Some(value) = value {
                address.push_str(&format!("{name}={}&", encoded(value)));
            }
        }
        address
    }

    /// The address of page `page` of these runs below `path`, in their order.
    fn address(&self, path: &str, page: usize) -> String {
        self.sorted(path, &self.order, page)
    }

    fn sorted(&self, path: &str, order: &Order, page: usize) -> String {
        let mut address = self.filtered(path);
        if *order != Order::default() {
            let direction = direction(order.descending);
            address.push_str(&format!("sort={}&order={direction}&", encoded(&order.by)));
        }
        address.push_str(&format!("page={page}"));
        address
    }

    /// The head of a column that sorts the whole list; pressed again it sorts the other way.
    fn head(&self, by: &str, words: &str, greatest: bool) -> Markup {
        let sorted = self.order.by == by;
        let order = Order {
            by: by.to_owned(),
            descending: if sorted {
                !self.order.descending
            } else {
                greatest
            },
        };
        let now = sorted.then(|| direction(self.order.descending));
        html! {
            th scope="col" aria-sort=[now] {
                a href=(self.sorted("./", &order, 1)) { (words) }
            }
        }
    }
}

fn direction(descending: bool) -> &'static str {
    if descending {
        "descending"
    } else {
        "ascending"
    }
}

/// The list of runs, newest first unless asked otherwise.
pub async fn list(
    State(app): State<App>,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Result<Html<String>, Problem> {
    let place = app.place("/");
    let made = off_thread(move || Ok(body(&app, &Wanted::new(&asked))?));
    Ok(Html(frame(&place, "Runs", &made.await?)))
}

fn body(app: &App, wanted: &Wanted) -> crate::Result<Markup> {
    let first = (wanted.page - 1).saturating_mul(PER_PAGE);
    let part = |first: usize| {
        let places = first..first.saturating_add(PER_PAGE);
        app.index.page(&wanted.filter, &wanted.order, places)
    };
    let (first, page, problem) = match part(first) {
        // A page that is no longer there is the last one.
        Ok(page) if page.entries.is_empty() && page.total > 0 => {
            let last = (page.total - 1) / PER_PAGE * PER_PAGE;
            (last, part(last)?, None)
        }
        Ok(page) => (first, page, None),
        Err(Error::Setting(error)) => (0, Page::default(), Some(error.to_string())),
        Err(error) => return Err(error),
    };
    if page.total == 0 && wanted.everything() && problem.is_none() {
        return Ok(html! {
            h1 { "Runs" }
            div class="message" data-follow="api/v1/runs" {
                p { "No runs in " code { (app.root.display()) } " yet. Make one with" }
                pre tabindex="0" { code { "deephedge compare strategies/heston_call.toml" } }
                p { "or " a href="./jobs" { "as a job" } "." }
            }
        });
    }
    let here = first / PER_PAGE + 1;
    let follow = wanted.address("api/v1/runs", here);
    let form = filter_form(wanted, &app.index.tags()?, &app.index.keys()?);
    Ok(html! {
        h1 { "Runs" }
        (form)
        @if let Some(problem) = problem {
            p class="message problem" role="alert" { (problem) ". " a href="./" { "All runs" } }
        } @else if page.entries.is_empty() {
            p class="message" data-follow=(follow) {
                "No run is like that. " a href="./" { "All runs" }
            }
        } @else {
            form action="./compare" {
                div class="scroll" tabindex="0" role="region" aria-label="Runs" data-follow=(follow) {
                    (table(app, wanted, &page))
                }
                (below(wanted, &page, first))
            }
            p class="note" {
                "What a run compares and with what, on simulated test paths where there are any and else on history, and the "
                "difference on each. Money per contract; CVaR is of the loss, at the level that was trained or 95 %; ± is one "
                "standard error."
            }
        }
    })
}

fn table(app: &App, wanted: &Wanted, page: &Page) -> Markup {
    let columns = Columns::of(&page.entries);
    let shown = &page.entries;
    html! {
        table class="list runs" {
            thead {
                tr {
                    th scope="col" { "compare" }
                    @for (by, words, greatest) in &SORTED[..2] { (wanted.head(by, words, *greatest)) }
                    @for key in &page.keys { (wanted.head(key, key, false)) }
                    th scope="col" { "hedge" }
                    @for (by, words, greatest) in &SORTED[2..] { (wanted.head(by, words, *greatest)) }
                }
            }
            tbody {
                @for (index, entry) in shown.iter().enumerate() { (row(entry, &page.keys, (&columns, index), &|| words(app, entry))) }
            }
        }
    }
}

/// What can be done with the list: comparing, the other pages, and all of its runs beside each other.
fn below(wanted: &Wanted, page: &Page, first: usize) -> Markup {
    let (here, pages) = (first / PER_PAGE + 1, page.total.div_ceil(PER_PAGE));
    html! {
        p class="row" {
            button { "Compare the chosen runs" }
            @if page.total > 1 {
                a href=(wanted.filtered("./sweep").trim_end_matches(['?', '&'])) {
                    "All " (page.total) " beside each other"
                }
            }
            @if pages > 1 {
                span {
                    "Runs " (first + 1) " to " (first + page.entries.len()) " of " (page.total)
                    @if here > 1 { " " a href=(wanted.address("./", here - 1)) { "Previous" } }
                    @if here < pages { " " a href=(wanted.address("./", here + 1)) { "Next" } }
                }
            }
        }
    }
}

/// The form that narrows and sorts the list; `keys` are offered as conditions.
fn filter_form(wanted: &Wanted, tags: &[String], keys: &[String]) -> Markup {
    let options = |values: &[(&str, &str)], chosen: Option<&str>| {
        html! {
            option value="" { "any" }
            @for (value, words) in values {
                option value=(value) selected[chosen == Some(*value)] { (words) }
            }
        }
    };
    let Filter {
        tag, state: chosen, ..
    } = &wanted.filter;
    let tags = tags.iter().map(|tag| (tag.as_str(), tag.as_str()));
    let tags: Vec<(&str, &str)> = tags.collect();
    let stages = Stage::ALL.map(|stage| (stage.name(), state::word(stage.name())));
    let Order { by, descending } = &wanted.order;
    let by_key = SORTED.iter().all(|(name, ..)| name != by);
    html! {
        form class="row" action="./" role="search" {
            (search_field(&wanted.filter, keys))
            label {
                "State "
                select name="state" { (options(&stages, chosen.as_deref())) }
            }
            label { "Tag " select name="tag" { (options(&tags, tag.as_deref())) } }
            label {
                "Sorted by "
                select name="sort" {
                    @for (name, words, _) in &SORTED {
                        option value=(name) selected[name == by] { (words) }
                    }
                    @if by_key { option value=(by) selected { (by) } }
                }
            }
            label {
                "Order "
                select name="order" {
                    @for way in [true, false] {
                        option value=(direction(way)) selected[way == *descending] { (direction(way)) }
                    }
                }
            }
            button { "Show" }
        }
    }
}

/// The field of words and conditions, which offers the keys that runs have.
pub fn search_field(filter: &Filter, keys: &[String]) -> Markup {
    html! {
        label class="search" {
            "Name, run or key "
            input type="search" name="search" list="keys" value=(filter.search.as_deref().unwrap_or_default())
                placeholder="market.model = heston, training.steps >= 300";
        }
        datalist id="keys" {
            @for key in keys { option value={ (key) " = " } {} }
        }
    }
}

/// What the state of a run without results is called.
fn words(app: &App, entry: &Entry) -> &'static str {
    if entry.state != "stopped" {
        return state::word(entry.state);
    }
    let job = app.index.job(&entry.id).ok().flatten();
    let job = job.map(|job| app.queue.as_it_is(job).state);
    match store::open_exact(&app.root, &entry.id) {
        Ok(folder) => state::unfinished(&folder, job),
        // It was deleted since the list was made.
        Err(_) => state::word(entry.state),
    }
}
