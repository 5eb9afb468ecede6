//! The page of all runs.

use super::pages::frame;
use super::{App, Failure, off_thread};
use crate::report::html::{escape, readable_time, signed, swatch};
use crate::report::summary::{Statistic, Verdict, cvar_label, lines, main_level, strategies};
use crate::runs::metrics::Metrics;
use crate::runs::store::{self, RunFolder, State as RunState};
use axum::extract::State;
use axum::response::Html;

/// The list of runs, newest first.
pub async fn list(State(app): State<App>) -> Result<Html<String>, Failure> {
    let root = app.root.display().to_string();
    let listed = off_thread(move || {
        let folders = store::folders(&app.root)?;
        let row = |folder| app.cache.part("row", folder, || list_row(folder));
        Ok(folders.iter().map(row).collect::<Vec<String>>())
    });
    let listed = listed.await.map_err(Failure::Page)?;
    let body = if listed.is_empty() {
        format!(
            "<h1>Runs</h1>\n<div class=\"message\" data-follow=\"/api/v1/runs\"><p>No runs in \
             <code>{}</code> yet. Make one with</p>\n\
             <pre tabindex=\"0\"><code>deephedge compare strategies/heston_call.toml</code></pre>\
             </div>\n",
            escape(&root)
        )
    } else {
        let rows = listed.concat();
        format!(
            "<h1>Runs</h1>\n<form action=\"/compare\"><div class=\"scroll\" tabindex=\"0\" role=\"region\" \
             aria-label=\"Runs\" data-follow=\"/api/v1/runs\"><table class=\"list\">\n<thead><tr>\
             <th scope=\"col\">compare</th><th scope=\"col\">run</th><th scope=\"col\">made</th><th scope=\"col\">command</th>\
             <th scope=\"col\">tail risk by strategy</th>\
             <th scope=\"col\">change against the baseline</th></tr></thead>\n<tbody>\n{rows}\
             </tbody></table></div>\n<p><button>Compare the chosen runs</button></p></form>\n<p class=\"note\">Tail risk is the CVaR of the loss in money \
             per contract, on simulated test paths where there are any; ± is one standard \
             error.</p>\n"
        )
    };
    Ok(Html(frame("Runs", &body)))
}

fn list_row(folder: &RunFolder) -> String {
    let id = escape(folder.id());
    let name = |words: &str| {
        format!("<th scope=\"row\"><a href=\"/runs/{id}\">{words}</a><br><small>{id}</small></th>")
    };
    let choice = format!(
        "<td><input type=\"checkbox\" name=\"runs\" value=\"{id}\" aria-label=\"Compare {id}\"></td>"
    );
    match folder.state() {
        RunState::Complete(metrics) => format!(
            "<tr>{choice}{}<td class=\"time\">{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
            name(&escape(&metrics.name)),
            escape(&readable_time(&metrics.created)),
            escape(&metrics.command),
            risks(&metrics),
            changes(&metrics)
        ),
        RunState::Incomplete => format!(
            "<tr><td></td>{}<td colspan=\"4\">incomplete: still going, or stopped</td></tr>\n",
            name("unfinished run")
        ),
        RunState::Unreadable(why) => format!(
            "<tr><td></td>{}<td colspan=\"4\">{}</td></tr>\n",
            name("unreadable run"),
            escape(&why)
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
