//! What is understood of option chains, as a document.

use super::shown::{WORST, arbitrage, forwards};
use crate::pricing::SurfaceFactors;
use crate::quotes::{ChainReport, DaySurface, Fitted, Residuals};
use serde_json::{Value, json};

/// The report for programs.
pub fn document(report: &ChainReport) -> Value {
    let files = report.files.iter().map(|file| {
        let columns = file.columns.iter();
        let columns: serde_json::Map<String, Value> = columns
            .map(|(what, name)| ((*what).to_owned(), json!(name)))
            .collect();
        json!({
            // Names of files need not be Unicode.
            "file": file.path.display().to_string(),
            "format": file.format,
            "rows": file.rows,
            "first": file.span.map(|(first, _)| first.to_string()),
            "last": file.span.map(|(_, last)| last.to_string()),
            "columns": columns,
            "notes": file.notes,
        })
    });
    let dropped: serde_json::Map<String, Value> = report
        .dropped
        .iter()
        .map(|(rule, count)| (rule.name().to_owned(), json!(count)))
        .collect();
    let (butterflies, calendars) = arbitrage(report);
    let (strikes, low, high) = report.strikes;
    let root_mean_square = |left: &Residuals| left.root_mean_square();
    let worst = report.worst(WORST).into_iter().map(|(date, left)| {
        json!({
            "date": date.to_string(),
            "root_mean_square_error": root_mean_square(&left),
            "quotes": left.points,
        })
    });
    let last = report.days.iter().rev().find(|day| day.fitted.is_ok());
    let last_forwards = last.map(|day| {
        let forwards = forwards(report, day).into_iter().map(|of| {
            json!({
                "expiry": of.date, "root": of.root, "morning": of.morning, "trading_days": of.days,
                "forward": of.forward, "rate": of.rate, "dividend": of.dividend, "strikes": of.pairs,
            })
        });
        json!({ "date": day.date.to_string(), "expiries": forwards.collect::<Vec<_>>() })
    });
    let days = report.days.iter().map(day_document);
    json!({
        "files": files.collect::<Vec<_>>(),
        "underlying": report.underlying,
        "roots": report.roots,
        "days": days.collect::<Vec<_>>(),
        "expiries": report.expiries,
        "strikes": { "count": strikes, "low": low, "high": high },
        "quotes": {
            "read": report.read,
            "kept": report.kept(),
            "in_the_money": report.in_the_money,
            "fitted": report.residuals.points,
        },
        "rules": report.settings.cleaning,
        "calendar": report.settings.calendar.name(),
        "dropped": dropped,
        "stated_volatilities": report.stated.map(|(unit, difference)| json!({
            "unit": unit.name(), "median_difference": difference,
        })),
        "spots_by_forwards": report.spots_by_forwards,
        "forwards": last_forwards,
        "fit": report.settings.fit.name(),
        "residuals": {
            "root_mean_square_error": (report.residuals.points > 0)
                .then(|| root_mean_square(&report.residuals)),
            "largest": 100.0 * report.residuals.largest,
            "worst_days": worst.collect::<Vec<_>>(),
        },
        "arbitrage": { "days_with_butterflies": butterflies, "days_with_calendar_spreads": calendars },
        "half_spreads": report.spreads.table(),
        "half_spread_law": report.spreads.law(),
    })
}

fn day_document(day: &DaySurface) -> Value {
    let mut document = json!({
        "date": day.date.to_string(),
        "close": day.close,
        "rate": day.rate,
        "dividend": day.dividend,
        "expiries": day.expiries.len(),
        "quotes": day.points,
        "dropped": day.dropped.total(),
        "root_mean_square_error": day.residuals.map(|left| left.root_mean_square()),
        "butterflies": day.arbitrage.butterflies,
        "calendar_spreads": day.arbitrage.calendars,
    });
    match &day.fitted {
        Ok(Fitted::Factors(factors)) => {
            let names = SurfaceFactors::NAMES.iter();
            for (name, factor) in names.zip(factors.to_array()) {
                document[*name] = json!(factor);
            }
        }
        Ok(Fitted::Svi(slices)) => {
            let slices = slices
                .iter()
                .map(|(slice, forward)| json!({ "forward": forward, "slice": slice }));
            document["slices"] = json!(slices.collect::<Vec<_>>());
        }
        Err(why) => document["without_surface"] = json!(why),
    }
    document
}
