//! Pages about one run: the stand-alone report, and the same sections for the server.

use super::facts::{assumptions, price_text};
use super::figures::DrawnFigure;
use super::markup::{definitions, readable_time, table, typeset};
use super::summary::strategies;
use super::table::Table;
use super::verdict::{self, RunVerdict};
use super::{classical, crossed, tables};
use crate::runs::metrics::Metrics;
use crate::runs::walk_forward::Results;
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("../../web/app.css");

/// A whole page that needs no other file: style and figures are inside, and there is no script; `windows` comes after the
/// sections that every run has.
pub fn report(
    metrics: &Metrics,
    strategy: Option<&str>,
    figures: &[DrawnFigure],
    windows: Option<Section>,
) -> String {
    let figures: Vec<Shown> = figures
        .iter()
        .map(|drawn| Shown {
            name: drawn.figure.name,
            markup: html! {
                div class="wide" { (PreEscaped(&drawn.wide)) }
                div class="narrow" { (PreEscaped(&drawn.narrow)) }
            },
            caption: drawn.figure.caption,
            about: About::Results,
        })
        .collect();
    let verdict = RunVerdict::usual(metrics, strategy);
    let contents = Contents {
        metrics,
        verdict: verdict.as_ref(),
        strategy,
        figures: &figures,
        downloads: None,
        further: windows.into_iter().collect(),
        on_screen: false,
    };
    page(
        &metrics.name,
        &html! { style { (PreEscaped(STYLE)) } },
        &html! {},
        &contents.body(),
    )
}

/// What a walk-forward backtest says, in a section of its own.
pub fn windows(results: &Results) -> Section {
    let order: Vec<String> = results.breakdowns().map(|of| of.strategy.clone()).collect();
    Section {
        id: "walk-forward",
        title: "Walk-forward",
        open: true,
        body: html! {
            @for finding in super::walk_forward::findings(results) {
                p class="finding" { (typeset(&finding)) }
            }
            @for shown in super::walk_forward::tables(results) { (table(&shown, &order)) }
        },
    }
}

/// A page of the project; `head` is what it loads.
pub fn page(title: &str, head: &Markup, navigation: &Markup, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " - deephedge" }
                (head)
            }
            body {
                a class="skip" href="#content" { "Skip to content" }
                (navigation)
                main id="content" tabindex="-1" { (body) }
            }
        }
    };
    page.into_string()
}

/// What a figure or chart is about, which decides where on a page it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// What hedges earn and what they cost.
    Results,
    /// What happened through a history.
    History,
    /// How policies were trained.
    Training,
}

/// A figure or chart: its name, the markup that shows it, and how to read it.
pub struct Shown {
    /// The id of the figure on the page.
    pub name: &'static str,
    /// What shows it.
    pub markup: Markup,
    /// How to read it.
    pub caption: &'static str,
    /// What it is about.
    pub about: About,
}

/// A section of a page that can be folded away.
pub struct Section {
    /// What links lead to.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// Whether it is unfolded at first.
    pub open: bool,
    /// What is in it.
    pub body: Markup,
}

impl Section {
    /// The section with its heading, which folds and unfolds it where the page is read on a screen.
    fn shown(&self, on_screen: bool) -> Markup {
        html! {
            @if on_screen {
                details class="fold" open[self.open] {
                    summary { h2 { (self.title) } }
                    div id=(self.id) { (self.body) }
                }
            } @else {
                section id=(self.id) { h2 { (self.title) } (self.body) }
            }
        }
    }
}

/// Charts of each kind that stand above everything else on a screen.
const FIRST_CHARTS: usize = 2;

/// Everything about a run between the top of its page and its end.
pub struct Contents<'a> {
    /// The results, whose changes are those against the baseline that the reader has chosen.
    pub metrics: &'a Metrics,
    /// The verdict; absent where nothing can be compared.
    pub verdict: Option<&'a RunVerdict>,
    /// The text of the strategy file.
    pub strategy: Option<&'a str>,
    /// The figures or charts.
    pub figures: &'a [Shown],
    /// The tables as files, beside those that are shown.
    pub downloads: Option<Markup>,
    /// Sections that only this page or this run has.
    pub further: Vec<Section>,
    /// Whether sections fold and baselines can be chosen, or all is there at once to be sent and printed.
    pub on_screen: bool,
}

impl Contents<'_> {
    /// The title, the verdict, a list of the sections and the sections.
    pub fn body(self) -> Markup {
        let on_screen = self.on_screen;
        let metrics = self.metrics;
        let head = html! {
            h1 { (metrics.name) }
            (about(metrics))
            @if let Some(verdict) = self.verdict { (verdict::shown(verdict, on_screen)) }
        };
        let sections = self.sections();
        html! {
            header { (head) }
            @if on_screen {
                nav class="contents" aria-label="On this page" {
                    @for section in &sections { a href={ "#" (section.id) } { (section.title) } " " }
                }
            }
            @for section in &sections { (section.shown(on_screen)) }
        }
    }

    fn sections(self) -> Vec<Section> {
        let metrics = self.metrics;
        let order = strategies(metrics);
        let drawn = |shown: &[Table]| {
            html! { @for shown in shown { (table(shown, &order)) } }
        };
        let section = |id, title, open, body| Section {
            id,
            title,
            open,
            body,
        };
        let (first, later) = self.charts();
        let measured: Vec<Table> = tables::measured(metrics);
        let changes: Vec<Table> = tables::changes(metrics);
        let further: Vec<Table> = tables::further(metrics);
        let mut sections: Vec<Section> = Vec::new();
        if !metrics.crossed.is_empty() {
            sections.push(section(
                "markets",
                "Across markets",
                true,
                crossed::shown(metrics),
            ));
        }
        if !first.is_empty() {
            sections.push(section("figures", "Charts", true, figures(&first)));
        }
        let best = classical::findings(metrics);
        if !best.is_empty() {
            let body = html! {
                @for finding in &best { p class="finding" { (typeset(finding)) } }
                p class="note" { (classical::NOTE) }
            };
            sections.push(section(
                "classical",
                "Against the best classical hedge",
                true,
                body,
            ));
        }
        if !measured.is_empty() || self.downloads.is_some() {
            let body =
                html! { (drawn(&measured)) @if let Some(files) = &self.downloads { (files) } };
            sections.push(section("tables", "Tables", true, body));
        }
        if !changes.is_empty() {
            sections.push(section("changes", "Changes", false, drawn(&changes)));
        }
        if !further.is_empty() {
            sections.push(section("further", "Further tables", false, drawn(&further)));
        }
        let kinds = [
            (About::Results, "more-charts", "More charts"),
            (About::History, "history", "Charts of history"),
            (About::Training, "training", "Charts of training"),
        ];
        for (about, id, title) in kinds {
            let own: Vec<&Shown> = later
                .iter()
                .copied()
                .filter(|one| one.about == about)
                .collect();
            if !own.is_empty() {
                sections.push(section(id, title, false, figures(&own)));
            }
        }
        sections.extend(self.further);
        if let Some(market) = &metrics.backtest_market {
            let body = assumptions(market);
            sections.push(section(
                "assumptions",
                "What the backtest assumed",
                false,
                body,
            ));
        }
        if let Some(strategy) = self.strategy {
            let body = html! { pre tabindex="0" { code { (strategy) } } };
            let title = "Strategy file, with every default filled in";
            sections.push(section("strategy", title, false, body));
        }
        sections.push(section(
            "run",
            "About this run",
            false,
            introduction(metrics),
        ));
        sections
    }

    /// The charts that stand above everything else, and the others: on a screen the first ones of results and of history, and
    /// elsewhere all.
    fn charts(&self) -> (Vec<&Shown>, Vec<&Shown>) {
        let mut counts = [0; 2];
        self.figures.iter().partition(|one| {
            let place = match one.about {
                _ if !self.on_screen => return true,
                About::Results => 0,
                About::History => 1,
                About::Training => return false,
            };
            counts[place] += 1;
            counts[place] <= FIRST_CHARTS
        })
    }
}

fn figures(shown: &[&Shown]) -> Markup {
    html! {
        div class="figures" {
            @for shown in shown {
                figure id=(shown.name) {
                    (shown.markup)
                    figcaption { (shown.caption) }
                }
            }
        }
    }
}

/// When and by which command the run was made, in one line.
fn about(metrics: &Metrics) -> Markup {
    html! {
        p class="note" {
            (readable_time(&metrics.created)) ", deephedge " (metrics.command.replace('_', " ")) ", trained on "
            (typeset(&metrics.risk))
        }
    }
}

fn introduction(metrics: &Metrics) -> Markup {
    let compared = strategies(metrics);
    let mut facts = vec![
        ("Run", metrics.run.clone()),
        ("Made", readable_time(&metrics.created)),
        ("Command", format!("deephedge {}", metrics.command)),
        ("Trained on", metrics.risk.clone()),
    ];
    let simulated = metrics
        .model_premium
        .filter(|price| price.method.is_simulated());
    facts.extend(simulated.map(|price| ("Premium", price_text(&price))));
    if !metrics.seeds.is_empty() {
        let seeds: Vec<String> = metrics.seeds.iter().map(u64::to_string).collect();
        facts.push(("Seeds", seeds.join(", ")));
    }
    facts.extend(metrics.unhedged().map(|words| ("Not hedged", words)));
    if !compared.is_empty() {
        facts.push(("Compared", compared.join(", ")));
    }
    facts.push(("Version", metrics.version.clone()));
    definitions(&facts)
}

#[cfg(test)]
#[path = "html_tests.rs"]
pub(crate) mod tests;
