//! The page of the uploaded files: upload, what is understood of a file, and what can be done with it.

use super::store::DataFile;
use crate::calibration::FittedModel;
use crate::market::Model;
use crate::market::history::Quantity;
use crate::numbers::size;
use crate::report::markup::readable_time;
use crate::runs::store::strategy_name;
use crate::server::app::{App, off_thread};
use crate::server::form::SHIPPED;
use crate::server::layout::{framed, module};
use crate::server::place::encoded;
use crate::server::problem::Problem;
use crate::strategy::Strategy;
use axum::extract::State;
use axum::response::Html;
use maud::{Markup, html};

/// What a column can hold that the user may name, with its words.
fn quantities() -> impl Iterator<Item = (&'static str, &'static str)> {
    let prices = [
        Quantity::Close,
        Quantity::Open,
        Quantity::High,
        Quantity::Low,
        Quantity::Volume,
        Quantity::ImpliedVolatility,
        Quantity::Variance,
    ];
    let prices = prices.map(|quantity| (quantity.key(), quantity.label()));
    std::iter::once(("date", "date")).chain(prices)
}

/// How dates may be written, with examples.
const DATES: [(&str, &str); 8] = [
    ("ymd", "year, month, day: 2020-08-31"),
    ("dmy", "day, month, year: 31.8.2020"),
    ("mdy", "month, day, year: 8/31/2020"),
    ("excel", "days of Excel: 44074"),
    ("seconds", "seconds since 1970"),
    ("milliseconds", "milliseconds since 1970"),
    ("microseconds", "microseconds since 1970"),
    ("nanoseconds", "nanoseconds since 1970"),
];

/// The shipped strategy that is made to be walked forward.
const WALKED: &str = "sp500_walk_forward";

/// The files that are there, and a script for what is done with them.
pub async fn page(State(app): State<App>) -> Result<Html<String>, Problem> {
    let place = app.place("/data");
    let most = app.data.most_bytes;
    let files = off_thread(move || Ok(app.data.list()?)).await?;
    let body = html! {
        h1 { "Data" }
        p class="note" {
            "Files of your own: daily closes of an asset (CSV or Parquet; open, high, low, volume and implied volatility beside them "
            "or in a file that is joined by date), surfaces of implied volatilities, a chain of options, or a book of contracts (type, quantity, expiry_days, strike …). They stay on this server."
        }
        noscript { p class="message" { "Files are uploaded and examined by a script." } }
        form id="upload" class="row" data-most=(most) {
            label { "File " input type="file" name="file" required accept=".csv,.txt,.tsv,.parquet,text/csv,text/plain"; }
            button { "Upload" }
            span { "at most " (size(most)) }
            progress max="1" value="0" aria-label="Sent" hidden {}
        }
        p class="problem" id="upload-problem" role="alert" {}
        p class="message" id="no-files" hidden[!files.is_empty()] { "No files yet." }
        div class="scroll" tabindex="0" role="region" aria-label="Files" hidden[files.is_empty()] {
            table class="list" id="files" {
                thead { tr { @for head in ["file", "size", "uploaded", "change"] { th scope="col" { (head) } } } }
                tbody { @for file in &files { (row(file)) } }
            }
        }
        section id="examined" hidden {
            h2 {}
            p id="verdict" role="status" {}
            ul id="remarks" {}
            (reading())
            div id="understood" {}
        }
        section id="use" hidden {
            h2 { "What to do with it" }
            div id="book" class="use" hidden {
                h3 { "Sell the book" }
                p class="row" { button type="button" { "Use it in the form of the jobs" } }
            }
            (calibration())
            (jobs())
        }
    };
    let script = module(&place, "data.js");
    Ok(Html(framed(&place, "Data", &script, &body)))
}

fn row(file: &DataFile) -> Markup {
    html! {
        tr data-file=(file.file) {
            th scope="row" {
                a href={ "?file=" (encoded(&file.file)) } { (file.title) }
                br;
                small { (file.file) }
            }
            td { (size(file.bytes)) }
            td class="time" { (readable_time(&file.uploaded)) }
            td class="actions" {}
        }
    }
}

/// How the file is read, where it does not say it itself.
fn reading() -> Markup {
    let found = || html! { option value="" { "found from the file" } };
    html! {
        details id="how" {
            summary { "How it is read" }
            form id="reading" {
                div class="fields" {
                    @for (key, label) in quantities() {
                        label class="field" {
                            span class="about" { "Column of the " (label) }
                            select name=(key) data-column { (found()) }
                        }
                    }
                    label class="field" {
                        span class="about" { "Further columns" }
                        input type="text" name="columns" autocomplete="off" placeholder="spot=UNDERLYING, strike=K";
                        small { "of surfaces and chains of options" }
                    }
                    label class="field" {
                        span class="about" { "Dates" }
                        select name="date_format" {
                            (found())
                            @for (name, words) in DATES { option value=(name) { (words) } }
                        }
                    }
                    label class="field" {
                        span class="about" { "Decimals are separated by a" }
                        select name="decimal" { (found()) option value="point" { "point: 1.5" } option value="comma" { "comma: 1,5" } }
                    }
                    label class="field" {
                        span class="about" { "Implied volatilities are" }
                        select name="volatility_unit" {
                            (found())
                            option value="percent" { "percent: 15.2" }
                            option value="fraction" { "fractions: 0.152" }
                        }
                    }
                    label class="field" {
                        span class="about" { "Joined by date with" }
                        select name="further" { option value="" { "no other file" } }
                        small { "a file that adds implied volatility or variance" }
                    }
                }
                p class="row" { button { "Read it so" } }
            }
            div id="standing" {}
        }
    }
}

fn calibration() -> Markup {
    // The model of the strategy that is offered first.
    let first = SHIPPED
        .first()
        .and_then(|(_, text)| Strategy::parse(text).ok());
    let first = first.as_ref().map(|strategy| strategy.market.model.name());
    html! {
        form id="calibration" class="use" {
            h3 { "Calibrate a model" }
            div class="row" {
                label {
                    "Model "
                    select name="model" {
                        @for (name, help) in Model::ALL {
                            option value=(name) title=(help.trim()) selected[first == Some(*name)]
                                data-surface[FittedModel::named(name).is_some()] { (name.replace('_', " ")) }
                        }
                    }
                }
                button { "Calibrate" }
                span role="status" {}
            }
            p class="problem" role="alert" {}
            div class="result" {}
        }
    }
}

fn jobs() -> Markup {
    html! {
        form id="data-job" class="use" {
            h3 { "Hedge on this history" }
            fieldset class="row" {
                legend { "Job" }
                label { input type="radio" name="command" value="backtest" checked; " Backtest a run's policies" }
                label { input type="radio" name="command" value="walk_forward"; " Walk a strategy forward" }
            }
            div class="row" {
                label data-for="backtest" { "Run " select name="run" required {} }
                label data-for="walk_forward" {
                    "Strategy "
                    select name="strategy" {
                        optgroup label="Shipped" {
                            @for (name, text) in SHIPPED {
                                option value={ "strategy=" (name) } selected[name == WALKED] { (strategy_name(text).unwrap_or_default()) }
                            }
                        }
                        optgroup label="Runs" {}
                    }
                }
                label id="with-surface" {
                    "With the surfaces of "
                    select name="surface" { option value="" { "no file" } }
                }
                label { "First sale " input type="date" name="start"; }
                label { "Last sale " input type="date" name="end"; }
            }
            p class="note" { "Parameters are estimated from the closes before the first sale. Without dates as much is sold as the history allows." }
            p class="problem" role="alert" {}
            p class="row" {
                button { "Add to the queue" }
                button type="button" name="form" { "Use it in the form of the jobs" }
                span role="status" {}
            }
        }
    }
}
