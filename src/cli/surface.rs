//! `calibrate --surface`: the parameters of a model from implied volatilities.

use super::output::{Output, warn};
use super::reading::PriceFiles;
use super::values::day;
use crate::calibration::{Errors, Surface, SurfaceOptions};
use crate::error::{Error, Result};
use crate::experiment::FitToSurface;
use crate::market::VolatilityUnit;
use chrono::NaiveDate;
use std::path::Path;

/// How a surface is read and fitted.
#[derive(Debug, clap::Args)]
pub struct Reading {
    /// The day whose quotes are fitted, of a surface with several; the day of all, of one whose columns do not say.
    #[arg(long, requires = "surface", value_parser = day)]
    date: Option<NaiveDate>,
    /// The unit of the surface's volatilities, where their size leaves it open.
    #[arg(long, requires = "surface", value_parser = unit, value_name = "percent or fraction")]
    volatility_unit: Option<VolatilityUnit>,
    /// Round expiries in days to whole weeks.
    #[arg(long, requires = "surface")]
    whole_weeks: bool,
    /// Minimise price errors over vega instead of errors of implied volatility.
    #[arg(long, requires = "surface")]
    vega_weighted: bool,
}

fn unit(text: &str) -> Result<VolatilityUnit, String> {
    let units = VolatilityUnit::NAMES;
    let found = units.iter().find(|(name, _)| *name == text);
    found
        .map(|(_, unit)| *unit)
        .ok_or_else(|| "must be percent or fraction".into())
}

/// Calibrates a model to a file of implied volatilities.
pub fn run(path: &Path, model: &str, files: &PriceFiles, reading: &Reading) -> Result<Output> {
    if files.raw(None).repair.is_some() {
        return Err(Error::input(
            "--repair: says how to read --history; a surface's rows without a quote are dropped by themselves",
        ));
    }
    let options = SurfaceOptions {
        whole_weeks: reading.whole_weeks,
        date: reading.date,
        unit: reading.volatility_unit,
        ..options(files, None)?
    };
    let errors = match reading.vega_weighted {
        true => Errors::Vega,
        false => Errors::ImpliedVolatility,
    };
    let fit = FitToSurface::new(model, path, &options, errors, |argument| {
        format!("--{}", argument.replace('_', "-"))
    })?;
    fit.warnings.iter().for_each(|warning| warn(warning));
    let mut text = fit.fit.text(&described(&fit.surface));
    if let Some(names) = fit.precision.undetermined() {
        text += &format!("\nnot determined by the quotes: {names}");
    }
    Ok(Output {
        text,
        document: fit.document(),
    })
}

/// How a file of implied volatilities is read: what is said of files of prices counts for it too.
///
/// # Errors
/// In one line: the option, the value and the choices.
pub fn options(files: &PriceFiles, volatility_unit: Option<&str>) -> Result<SurfaceOptions> {
    SurfaceOptions::new(&files.raw(volatility_unit), |key| {
        format!("--{}", key.replace('_', "-"))
    })
}

/// The quotes of a surface in words.
pub fn described(surface: &Surface) -> String {
    let (first, last) = surface.expiries();
    format!(
        "{} quotes{}, expiries of {first:.3} to {last:.3} years, volatilities read as {}",
        surface.quotes.len(),
        surface
            .date
            .map_or(String::new(), |date| format!(" of {date}")),
        match surface.unit {
            VolatilityUnit::Fraction => "fractions",
            VolatilityUnit::Percent => "percent",
        },
    )
}
