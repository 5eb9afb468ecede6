//! What people read of a run: tables for terminals, figures, and one stand-alone page.

pub mod figures;
pub mod html;
pub mod levels;
pub mod palette;
pub mod study;
pub mod summary;
pub mod table;
pub mod text;

use crate::error::Result;
use crate::runs::store::RunFolder;
use std::path::PathBuf;

/// Draws the figures of a run and writes them and `report.html` into its folder; returns the
/// path of the report.
///
/// # Errors
/// [`crate::Error::Input`] if the run is incomplete, [`crate::Error::File`] if the folder
/// cannot be written.
pub fn write(run: &RunFolder) -> Result<PathBuf> {
    let figures = figures::write_figures(run)?;
    let page = html::report(&run.metrics()?, run.strategy()?.as_deref(), &figures);
    run.write_bytes("report.html", page.as_bytes())?;
    Ok(run.path().join("report.html"))
}
