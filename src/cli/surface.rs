//! `calibrate --surface`: Heston's parameters, or the slices of a local volatility, from implied volatilities.

use super::output::{Output, warn};
use super::reading::PriceFiles;
use super::values::day;
use crate::calibration::{
    Errors, FittedModel, HestonFit, LEAST_QUOTES, Quote, Surface, SurfaceOptions, fit_heston,
    fit_svi,
};
use crate::error::{Error, Result};
use crate::market::VolatilityUnit;
use crate::market::history::{DateFormat, Decimal};
use crate::pricing::svi::SviSlice;
use crate::quotes::Format;
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

/// Calibrates a model to a file of implied volatilities.
pub fn run(
    path: &Path,
    model: FittedModel,
    files: &PriceFiles,
    reading: &Reading,
) -> Result<Output> {
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
    let surface = Surface::load(path, &options).map_err(|error| match Format::vendor(path) {
        Some(vendor) => Error::input(format!(
            "{error}; a chain of {vendor} becomes a surface of every day by `deephedge data surface`"
        )),
        None => error,
    })?;
    let drops = surface.drops();
    let drops = drops.map(|drops| format!("{}: {drops}", path.display()));
    drops.iter().for_each(|drops| warn(drops));
    match model {
        FittedModel::Heston => heston(path, &surface, drops, reading),
        FittedModel::LocalVolatility if reading.vega_weighted => Err(Error::input(
            "--vega-weighted: the slices of a local volatility are fitted to implied volatilities",
        )),
        FittedModel::LocalVolatility => local_volatility(path, &surface, drops),
    }
}

/// How a file of implied volatilities is read: what is said of files of prices counts for it too.
///
/// # Errors
/// In one line: the option, the value and the choices.
pub fn options(files: &PriceFiles, volatility_unit: Option<&str>) -> Result<SurfaceOptions> {
    let raw = files.raw(volatility_unit);
    let (date_format, decimal) = (raw.date_format.as_deref(), raw.decimal.as_deref());
    Ok(SurfaceOptions {
        whole_weeks: false,
        columns: raw.columns.unwrap_or_default().into_iter().collect(),
        date_format: date_format
            .map(|text| DateFormat::parse("--date-format", text))
            .transpose()?,
        decimal: decimal
            .map(|text| Decimal::parse("--decimal", text))
            .transpose()?,
        date: None,
        unit: volatility_unit
            .map(|text| VolatilityUnit::parse("--volatility-unit", text))
            .transpose()?,
    })
}

/// The slices of a local volatility, as the section of a strategy.
fn local_volatility(path: &Path, surface: &Surface, drops: Option<String>) -> Result<Output> {
    let start = Instant::now();
    let fit = fit_svi(surface).map_err(|error| match error {
        Error::Input(what) => Error::input(format!("{}: {what}", path.display())),
        Error::Computation(what) => Error::Computation(format!("{}: {what}", path.display())),
        error => error,
    })?;
    let seconds = start.elapsed().as_secs_f64();
    let few = fit.without_slice.iter().map(|(days, quotes)| {
        format!(
            "{}: the expiry of {days:.1} days has {quotes} quotes and no slice, which takes {LEAST_QUOTES}",
            path.display()
        )
    });
    let few: Vec<String> = few.collect();
    few.iter().for_each(|warning| warn(warning));
    let warnings: Vec<&String> = drops.iter().chain(&few).collect();
    let pairs = fit.implied_volatilities.iter();
    let mut document = json!({
        "parameters": { "slices": fit.slices },
        "sum_squared_error": fit.sum_squared_error,
        "root_mean_square_error": fit.root_mean_square_error,
        "volatility_unit": surface.unit.name(),
        "dropped": surface.dropped,
        "warnings": warnings,
        "quotes": quotes(pairs.map(|(quote, found)| (quote, *found))),
        "seconds": seconds,
    });
    if let Some(date) = surface.date {
        document["date"] = json!(date.to_string());
    }
    let slice = |s: &SviSlice| {
        let SviSlice {
            days,
            a,
            b,
            rho,
            m,
            sigma,
        } = s;
        format!(
            "  {{ days = {days:?}, a = {a:?}, b = {b:?}, rho = {rho:?}, m = {m:?}, sigma = {sigma:?} }},"
        )
    };
    let slices: Vec<String> = fit.slices.iter().map(slice).collect();
    let text = format!(
        "# {}\n# root-mean-square error {:.2} volatility points, no arbitrage\n\
         [market]\nmodel = \"local_volatility\"\nslices = [\n{}\n]",
        described(surface),
        fit.root_mean_square_error,
        slices.join("\n"),
    );
    Ok(Output { text, document })
}

/// Heston's parameters.
fn heston(
    path: &Path,
    surface: &Surface,
    drops: Option<String>,
    reading: &Reading,
) -> Result<Output> {
    let errors = if reading.vega_weighted {
        Errors::Vega
    } else {
        Errors::ImpliedVolatility
    };
    let start = Instant::now();
    let fit = fit_heston(surface, errors)?;
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
        "quotes": quotes(surface.quotes.iter().zip(fit.implied_volatilities.iter().copied())),
        "seconds": seconds,
    });
    if let Some(date) = surface.date {
        document["date"] = json!(date.to_string());
    }
    Ok(Output {
        text: text(surface, &fit, &precision),
        document,
    })
}

/// The quotes with the volatilities of what was fitted.
fn quotes<'a>(pairs: impl Iterator<Item = (&'a Quote, f64)>) -> Vec<Value> {
    let quotes = pairs.map(|(quote, model)| {
        let mut document = quote_document(quote);
        document["model"] = json!(model);
        document
    });
    quotes.collect()
}

/// A quote as it is read.
pub fn quote_document(quote: &Quote) -> Value {
    json!({
        "strike": quote.strike, "expiry_years": quote.expiry,
        "implied_volatility": quote.implied_volatility,
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

fn text(surface: &Surface, fit: &HestonFit, precision: &Precision) -> String {
    let p = fit.parameters;
    let mut text = format!(
        "v0 {:.4}\nkappa {:.3}\ntheta {:.4}\nsigma {:.3}\nrho {:.3}\n{}\n\
         root-mean-square error {:.2} volatility points, sum of squares {:.1}\nFeller's condition {}",
        p.v0,
        p.kappa,
        p.theta,
        p.sigma,
        p.rho,
        described(surface),
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
