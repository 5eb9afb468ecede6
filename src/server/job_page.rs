//! The page of the jobs.

use super::app::App;
use super::form::SHIPPED;
use super::layout::{framed, module};
use crate::runs::store::strategy_name;
use axum::extract::State;
use axum::response::Html;
use maud::html;

/// The jobs, and the form that makes a new one; a script fills both.
pub async fn page(State(app): State<App>) -> Html<String> {
    let place = app.place("/jobs");
    let heads = ["job", "command", "state", "progress", "queued", "change"];
    let commands = [
        ("compare", "Compare all optimizers"),
        ("train", "Train one"),
        ("backtest", "Backtest a run on history"),
        ("walk_forward", "Walk forward through history"),
    ];
    let body = html! {
        h1 { "Jobs" }
        p class="message" id="jobs-state" role="status" {
            "Loading the jobs."
            noscript { " A script shows them." }
        }
        // Shown at once when both are there: what comes later would push the rest of the page down.
        div id="loaded" hidden {
            div class="scroll" tabindex="0" role="region" aria-label="Jobs" hidden {
                table class="list" id="jobs" {
                    thead { tr { @for head in heads { th scope="col" { (head) } } } }
                    tbody {}
                }
            }
            p id="notify" {}
            p class="note" {
                "One job is carried out at a time, the one that has waited longest. What is paused, cancelled or interrupted "
                "goes on from its last checkpoint. Runs of the command line are listed as long as they go on."
            }
            section {
                h2 { "New job" }
                form id="new-job" {
                    fieldset class="row" {
                        legend { "Command" }
                        @for (name, words) in commands {
                            label {
                                input type="radio" name="command" value=(name) checked[name == "compare"];
                                " " (words)
                            }
                        }
                    }
                    div class="row" {
                        label data-for="compare train walk_forward" {
                            "Strategy "
                            select name="shipped" {
                                @for (name, text) in SHIPPED {
                                    option value=(name) { (strategy_name(text).unwrap_or_default()) }
                                }
                            }
                        }
                        label data-for="compare train walk_forward" {
                            "or a file " input type="file" name="file" accept=".toml";
                        }
                        label data-for="train" { "Optimizer " select name="optimizer" {} }
                        label data-for="compare" {
                            "Seeds "
                            input type="number" name="seeds" min="1" max="100" step="1" value="1" required;
                        }
                        label data-for="backtest" { "Run " select name="run" {} }
                    }
                    div data-for="compare train walk_forward" {
                        fieldset class="row" {
                            legend { "Settings" }
                            label { input type="radio" name="edited" value="form" checked; " Form" }
                            label { input type="radio" name="edited" value="text"; " TOML" }
                        }
                        div id="fields" {}
                        label id="text" hidden {
                            "Strategy file (TOML)"
                            textarea name="strategy" rows="24" spellcheck="false" {}
                        }
                        p class="note" {
                            "An empty field takes its default, which it shows in grey."
                        }
                    }
                    p class="problem" id="problem" role="alert" {}
                    p { button { "Add to the queue" } " " span id="added" role="status" {} }
                }
            }
        }
    };
    let script = module(&place, "jobs.js");
    Html(framed(&place, "Jobs", &script, &body))
}
