//! `calibrate`: parameters of a model from closes; those from implied volatilities are in [`super::surface`].

use super::output::{Output, warn};
use super::reading::PriceFiles;
use super::surface;
use crate::calibration::FittedModel;
use crate::error::{Error, Result};
use crate::market::estimation::StandardErrors;
use crate::market::history::{Frequency, Quantity};
use crate::market::model::Estimate;
use crate::market::{History, Model};
use crate::runs::precision::Precision;
use clap::builder::{PossibleValue, PossibleValuesParser};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Instant;

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
            let model = FittedModel::named(&calibration.model).ok_or_else(|| {
                let known = FittedModel::ALL
                    .iter()
                    .map(|(name, _)| format!("\"{name}\""));
                let known: Vec<String> = known.collect();
                Error::input(format!(
                    "--surface: only {} are calibrated to implied volatilities",
                    known.join(" and ")
                ))
            })?;
            surface::run(path, model, &calibration.files, &calibration.reading)
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
    let history = History::load_files(&[path.into()], &[Quantity::Close], &reading)?;
    let found = history.frequency();
    let given = calibration.days_per_year;
    let frequency = given.map_or(found, |days| found.counted_as(days));
    let start = Instant::now();
    let (returns, per_year) = (history.log_returns(), frequency.observations_per_year);
    let calibrated = Model::estimated(&calibration.model, &returns, per_year);
    let calibrated = calibrated.map_err(|error| match (error, history.dates.as_slice()) {
        (Error::Input(what), [first, .., last]) => Error::input(format!(
            "{}: closes of {first} to {last}: {what}",
            path.display()
        )),
        (error, _) => error,
    })?;
    let seconds = start.elapsed().as_secs_f64();
    output(&history, &calibrated, &frequency, seconds)
}

fn output(
    history: &History,
    calibrated: &Estimate<Model>,
    frequency: &Frequency,
    seconds: f64,
) -> Result<Output> {
    let errors = &calibrated.standard_errors;
    let precision = Precision::new(&calibrated.at_bound, errors.known(), errors.unknown());
    let mut warnings = history.warnings.clone();
    let files: Vec<String> = history
        .files
        .iter()
        .map(|f| f.display().to_string())
        .collect();
    warnings.extend(
        precision
            .undetermined()
            .map(|names| format!("{}: the returns do not determine {names}", files.join(", "))),
    );
    warnings.iter().for_each(|warning| warn(warning));
    let mut parameters = serde_json::to_value(&calibrated.parameters)
        .map_err(|error| Error::Computation(format!("parameters as JSON: {error}")))?;
    if let Some(parameters) = parameters.as_object_mut() {
        parameters.remove("model");
    }
    let mut document = json!({
        "parameters": parameters,
        "standard_errors": precision.standard_errors,
        "drift": calibrated.drift,
        "at_bound": precision.at_bound,
        "not_identified": precision.not_identified,
        "warnings": warnings,
    });
    let named = parameters.as_object().into_iter().flatten();
    let mut lines: Vec<String> = named
        .filter_map(|(name, value)| Some(line(name, value.as_f64()?, errors, &precision)))
        .collect();
    // Without the sign of a zero.
    let rounded = |drift: f64| (1e4 * drift).round() / 1e4 + 0.0;
    lines.extend(
        calibrated
            .drift
            .map(|drift| format!("drift {:.4} a year", rounded(drift))),
    );
    for finding in &calibrated.findings {
        document[finding.key] = finding.value.clone();
        lines.extend(finding.text.clone());
    }
    lines.push(format!("closes {frequency}"));
    document["closes"] = json!(frequency);
    document["seconds"] = json!(seconds);
    Ok(Output {
        text: lines.join("\n"),
        document,
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
