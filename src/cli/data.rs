use super::{Output, report};
use crate::error::{Error, Result};
use crate::market::History;
use crate::market::history::defects::Findings;
use crate::market::history::{Inspection, Quantity, Repairs};
use crate::report::table::grouped;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::PathBuf;

#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// Show what is understood of daily price files, and every defect with its row and column. Exit code 2 if
    /// there are defects that are not repaired.
    Check {
        /// CSV or Parquet files, joined by date: the first has the prices, further ones add implied volatility or
        /// variance.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Kinds of defects to repair, separated by commas; the output names them.
        #[arg(long, value_delimiter = ',')]
        repair: Vec<String>,
    },
}

pub fn run(action: &Action, json: bool) -> Result<Output> {
    let Action::Check { files, repair } = action;
    let repairs = Repairs::parse("--repair", repair)?;
    let inspection = History::inspect(files, &Quantity::ALL, &repairs)?;
    let output = Output {
        text: text(&inspection, &repairs),
        document: document(&inspection, &repairs),
    };
    let refused = inspection.defects.refused(&repairs);
    let days = inspection.history.require_days();
    if refused == 0 && days.is_ok() {
        return Ok(output);
    }
    // What was found is the result; the exit code says that it cannot be used as it is.
    report(&output, json);
    if refused == 0 {
        return days.map(|()| output);
    }
    let names: Vec<String> = files
        .iter()
        .map(|file| file.display().to_string())
        .collect();
    Err(Error::input(format!(
        "{}: {} {}",
        names.join(", "),
        grouped(refused),
        if refused == 1 { "defect" } else { "defects" }
    )))
}

fn text(inspection: &Inspection, repairs: &Repairs) -> String {
    let Inspection {
        history,
        defects,
        files,
        percent,
    } = inspection;
    let mut text = String::new();
    // Writing to a string cannot fail.
    let mut line = |line: String| {
        let _ = writeln!(text, "{line}");
    };
    for (file, (rows, span)) in history.files.iter().zip(files) {
        let span = span.map_or(String::new(), |(from, to)| format!(", {from} to {to}"));
        let unit = if percent.contains(file) {
            ", volatility in percent"
        } else {
            ""
        };
        let rows = counted(*rows, "row");
        line(format!("{}: {rows}{span}{unit}", file.display()));
    }
    line(format!("dates from \"{}\"", history.date_column));
    for (label, column, values) in columns(history) {
        let span = range(values).map_or("no values".into(), |(low, high)| {
            format!("{} to {}", value(low), value(high))
        });
        line(format!("{label} from \"{column}\": {span}"));
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
    for (kind, Findings { count, examples }) in defects.iter() {
        let fate = if repairs.contains(kind) {
            "repaired: "
        } else {
            ""
        };
        let or = if repairs.contains(kind) {
            ""
        } else {
            "refused; --repair would: "
        };
        line(format!(
            "{} ({}): {fate}{or}{}",
            kind.name(),
            grouped(*count),
            kind.repair()
        ));
        for defect in examples {
            line(format!(
                "  {}: row {}, column \"{}\": {}",
                defect.file.display(),
                defect.row,
                defect.column,
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

fn columns(history: &History) -> Vec<(&'static str, &str, &[f64])> {
    let close = (
        Quantity::Close.label(),
        history.close_column.as_str(),
        history.close.as_slice(),
    );
    let others = history.series.iter();
    std::iter::once(close)
        .chain(others.map(|s| (s.quantity.label(), s.column.as_str(), s.values.as_slice())))
        .collect()
}

/// `1 row`, `5 031 rows`.
fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// Volumes without decimal places, which they have none of.
fn value(value: f64) -> String {
    if value >= 1e6 && value.fract() == 0.0 {
        grouped(value as usize)
    } else {
        format!("{value:.4}")
    }
}

/// The least and the greatest of `values`, if there are any.
fn range(values: &[f64]) -> Option<(f64, f64)> {
    let low = values.iter().copied().reduce(f64::min);
    low.zip(values.iter().copied().reduce(f64::max))
}

fn document(inspection: &Inspection, repairs: &Repairs) -> Value {
    let Inspection {
        history,
        defects,
        files,
        percent,
    } = inspection;
    let files: Vec<Value> = history
        .files
        .iter()
        .zip(files)
        .map(|(file, (rows, span))| {
            json!({
                "file": file,
                "rows": rows,
                "first": span.map(|(first, _)| first.to_string()),
                "last": span.map(|(_, last)| last.to_string()),
                "volatility_in_percent": percent.contains(file),
            })
        })
        .collect();
    let columns: Vec<Value> = columns(history)
        .into_iter()
        .map(|(label, column, values)| {
            let (low, high) = range(values).unzip();
            json!({ "quantity": label, "column": column, "low": low, "high": high })
        })
        .collect();
    let defects: Vec<Value> = defects
        .iter()
        .map(|(kind, findings)| {
            json!({
                "kind": kind,
                "count": findings.count,
                "repaired": repairs.contains(kind),
                "repair": kind.repair(),
                "examples": findings.examples,
            })
        })
        .collect();
    let gap = history.longest_gap();
    json!({
        "files": files,
        "date_column": history.date_column,
        "columns": columns,
        "days": history.len(),
        "closes": history.frequency(),
        "weekdays_missing": history.weekdays_missing(),
        "longest_gap": gap.map(|(from, to)| json!({
            "from": from.to_string(), "to": to.to_string(), "days": (to - from).num_days(),
        })),
        "defects": defects,
    })
}
