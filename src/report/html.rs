//! Pages about one run: the stand-alone report, and the same sections for the server.

use super::classical;
use super::facts::{assumptions, price_text};
use super::figures::DrawnFigure;
use super::markup::{class, definitions, readable_time, signed, table, typeset, with_minus};
use super::summary::{Verdict, cvar_label, main_level, sentence, strategies};
use super::tables::of_page;
use crate::numbers::percent;
use crate::runs::metrics::{Comparison, Metrics};
use crate::runs::walk_forward::Results;
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("../../web/app.css");

/// A whole page that needs no other file: style and figures are inside, and there is no script; `history` is what
/// contracts of the past come to.
pub fn report(
    metrics: &Metrics,
    strategy: Option<&str>,
    figures: &[DrawnFigure],
    history: &Markup,
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
        })
        .collect();
    page(
        &metrics.name,
        &html! { style { (PreEscaped(STYLE)) } },
        &html! {},
        &sections(metrics, strategy, &figures, history),
    )
}

/// What a walk-forward backtest says, in a section of its own.
pub fn windows(results: &Results) -> Markup {
    let order: Vec<String> = results.breakdowns().map(|of| of.strategy.clone()).collect();
    html! {
        section {
            h2 { "Walk-forward" }
            @for finding in super::walk_forward::findings(results) {
                p class="finding" { (typeset(&finding)) }
            }
            @for shown in super::walk_forward::of_page(results) { (table(&shown, &order)) }
        }
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

/// A figure or chart: its name, the markup that shows it, and how to read it.
pub struct Shown {
    /// The id of the figure on the page.
    pub name: &'static str,
    /// What shows it.
    pub markup: Markup,
    /// How to read it.
    pub caption: &'static str,
}

/// Everything about a run between the top of the page and its end; `more` follows the figures.
pub fn sections(
    metrics: &Metrics,
    strategy: Option<&str>,
    figures: &[Shown],
    more: &Markup,
) -> Markup {
    let (headline, part) = if metrics.comparisons.is_empty() {
        (&metrics.backtest_comparisons, "in the backtest")
    } else {
        (&metrics.comparisons, "on simulated test paths")
    };
    let said: Vec<String> = headline.iter().map(|c| sentence(metrics, c)).collect();
    let mut tables = of_page(metrics);
    for shown in &mut tables {
        // Findings that stand under the headline are not said twice.
        shown.findings.retain(|finding| !said.contains(finding));
    }
    let order = strategies(metrics);
    html! {
        (introduction(metrics))
        (best_classical(metrics))
        @for (comparison, finding) in headline.iter().zip(&said) {
            (cards(metrics, comparison, part, finding))
        }
        @if !tables.is_empty() {
            section {
                h2 { "Results" }
                @for shown in &tables { (table(shown, &order)) }
            }
        }
        @if !figures.is_empty() {
            section {
                h2 { "Figures" }
                div class="figures" {
                    @for shown in figures {
                        figure id=(shown.name) {
                            (shown.markup)
                            figcaption { (shown.caption) }
                        }
                    }
                }
            }
        }
        (more)
        @if let Some(market) = &metrics.backtest_market { (assumptions(market)) }
        @if let Some(strategy) = strategy {
            section {
                details {
                    summary { "Strategy file, with every default filled in" }
                    pre tabindex="0" { code { (strategy) } }
                }
            }
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
    html! {
        header { h1 { (metrics.name) } (definitions(&facts)) }
    }
}

/// The best classical hedge, and whether the learned policies beat it.
fn best_classical(metrics: &Metrics) -> Markup {
    let findings = classical::findings(metrics);
    html! {
        @if !findings.is_empty() {
            section {
                h2 { "Against the best classical hedge" }
                @for finding in &findings { p class="finding" { (typeset(finding)) } }
                p class="note" { (classical::NOTE) }
            }
        }
    }
}

fn cards(metrics: &Metrics, c: &Comparison, part: &str, finding: &str) -> Markup {
    let change = |name: String, change: f64, error: f64| {
        let (value, within) = percent(change, error);
        let verdict = Verdict::lower_is_better(change, error);
        card(&name, &with_minus(&value), &within, verdict)
    };
    let (sharpe, error) = (c.sharpe_difference, c.sharpe_difference_standard_error);
    html! {
        section {
            h2 { (c.strategy) " against " (c.baseline) " " small { (part) } }
            ul class="cards" {
                (change(cvar_label(main_level(metrics)), c.cvar_change, c.cvar_change_standard_error))
                (change("P&L variance".into(), c.pnl_variance_change, c.pnl_variance_change_standard_error))
                (change("Transaction cost".into(), c.cost_change, c.cost_change_standard_error))
                (card(
                    "Sharpe ratio",
                    &signed(sharpe, 3),
                    &format!("±{error:.3}"),
                    Verdict::higher_is_better(sharpe, error),
                ))
            }
            p class="finding" { (typeset(finding)) }
        }
    }
}

fn card(name: &str, value: &str, error: &str, verdict: Verdict) -> Markup {
    let (value, error) = match verdict {
        Verdict::Unknown => ("n/a", ""),
        Verdict::Better | Verdict::Worse | Verdict::Undecided => (value, error),
    };
    // The verdict has a sign, so that it does not hang on colour alone.
    let sign = match verdict {
        Verdict::Better => "✓",
        Verdict::Worse => "✗",
        Verdict::Undecided => "≈",
        Verdict::Unknown => "–",
    };
    html! {
        li class={ "card " (class(verdict)) } {
            h3 { (name) }
            p class="value" { (value) " " span class="error" { (error) } }
            p class="verdict" { span aria-hidden="true" { (sign) } " " (verdict.words()) }
        }
    }
}

#[cfg(test)]
#[path = "html_tests.rs"]
pub(crate) mod tests;
