//! `data`: price files and option chains, examined; surface files.

use super::book;
use super::chains::{self, ChainArguments};
use super::head;
use super::output::{Output, report};
use super::reading::PriceFiles;
use super::smile;
use super::volatility_index::ShapeArguments;
use crate::backtest::suggested_start;
use crate::error::{Error, Result, escaped, excerpt};
use crate::market::history::defects::Findings;
use crate::market::history::{FileInspection, Inspection, Quantity};
use crate::market::{History, VolatilityUnit};
use crate::numbers::{Rounding, counted, grouped};
use crate::pricing::SurfaceFactors;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// What is done with files of prices and of option quotes.
#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// Show what is understood of daily price files or of a file of implied-volatility surfaces, every defect with its row
    /// and column, and a date of first sale; of option chains, with the quotes that each rule drops, forwards and a fitted
    /// surface; of implied volatilities by strike and expiry; or of a book of contracts, which becomes a section of a
    /// strategy. Exit code 2 if there are defects that are not repaired, or
    /// no day has a surface.
    Check {
        /// CSV or Parquet files. Price files are joined by date: the first has the prices, further ones add implied
        /// volatility or variance. Or a file of surfaces of five factors, or chains, put one after the other.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        #[command(flatten)]
        reading: PriceFiles,
        /// Unit of implied volatilities, percent or fraction, where their size does not say it.
        #[arg(long, value_name = "UNIT")]
        volatility_unit: Option<String>,
        #[command(flatten)]
        chains: ChainArguments,
    },
    /// Show the names of a file's columns and its first rows as they stand, for `--columns`.
    Columns {
        /// CSV or Parquet file.
        file: PathBuf,
    },
    /// Write the implied-volatility surface of every day, as five factors: fitted to option chains (OptionsDX, Cboe end of
    /// day, OptionMetrics, ORATS, or by --columns), from the raw files of the public project DeepHedging_JIVR, or from closes and
    /// a volatility index in the shape of another index's surfaces (--shape).
    Surface {
        /// CSV or Parquet files of one underlying, such as those of several months.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// The file to write (CSV): date, close, rate (but of a volatility index), level, slope, moneyness, smile, smirk.
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
        #[command(flatten)]
        reading: PriceFiles,
        /// Unit of the files' own implied volatilities, percent or fraction, where their size does not say it.
        #[arg(long, value_name = "UNIT")]
        volatility_unit: Option<String>,
        #[command(flatten)]
        chains: ChainArguments,
        #[command(flatten)]
        shape: ShapeArguments,
    },
}

/// Examines files, or writes the surface that they make.
pub fn run(action: &Action, json: bool) -> Result<Output> {
    match action {
        Action::Check {
            files,
            reading,
            volatility_unit,
            chains,
        } => {
            let unit = volatility_unit.as_deref();
            if let Some(output) = book::check(files)? {
                return Ok(output);
            }
            let checked = match chains::check(files, reading, unit, chains) {
                // Strikes and expiries without a day of quotes are no chain, but a surface that models are calibrated to.
                Err(error) => match smile::check(files, reading, unit)? {
                    Some(output) => return Ok(output),
                    None => return Err(error),
                },
                Ok(checked) => checked,
            };
            match checked {
                None => check(files, reading, unit, json),
                Some((output, Ok(()))) => Ok(output),
                Some((output, Err(error))) => {
                    report(&output, json);
                    Err(error)
                }
            }
        }
        Action::Columns { file } => head::run(file),
        Action::Surface {
            files,
            output,
            reading,
            volatility_unit,
            chains,
            shape,
        } => {
            let unit = volatility_unit.as_deref();
            if let (true, Some(name)) = (shape.given(), chains.given()) {
                return Err(Error::input(format!(
                    "{name}: is an option for option chains, which have no --shape"
                )));
            }
            let made = shape.surface(files, output, reading, unit);
            made.unwrap_or_else(|| chains::surface(files, output, reading, unit, chains))
        }
    }
}

/// Examines price files.
fn check(
    files: &[PathBuf],
    reading: &PriceFiles,
    volatility_unit: Option<&str>,
    json: bool,
) -> Result<Output> {
    let reading = reading.reading(volatility_unit)?;
    let inspection = History::inspect(files, &Quantity::ALL, &reading)?;
    let output = Output {
        text: text(&inspection),
        document: document(&inspection),
    };
    let refused = inspection.defects.refused();
    let days = inspection.history.require_days();
    if refused == 0 && days.is_ok() {
        return Ok(output);
    }
    // What was found is the result; the exit code says that it cannot be used as it is.
    report(&output, json);
    if refused == 0 {
        return days.map(|()| output);
    }
    let names: Vec<String> = files.iter().map(|file| shown(file)).collect();
    Err(Error::input(format!(
        "{}: {}",
        names.join(", "),
        counted(refused, "defect")
    )))
}

/// The name of a file on one line.
fn shown(file: &Path) -> String {
    escaped(&file.display().to_string())
}

fn text(inspection: &Inspection) -> String {
    let Inspection {
        history,
        defects,
        files,
    } = inspection;
    let mut text = String::new();
    // Writing to a string cannot fail.
    let mut line = |line: String| {
        let _ = writeln!(text, "{line}");
    };
    for (file, inspected) in history.files.iter().zip(files) {
        let FileInspection {
            rows,
            span,
            volatility_unit,
            notes,
        } = inspected;
        let span = span.map_or(String::new(), |(from, to)| format!(", {from} to {to}"));
        let unit = match volatility_unit {
            Some(VolatilityUnit::Percent) => ", volatility in percent",
            Some(VolatilityUnit::Fraction) => ", volatility as a fraction",
            None => "",
        };
        let rows = counted(*rows, "row");
        line(format!("{}: {rows}{span}{unit}", shown(file)));
        notes.iter().for_each(|note| line(format!("  {note}")));
    }
    line(format!("dates from \"{}\"", excerpt(&history.date_column)));
    for (label, column, values) in columns(history) {
        let span = range(&values).map_or("no values".into(), |(low, high)| {
            format!("{} to {}", value(low), value(high))
        });
        line(format!("{label} from \"{}\": {span}", excerpt(column)));
    }
    if let Some([low, high]) = one_month(history) {
        line(format!(
            "surfaces of five factors; one-month volatility at the money: {} to {}",
            value(low),
            value(high)
        ));
    }
    if let (Some(first), Some(last)) = (history.dates.first(), history.dates.last()) {
        let days = counted(history.len(), "day");
        let missing = counted(history.weekdays_missing(), "weekday");
        line(format!("{days}, {first} to {last}; {missing} without one"));
        line(format!("closes {}", history.frequency()));
    }
    if let Some((from, to)) = history.longest_gap() {
        let days = counted((to - from).num_days() as usize, "day");
        line(format!("longest gap: {days}, from {from} to {to}"));
    }
    if let Some((date, closes)) = suggested_start(history) {
        let closes = counted(closes, "close");
        line(format!(
            "suggested first sale {date}, {closes} before it to estimate from"
        ));
    }
    for warning in &history.warnings {
        line(format!("warning: {warning}"));
    }
    for (kind, findings) in defects.iter() {
        let Findings {
            count,
            repaired,
            examples,
            ..
        } = findings;
        let fate = match count - repaired {
            0 => "repaired: ".to_string(),
            refused if *repaired == 0 => format!("{} refused; --repair would: ", grouped(refused)),
            refused => format!(
                "{} repaired, {} refused: ",
                grouped(*repaired),
                grouped(refused)
            ),
        };
        let (kind, repair) = (kind.name(), kind.repair());
        line(format!("{kind} ({}): {fate}{repair}", grouped(*count)));
        for defect in examples {
            line(format!(
                "  {}: row {}, column \"{}\": {}",
                shown(&defect.file),
                defect.row,
                excerpt(&defect.column),
                defect.what
            ));
        }
        if *count > examples.len() {
            line(format!("  and {} more", grouped(count - examples.len())));
        }
    }
    if defects.iter().next().is_none() {
        line("no defects".into());
    }
    text.truncate(text.trim_end().len());
    text
}

fn columns(history: &History) -> Vec<(&'static str, &str, Vec<f64>)> {
    let close = (
        Quantity::Close.label(),
        history.close_column.as_str(),
        history.close.clone(),
    );
    let others = history.series.iter();
    let others = others.map(|s| (s.quantity.label(), s.column.as_str(), s.values.clone()));
    let rate = (
        Quantity::Rate.label(),
        Quantity::Rate.key(),
        history.rate.clone(),
    );
    let factors = SurfaceFactors::NAMES.into_iter().enumerate();
    let factors = factors.map(|(place, name)| {
        let values = history.surface.iter().map(|of| of.to_array()[place]);
        (name, name, values.collect())
    });
    let surface = std::iter::once(rate).chain(factors);
    let there = |(_, _, values): &(&str, &str, Vec<f64>)| !values.is_empty();
    // A price file of no rows has its closes told, a file of surfaces may have none.
    let closes = std::iter::once(close).filter(|_| !history.close_column.is_empty());
    closes.chain(others).chain(surface.filter(there)).collect()
}

/// The first and the last days as they are read, each with its date and what [`columns`] lists.
fn days_read(history: &History) -> Vec<Value> {
    const SHOWN: usize = 3;
    let columns = columns(history);
    let days = history.len();
    let shown = (0..days.min(SHOWN)).chain(days.saturating_sub(SHOWN).max(SHOWN)..days);
    let day = |day: usize| {
        let values: Vec<f64> = columns.iter().map(|(_, _, values)| values[day]).collect();
        json!({ "date": history.dates[day].to_string(), "values": values })
    };
    shown.map(day).collect()
}

/// The least and the greatest one-month volatility at the money, if there are surfaces.
fn one_month(history: &History) -> Option<[f64; 2]> {
    let volatilities = history.surface.iter().map(SurfaceFactors::one_month);
    let (low, high) = range(&volatilities.collect::<Vec<f64>>())?;
    Some([low, high])
}

/// Volumes without decimal places, which they have none of.
fn value(value: f64) -> String {
    if value >= 1e6 && value.fract() == 0.0 {
        grouped(value as usize)
    } else {
        Rounding::of_parameter(value).write(value)
    }
}

/// The least and the greatest of `values`, if there are any.
fn range(values: &[f64]) -> Option<(f64, f64)> {
    let low = values.iter().copied().reduce(f64::min);
    low.zip(values.iter().copied().reduce(f64::max))
}

fn document(inspection: &Inspection) -> Value {
    let Inspection {
        history,
        defects,
        files,
    } = inspection;
    let files: Vec<Value> = history
        .files
        .iter()
        .zip(files)
        .map(|(file, inspected)| {
            let span = inspected.span;
            let mut file = json!({
                // Names of files need not be Unicode.
                "file": file.display().to_string(),
                "rows": inspected.rows,
                "first": span.map(|(first, _)| first.to_string()),
                "last": span.map(|(_, last)| last.to_string()),
                "notes": inspected.notes,
            });
            if let Some(unit) = inspected.volatility_unit {
                file["volatility_unit"] = json!(unit.name());
            }
            file
        })
        .collect();
    let columns: Vec<Value> = columns(history)
        .into_iter()
        .map(|(label, column, values)| {
            let (low, high) = range(&values).unzip();
            json!({ "quantity": label, "column": column, "low": low, "high": high })
        })
        .collect();
    let defects: Vec<Value> = defects
        .iter()
        .map(|(kind, findings)| {
            json!({
                "kind": kind,
                "count": findings.count,
                "repaired": findings.repaired == findings.count,
                "repaired_count": findings.repaired,
                "repair": kind.repair(),
                "examples": findings.examples,
            })
        })
        .collect();
    let gap = history.longest_gap();
    let mut document = json!({
        "files": files,
        "date_column": history.date_column,
        "columns": columns,
        "days": history.len(),
        "closes": history.frequency(),
        "weekdays_missing": history.weekdays_missing(),
        "days_read": days_read(history),
        "longest_gap": gap.map(|(from, to)| json!({
            "from": from.to_string(), "to": to.to_string(), "days": (to - from).num_days(),
        })),
        "warnings": history.warnings,
        "defects": defects,
    });
    if let Some((date, closes)) = suggested_start(history) {
        document["suggested_start"] = json!({ "date": date.to_string(), "closes_before": closes });
    }
    if let Some([low, high]) = one_month(history) {
        document["one_month_volatility"] = json!({ "low": low, "high": high });
    }
    document
}
