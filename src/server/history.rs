//! The tear sheet of a run's page: its charts, its tables, and the worst contracts.

use super::contracts::explorer;
use super::pages::still;
use super::problem::Problem;
use crate::report::figures::WORST_CONTRACTS;
use crate::report::html::Shown;
use crate::report::tear_sheet::WorstContract;
use crate::report::tear_sheet::section::{
    self, Pictured, WorstContracts, drawn_contracts, kept_contracts,
};
use crate::runs::metrics::Metrics;
use crate::runs::store::RunFolder;
use crate::runs::walk_forward::Results;
use chrono::NaiveDate;
use maud::{Markup, html};

/// The worst contracts behind a form, of which those of the report are there without script too.
struct OnPage<'a> {
    folder: &'a RunFolder,
    base: &'a str,
    contracts: Vec<WorstContract>,
    drawn: Vec<Pictured>,
}

/// The tear sheet of a run with `charts` of its own; nothing without contracts on history.
pub fn tear_sheet(
    folder: &RunFolder,
    run: (&Metrics, Option<&Results>),
    base: &str,
    charts: &[Shown],
) -> Result<Markup, Problem> {
    let contracts = kept_contracts(folder)?;
    let drawn = drawn_contracts(&contracts, run);
    let contracts = OnPage {
        folder,
        base,
        contracts,
        drawn,
    };
    Ok(section::tear_sheet(folder, run, charts, &contracts)?)
}

impl WorstContracts for OnPage<'_> {
    fn link(&self, sold: NaiveDate) -> Option<String> {
        let is_known = self.contracts.iter().any(|one| one.sold == sold);
        is_known.then(|| format!("{}?contract={sold}#contracts", self.base))
    }

    fn shown(&self) -> Markup {
        if self.contracts.is_empty() {
            return html! {};
        }
        // First those that were worst for the strategy under test.
        let first = self.drawn.iter().map(|(sold, _)| *sold);
        let is_first = |sold: &NaiveDate| self.drawn.iter().any(|(known, _)| known == sold);
        let others = self
            .contracts
            .iter()
            .map(|one| one.sold)
            .filter(|sold| !is_first(sold));
        let sales: Vec<(NaiveDate, String)> = first
            .chain(others)
            .map(|sold| (sold, sold.to_string()))
            .collect();
        let pictures = self.drawn.iter().filter_map(|(_, name)| {
            let figure = WORST_CONTRACTS.iter().find(|figure| figure.name == *name)?;
            Some((figure, still(self.folder, self.base, figure)?))
        });
        let pictures = html! {
            div class="figures worst" {
                @for (figure, picture) in pictures {
                    figure { (picture) figcaption { (figure.caption) } }
                }
            }
        };
        explorer(self.folder.id(), &sales, &pictures)
    }
}
