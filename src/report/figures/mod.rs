//! The figures of a run as SVG.

pub(crate) mod backtest;
mod canvas;
pub(crate) mod damping;
pub(crate) mod histogram;
mod path;
pub(crate) mod scatter;
pub mod study;
pub(crate) mod training;

pub use backtest::cumulative_pnl;
pub use canvas::Form;
pub use damping::damping;
pub use histogram::{pnl_histogram, pooled};
pub use path::example_path;
pub use scatter::cost_and_cvar;
pub use training::{Against, loss};

use crate::error::Result;
use crate::named::named;
use crate::report::palette::Palette;
use crate::report::summary::strategies;
use crate::runs::metrics::{ExamplePath, Metrics};
use crate::runs::store::RunFolder;
use crate::runs::tables::{BacktestTable, EvaluationTable};

named! {
    /// A figure that a run may have, in the order of the page.
    pub enum Kind {
        LossSteps = "loss_steps",
        LossSeconds = "loss_seconds",
        Damping = "damping",
        PnlHistogram = "pnl_histogram",
        CostCvar = "cost_cvar",
        ExamplePath = "example_path",
        BacktestPnl = "backtest_pnl",
        BacktestHistogram = "backtest_histogram",
    }
}

impl Kind {
    /// How to read the figure.
    pub fn caption(self) -> &'static str {
        match self {
            Self::LossSteps => {
                "Risk on the validation paths after each number of steps, averaged over seeds; \
                  the smoothed risk of the training batches where there was no validation."
            }
            Self::LossSeconds => {
                "The same against the seconds spent in training, validation excluded."
            }
            Self::Damping => {
                "Damping of the optimizers that adapt it, and ρ, the change of the risk over the one predicted, both \
                  averaged over seeds: below the lower line the damping grows, above the upper one it shrinks."
            }
            Self::PnlHistogram => {
                "How the P&L at expiry is spread over the simulated test paths, all seeds \
                  together. Losses are on the left."
            }
            Self::CostCvar => {
                "What a hedge costs against the tail risk that it leaves; bars are one standard \
                  error. Down and to the left is better."
            }
            Self::ExamplePath => {
                "One simulated path: the spot above, below it how many units of it each \
                  strategy held."
            }
            Self::BacktestPnl => {
                "P&L of the contracts sold through the history, added up at their expiries and \
                  averaged over seeds."
            }
            Self::BacktestHistogram => {
                "How the P&L of the contracts sold through the history is spread, all seeds \
                  together. Losses are on the left."
            }
        }
    }
}

/// A figure drawn in both shapes.
#[derive(Debug, Clone)]
pub struct Figure {
    pub kind: Kind,
    pub wide: String,
    pub narrow: String,
}

impl Figure {
    /// The file of the figure inside its run folder.
    pub fn file(kind: Kind, form: Form) -> String {
        let name = kind.name();
        match form {
            Form::Wide => format!("figures/{name}.svg"),
            Form::Narrow => format!("figures/{name}-narrow.svg"),
        }
    }
}

/// Draws every figure for which there are data.
///
/// # Errors
/// [`crate::Error::Computation`] if plotters fails.
pub fn draw(
    metrics: &Metrics,
    evaluation: Option<&EvaluationTable>,
    backtest: Option<&BacktestTable>,
    path: Option<&ExamplePath>,
) -> Result<Vec<Figure>> {
    let palette = Palette::new(strategies(metrics));
    let one = |kind: Kind, form: Form| -> Result<Option<String>> {
        match kind {
            Kind::LossSteps => loss(metrics, Against::Steps, &palette, form),
            Kind::LossSeconds => loss(metrics, Against::Seconds, &palette, form),
            Kind::Damping => damping(metrics, &palette, form),
            Kind::PnlHistogram => evaluation.map_or(Ok(None), |table| {
                let words = ("P&L at expiry", "paths");
                pnl_histogram(&pooled(table.samples()), words, &palette, form)
            }),
            Kind::CostCvar => cost_and_cvar(metrics, &palette, form),
            Kind::ExamplePath => path.map_or(Ok(None), |path| example_path(path, &palette, form)),
            Kind::BacktestPnl => {
                backtest.map_or(Ok(None), |table| cumulative_pnl(table, &palette, form))
            }
            Kind::BacktestHistogram => backtest.map_or(Ok(None), |table| {
                let words = ("Backtest: P&L at expiry", "contracts");
                pnl_histogram(&pooled(table.samples()), words, &palette, form)
            }),
        }
    };
    let mut figures = Vec::new();
    for kind in Kind::all() {
        if let Some(wide) = one(kind, Form::Wide)?
            && let Some(narrow) = one(kind, Form::Narrow)?
        {
            figures.push(Figure { kind, wide, narrow });
        }
    }
    Ok(figures)
}

/// Draws the figures of a run and writes them to `figures/` in its folder.
///
/// # Errors
/// [`crate::Error::Input`] if the run is incomplete or a file of it is damaged,
/// [`crate::Error::File`] if the folder cannot be written.
pub fn write_figures(run: &RunFolder) -> Result<Vec<Figure>> {
    let figures = draw(
        &run.metrics()?,
        run.evaluation()?.as_ref(),
        run.backtest()?.as_ref(),
        run.example_path()?.as_ref(),
    )?;
    for figure in &figures {
        for (form, svg) in [(Form::Wide, &figure.wide), (Form::Narrow, &figure.narrow)] {
            run.write_bytes(&Figure::file(figure.kind, form), svg.as_bytes())?;
        }
    }
    Ok(figures)
}

#[cfg(test)]
mod tests;
