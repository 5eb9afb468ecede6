//! What people read of a run: tables for terminals, figures, and one stand-alone page.

pub mod breakdown;
pub mod classical;
pub mod crossed;
pub mod facts;
pub mod figures;
pub mod horizon;
pub mod html;
pub mod levels;
pub mod markup;
pub mod palette;
pub mod protocol;
pub mod several;
mod significance;
pub mod study;
pub mod summary;
pub mod table;
pub mod tables;
pub mod tear_sheet;
pub mod text;
pub mod verdict;
pub mod verdicts;
pub mod walk_forward;

use crate::error::Result;
use crate::runs::store::RunFolder;
use crate::runs::walk_forward::Results;
use std::path::PathBuf;

/// Draws the figures of a run and writes them and `report.html` into its folder; returns the
/// path of the report.
///
/// # Errors
/// [`crate::Error::Input`] if the run is incomplete, [`crate::Error::File`] if the folder
/// cannot be written.
pub fn write(run: &RunFolder) -> Result<PathBuf> {
    let figures = figures::write_figures(run)?;
    let results = Results::of_run(run)?;
    let strategy = run.strategy()?;
    let metrics = verdict::with_changes(run, run.metrics()?, strategy.as_deref())?;
    let of_run = (&metrics, results.as_ref());
    let (tear_sheet, figures) = tear_sheet::section::of_report(run, of_run, figures)?;
    let windows = results.as_ref().map(html::windows);
    let further = tear_sheet.into_iter().chain(windows).collect();
    let page = html::report(&metrics, strategy.as_deref(), &figures, further);
    run.write_bytes("report.html", page.as_bytes())?;
    Ok(run.path().join("report.html"))
}
