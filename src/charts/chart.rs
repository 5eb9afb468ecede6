//! What a chart is, and what it is drawn from.

use super::frame::Figure;
use crate::error::Result;
use crate::report::figures::{Part, SvgFigure};
use crate::report::palette::Palette;
use crate::report::summary::strategies;
use crate::report::tear_sheet::{Leading, TearSheet, section};
use crate::runs::breakdown::Breakdown;
use crate::runs::daily::DailyTable;
use crate::runs::metrics::Metrics;
use crate::runs::store::RunFolder;
use crate::runs::tables::{BacktestTable, EvaluationTable};
use crate::runs::walk_forward::Results;

/// Whether a run has what a chart shows, without reading any table.
type Has = fn(&RunData<'_>) -> bool;

/// Draws a chart, of the one of its choices that is given, or else of the first.
type Draw = fn(&RunData<'_>, Option<&str>) -> Result<Option<Figure>>;

/// What a chart shows one of.
#[derive(Debug, Clone, Copy)]
pub struct Choices {
    /// What is chosen.
    pub label: &'static str,
    /// The choices of a run, each with the words for it; the first one is shown unless another is asked for.
    pub of: fn(&RunData<'_>) -> Vec<(String, String)>,
}

/// A chart that a run may have.
#[derive(Debug, Clone, Copy)]
pub struct Chart {
    /// The name in addresses.
    pub name: &'static str,
    /// How to read the chart.
    pub caption: &'static str,
    /// Whether the run has what the chart shows, without reading any table.
    pub has: Has,
    /// Draws the chart; absent if the run has nothing to show. It fails with [`crate::Error::Input`] if a table of the run
    /// is damaged.
    pub draw: Draw,
    /// The figure of the report that stands in for it where there is no script.
    pub figure: Option<&'static SvgFigure>,
    /// The part of a page that it stands in.
    pub part: Part,
    /// What the chart shows one of, if it does.
    pub choices: Option<Choices>,
}

impl Chart {
    /// A chart of one run, about its results.
    pub const fn new(name: &'static str, caption: &'static str, has: Has, draw: Draw) -> Self {
        Self {
            name,
            caption,
            has,
            draw,
            part: Part::Results,
            figure: None,
            choices: None,
        }
    }

    /// The chart in another part of a page.
    pub const fn in_part(self, part: Part) -> Self {
        Self { part, ..self }
    }

    /// The chart for which `figure` stands in where there is no script, in the same part of a page.
    pub const fn instead_of(self, figure: &'static SvgFigure) -> Self {
        Self {
            part: figure.part,
            figure: Some(figure),
            ..self
        }
    }

    /// The chart that shows one of several things.
    pub const fn choosing(self, choices: Choices) -> Self {
        Self {
            choices: Some(choices),
            ..self
        }
    }
}

/// Reads a table when a chart needs it.
type Table<'a, T> = Box<dyn Fn() -> Result<Option<T>> + 'a>;

/// What charts are drawn from, read as far as a chart needs it.
pub struct RunData<'a> {
    /// The results of the run.
    pub metrics: &'a Metrics,
    /// The colours of the strategies.
    pub palette: Palette,
    /// The results of a walk-forward run, if it is one.
    pub walk_forward: Option<Results>,
    evaluation: Table<'a, EvaluationTable>,
    backtest: Table<'a, BacktestTable>,
    /// Whether the run has the P&L of its books by day.
    pub has_daily: bool,
    daily: Table<'a, DailyTable>,
}

impl<'a> RunData<'a> {
    /// The data of the run in `folder`.
    ///
    /// # Errors
    /// [`crate::Error::Input`] if the results of a walk-forward run are damaged.
    pub fn new(folder: &'a RunFolder, metrics: &'a Metrics) -> Result<Self> {
        Ok(Self {
            metrics,
            palette: Palette::new(strategies(metrics)),
            walk_forward: Results::of_run(folder)?,
            evaluation: Box::new(|| folder.evaluation()),
            backtest: Box::new(|| folder.backtest()),
            has_daily: folder.has_daily(),
            daily: Box::new(|| folder.daily()),
        })
    }

    /// The P&L on every test path, if there were any.
    ///
    /// # Errors
    /// [`crate::Error::Input`] if the table is damaged.
    pub fn evaluation(&self) -> Result<Option<EvaluationTable>> {
        (self.evaluation)()
    }

    /// The P&L of every contract sold on history, if there were any.
    ///
    /// # Errors
    /// [`crate::Error::Input`] if the table is damaged.
    pub fn backtest(&self) -> Result<Option<BacktestTable>> {
        (self.backtest)()
    }

    /// The P&L of the book of these contracts by day, if there is one.
    ///
    /// # Errors
    /// [`crate::Error::Input`] if the table is damaged.
    pub fn daily(&self) -> Result<Option<DailyTable>> {
        (self.daily)()
    }

    /// What the P&L of each strategy's contracts is made of, of a backtest of either kind.
    pub fn breakdowns(&self) -> impl Iterator<Item = &Breakdown> + Clone {
        section::breakdowns(self.metrics, self.walk_forward.as_ref())
    }

    /// Who is drawn on history where there is no room for all, if the run has contracts there.
    pub fn leading(&self) -> Option<Leading> {
        Leading::of(self.metrics, self.walk_forward.as_ref())
    }

    /// What `make` makes of the contracts on history, if there are any.
    ///
    /// # Errors
    /// [`crate::Error::Input`] if a table is damaged.
    pub fn of_history<T>(
        &self,
        make: impl FnOnce(&TearSheet<'_>) -> Option<T>,
    ) -> Result<Option<T>> {
        let Some(contracts) = self.backtest()? else {
            return Ok(None);
        };
        let daily = self.daily()?;
        let results = self.walk_forward.as_ref();
        let sheet = TearSheet::new(self.metrics, results, &contracts, daily.as_ref());
        Ok(sheet.as_ref().and_then(make))
    }
}
