//! `data` for files of option chains: what is understood of them, and the surface file that they make.

mod document;
mod shown;
mod text;

use super::output::{Output, warn};
use super::reading::PriceFiles;
use crate::error::{Error, Result, escaped};
use crate::market::VolatilityUnit;
use crate::market::history::{DateFormat, Decimal};
use crate::numbers::counted;
use crate::quotes::raw::{self, RawSurface};
use crate::quotes::{
    self, Calendar, ChainOptions, ChainReport, Chains, Cleaning, QuoteSettings, Rule, SurfaceFit,
    factor_file,
};
use document::document;
use serde_json::json;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use text::text;

/// How option chains are read, cleaned and fitted.
#[derive(Debug, clap::Args)]
pub struct ChainArguments {
    /// Of option chains with several underlyings: the one whose options are taken, such as SPX.
    #[arg(long, value_name = "NAME")]
    underlying: Option<String>,
    /// Of option chains: what is fitted to each day, factors (five of them) or svi (a slice for every expiry).
    #[arg(long, value_name = "FIT", value_parser = fit)]
    fit: Option<SurfaceFit>,
    /// Of option chains: which days are trading days, new_york or weekdays.
    #[arg(long, value_name = "CALENDAR", value_parser = calendar)]
    calendar: Option<Calendar>,
    /// Of option chains: rules of cleaning that are not kept to, separated by commas, of intraday, duplicate, no_bid, crossed, wide, short,
    /// long, bounds, stale.
    #[arg(long, value_name = "RULES", value_delimiter = ',', value_parser = rule)]
    without: Option<Vec<Rule>>,
    /// Of option chains: the most that the ask may be above the bid, as a share of the price half-way; 0.5 unless given.
    #[arg(long, value_name = "SHARE")]
    widest_spread: Option<f64>,
    /// Of option chains: the fewest trading days to expiry; 5 unless given.
    #[arg(long, value_name = "DAYS")]
    least_days: Option<f64>,
    /// Of option chains: the most trading days to expiry; 756 unless given.
    #[arg(long, value_name = "DAYS")]
    most_days: Option<f64>,
}

fn fit(text: &str) -> Result<SurfaceFit, String> {
    SurfaceFit::named(text).ok_or_else(|| choices(SurfaceFit::ALL.iter().map(|of| of.0)))
}

fn calendar(text: &str) -> Result<Calendar, String> {
    Calendar::named(text).ok_or_else(|| choices(Calendar::ALL.iter().map(|of| of.0)))
}

fn rule(text: &str) -> Result<Rule, String> {
    let optional = Rule::all().filter(|rule| !rule.is_needed());
    Rule::named(text)
        .filter(|rule| !rule.is_needed())
        .ok_or_else(|| choices(optional.map(Rule::name)))
}

fn choices<'a>(names: impl Iterator<Item = &'a str>) -> String {
    format!("must be one of {}", names.collect::<Vec<_>>().join(", "))
}

impl ChainArguments {
    /// The first option that is given, by its name.
    pub fn given(&self) -> Option<&'static str> {
        let Self {
            underlying,
            fit,
            calendar,
            without,
            widest_spread,
            least_days,
            most_days,
        } = self;
        let given = [
            ("--underlying", underlying.is_some()),
            ("--fit", fit.is_some()),
            ("--calendar", calendar.is_some()),
            ("--without", without.is_some()),
            ("--widest-spread", widest_spread.is_some()),
            ("--least-days", least_days.is_some()),
            ("--most-days", most_days.is_some()),
        ];
        given
            .iter()
            .find(|(_, given)| *given)
            .map(|(name, _)| *name)
    }

    fn settings(&self) -> QuoteSettings {
        let usual = Cleaning::default();
        QuoteSettings {
            cleaning: Cleaning {
                widest: self.widest_spread.unwrap_or(usual.widest),
                least_days: self.least_days.unwrap_or(usual.least_days),
                most_days: self.most_days.unwrap_or(usual.most_days),
                off: self.without.clone().unwrap_or_default(),
            },
            calendar: self.calendar.unwrap_or_default(),
            fit: self.fit.unwrap_or_default(),
        }
    }
}

/// How the files are to be read.
fn options(
    files: &PriceFiles,
    volatility_unit: Option<&str>,
    arguments: &ChainArguments,
) -> Result<ChainOptions> {
    let raw = files.raw(volatility_unit);
    let given = |text: Option<&str>| text.map(str::to_owned);
    let (date_format, decimal) = (
        given(raw.date_format.as_deref()),
        given(raw.decimal.as_deref()),
    );
    Ok(ChainOptions {
        columns: raw.columns.unwrap_or_default().into_iter().collect(),
        date_format: date_format
            .map(|text| DateFormat::parse("--date-format", &text))
            .transpose()?,
        decimal: decimal
            .map(|text| Decimal::parse("--decimal", &text))
            .transpose()?,
        volatility_unit: volatility_unit
            .map(|text| VolatilityUnit::parse("--volatility-unit", text))
            .transpose()?,
        underlying: arguments.underlying.clone(),
    })
}

/// What `data check` says of files of option chains; nothing of other files, for which options of chains are refused.
///
/// # Errors
/// What [`Chains::load`] refuses, and options of chains for other files.
pub fn check(
    files: &[PathBuf],
    reading: &PriceFiles,
    volatility_unit: Option<&str>,
    arguments: &ChainArguments,
) -> Result<Option<(Output, Result<()>)>> {
    let options = options(reading, volatility_unit, arguments)?;
    let first = files.first().map_or(Path::new(""), PathBuf::as_path);
    if !Chains::recognise(first, &options)? {
        return match arguments.given() {
            None => Ok(None),
            Some(name) => Err(Error::input(format!(
                "{name}: is an option for option chains, {} has none",
                shown(first)
            ))),
        };
    }
    let report = report(files, reading, &options, arguments)?;
    let output = Output {
        text: text(&report),
        document: document(&report),
    };
    Ok(Some((output, usable(files, &report))))
}

/// Writes the surface file of chains, or of the raw files of the published study.
///
/// # Errors
/// What [`Chains::load`] and [`raw::load`] refuse; chains of which no day has a surface; a place that cannot be written.
pub fn surface(
    files: &[PathBuf],
    output: &Path,
    reading: &PriceFiles,
    volatility_unit: Option<&str>,
    arguments: &ChainArguments,
) -> Result<Output> {
    let first = files.first().map_or(Path::new(""), PathBuf::as_path);
    if raw::is_raw(first)? {
        if let Some(name) = arguments.given() {
            let what = format!(
                "{name}: is an option for option chains, {} has none",
                shown(first)
            );
            return Err(Error::input(what));
        }
        return of_raw(&raw::load(files)?, output);
    }
    let options = options(reading, volatility_unit, arguments)?;
    if !Chains::recognise(first, &options)? {
        return Err(Error::input(format!(
            "{}: is neither a chain of options (strike and expiry in columns) nor a raw file of factors or of closes with rates; closes with a volatility index take --shape",
            shown(first)
        )));
    }
    let report = report(files, reading, &options, arguments)?;
    usable(files, &report)?;
    quotes::write(output, &report.surface_file())?;
    let mut document = document(&report);
    document["output"] = json!(output.display().to_string());
    let days = report.fitted().count();
    Ok(Output {
        text: format!(
            "{}\n{}: {}",
            text(&report),
            shown(output),
            counted(days, "day")
        ),
        document,
    })
}

fn report(
    files: &[PathBuf],
    reading: &PriceFiles,
    options: &ChainOptions,
    arguments: &ChainArguments,
) -> Result<ChainReport> {
    if reading.raw(None).repair.is_some() {
        return Err(Error::input(
            "--repair: is an option for price files; quotes of chains are dropped by named rules, which --without leaves out",
        ));
    }
    let settings = arguments.settings();
    settings.cleaning.check()?;
    let report = ChainReport::of(Chains::load(files, options)?, &settings)?;
    let unfitted: Vec<(String, &str)> = report
        .unfitted()
        .map(|(date, why)| (date.to_string(), why))
        .collect();
    if let Some((date, why)) = unfitted.first() {
        warn(&format!(
            "{} without a surface, the first {date}: {why}",
            counted(unfitted.len(), "day")
        ));
    }
    Ok(report)
}

/// Whether any day has a surface.
fn usable(files: &[PathBuf], report: &ChainReport) -> Result<()> {
    if report.fitted().next().is_some() {
        return Ok(());
    }
    let why = report.unfitted().next();
    let why = why.map_or("it has no quotes".to_owned(), |(date, why)| {
        format!("{date}: {why}")
    });
    let names: Vec<String> = files.iter().map(|file| shown(file)).collect();
    Err(Error::input(format!(
        "{}: no day has a surface, {why}",
        names.join(", ")
    )))
}

fn of_raw(surface: &RawSurface, output: &Path) -> Result<Output> {
    let RawSurface {
        days,
        unmatched,
        passed_over,
    } = surface;
    quotes::write(output, &factor_file(days))?;
    let span = days.first().zip(days.last());
    let mut text = format!("{}: {}", shown(output), counted(days.len(), "day"));
    if let Some((first, last)) = span {
        let _ = write!(text, ", {} to {}", first.date, last.date);
    }
    if *unmatched > 0 {
        let _ = write!(text, "; {} in one file alone", counted(*unmatched, "day"));
    }
    for path in passed_over {
        let _ = write!(text, "\n{}: not needed", shown(path));
    }
    let files: Vec<String> = passed_over
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    Ok(Output {
        text,
        document: json!({
            "output": output.display().to_string(),
            "days": days.len(),
            "first": span.map(|(first, _)| first.date.to_string()),
            "last": span.map(|(_, last)| last.date.to_string()),
            "unmatched": unmatched,
            "passed_over": files,
        }),
    })
}

/// The name of a file on one line.
fn shown(file: &Path) -> String {
    escaped(&file.display().to_string())
}
