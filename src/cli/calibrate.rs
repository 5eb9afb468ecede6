//! `calibrate`: parameters of a model from closes; those from implied volatilities are in [`super::surface`].

use super::output::{Output, warn};
use super::reading::PriceFiles;
use super::surface::{self, feller};
use crate::error::{Error, Result};
use crate::market::History;
use crate::market::estimation::{StandardErrors, estimate_gbm, estimate_heston, estimate_merton};
use crate::market::history::{Frequency, Quantity};
use crate::runs::precision::Precision;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// A model to calibrate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ModelName {
    /// Geometric Brownian motion.
    Gbm,
    Heston,
    /// Merton's jump diffusion.
    Merton,
}

/// What to calibrate, and to what.
#[derive(Debug, clap::Args)]
pub struct Calibration {
    /// The model; the parameters of `gbm` and `merton` come from --history alone.
    #[arg(value_enum, default_value_t = ModelName::Heston)]
    model: ModelName,
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
        (None, Some(path)) if calibration.model == ModelName::Heston => {
            surface::run(path, &calibration.files, &calibration.reading)
        }
        (None, Some(_)) => Err(Error::input(
            "--surface: only the model \"heston\" is calibrated to implied volatilities",
        )),
        (None, None) => unreachable!("the command line requires one"),
    }
}

/// A calibrated model.
struct Calibrated {
    /// Names, values and decimals.
    parameters: Vec<(&'static str, f64, usize)>,
    standard_errors: StandardErrors,
    at_bound: Vec<&'static str>,
    drift: f64,
    /// Further keys of the document and lines of the text.
    further: Vec<(&'static str, Value, String)>,
}

fn history(path: &Path, calibration: &Calibration) -> Result<Output> {
    let reading = calibration.files.reading(None)?;
    let history = History::load_files(&[path.into()], &[Quantity::Close], &reading)?;
    let found = history.frequency();
    let given = calibration.days_per_year;
    let frequency = given.map_or(found, |days| found.counted_as(days));
    let start = Instant::now();
    let (returns, per_year) = (history.log_returns(), frequency.observations_per_year);
    let calibrated = match calibration.model {
        ModelName::Gbm => gbm(&returns, per_year),
        ModelName::Heston => heston(&returns, per_year),
        ModelName::Merton => merton(&returns, per_year),
    };
    let calibrated = calibrated.map_err(|error| match (error, history.dates.as_slice()) {
        (Error::Input(what), [first, .., last]) => Error::input(format!(
            "{}: closes of {first} to {last}: {what}",
            path.display()
        )),
        (error, _) => error,
    })?;
    let seconds = start.elapsed().as_secs_f64();
    Ok(output(&history, &calibrated, &frequency, seconds))
}

fn gbm(returns: &[f64], per_year: f64) -> Result<Calibrated> {
    let found = estimate_gbm(returns, per_year)?;
    Ok(Calibrated {
        parameters: vec![("volatility", found.volatility, 4)],
        standard_errors: found.standard_errors(),
        at_bound: Vec::new(),
        drift: found.drift,
        further: Vec::new(),
    })
}

fn merton(returns: &[f64], per_year: f64) -> Result<Calibrated> {
    let found = estimate_merton(returns, per_year)?;
    let p = found.parameters;
    let (with, without) = (found.log_likelihood, found.log_likelihood_without_jumps);
    Ok(Calibrated {
        parameters: vec![
            ("volatility", p.volatility, 4),
            ("jump_intensity", p.jump_intensity, 2),
            ("log_jump_mean", p.log_jump_mean, 5),
            ("log_jump_std", p.log_jump_std, 5),
        ],
        standard_errors: found.standard_errors,
        at_bound: found.at_bound,
        drift: found.drift,
        further: vec![
            (
                "log_likelihood",
                json!(with),
                format!("log likelihood {with:.1}, without jumps {without:.1}"),
            ),
            (
                "log_likelihood_without_jumps",
                json!(without),
                String::new(),
            ),
        ],
    })
}

fn heston(returns: &[f64], per_year: f64) -> Result<Calibrated> {
    let found = estimate_heston(returns, per_year)?;
    let p = found.parameters;
    Ok(Calibrated {
        parameters: vec![
            ("v0", p.v0, 4),
            ("kappa", p.kappa, 3),
            ("theta", p.theta, 4),
            ("sigma", p.sigma, 3),
            ("rho", p.rho, 3),
        ],
        standard_errors: found.standard_errors,
        at_bound: found.at_bound,
        drift: found.drift,
        further: vec![
            (
                "log_likelihood",
                json!(found.log_likelihood),
                format!("log likelihood {:.1}", found.log_likelihood),
            ),
            (
                "feller",
                json!(found.feller),
                format!("Feller's condition {}", feller(found.feller)),
            ),
        ],
    })
}

fn output(
    history: &History,
    calibrated: &Calibrated,
    frequency: &Frequency,
    seconds: f64,
) -> Output {
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
    let parameters = calibrated.parameters.iter();
    let values: serde_json::Map<String, Value> = parameters
        .map(|(name, value, _)| ((*name).to_owned(), json!(value)))
        .collect();
    let mut document = json!({
        "parameters": values,
        "standard_errors": precision.standard_errors,
        "drift": calibrated.drift,
        "at_bound": precision.at_bound,
        "not_identified": precision.not_identified,
        "warnings": warnings,
    });
    let mut lines: Vec<String> = calibrated
        .parameters
        .iter()
        .map(|&(name, value, decimals)| line(name, value, decimals, errors, &precision))
        .collect();
    // Without the sign of a zero.
    let drift = (1e4 * calibrated.drift).round() / 1e4 + 0.0;
    lines.push(format!("drift {drift:.4} a year"));
    for (key, value, text) in &calibrated.further {
        document[*key] = value.clone();
        lines.extend((!text.is_empty()).then(|| text.clone()));
    }
    lines.push(format!("closes {frequency}"));
    document["closes"] = json!(frequency);
    document["seconds"] = json!(seconds);
    Output {
        text: lines.join("\n"),
        document,
    }
}

/// A parameter with its standard error, or why it has none.
fn line(
    name: &str,
    value: f64,
    decimals: usize,
    errors: &StandardErrors,
    precision: &Precision,
) -> String {
    // Those of a calm market need more decimals than those of a share: three digits at least.
    let digits = match value.abs() {
        size if size > 0.0 => (2 - size.log10().floor() as i32).clamp(0, 17) as usize,
        _ => 0,
    };
    let decimals = decimals.max(digits);
    let is = |names: &[String]| names.iter().any(|known| known == name);
    let after = match errors.of(name) {
        Some(error) => format!(" ± {error:.decimals$}"),
        None if is(&precision.at_bound) => ", on a bound of the search".into(),
        None if is(&precision.not_identified) => ", not identified".into(),
        None => String::new(),
    };
    format!("{name} {value:.decimals$}{after}")
}
