//! What a walk-forward run adds to its page: parts of the P&L, drawdowns and worst contracts, tests, and windows.

use crate::report::breakdown;
use crate::report::markup::table;
use crate::report::markup::typeset;
use crate::report::walk_forward::{best_classical, tests, windows};
use crate::runs::walk_forward::Results;
use maud::{Markup, html};

/// The tables of the run that have rows.
pub fn sections(results: &Results) -> Markup {
    let order: Vec<String> = results.breakdowns().map(|of| of.strategy.clone()).collect();
    let tables = breakdown::attribution(results.breakdowns())
        .into_iter()
        .chain([tests(results), windows(results)])
        .filter(|table| !table.rows.is_empty());
    html! {
        section id="walk-forward" {
            h2 { "Walk forward" }
            @if let Some(finding) = best_classical(results) { p class="finding" { (typeset(&finding)) } }
            @for shown in tables { (table(&shown, &order)) }
        }
    }
}
