//! The page on which a run hedges a book.

use super::app::{App, find, off_thread};
use super::charts::complete;
use super::elements::slots;
use super::layout::{framed, module, script};
use super::problem::Problem;
use crate::live::Asked;
use crate::runs::store::RunFolder;
use crate::strategy::Strategy;
use axum::extract::{Path as Segment, State};
use axum::response::Html;
use maud::{Markup, html};

/// What a chart says of the moves of every instrument.
const CAPTION: &str = "What the policies would hold against all contracts if today's spot were another one, at today's variance; \
                       the dotted line is what is held now.";

/// Charts that there may be: the spot's, and those of options that hedge.
const CHARTS: [&str; 4] = [CAPTION; 4];

/// Whether a run has policies, by which books may be hedged.
pub fn may_hedge(folder: &RunFolder) -> bool {
    let has = |name: &str| folder.path().join(name).is_dir();
    folder.is_complete() && (has(RunFolder::POLICIES) || has(RunFolder::WINDOWS))
}

/// A form for the book and its prices; a script asks for the answer and shows it.
pub async fn page(
    State(app): State<App>,
    Segment(id): Segment<String>,
) -> Result<Html<String>, Problem> {
    let place = app.place(&format!("/runs/{id}/book"));
    let made = off_thread(move || {
        let folder = find(&app.root, &id)?;
        let (_, metrics) = complete(&folder)?;
        let strategy = folder.strategy()?;
        let strategy = strategy.and_then(|text| Strategy::parse(&text).ok());
        let own = strategy.as_ref().is_some_and(|of| of.backtest.is_some());
        let optimizers = strategy.iter().flat_map(|of| of.optimizers.keys());
        let optimizers: Vec<String> = optimizers.cloned().collect();
        let files = app.data.list()?;
        let named = files.iter().map(|file| (&*file.file, &*file.title));
        let body = html! {
            h1 { "Hedge a book" }
            p class="note" {
                "What the policies of " a href=(place.to(&format!("runs/{id}"))) { (metrics.name) }
                " hold today against each contract of a book that was sold before, and what has to be traded for that. "
                "Every contract is replayed from its sale, with what was known on each day."
            }
            noscript { p class="message" { "Books are hedged by a script." } }
            (form((&id, &place.to("data")), own, &optimizers, &named.collect::<Vec<_>>()))
            section id="hedged" hidden {
                h2 { "To hold" }
                ul id="warnings" class="problem" {}
                p class="row" { span id="said" role="status" {} button type="button" id="download" { "Contracts as CSV" } }
                (table("contracts", "To hold today against each contract"))
                (table("net", "Of everything together"))
                div id="what-if" { h2 { "At other spots" } (slots(&CHARTS)) }
            }
        };
        let scripts = html! { (script(&place, "plotly.js")) (module(&place, "book.js")) };
        Ok(framed(&place, "Hedge a book", &scripts, &body))
    });
    made.await.map(Html)
}

fn form(
    (id, data): (&str, &str),
    own: bool,
    optimizers: &[String],
    files: &[(&str, &str)],
) -> Markup {
    let usual = Asked::DISAGREEMENT;
    html! {
        form id="ask" class="use" data-run=(id) {
            div class="fields" {
                label class="field" {
                    span class="about" { "Book as a file" }
                    input type="file" name="file" accept=".csv,.txt,.tsv,text/csv,text/plain";
                    small { "CSV with the columns sold and quantity, one for each term of the contract that lies in a range, and, where they are known, id, type, strike, expiry, held" }
                }
                label class="field" {
                    span class="about" { "Prices" }
                    select name="prices" required[!own] {
                        @if own { option value="" { "those of the run's strategy" } }
                        @for (file, title) in files { option value=(file) { (title) } }
                    }
                    small { "up to today; files are " a href=(data) { "uploaded" } " on a page of their own" }
                }
                label class="field" {
                    span class="about" { "Date" }
                    input type="date" name="date";
                    small { "the last day of the prices unless given" }
                }
                label class="field" {
                    span class="about" { "Optimizer" }
                    select name="optimizer" {
                        option value="" { "that with the least risk" }
                        @for name in optimizers { option { (name) } }
                    }
                }
                label class="field" {
                    span class="about" { "Seeds may differ by" }
                    input type="number" name="disagreement" min="0" step="any" value=(usual);
                    small { "units a contract; beyond that the benchmark is held" }
                }
                label class="field" {
                    span class="about" { "Moves of the spot" }
                    input type="number" name="moves" min="0" max="90" step="any" value="5";
                    small { "percent to either side; none at 0" }
                }
            }
            label for="text" { "Or the book itself" }
            textarea id="text" name="text" rows="6" spellcheck="false" placeholder="id,sold,quantity,held" {}
            p class="row" {
                label { input type="checkbox" name="force"; " Answer for contracts that the policies were not trained for too" }
                button { "Hedge" }
            }
            p class="problem" role="alert" {}
        }
    }
}

/// A table that the script fills.
fn table(id: &str, caption: &str) -> Markup {
    html! {
        div class="scroll tall" tabindex="0" role="region" aria-label=(caption) {
            table class="numbers" id=(id) {
                caption { span { (caption) } }
                thead { tr {} }
                tbody {}
            }
        }
    }
}
