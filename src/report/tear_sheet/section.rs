//! The part of a page that says what contracts on history come to through time.

use super::tables::worst_table;
use super::{TearSheet, WorstContract, pictured};
use crate::error::Result;
use crate::report::figures::{DrawnFigure, Part, WORST_CONTRACTS};
use crate::report::html::Shown;
use crate::report::markup::table;
use crate::report::summary::strategies;
use crate::report::tear_sheet::worst_contracts;
use crate::runs::breakdown::Breakdown;
use crate::runs::metrics::Metrics;
use crate::runs::store::RunFolder;
use crate::runs::walk_forward::Results;
use chrono::NaiveDate;
use maud::{Markup, PreEscaped, html};

/// How one of the worst contracts is shown.
pub trait WorstContracts {
    /// Where the contract sold on a day is shown, if it is.
    fn link(&self, sold: NaiveDate) -> Option<String>;

    /// What shows the contracts.
    fn shown(&self) -> Markup;
}

/// The tear sheet of the run in `folder`: `figures` of its part, tables, and its worst contracts as `contracts` shows them; nothing
/// without contracts on history.
///
/// # Errors
/// [`crate::Error::Input`] if a table of the run is damaged.
pub fn tear_sheet(
    folder: &RunFolder,
    (metrics, results): (&Metrics, Option<&Results>),
    figures: &[Shown],
    contracts: &dyn WorstContracts,
) -> Result<Markup> {
    let (backtest, daily) = (folder.backtest()?, folder.daily()?);
    let sheet = backtest.as_ref();
    let Some(sheet) = sheet.and_then(|t| TearSheet::new(metrics, results, t, daily.as_ref()))
    else {
        return Ok(html! {});
    };
    let order = strategies(metrics);
    let broken_down = breakdowns(metrics, results);
    let worst = worst_table(broken_down.clone(), &|sold| contracts.link(sold));
    Ok(html! {
        section id="tear-sheet" {
            h2 { "Tear sheet" }
            p class="note" {
                @match &sheet.leading.baseline {
                    Some(baseline) => { (sheet.leading.strategy) " with " (baseline) " as its baseline. " }
                    None => {}
                }
                @if sheet.by_day {
                    "P&L of the book of all contracts, each at its price of the day."
                } @else {
                    "P&L of the contracts on the days of their expiry: they have no price on every date."
                }
                " Lines are those of the trained strategies and the best classical hedge; the legends of charts have the others."
            }
            div class="figures" {
                @for shown in figures {
                    figure id=(shown.name) {
                        (shown.markup)
                        figcaption { (shown.caption) }
                    }
                }
            }
            (table(&sheet.year_table(), &order))
            (table(&sheet.drawdown_table(broken_down), &order))
            @if !worst.rows.is_empty() {
                (table(&worst, &order))
                (contracts.shown())
            }
        }
    })
}

/// What the P&L of each strategy's contracts is made of, of a backtest of either kind.
pub fn breakdowns<'a>(
    metrics: &'a Metrics,
    results: Option<&'a Results>,
) -> impl Iterator<Item = &'a Breakdown> + Clone {
    let walked = results.into_iter().flat_map(Results::breakdowns);
    walked.chain(&metrics.backtest_breakdown)
}

/// A contract that has a figure: the day of its sale, and the name of the figure.
pub type Pictured = (NaiveDate, &'static str);

/// The worst contracts that have a figure among those that the run has kept, in the order of the figures.
pub fn drawn_contracts(
    known: &[WorstContract],
    (metrics, results): (&Metrics, Option<&Results>),
) -> Vec<Pictured> {
    let leading = super::Leading::of(metrics, results);
    let sales = leading.map(|leading| pictured(&leading, breakdowns(metrics, results)));
    let drawn = sales.into_iter().flatten().zip(&WORST_CONTRACTS);
    drawn
        .filter(|(sold, _)| known.iter().any(|one| one.sold == *sold))
        .map(|(sold, figure)| (sold, figure.name))
        .collect()
}

/// The worst contracts that the run has kept, in the order of their sale.
///
/// # Errors
/// [`crate::Error::Input`] if their table is damaged.
pub fn kept_contracts(folder: &RunFolder) -> Result<Vec<WorstContract>> {
    Ok(worst_contracts(
        &folder.worst_contracts()?.unwrap_or_default(),
    ))
}

/// The worst contracts as figures of the report.
struct Drawn<'a> {
    figures: Vec<&'a DrawnFigure>,
    sales: Vec<Pictured>,
}

impl WorstContracts for Drawn<'_> {
    fn link(&self, sold: NaiveDate) -> Option<String> {
        let mut sales = self.sales.iter();
        let (_, name) = sales.find(|(known, _)| *known == sold)?;
        Some(format!("#{name}"))
    }

    fn shown(&self) -> Markup {
        html! {
            div class="figures worst" {
                @for drawn in &self.figures {
                    figure id=(drawn.figure.name) {
                        (both(drawn))
                        figcaption { (drawn.figure.caption) }
                    }
                }
            }
        }
    }
}

/// A figure in the shape that fits the page.
fn both(drawn: &DrawnFigure) -> Markup {
    html! {
        div class="wide" { (PreEscaped(&drawn.wide)) }
        div class="narrow" { (PreEscaped(&drawn.narrow)) }
    }
}

/// The tear sheet of the report, and the figures that stand elsewhere in it.
///
/// # Errors
/// [`crate::Error::Input`] if a table of the run is damaged.
pub fn of_report(
    folder: &RunFolder,
    (metrics, results): (&Metrics, Option<&Results>),
    figures: Vec<DrawnFigure>,
) -> Result<(Markup, Vec<DrawnFigure>)> {
    let sales = drawn_contracts(&kept_contracts(folder)?, (metrics, results));
    let own = |part: Part| {
        figures
            .iter()
            .filter(move |drawn| drawn.figure.part == part)
    };
    let shown = own(Part::TearSheet).map(|drawn| Shown {
        name: drawn.figure.name,
        markup: both(drawn),
        caption: drawn.figure.caption,
    });
    let contracts = Drawn {
        figures: own(Part::WorstContract).collect(),
        sales,
    };
    let shown: Vec<Shown> = shown.collect();
    let section = tear_sheet(folder, (metrics, results), &shown, &contracts)?;
    let rest = figures.into_iter();
    let rest = rest.filter(|drawn| drawn.figure.part == Part::Simulated);
    Ok((section, rest.collect()))
}
