//! `calibrate --surface`: Heston's parameters from implied volatilities.

use super::output::{Output, warn};
use super::reading::PriceFiles;
use super::values::day;
use crate::calibration::{Errors, HestonFit, Surface, SurfaceOptions, fit_heston};
use crate::error::{Error, Result};
use crate::market::VolatilityUnit;
use crate::market::history::{DateFormat, Decimal};
use crate::runs::precision::Precision;
use chrono::NaiveDate;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Instant;

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

/// Calibrates Heston's model to a file of implied volatilities.
pub fn run(path: &Path, files: &PriceFiles, reading: &Reading) -> Result<Output> {
    let raw = files.raw(None);
    if raw.repair.is_some() {
        return Err(Error::input(
            "--repair: says how to read --history; a surface's rows without a quote are dropped by themselves",
        ));
    }
    let date_format = raw.date_format.as_deref();
    let decimal = raw.decimal.as_deref();
    let options = SurfaceOptions {
        whole_weeks: reading.whole_weeks,
        columns: raw.columns.unwrap_or_default().into_iter().collect(),
        date_format: date_format
            .map(|text| DateFormat::parse("--date-format", text))
            .transpose()?,
        decimal: decimal
            .map(|text| Decimal::parse("--decimal", text))
            .transpose()?,
        date: reading.date,
        unit: reading.volatility_unit,
    };
    let surface = Surface::load(path, &options)?;
    let drops = surface.drops();
    let drops = drops.map(|drops| format!("{}: {drops}", path.display()));
    drops.iter().for_each(|drops| warn(drops));
    let errors = if reading.vega_weighted {
        Errors::Vega
    } else {
        Errors::ImpliedVolatility
    };
    let start = Instant::now();
    let fit = fit_heston(&surface, errors)?;
    let seconds = start.elapsed().as_secs_f64();
    let precision = Precision::new(
        &fit.at_bound,
        std::iter::empty(),
        fit.not_identified.iter().copied(),
    );
    let undetermined = precision
        .undetermined()
        .map(|names| format!("{}: the quotes do not determine {names}", path.display()));
    undetermined.iter().for_each(|warning| warn(warning));
    let warnings: Vec<&String> = drops.iter().chain(&undetermined).collect();
    let mut document = json!({
        "parameters": fit.parameters,
        "sum_squared_error": fit.sum_squared_error,
        "root_mean_square_error": fit.root_mean_square_error,
        "feller": fit.feller,
        "at_bound": precision.at_bound,
        "not_identified": precision.not_identified,
        "volatility_unit": surface.unit.name(),
        "dropped": surface.dropped,
        "warnings": warnings,
        "quotes": quotes(&surface, &fit),
        "seconds": seconds,
    });
    if let Some(date) = surface.date {
        document["date"] = json!(date.to_string());
    }
    Ok(Output {
        text: text(&surface, &fit, &precision),
        document,
    })
}

fn quotes(surface: &Surface, fit: &HestonFit) -> Vec<Value> {
    let pairs = surface.quotes.iter().zip(&fit.implied_volatilities);
    let quotes = pairs.map(|(quote, model)| {
        json!({
            "strike": quote.strike, "expiry_years": quote.expiry,
            "implied_volatility": quote.implied_volatility, "model": model,
        })
    });
    quotes.collect()
}

fn text(surface: &Surface, fit: &HestonFit, precision: &Precision) -> String {
    let p = fit.parameters;
    let (first, last) = surface.expiries();
    let mut text = format!(
        "v0 {:.4}\nkappa {:.3}\ntheta {:.4}\nsigma {:.3}\nrho {:.3}\n\
         {} quotes{}, expiries of {:.3} to {:.3} years, volatilities read as {}\n\
         root-mean-square error {:.2} volatility points, sum of squares {:.1}\nFeller's condition {}",
        p.v0,
        p.kappa,
        p.theta,
        p.sigma,
        p.rho,
        surface.quotes.len(),
        surface
            .date
            .map_or(String::new(), |date| format!(" of {date}")),
        first,
        last,
        match surface.unit {
            VolatilityUnit::Fraction => "fractions",
            VolatilityUnit::Percent => "percent",
        },
        fit.root_mean_square_error,
        fit.sum_squared_error,
        feller(fit.feller),
    );
    if let Some(names) = precision.undetermined() {
        text += &format!("\nnot determined by the quotes: {names}");
    }
    text
}

/// Whether Feller's condition holds, in words.
fn feller(holds: bool) -> &'static str {
    if holds { "holds" } else { "does not hold" }
}
