//! What a figure is, and what it is drawn from.

use super::canvas::Form;
use crate::error::Result;
use crate::report::palette::Palette;
use crate::report::summary::strategies;
use crate::runs::daily::DailyTable;
use crate::runs::metrics::{ExamplePath, Metrics};
use crate::runs::tables::{BacktestTable, EvaluationTable};

/// A figure that a run may have.
#[derive(Debug, Clone, Copy)]
pub struct SvgFigure {
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
    /// The colours of the strategies.
    pub palette: Palette,
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
            palette: Palette::new(strategies(metrics)),
        }
    }

    /// The same with the P&L of the book by day, if there is one.
    #[must_use]
    pub fn with_daily(self, daily: Option<&'a DailyTable>) -> Self {
        Self { daily, ..self }
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
