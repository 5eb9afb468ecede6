//! Elements that several pages have: places for charts, and the form of a run's labels.

use maud::{Markup, html};

/// Where the chart at `address` will be drawn, with what is shown until then; one of `many` names needs more room for them.
pub fn slot(address: &str, still: Option<&Markup>, many: bool) -> Markup {
    html! { div class=(if many { "chart many" } else { "chart" }) data-chart=(address) { @if let Some(still) = still { (still) } } }
}

/// A chart in a figure of its own.
pub fn chart(address: &str, caption: &str) -> Markup {
    html! {
        figure {
            (slot(address, None, false))
            figcaption { (caption) }
        }
    }
}

/// Empty slots that a form's answer is drawn into.
pub fn slots(captions: &[&str]) -> Markup {
    html! {
        div class="figures answer" {
            @for caption in captions {
                figure { div class="chart" {} figcaption { (caption) } }
            }
        }
    }
}

/// The form that changes what a run is called by, or deletes it; a script fills it.
pub fn labels(id: &str) -> Markup {
    html! {
        details id="labels" data-run=(id) {
            summary { "Tags, note, deletion" }
            form aria-busy="true" {
                label { "Tags, separated by commas " input name="tags"; }
                label { "Note " textarea name="note" rows="3" maxlength="4000" {} }
                p class="row" { button { "Save" } " " span role="status" {} }
            }
            details {
                summary { "Delete this run" }
                p { "Its results, policies and figures are lost for good." }
                p { button type="button" class="delete" { "Delete for good" } }
            }
        }
    }
}
