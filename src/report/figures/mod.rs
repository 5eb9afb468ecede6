//! The figures of a run as SVG.

pub(crate) mod backtest;
pub(crate) mod bars;
mod canvas;
mod contract;
pub(crate) mod damping;
pub(crate) mod difference;
mod figure;
pub(crate) mod histogram;
pub mod intervals;
pub(crate) mod months;
mod path;
pub(crate) mod scatter;
pub mod study;
pub(crate) mod tear_sheet;
pub(crate) mod training;

pub use canvas::Form;
pub use contract::WORST_CONTRACTS;
pub use figure::{DrawnFigure, FigureData, Part, SvgFigure};
pub use training::Against;

use crate::error::Result;
use crate::runs::store::RunFolder;
use crate::runs::walk_forward::Results;

/// Every figure that a run may have, in the order of the page. A new one is a file and a line here.
pub static FIGURES: [&SvgFigure; 25] = [
    &training::LOSS_STEPS,
    &training::LOSS_SECONDS,
    &damping::DAMPING,
    &histogram::PNL_HISTOGRAM,
    &difference::PNL_DIFFERENCE,
    &scatter::COST_CVAR,
    &path::EXAMPLE_PATH,
    &backtest::BACKTEST_PNL,
    &backtest::DAILY_PNL,
    &tear_sheet::RELATIVE_PNL,
    &months::MONTHLY_PNL,
    &months::MONTHLY_DIFFERENCE,
    &tear_sheet::ROLLING_DEVIATION,
    &tear_sheet::ROLLING_CVAR,
    &tear_sheet::DRAWDOWN,
    &bars::YEARS,
    &bars::STRESS,
    &bars::ATTRIBUTION,
    &histogram::BACKTEST_HISTOGRAM,
    &WORST_CONTRACTS[0],
    &WORST_CONTRACTS[1],
    &WORST_CONTRACTS[2],
    &WORST_CONTRACTS[3],
    &WORST_CONTRACTS[4],
    &WORST_CONTRACTS[5],
];

/// Draws every figure for which there are data.
///
/// # Errors
/// [`crate::Error::Computation`] if plotters fails.
pub fn draw(data: &FigureData<'_>) -> Result<Vec<DrawnFigure>> {
    let mut drawn = Vec::new();
    for figure in FIGURES {
        if let Some(wide) = (figure.draw)(data, Form::Wide)?
            && let Some(narrow) = (figure.draw)(data, Form::Narrow)?
        {
            drawn.push(DrawnFigure {
                figure,
                wide,
                narrow,
            });
        }
    }
    Ok(drawn)
}

/// Draws the figures of a run and writes them to `figures/` in its folder.
///
/// # Errors
/// [`crate::Error::Input`] if the run is incomplete or a file of it is damaged,
/// [`crate::Error::File`] if the folder cannot be written.
pub fn write_figures(run: &RunFolder) -> Result<Vec<DrawnFigure>> {
    let metrics = run.metrics()?;
    let (evaluation, backtest) = (run.evaluation()?, run.backtest()?);
    let daily = run.daily()?;
    let path = run.example_path()?;
    let results = Results::of_run(run)?;
    let worst = run.worst_contracts()?.unwrap_or_default();
    let data = FigureData::new(
        &metrics,
        evaluation.as_ref(),
        backtest.as_ref(),
        path.as_ref(),
    )
    .with_daily(daily.as_ref())
    .with_history(results.as_ref(), &worst);
    let figures = draw(&data)?;
    for drawn in &figures {
        for (form, svg) in [(Form::Wide, &drawn.wide), (Form::Narrow, &drawn.narrow)] {
            run.write_bytes(&DrawnFigure::file(drawn.figure, form), svg.as_bytes())?;
        }
    }
    Ok(figures)
}

#[cfg(test)]
mod tests;
