//! `calibrate`: parameters of a model from closes; those from implied volatilities are in [`super::surface`].

use super::output::{Output, warn};
use super::reading::PriceFiles;
use super::surface;
use crate::error::Result;
use crate::experiment::FitToCloses;
use crate::market::Model;
use crate::market::estimation::StandardErrors;
use crate::runs::precision::Precision;
use clap::builder::{PossibleValue, PossibleValuesParser};
use std::path::{Path, PathBuf};

/// What to calibrate, and to what.
#[derive(Debug, clap::Args)]
pub struct Calibration {
    /// The model; the parameters of `heston` come from --surface too, those of `local_volatility` from there alone, and not all
    /// others have any that closes determine.
    #[arg(value_parser = models(), default_value = "heston")]
    model: String,
    /// Daily closes (CSV or Parquet).
    #[arg(long, required_unless_present = "surface", conflicts_with = "surface")]
    history: Option<PathBuf>,
    /// Closes in a year, by which returns are annualised, instead of the number found from the dates.
    #[arg(long, value_name = "DAYS", requires = "history", value_parser = super::values::positive)]
    days_per_year: Option<f64>,
    #[command(flatten)]
    files: PriceFiles,
    /// Implied volatilities (CSV or Parquet): spot, strike, expiry_days, expiry_years or expiry_date, implied_vol or
    /// call_implied_vol and put_implied_vol, and rate and dividend unless they are zero.
    #[arg(long)]
    surface: Option<PathBuf>,
    #[command(flatten)]
    reading: surface::Reading,
}

/// Calibrates the model.
pub fn run(calibration: &Calibration) -> Result<Output> {
    match (&calibration.history, &calibration.surface) {
        (Some(path), _) => history(path, calibration),
        (None, Some(path)) => {
            let Calibration { model, files, .. } = calibration;
            surface::run(path, model, files, &calibration.reading)
        }
        (None, None) => unreachable!("the command line requires one"),
    }
}

/// The models by their names.
fn models() -> PossibleValuesParser {
    let value =
        |(name, help): &(&'static str, &'static str)| PossibleValue::new(*name).help(help.trim());
    PossibleValuesParser::new(Model::ALL.iter().map(value))
}

fn history(path: &Path, calibration: &Calibration) -> Result<Output> {
    let reading = calibration.files.reading(None)?;
    let days_per_year = calibration.days_per_year;
    let fit = FitToCloses::new(&calibration.model, path, &reading, days_per_year)?;
    fit.warnings.iter().for_each(|warning| warn(warning));
    let parameters = fit.parameters()?;
    let named = parameters.as_object().into_iter().flatten();
    let errors = &fit.estimate.standard_errors;
    let mut lines: Vec<String> = named
        .filter_map(|(name, value)| Some(line(name, value.as_f64()?, errors, &fit.precision)))
        .collect();
    // Without the sign of a zero.
    let rounded = |drift: f64| (1e4 * drift).round() / 1e4 + 0.0;
    lines.extend(
        fit.estimate
            .drift
            .map(|drift| format!("drift {:.4} a year", rounded(drift))),
    );
    let findings = fit.estimate.findings.iter();
    lines.extend(findings.filter_map(|finding| finding.text.clone()));
    lines.push(format!("closes {}", fit.frequency));
    Ok(Output {
        text: lines.join("\n"),
        document: fit.document()?,
    })
}

/// A parameter with its standard error, or why it has none, to three significant digits and three decimals at least.
fn line(name: &str, value: f64, errors: &StandardErrors, precision: &Precision) -> String {
    let decimals = match value.abs() {
        size if size > 0.0 => (2 - size.log10().floor() as i32).clamp(3, 17) as usize,
        _ => 3,
    };
    let is = |names: &[String]| names.iter().any(|known| known == name);
    let after = match errors.of(name) {
        Some(error) => format!(" ± {error:.decimals$}"),
        None if is(&precision.at_bound) => ", on a bound of the search".into(),
        None if is(&precision.not_identified) => ", not identified".into(),
        None => String::new(),
    };
    format!("{name} {value:.decimals$}{after}")
}
