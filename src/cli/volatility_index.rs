//! `data surface` for closes and a volatility index: surfaces in the shape of another index's.

use super::output::{Output, warn};
use super::reading::PriceFiles;
use super::values::day;
use crate::error::{Error, Result, escaped};
use crate::market::History;
use crate::market::history::{Quantity, Reading};
use crate::numbers::{Rounding, counted};
use crate::pricing::SurfaceFactors;
use crate::quotes::{self, FactorDay, SurfaceShape, factor_file};
use chrono::NaiveDate;
use serde_json::json;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Which shape surfaces have whose level a volatility index gives.
#[derive(Debug, clap::Args)]
pub struct ShapeArguments {
    /// Of closes and a volatility index, as of NASDAQ100.csv and VXNCLS.csv: a file of surfaces of another index; each factor but the level becomes
    /// affine in the one-month volatility at the money and its mean over the half-year before, and the level is the one whose variance swap over a month
    /// has the volatility index.
    #[arg(long, value_name = "FILE")]
    shape: Option<PathBuf>,
    /// The last day of that file that counts; without it all do, whatever the days of the surfaces that are written.
    #[arg(long, value_name = "DATE", requires = "shape", value_parser = day)]
    shape_to: Option<NaiveDate>,
}

/// The days that gave a shape.
struct Shaped<'a> {
    file: &'a Path,
    days: usize,
    first: NaiveDate,
    last: NaiveDate,
    shape: SurfaceShape,
}

impl ShapeArguments {
    /// Whether there is a shape.
    pub fn given(&self) -> bool {
        self.shape.is_some()
    }

    /// Writes the surfaces of closes and a volatility index; nothing is done without a shape.
    ///
    /// # Errors
    /// What [`History::load_files`] and [`quotes::surfaces`] refuse; files without implied volatility; a shape of no day; a volatility index that no
    /// surface of the shape has; a place that cannot be written.
    pub fn surface(
        &self,
        files: &[PathBuf],
        output: &Path,
        reading: &PriceFiles,
        volatility_unit: Option<&str>,
    ) -> Option<Result<Output>> {
        let file = self.shape.as_deref()?;
        let reading = reading.reading(volatility_unit);
        Some(reading.and_then(|reading| written(files, output, &reading, &self.shaped(file)?)))
    }

    fn shaped<'a>(&self, file: &'a Path) -> Result<Shaped<'a>> {
        let mut history = quotes::surfaces(file, &Reading::default(), false)?;
        if let Some(last) = self.shape_to {
            history.retain(|date| date <= last);
        }
        let shape = SurfaceShape::fitted(&history.surface)
            .map_err(|error| Error::input(format!("{}: {error}", shown(file))))?;
        Ok(Shaped {
            file,
            days: history.len(),
            first: history.dates[0],
            last: history.dates[history.len() - 1],
            shape,
        })
    }
}

fn written(files: &[PathBuf], output: &Path, reading: &Reading, shaped: &Shaped) -> Result<Output> {
    let wanted = [Quantity::Close, Quantity::ImpliedVolatility];
    let history = History::load_files(files, &wanted, reading)?;
    history.warnings.iter().for_each(|warning| warn(warning));
    let Some(index) = history.values(Quantity::ImpliedVolatility) else {
        let names: Vec<String> = files.iter().map(|file| shown(file)).collect();
        return Err(Error::input(format!(
            "{}: no volatility index; name its file after that of the closes",
            names.join(", ")
        )));
    };
    let surfaces = shaped.shape.of_index(index);
    let surfaces = surfaces
        .map_err(|(day, error)| Error::input(format!("{}: {error}", history.dates[day])))?;
    let days: Vec<FactorDay> = history
        .dates
        .iter()
        .zip(&history.close)
        .zip(surfaces)
        .map(|((date, close), factors)| FactorDay {
            date: *date,
            close: *close,
            rate: None,
            factors,
        })
        .collect();
    quotes::write(output, &factor_file(&days))?;
    Ok(said(&days, output, shaped))
}

fn said(days: &[FactorDay], output: &Path, shaped: &Shaped) -> Output {
    let span = days.first().zip(days.last());
    let span = span.map(|(first, last)| [first.date.to_string(), last.date.to_string()]);
    let volatilities = days.iter().map(|day| day.factors.one_month());
    let low = volatilities.clone().fold(f64::INFINITY, f64::min);
    let high = volatilities.fold(0.0, f64::max);
    let mut text = format!("{}: {}", shown(output), counted(days.len(), "day"));
    // Writing to a string cannot fail.
    if let Some([first, last]) = &span {
        let _ = write!(text, ", {first} to {last}");
    }
    let written = |value: f64| Rounding::of_parameter(value).write(value);
    let _ = write!(
        text,
        "\none-month volatility at the money: {} to {}\nshape of {} of {}, {} to {}; factors at the volatility σ after days of the mean m:",
        written(low),
        written(high),
        counted(shaped.days, "day"),
        shown(shaped.file),
        shaped.first,
        shaped.last
    );
    let names = &SurfaceFactors::NAMES[1..];
    let lines = || names.iter().zip(&shaped.shape.lines);
    for (name, line) in lines() {
        let term = |value: f64| {
            let sign = if value < 0.0 { '−' } else { '+' };
            format!("{sign} {}", written(value.abs()))
        };
        let _ = write!(
            text,
            "\n  {name} = {} {} σ {} m, which explains {} % of its variance",
            written(line.intercept),
            term(line.gradient),
            term(line.reversion),
            (100.0 * line.explained).round()
        );
    }
    let shape: serde_json::Map<String, serde_json::Value> = lines()
        .map(|(name, line)| {
            let line = json!({
                "intercept": line.intercept,
                "gradient": line.gradient,
                "reversion": line.reversion,
                "explained": line.explained,
            });
            ((*name).to_owned(), line)
        })
        .collect();
    let [first, last] = span.map_or([None, None], |span| span.map(Some));
    Output {
        text,
        document: json!({
            "output": output.display().to_string(),
            "days": days.len(),
            "first": first,
            "last": last,
            "one_month_volatility": { "low": low, "high": high },
            "shape": {
                "file": shaped.file.display().to_string(),
                "days": shaped.days,
                "first": shaped.first.to_string(),
                "last": shaped.last.to_string(),
                "factors": shape,
            },
        }),
    }
}

/// The name of a file on one line.
fn shown(file: &Path) -> String {
    escaped(&file.display().to_string())
}
