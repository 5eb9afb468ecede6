//! What a figure is, and what it is drawn from.

use super::canvas::Form;
use crate::error::Result;
use crate::report::palette::Palette;
use crate::report::summary::strategies;
use crate::report::tear_sheet::section::breakdowns;
use crate::report::tear_sheet::{TearSheet, WorstContract, worst_contracts};
use crate::runs::breakdown::Breakdown;
use crate::runs::contract_paths::ContractPath;
use crate::runs::daily::DailyTable;
use crate::runs::metrics::{ExamplePath, Metrics};
use crate::runs::tables::{BacktestTable, EvaluationTable};
use crate::runs::walk_forward::Results;
use std::cell::OnceCell;

/// The part of a page that a figure or a chart stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What hedges earn on simulated paths, and what they cost.
    Results,
    /// How policies were trained.
    Training,
    /// What contracts on history come to.
    TearSheet,
    /// One of the worst contracts on history, beside the list of them.
    WorstContract,
}

/// A figure that a run may have.
#[derive(Debug, Clone, Copy)]
pub struct SvgFigure {
    /// The part of a page that it stands in.
    pub part: Part,
    /// The name in files and addresses.
    pub name: &'static str,
    /// How to read the figure.
    pub caption: &'static str,
    /// Draws the figure as SVG; absent if the run has nothing to show. It fails with [`crate::Error::Computation`] if
    /// plotters does.
    pub draw: fn(&FigureData<'_>, Form) -> Result<Option<String>>,
}

/// What the figures of a run are drawn from: the parts that it has.
pub struct FigureData<'a> {
    /// The results of the run.
    pub metrics: &'a Metrics,
    /// The P&L on every test path.
    pub evaluation: Option<&'a EvaluationTable>,
    /// The P&L of every contract sold on history.
    pub backtest: Option<&'a BacktestTable>,
    /// The P&L of the book of these contracts by day.
    pub daily: Option<&'a DailyTable>,
    /// One path with the positions of every strategy on it.
    pub path: Option<&'a ExamplePath>,
    /// The results of a walk-forward, if the run is one.
    pub walk_forward: Option<&'a Results>,
    /// The worst contracts on history, as they were hedged.
    pub worst: Vec<WorstContract>,
    /// The colours of the strategies.
    pub palette: Palette,
    tear_sheet: OnceCell<Option<TearSheet<'a>>>,
}

impl<'a> FigureData<'a> {
    /// The data of a run, with the colours of its strategies.
    pub fn new(
        metrics: &'a Metrics,
        evaluation: Option<&'a EvaluationTable>,
        backtest: Option<&'a BacktestTable>,
        path: Option<&'a ExamplePath>,
    ) -> Self {
        Self {
            metrics,
            evaluation,
            backtest,
            daily: None,
            path,
            walk_forward: None,
            worst: Vec::new(),
            palette: Palette::new(strategies(metrics)),
            tear_sheet: OnceCell::new(),
        }
    }

    /// The same with the P&L of the book by day, if there is one.
    #[must_use]
    pub fn with_daily(self, daily: Option<&'a DailyTable>) -> Self {
        Self { daily, ..self }
    }

    /// The same with the results of a walk-forward, if it is one, and the worst contracts, if there are some.
    #[must_use]
    pub fn with_history(self, results: Option<&'a Results>, worst: &[ContractPath]) -> Self {
        Self {
            walk_forward: results,
            worst: worst_contracts(worst),
            ..self
        }
    }

    /// What contracts on history come to through time, made once; none of a run without any.
    pub fn tear_sheet(&self) -> Option<&TearSheet<'a>> {
        let made = || TearSheet::new(self.metrics, self.walk_forward, self.backtest?, self.daily);
        self.tear_sheet.get_or_init(made).as_ref()
    }

    /// Whether lines of history have room for the strategy.
    pub fn leads(&self, strategy: &str) -> bool {
        let sheet = self.tear_sheet();
        sheet.is_none_or(|sheet| sheet.leading.shows(strategy))
    }

    /// What the P&L of each strategy's contracts is made of, of a backtest of either kind.
    pub fn breakdowns(&self) -> impl Iterator<Item = &'a Breakdown> + Clone {
        breakdowns(self.metrics, self.walk_forward)
    }
}

/// A figure drawn in both shapes.
#[derive(Debug, Clone)]
pub struct DrawnFigure {
    /// The figure that was drawn.
    pub figure: &'static SvgFigure,
    /// The SVG for pages and print.
    pub wide: String,
    /// The SVG for telephones.
    pub narrow: String,
}

impl DrawnFigure {
    /// The file of the figure inside its run folder.
    pub fn file(figure: &SvgFigure, form: Form) -> String {
        let name = figure.name;
        match form {
            Form::Wide => format!("figures/{name}.svg"),
            Form::Narrow => format!("figures/{name}-narrow.svg"),
        }
    }
}
