//! What a walk-forward run adds to its page: parts of the P&L, drawdowns and worst contracts, tests, and windows.

use crate::report::breakdown;
use crate::report::html::Section;
use crate::report::markup::table;
use crate::report::markup::typeset;
use crate::report::walk_forward::{findings, tests, windows};
use crate::runs::walk_forward::Results;
use maud::html;

/// The tables of the run that have rows, below what they come to.
pub fn section(results: &Results) -> Section {
    let order: Vec<String> = results.breakdowns().map(|of| of.strategy.clone()).collect();
    let tables = breakdown::tables(results.breakdowns())
        .into_iter()
        .chain([tests(results), windows(results)])
        .filter(|table| !table.rows.is_empty());
    Section {
        id: "walk-forward",
        title: "Walk-forward",
        open: false,
        body: html! {
            @for finding in findings(results) { p class="finding" { (typeset(&finding)) } }
            @for shown in tables { (table(&shown, &order)) }
        },
    }
}
