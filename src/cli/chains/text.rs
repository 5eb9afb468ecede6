//! What is understood of option chains, as text.

use super::shown::{WORST, arbitrage, forwards};
use crate::error::escaped;
use crate::numbers::{counted, grouped, significant};
use crate::quotes::{ChainReport, SpreadCell, SpreadLaw};
use std::fmt::Write;

/// The report for people.
pub fn text(report: &ChainReport) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let mut line = |line: String| {
        let _ = writeln!(text, "{line}");
    };
    for file in &report.files {
        let span = file
            .span
            .map_or(String::new(), |(a, b)| format!(", {a} to {b}"));
        let rows = counted(file.rows, "row");
        line(format!(
            "{}: {}, {rows}{span}",
            escaped(&file.path.display().to_string()),
            file.format
        ));
        file.notes.iter().for_each(|note| line(format!("  {note}")));
    }
    if let Some(underlying) = &report.underlying {
        let roots = match report.roots.as_slice() {
            [] => String::new(),
            roots => format!(", roots {}", roots.join(", ")),
        };
        line(format!("underlying {}{roots}", escaped(underlying)));
    }
    if let (strikes @ 1.., low, high) = report.strikes {
        line(format!(
            "{}, {} of expiry, {} from {} to {}",
            counted(report.days.len(), "day"),
            counted(report.expiries, "day"),
            counted(strikes, "strike"),
            significant(low, 6),
            significant(high, 6)
        ));
    }
    line(format!(
        "{} read, {} kept, {} of these in the money and {} fitted",
        counted(report.read, "quote"),
        grouped(report.kept()),
        grouped(report.in_the_money),
        grouped(report.residuals.points)
    ));
    for (rule, count) in report.dropped.iter().filter(|(_, count)| *count > 0) {
        let share = 100.0 * count as f64 / report.read.max(1) as f64;
        let (name, words) = (rule.name(), rule.words());
        line(format!(
            "  dropped by {name}: {} ({share:.2} %) {words}",
            grouped(count)
        ));
    }
    if let Some((unit, difference)) = report.stated {
        line(format!(
            "the files' own volatilities, in {}, differ by {difference:.2} volatility points in the middle",
            unit.name()
        ));
    }
    if report.spots_by_forwards > 0 {
        let days = counted(report.spots_by_forwards, "day");
        line(format!(
            "spot by the forwards, for lack of a column, on {days}"
        ));
    }
    if let Some(last) = report.days.iter().rev().find(|day| day.fitted.is_ok()) {
        line(format!("forwards by parity on {}:", last.date));
        for forward in forwards(report, last) {
            line(format!("  {}", forward.text()));
        }
    }
    let fitted = report.fitted().count();
    if fitted > 0 {
        let (butterflies, calendars) = arbitrage(report);
        line(format!(
            "{}: {}, {:.2} volatility points in the root mean square, {:.1} at most",
            report.settings.fit.name(),
            counted(fitted, "day"),
            report.residuals.root_mean_square(),
            100.0 * report.residuals.largest
        ));
        line(format!(
            "arbitrage where strikes are quoted: butterflies on {}, calendar spreads on {}",
            counted(butterflies, "day"),
            counted(calendars, "day")
        ));
        let worst = report.worst(WORST).into_iter();
        let worst: Vec<String> = worst
            .map(|(date, left)| format!("{date} ({:.2})", left.root_mean_square()))
            .collect();
        line(format!("worst days: {}", worst.join(", ")));
    }
    let unfitted: Vec<_> = report.unfitted().collect();
    if let Some((date, why)) = unfitted.first() {
        let days = counted(unfitted.len(), "day");
        line(format!("{days} without a surface, the first {date}: {why}"));
    }
    let table = report.spreads.table();
    if !table.is_empty() {
        line(
            "half-spread, share of the price, by trading days and deviations ln(K/F)/(σ √τ):"
                .into(),
        );
        for row in spread_rows(&table) {
            line(format!("  {row}"));
        }
    }
    if let Some(law) = report.spreads.law() {
        line("as keys of an option in `policy.instruments`, for a spot of 100:".into());
        line(format!("  {}", law_keys(&law)));
    }
    text.truncate(text.trim_end().len());
    text
}

/// The keys of an option that cost what the law says at a spot of 100.
fn law_keys(law: &SpreadLaw) -> String {
    format!(
        "half_spread = {}, moneyness_spread = {}, time_spread = {}",
        significant(100.0 * law.half_spread, 4),
        significant(law.moneyness_spread, 4),
        significant(law.time_spread, 4)
    )
}

/// A table of half-spreads, in per cent of prices: a line of heads, and one for every maturity that has quotes.
fn spread_rows(table: &[SpreadCell]) -> Vec<String> {
    let span = |above: Option<f64>, to: Option<f64>| match (above, to) {
        (None, Some(to)) => format!("≤ {to}"),
        (Some(above), None) => format!("> {above}"),
        (Some(above), Some(to)) => format!("{above}…{to}"),
        (None, None) => String::new(),
    };
    let mut columns: Vec<(Option<f64>, Option<f64>)> = Vec::new();
    let mut rows = columns.clone();
    for cell in table {
        let (column, row) = (
            (cell.deviations_above, cell.deviations_to),
            (cell.days_above, cell.days_to),
        );
        if !columns.contains(&column) {
            columns.push(column);
        }
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    columns.sort_by(|a, b| {
        let place = |of: &(Option<f64>, Option<f64>)| of.0.unwrap_or(f64::NEG_INFINITY);
        place(a).total_cmp(&place(b))
    });
    let mut lines = vec![format!("{:<10}", "days")];
    for column in &columns {
        let _ = write!(lines[0], "{:>11}", span(column.0, column.1));
    }
    for row in rows {
        let mut line = format!("{:<10}", span(row.0, row.1));
        for column in &columns {
            let mut cells = table.iter();
            let cell = cells.find(|cell| {
                (cell.deviations_above, cell.deviations_to) == *column
                    && (cell.days_above, cell.days_to) == row
            });
            let shown = cell.map_or(String::new(), |of| {
                format!("{:.2} %", 100.0 * of.share_of_price)
            });
            let _ = write!(line, "{shown:>11}");
        }
        lines.push(line);
    }
    lines
}
