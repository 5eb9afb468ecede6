//! Parts of pages about runs: tables, lists of facts, names of strategies, numbers with signs and times.

use super::figures::{DrawnFigure, Form, SvgFigure};
use super::palette::{Look, Palette};
use super::summary::Verdict;
use super::table::{Cell, Table};
use maud::{Markup, html};

pub use crate::numbers::with_minus;

/// A table in a box of its own that scrolls sideways; rows of the strategies in `order` carry their colour.
pub fn table(table: &Table, order: &[String]) -> Markup {
    let palette = Palette::new(order.to_vec());
    html! {
        div class="scroll" tabindex="0" role="region" aria-label=(table.caption) {
            table class="numbers" {
                caption { span { (table.caption) } }
                thead {
                    tr { @for head in &table.heads { th scope="col" { (typeset(head)) } } }
                }
                tbody {
                    @for row in &table.rows {
                        tr {
                            @for (index, cell) in row.iter().enumerate() {
                                @if index == 0 {
                                    th scope="row" { (named(&cell.value, &palette)) }
                                } @else {
                                    (number(cell))
                                }
                            }
                        }
                    }
                }
            }
        }
        @for finding in &table.findings { p class="finding" { (typeset(finding)) } }
        @for note in &table.notes { p class="note" { (typeset(note)) } }
    }
}

/// The name of a strategy of the palette behind a piece of its line; any other name as it is.
pub fn named(strategy: &str, palette: &Palette) -> Markup {
    html! {
        @if palette.has(strategy) { (sample(palette.look(strategy))) }
        (strategy)
    }
}

/// The name of a strategy of `order` behind a piece of its line; any other name as it is.
pub fn swatch(strategy: &str, order: &[String]) -> Markup {
    named(strategy, &Palette::new(order.to_vec()))
}

/// A piece of the line that a strategy has in charts.
pub fn sample(look: Look) -> Markup {
    html! { span class=(look.classes()) aria-hidden="true" {} }
}

fn number(cell: &Cell) -> Markup {
    html! {
        td class=(cell.verdict.map_or("", class)) {
            @match &cell.link {
                Some(link) => a class="value" href=(link) { (with_minus(&cell.value)) },
                None => span class="value" { (with_minus(&cell.value)) },
            }
            @if let Some(error) = &cell.error { " " span class="error" { (with_minus(error)) } }
        }
    }
}

/// The class of what a difference comes to.
pub fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "better",
        Verdict::Worse => "worse",
        Verdict::Undecided | Verdict::OneSeed | Verdict::Withheld | Verdict::Unknown => "undecided",
    }
}

/// Terms and what they are.
pub fn definitions(facts: &[(&str, String)]) -> Markup {
    html! {
        dl class="facts" {
            @for (term, words) in facts { div { dt { (term) } dd { (with_minus(words)) } } }
        }
    }
}

/// The figure of a file below `base`, in the shape that fits the page.
pub fn picture(base: &str, figure: &SvgFigure) -> Markup {
    let address = |form| format!("{base}/{}", DrawnFigure::file(figure, form));
    let (wide, narrow) = (address(Form::Wide), address(Form::Narrow));
    html! {
        a href=(wide) {
            picture {
                source media="(max-width: 600px)" srcset=(narrow);
                img src=(wide) alt=(figure.caption) loading="lazy";
            }
        }
    }
}

/// A number with its sign: `-0.5` → `−0.5`, `1.2` → `+1.2`.
pub fn signed(value: f64, decimals: usize) -> String {
    let size = format!("{:.decimals$}", value.abs());
    let sign = if value < 0.0 { '−' } else { '+' };
    format!("{sign}{size}")
}

/// An RFC 3339 time as people write it; any other text as it is.
pub fn readable_time(text: &str) -> String {
    match chrono::DateTime::parse_from_rfc3339(text) {
        Ok(time) => time.format("%Y-%m-%d %H:%M").to_string(),
        Err(_) => text.to_owned(),
    }
}

/// Text in which no per cent sign begins a line, and minus signs are true ones.
pub fn typeset(text: &str) -> String {
    with_minus(text).replace(" %", "\u{a0}%")
}

#[cfg(test)]
mod tests {
    use super::{readable_time, signed};

    #[test]
    fn times_and_signs_are_for_people() {
        assert_eq!(
            readable_time("2026-03-01T09:30:00+00:00"),
            "2026-03-01 09:30"
        );
        assert_eq!(readable_time("yesterday"), "yesterday");
        assert_eq!(signed(-0.5, 1), "−0.5");
        assert_eq!(signed(0.5, 1), "+0.5");
    }
}
