use super::*;
use crate::report::figures::{self, FigureData};
use crate::runs::fixture;

/// Panics unless every element of `markup` is closed in order and every `&` begins an entity.
pub(crate) fn assert_well_formed(markup: &str) {
    const VOID: [&str; 6] = ["meta", "link", "img", "source", "br", "input"];
    let mut open: Vec<&str> = Vec::new();
    let mut rest = markup;
    while let Some(start) = rest.find('<') {
        for part in rest[..start].split('&').skip(1) {
            let entity = part.split(';').next().unwrap();
            assert!(part.contains(';') && entity.len() <= 5, "stray &: {part}");
        }
        let end = start + rest[start..].find('>').expect("a tag is closed");
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name.trim()), "closing order");
            continue;
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "quotes in <{tag}>");
        assert!(!tag.contains('<'), "tag inside a tag: <{tag}>");
        let name = tag.split([' ', '\n', '/']).next().unwrap();
        if tag.starts_with('!') || tag.ends_with('/') || VOID.contains(&name) {
            continue;
        }
        if name == "style" {
            rest = &rest[rest.find("</style>").expect("style is closed")..];
        }
        open.push(name);
    }
    assert!(open.is_empty(), "never closed: {open:?}");
}

fn whole(metrics: &Metrics, strategy: &str) -> String {
    let (evaluation, backtest) = (fixture::evaluation(), fixture::backtest());
    let path = fixture::example_path();
    let data = FigureData::new(metrics, Some(&evaluation), Some(&backtest), Some(&path));
    let figures = figures::draw(&data).unwrap();
    report(metrics, Some(strategy), &figures, None)
}

/// The report holds every section, and refers to nothing outside itself.
#[test]
fn the_report_is_whole_and_stands_alone() {
    let page = whole(&fixture::metrics(), "[market]\nmodel = \"heston\"\n");
    assert_well_formed(&page);
    for expected in [
        "<h1>Heston call</h1>",
        "CVaR 95 %",
        "−14.2 %",
        "Simulated test paths, 500 paths",
        "Backtest, 24 contracts",
        "Where the P&amp;L comes from",
        "Drawdown and worst contracts",
        "model = &quot;heston&quot;",
        "estimated from history, 2010-01-04 to 2021-12-31",
        "kappa = 3.2000",
        "id=\"backtest_pnl\"",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
    assert!(!page.contains("{{"));
    for outside in ["<script", "<link", "src=", "url(", "@import"] {
        assert!(!page.contains(outside), "{outside}");
    }
    // The only address is the name of the SVG namespace.
    let addresses = page.matches("http").count();
    assert_eq!(
        addresses,
        page.matches("http://www.w3.org/2000/svg").count()
    );
}

/// Text from files and from the user never becomes markup, wherever it is shown.
#[test]
fn text_never_becomes_markup() {
    let hostile = "<script>alert(1)</script>{{body}}\"'&";
    let mut metrics = fixture::metrics();
    metrics.name = hostile.into();
    metrics.run = hostile.into();
    metrics.command = hostile.into();
    metrics.created = hostile.into();
    metrics.version = hostile.into();
    metrics.risk = hostile.into();
    for row in metrics.evaluation.iter_mut().chain(&mut metrics.backtest) {
        row.strategy = hostile.into();
    }
    for breakdown in &mut metrics.backtest_breakdown {
        breakdown.strategy = hostile.into();
        breakdown.attribution[0].0 = hostile.into();
        breakdown.drawdown_to = hostile.into();
    }
    for comparison in &mut metrics.comparisons {
        comparison.strategy = hostile.into();
        comparison.baseline = hostile.into();
    }
    let market = metrics.backtest_market.as_mut().unwrap();
    market.data = hostile.into();
    market.source = hostile.into();
    market.parameters.insert(hostile.into(), hostile.into());
    let page = whole(&metrics, hostile);
    assert!(!page.contains("<script"));
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;{{body}}"));
    assert_well_formed(&page);
}

/// A comparison that is not a number says so instead of showing one.
#[test]
fn undefined_changes_are_shown_as_such() {
    let mut metrics = fixture::metrics();
    metrics.comparisons[0].cost_change = f64::NAN;
    let page = report(&metrics, None, &[], None);
    assert!(page.contains("not comparable"));
    assert!(!page.contains("NaN"));
}
