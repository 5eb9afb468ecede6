//! The page of the jobs.

use super::App;
use super::form::SHIPPED;
use super::pages::{framed, script};
use crate::report::html::escape;
use crate::runs::store::strategy_name;
use axum::extract::State;
use axum::response::Html;

/// The jobs, and the form that makes a new one; a script fills both.
pub async fn page(State(app): State<App>) -> Html<String> {
    let place = app.place("/jobs");
    let shipped: String = SHIPPED
        .iter()
        .map(|(name, text)| {
            format!(
                "<option value=\"{name}\">{}</option>",
                escape(&strategy_name(text).unwrap_or_default())
            )
        })
        .collect();
    let heads: String = ["job", "command", "state", "progress", "queued", "change"]
        .iter()
        .map(|head| format!("<th scope=\"col\">{head}</th>"))
        .collect();
    let commands: String = [
        ("compare", "Compare all optimizers"),
        ("train", "Train one"),
        ("backtest", "Backtest a run on history"),
        ("walk_forward", "Walk forward through history"),
    ]
    .iter()
    .map(|(name, words)| {
        let checked = if *name == "compare" { " checked" } else { "" };
        format!("<label><input type=\"radio\" name=\"command\" value=\"{name}\"{checked}> {words}</label>")
    })
    .collect();
    let body = format!(
        "<h1>Jobs</h1>\n\
         <p class=\"message\" id=\"jobs-state\" role=\"status\"><noscript>Jobs are shown by a script.</noscript></p>\n\
         <div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Jobs\" hidden><table class=\"list\" id=\"jobs\">\
         <thead><tr>{heads}</tr></thead><tbody></tbody></table></div>\n\
         <p class=\"note\">One job is carried out at a time, the one that has waited longest. What is paused, cancelled or \
         interrupted goes on from its last checkpoint. Runs of the command line are listed as long as they go on.</p>\n\
         <section><h2>New job</h2>\n<form id=\"new-job\">\n\
         <fieldset class=\"row\"><legend>Command</legend>{commands}</fieldset>\n\
         <div class=\"row\">\
         <label data-for=\"compare train walk_forward\">Strategy <select name=\"shipped\">{shipped}</select></label>\
         <label data-for=\"compare train walk_forward\">or a file <input type=\"file\" name=\"file\" accept=\".toml\"></label>\
         <label data-for=\"train\">Optimizer <select name=\"optimizer\"></select></label>\
         <label data-for=\"compare\">Seeds <input type=\"number\" name=\"seeds\" min=\"1\" max=\"100\" step=\"1\" value=\"1\" required></label>\
         <label data-for=\"backtest\">Run <select name=\"run\"></select></label></div>\n\
         <div data-for=\"compare train walk_forward\"><fieldset class=\"row\"><legend>Settings</legend>\
         <label><input type=\"radio\" name=\"edited\" value=\"form\" checked> Form</label>\
         <label><input type=\"radio\" name=\"edited\" value=\"text\"> TOML</label></fieldset>\n\
         <div id=\"fields\"></div>\
         <label id=\"text\" hidden>Strategy file (TOML)\
         <textarea name=\"strategy\" rows=\"24\" spellcheck=\"false\"></textarea></label>\n\
         <p class=\"note\">An empty field takes its default, which it shows in grey.</p></div>\n\
         <p class=\"problem\" id=\"problem\" role=\"alert\"></p>\n\
         <p><button>Add to the queue</button> <span id=\"added\" role=\"status\"></span></p></form></section>\n"
    );
    let script = script(&place, "jobs.js", true);
    Html(framed(&place, "Jobs", &script, &body))
}
