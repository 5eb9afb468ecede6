//! `data check` for a file of implied volatilities by strike and expiry, as `calibrate --surface` reads it.

use super::output::Output;
use super::reading::PriceFiles;
use super::surface::{described, options};
use crate::calibration::Surface;
use crate::error::{Result, escaped};
use crate::experiment::quote_document;
use serde_json::json;
use std::path::PathBuf;

/// What is understood of the file; nothing if it is not one file of implied volatilities, or cannot be read as one.
///
/// # Errors
/// What is wrong with the options of reading.
pub fn check(
    files: &[PathBuf],
    reading: &PriceFiles,
    volatility_unit: Option<&str>,
) -> Result<Option<Output>> {
    let [file] = files else {
        return Ok(None);
    };
    let options = options(reading, volatility_unit)?;
    let Ok(surface) = Surface::load(file, &options) else {
        return Ok(None);
    };
    let drops: Vec<String> = surface.drops().into_iter().collect();
    let name = file.display().to_string();
    let mut text = vec![format!("{}: {}", escaped(&name), described(&surface))];
    text.extend(drops.iter().map(|drops| format!("warning: {drops}")));
    let (first, last) = surface.expiries();
    Ok(Some(Output {
        text: text.join("\n"),
        document: json!({
            "implied_volatilities": {
                "file": name,
                "quotes": surface.quotes.len(),
                "first_expiry_years": first,
                "last_expiry_years": last,
                "date": surface.date.map(|date| date.to_string()),
                "volatility_unit": surface.unit.name(),
            },
            "examples": surface.quotes.iter().take(5).map(quote_document).collect::<Vec<_>>(),
            "warnings": drops,
        }),
    }))
}
