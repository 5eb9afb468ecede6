//! The figures of a run as SVG.

pub(crate) mod backtest;
mod canvas;
pub(crate) mod damping;
pub(crate) mod difference;
mod figure;
pub(crate) mod histogram;
pub mod intervals;
mod path;
pub(crate) mod scatter;
pub mod study;
pub(crate) mod training;

pub use canvas::Form;
pub use figure::{DrawnFigure, FigureData, SvgFigure};
pub use training::Against;

use crate::error::Result;
use crate::runs::store::RunFolder;

/// Every figure that a run may have, in the order of the page. A new one is a file and a line here.
pub static FIGURES: [&SvgFigure; 10] = [
    &training::LOSS_STEPS,
    &training::LOSS_SECONDS,
    &damping::DAMPING,
    &histogram::PNL_HISTOGRAM,
    &difference::PNL_DIFFERENCE,
    &scatter::COST_CVAR,
    &path::EXAMPLE_PATH,
    &backtest::BACKTEST_PNL,
    &backtest::DAILY_PNL,
    &histogram::BACKTEST_HISTOGRAM,
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
    let data = FigureData::new(
        &metrics,
        evaluation.as_ref(),
        backtest.as_ref(),
        path.as_ref(),
    )
    .with_daily(daily.as_ref());
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
