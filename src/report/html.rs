//! Pages about one run: the stand-alone report, and the same sections for the server.

use super::facts::{assumptions, definitions};
use super::figures::{Figure, Form, Kind};
use super::palette::SERIES;
use super::summary::{Verdict, cvar_label, main_level, strategies};
use super::table::{Cell, Table, all};
use crate::runs::metrics::{Comparison, Metrics};
use crate::runs::walk_forward::Results;

const TEMPLATE: &str = include_str!("../../web/page.html");
const STYLE: &str = include_str!("../../web/app.css");

/// A whole page that needs no other file: style and figures are inside, and there is no script; `windows` is markup after
/// the sections that every run has.
pub fn report(
    metrics: &Metrics,
    strategy: Option<&str>,
    figures: &[Figure],
    windows: &str,
) -> String {
    let figures: Vec<Shown<'_>> = figures
        .iter()
        .map(|figure| Shown {
            name: figure.kind.name(),
            markup: format!(
                "<div class=\"wide\">{}</div><div class=\"narrow\">{}</div>",
                figure.wide, figure.narrow
            ),
            caption: figure.kind.caption(),
        })
        .collect();
    page(
        &metrics.name,
        &format!("<style>\n{STYLE}</style>"),
        "",
        &(sections(metrics, strategy, &figures, "") + windows),
    )
}

/// What a walk-forward backtest says, in a section of its own.
pub fn windows(results: &Results) -> String {
    let mut out = String::from("<section><h2>Walk-forward</h2>\n");
    for finding in super::walk_forward::findings(results) {
        out.push_str(&format!("<p class=\"finding\">{}</p>\n", typeset(&finding)));
    }
    let order: Vec<String> = results.breakdowns().map(|of| of.strategy.clone()).collect();
    for shown in super::walk_forward::tables(results) {
        out.push_str(&table(&shown, &order));
    }
    out.push_str("</section>\n");
    out
}

/// A page from the common template; `head`, `navigation` and `body` are markup, `title` is
/// text.
pub fn page(title: &str, head: &str, navigation: &str, body: &str) -> String {
    // Split rather than replaced, so that no inserted text is searched for further marks.
    let mut out = String::with_capacity(TEMPLATE.len() + head.len() + body.len());
    let mut rest = TEMPLATE;
    while let Some((before, after)) = rest.split_once("{{") {
        let (mark, after) = after.split_once("}}").unwrap_or((after, ""));
        out.push_str(before);
        match mark {
            "title" => out.push_str(&escape(title)),
            "head" => out.push_str(head),
            "navigation" => out.push_str(navigation),
            "body" => out.push_str(body),
            mark => unreachable!("the template's mark `{mark}` has no text"),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// A figure or chart: its name, the markup that shows it, and how to read it.
pub struct Shown<'a> {
    pub name: &'a str,
    pub markup: String,
    pub caption: &'a str,
}

/// Everything about a run between the top of the page and its end; `more` is markup that follows the figures.
pub fn sections(
    metrics: &Metrics,
    strategy: Option<&str>,
    figures: &[Shown<'_>],
    more: &str,
) -> String {
    let mut out = introduction(metrics);
    let headline = metrics
        .comparisons
        .iter()
        .map(|c| (c, "on simulated test paths"))
        .chain(if metrics.comparisons.is_empty() {
            metrics
                .backtest_comparisons
                .iter()
                .map(|c| (c, "in the backtest"))
                .collect()
        } else {
            Vec::new()
        });
    for (comparison, part) in headline {
        out.push_str(&cards(metrics, comparison, part));
    }
    let tables = all(metrics);
    if !tables.is_empty() {
        out.push_str("<section><h2>Results</h2>\n");
        let order = strategies(metrics);
        for mut shown in tables {
            // Findings that stand under the headline are not said twice.
            shown
                .findings
                .retain(|finding| !out.contains(&typeset(finding)));
            out.push_str(&table(&shown, &order));
        }
        out.push_str("</section>\n");
    }
    if !figures.is_empty() {
        out.push_str("<section><h2>Figures</h2>\n<div class=\"figures\">\n");
        for Shown {
            name,
            markup,
            caption,
        } in figures
        {
            out.push_str(&format!(
                "<figure id=\"{name}\">{markup}<figcaption>{}</figcaption></figure>\n",
                escape(caption)
            ));
        }
        out.push_str("</div></section>\n");
    }
    out.push_str(more);
    if let Some(market) = &metrics.backtest_market {
        out.push_str(&assumptions(market));
    }
    if let Some(strategy) = strategy {
        out.push_str(&format!(
            "<section><details><summary>Strategy file, with every default filled in</summary>\
             <pre tabindex=\"0\"><code>{}</code></pre></details></section>\n",
            escape(strategy)
        ));
    }
    out
}

fn introduction(metrics: &Metrics) -> String {
    let compared: Vec<String> = strategies(metrics).iter().map(|s| escape(s)).collect();
    let mut facts = vec![
        ("Run", escape(&metrics.run)),
        ("Made", escape(&readable_time(&metrics.created))),
        ("Command", format!("deephedge {}", escape(&metrics.command))),
        ("Trained on", escape(&metrics.risk)),
    ];
    if !metrics.seeds.is_empty() {
        let seeds: Vec<String> = metrics.seeds.iter().map(u64::to_string).collect();
        facts.push(("Seeds", seeds.join(", ")));
    }
    if !compared.is_empty() {
        facts.push(("Compared", compared.join(", ")));
    }
    facts.push(("Version", escape(&metrics.version)));
    format!(
        "<header><h1>{}</h1>\n{}</header>\n",
        escape(&metrics.name),
        definitions(&facts)
    )
}

fn cards(metrics: &Metrics, c: &Comparison, part: &str) -> String {
    let lower = Verdict::lower_is_better;
    let per_cent = |x: f64| format!("{} %", signed(100.0 * x, 1));
    let shown = [
        (
            cvar_label(main_level(metrics)),
            per_cent(c.cvar_change),
            format!("±{:.1} %", 100.0 * c.cvar_change_standard_error),
            lower(c.cvar_change, c.cvar_change_standard_error),
        ),
        (
            "P&L variance".to_owned(),
            per_cent(c.pnl_variance_change),
            format!("±{:.1} %", 100.0 * c.pnl_variance_change_standard_error),
            lower(c.pnl_variance_change, c.pnl_variance_change_standard_error),
        ),
        (
            "Transaction cost".to_owned(),
            per_cent(c.cost_change),
            format!("±{:.1} %", 100.0 * c.cost_change_standard_error),
            lower(c.cost_change, c.cost_change_standard_error),
        ),
        (
            "Sharpe ratio".to_owned(),
            signed(c.sharpe_difference, 3),
            format!("±{:.3}", c.sharpe_difference_standard_error),
            Verdict::higher_is_better(c.sharpe_difference, c.sharpe_difference_standard_error),
        ),
    ];
    let mut out = format!(
        "<section><h2>{} against {} <small>{part}</small></h2>\n<ul class=\"cards\">\n",
        escape(&c.strategy),
        escape(&c.baseline)
    );
    for (name, value, error, verdict) in shown {
        let (value, error) = if verdict == Verdict::Unknown {
            ("n/a".to_owned(), String::new())
        } else {
            (value, error)
        };
        out.push_str(&format!(
            "<li class=\"card {}\"><h3>{}</h3><p class=\"value\">{value} <span class=\"error\">{error}</span></p>\
             <p class=\"verdict\">{}</p></li>\n",
            class(verdict),
            escape(&name),
            verdict_words(verdict)
        ));
    }
    out.push_str(&format!(
        "</ul>\n<p class=\"finding\">{}</p></section>\n",
        typeset(&super::summary::sentence(metrics, c))
    ));
    out
}

/// The verdict with a sign, so that it does not hang on colour alone.
fn verdict_words(verdict: Verdict) -> String {
    let sign = match verdict {
        Verdict::Better => "✓",
        Verdict::Worse => "✗",
        Verdict::Undecided => "≈",
        Verdict::Unknown => "–",
    };
    format!(
        "<span aria-hidden=\"true\">{sign}</span> {}",
        verdict.words()
    )
}

fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "better",
        Verdict::Worse => "worse",
        Verdict::Undecided | Verdict::Unknown => "undecided",
    }
}

/// A table in a box of its own that scrolls sideways; rows of known strategies carry their
/// colour.
pub fn table(table: &Table, order: &[String]) -> String {
    let caption = escape(&table.caption);
    let mut out = format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\">\
         <table class=\"numbers\"><caption><span>{caption}</span></caption>\n<thead><tr>"
    );
    for head in &table.heads {
        out.push_str(&format!("<th scope=\"col\">{}</th>", typeset(head)));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        out.push_str("<tr>");
        for (index, cell) in row.iter().enumerate() {
            if index == 0 {
                out.push_str(&format!(
                    "<th scope=\"row\">{}</th>",
                    swatch(&cell.value, order)
                ));
            } else {
                out.push_str(&number(cell));
            }
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    for finding in &table.findings {
        out.push_str(&format!("<p class=\"finding\">{}</p>\n", typeset(finding)));
    }
    for note in &table.notes {
        out.push_str(&format!("<p class=\"note\">{}</p>\n", escape(note)));
    }
    out
}

/// The name of a strategy behind a spot of its colour; any other name as it is.
pub fn swatch(strategy: &str, order: &[String]) -> String {
    let Some(place) = order.iter().position(|name| name == strategy) else {
        return escape(strategy);
    };
    let place = place % SERIES.len();
    format!(
        "<span class=\"swatch series-{place}\" aria-hidden=\"true\"></span>{}",
        escape(strategy)
    )
}

fn number(cell: &Cell) -> String {
    let verdict = cell.verdict.map_or("", class);
    let error = cell.error.as_ref().map_or(String::new(), |error| {
        format!(" <span class=\"error\">{}</span>", escape(error))
    });
    let value = escape(&cell.value);
    // A true minus sign is as wide as a digit.
    let value = match value.strip_prefix('-') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => format!("−{rest}"),
        _ => value,
    };
    format!("<td class=\"{verdict}\"><span class=\"value\">{value}</span>{error}</td>")
}

/// `-14.2` → `−14.2`, `1.2` → `+1.2`.
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

/// Markup that shows the figure of a file, in the shape that fits the page.
pub fn picture(base: &str, kind: Kind) -> String {
    let address = |form| escape(&format!("{base}/{}", Figure::file(kind, form)));
    format!(
        "<a href=\"{wide}\"><picture><source media=\"(max-width: 600px)\" srcset=\"{narrow}\">\
         <img src=\"{wide}\" alt=\"{}\" loading=\"lazy\"></picture></a>",
        escape(kind.caption()),
        wide = address(Form::Wide),
        narrow = address(Form::Narrow),
    )
}

/// Escaped text in which no per cent sign begins a line.
fn typeset(text: &str) -> String {
    escape(text).replace(" %", "\u{a0}%")
}

/// `text` with the characters that mean something in markup replaced.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
#[path = "html_tests.rs"]
pub(crate) mod tests;
