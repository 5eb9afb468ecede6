//! A verdict as a part of a page.

use super::part::{Line, Part};
use super::{RunVerdict, cells};
use crate::report::markup::{class, swatch, typeset, with_minus};
use crate::report::summary::Verdict;
use crate::report::table::Cell;
use maud::{Markup, html};

/// The verdict: what was hedged, the sentence, the grid. With a `picker` the reader may choose other strategies; the answer is the
/// page of the same address, whose query says which.
pub fn shown(verdict: &RunVerdict, picker: bool) -> Markup {
    html! {
        section id="verdict" class="judged" {
            h2 class="hidden" { "Verdict" }
            @if let Some(hedged) = &verdict.hedged { p class="hedged" { (typeset(hedged)) } }
            p class="sentence" {
                @if let Some(badge) = verdict.badge() { span class="badge" { (badge) } " " }
                (typeset(&verdict.sentence))
            }
            @if !verdict.parts.is_empty() {
                div class="parts" {
                    @for part in &verdict.parts { (grid(verdict, part)) }
                }
            }
            @if picker && verdict.strategies.len() > 1 { (chooser(verdict)) }
            @if picker && !verdict.notes.is_empty() {
                details class="reading" {
                    summary { "How to read this" }
                    @for note in &verdict.notes { p class="note" { (typeset(note)) } }
                }
            } @else {
                @for note in &verdict.notes { p class="note" { (typeset(note)) } }
            }
        }
    }
}

fn grid(verdict: &RunVerdict, part: &Part) -> Markup {
    let order = &verdict.strategies;
    html! {
        div class="scroll" tabindex="0" role="region" aria-label=(part.caption()) {
            table class="numbers" {
                caption { span { (part.caption()) } }
                thead {
                    tr {
                        td {}
                        th scope="col" { (swatch(&verdict.baseline, order)) }
                        th scope="col" { (swatch(&verdict.strategy, order)) }
                        th scope="col" { "difference" }
                    }
                }
                tbody { @for line in &part.lines { (row(line)) } }
            }
        }
    }
}

fn row(line: &Line) -> Markup {
    let cells = cells(line);
    html! {
        tr {
            th scope="row" title=[line.why.as_deref()] { (typeset(&line.title)) }
            @for cell in cells.iter().skip(1).take(2) { td { (number(cell)) } }
            @if let Some(difference) = cells.get(3) {
                td class=(class(line.verdict)) {
                    (number(difference))
                    span class="said" {
                        span aria-hidden="true" { (sign(line.verdict)) } " " (line.verdict.words())
                    }
                }
            }
        }
    }
}

fn number(cell: &Cell) -> Markup {
    html! {
        span class="value" { (typeset(&with_minus(&cell.value))) }
        @if let Some(error) = &cell.error { " " span class="error" { (typeset(error)) } }
    }
}

/// A sign for the verdict, so that it does not hang on colour alone.
fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "✓",
        Verdict::Worse => "✗",
        Verdict::Undecided => "≈",
        Verdict::OneSeed => "¹",
        Verdict::Withheld | Verdict::Unknown => "–",
    }
}

fn chooser(verdict: &RunVerdict) -> Markup {
    let choice = |name: &str, label: &str, chosen: &str, other: &str| {
        html! {
            label {
                (label) " "
                select name=(name) {
                    @for strategy in &verdict.strategies {
                        @if strategy != other || strategy == chosen {
                            option value=(strategy) selected[strategy == chosen] { (strategy) }
                        }
                    }
                }
            }
        }
    };
    html! {
        form class="row" action="#verdict" {
            (choice("strategy", "Compare", &verdict.strategy, &verdict.baseline))
            (choice("baseline", "against", &verdict.baseline, &verdict.strategy))
            button { "Show" }
        }
    }
}
