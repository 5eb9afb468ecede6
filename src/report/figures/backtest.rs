//! P&L of the backtest through calendar time.

use super::canvas::{Axis, DrawError, Form, axes, figure, range, reference_line};
use super::figure::{Part, SvgFigure};
use crate::error::Result;
use crate::numbers::Rounding;
use crate::report::markup::with_minus;
use crate::report::palette::Palette;
use crate::report::tear_sheet::TearSheet;
use crate::runs::daily::{Curve, thinned};
use crate::runs::tables::BacktestBook;
use chrono::{Datelike, NaiveDate};
use plotters::prelude::*;
use std::collections::BTreeMap;

/// The P&L of contracts sold on history, added up through calendar time.
pub const BACKTEST_PNL: SvgFigure = SvgFigure {
    part: Part::TearSheet,
    name: "backtest_pnl",
    caption: "P&L of the contracts sold through the history, added up at their expiries and \
              averaged over seeds.",
    draw: |data, form| {
        let mut curves = data
            .backtest
            .map_or_else(Vec::new, |table| curves(&table.books));
        curves.retain(|(strategy, _)| data.leads(strategy));
        let title = "Backtest: cumulative P&L";
        through_time(title, "expiry", &curves, &data.palette, form)
    },
};

/// The P&L of the book of all contracts, marked to market every day and added up.
pub const DAILY_PNL: SvgFigure = SvgFigure {
    part: Part::TearSheet,
    name: "daily_pnl",
    caption: "P&L of the book of all contracts day by day, with every contract at its price of the day, added up and \
              averaged over seeds.",
    draw: |data, form| {
        let sheet = data.tear_sheet().filter(|sheet| sheet.by_day);
        let mut curves = sheet.map_or_else(Vec::new, TearSheet::pnl);
        curves.retain(|(strategy, _)| data.leads(strategy));
        let title = "Backtest: P&L of the book, marked to market";
        through_time(title, "date", &curves, &data.palette, form)
    },
};

/// The most points of a line: more are finer than a pixel.
fn most_points(form: Form) -> usize {
    match form {
        Form::Wide => 640,
        Form::Narrow => 360,
    }
}

/// Sums of P&L through calendar time, a line for each strategy over an axis with this label; absent without points.
///
/// # Errors
/// [`crate::Error::Computation`] if plotters fails.
pub fn through_time(
    title: &str,
    label: &str,
    curves: &[Curve<'_>],
    palette: &Palette,
    form: Form,
) -> Result<Option<String>> {
    let axes = (label, "sum of P&L (money)");
    lines(title, axes, (curves, Last::Signed), palette, form)
}

/// How the last value of a line stands in the legend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Last {
    /// With its sign, as a P&L.
    Signed,
    /// Without the sign of gains, as a size.
    Plain,
}

/// Values through calendar time, a line for each strategy between axes with these labels; absent without points.
///
/// # Errors
/// [`crate::Error::Computation`] if plotters fails.
pub fn lines(
    title: &str,
    (across, up): (&str, &str),
    (curves, shown): (&[Curve<'_>], Last),
    palette: &Palette,
    form: Form,
) -> Result<Option<String>> {
    let curves: Vec<(&str, Vec<(f64, f64)>)> = curves
        .iter()
        .map(|(strategy, points)| {
            let placed = thinned(points, most_points(form))
                .into_iter()
                .map(|(date, sum)| (decimal_year(date), sum));
            (*strategy, placed.collect())
        })
        .collect();
    let values = curves.iter().flat_map(|(_, points)| points.iter());
    let (Some(x), Some(y)) = (
        range(values.clone().map(|point| point.0), 0.02),
        range(values.map(|point| point.1), 0.06),
    ) else {
        return Ok(None);
    };
    let last = |points: &[(f64, f64)]| points.last().map_or(0.0, |point| point.1);
    let money = Rounding::of_values(curves.iter().map(|(_, points)| last(points)), 3);
    let legend: Vec<_> = curves
        .iter()
        .map(|(strategy, points)| {
            let last = last(points);
            let sign = match shown {
                Last::Signed if last > 0.0 => "+",
                Last::Signed | Last::Plain => "",
            };
            let words = format!("{strategy} ({sign}{})", with_minus(&money.write(last)));
            (words, palette.line(strategy))
        })
        .collect();
    figure(form, title, &legend, true, 1.0, |area| {
        let x = Axis {
            label: across,
            range: x,
            format: Some(year_label),
        };
        let y = Axis {
            label: up,
            range: y,
            format: None,
        };
        let mut chart = axes(area, form, &x, &y)?;
        if y.range.contains(&0.0) {
            let zero = [(x.range.start, 0.0), (x.range.end, 0.0)];
            chart.draw_series(LineSeries::new(zero, reference_line()))?;
        }
        for (strategy, points) in &curves {
            chart.draw_series(LineSeries::new(
                points.iter().copied(),
                palette.line(strategy),
            ))?;
        }
        Ok::<(), DrawError>(())
    })
    .map(Some)
}

/// Strategy and its points (expiry, sum so far), beginning with zero at the first sale.
pub fn curves(books: &[BacktestBook]) -> Vec<Curve<'_>> {
    let mut strategies: Vec<&str> = Vec::new();
    for book in books {
        if !strategies.contains(&book.strategy.as_str()) {
            strategies.push(&book.strategy);
        }
    }
    strategies
        .into_iter()
        .filter_map(|strategy| {
            let seeds: Vec<_> = books.iter().filter(|b| b.strategy == strategy).collect();
            let mut by_expiry: BTreeMap<NaiveDate, f64> = BTreeMap::new();
            for book in &seeds {
                for (expiry, pnl) in book.expiry.iter().zip(&book.pnl) {
                    *by_expiry.entry(*expiry).or_default() += pnl / seeds.len() as f64;
                }
            }
            let first = seeds.iter().flat_map(|book| &book.date).min()?;
            let mut points = vec![(*first, 0.0)];
            let mut sum = 0.0;
            for (expiry, pnl) in by_expiry {
                sum += pnl;
                points.push((expiry, sum));
            }
            Some((strategy, points))
        })
        .collect()
}

fn decimal_year(date: NaiveDate) -> f64 {
    let days = if date.leap_year() { 366.0 } else { 365.0 };
    f64::from(date.year()) + f64::from(date.ordinal0()) / days
}

/// `2022` at a turn of the year, `2022-07` elsewhere.
fn year_label(value: f64) -> String {
    // Ticks are sums of steps, and a hair below a whole year is that year.
    let value = value + 1e-6;
    let month = (value.fract() * 12.0).floor() as i32 + 1;
    if month == 1 {
        format!("{:.0}", value.floor())
    } else {
        format!("{:.0}-{month:02}", value.floor())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::fixture;

    /// The last point is the sum of all P&L, averaged over seeds.
    #[test]
    fn sums_end_at_the_mean_total() {
        let table = fixture::backtest();
        let curves = curves(&table.books);
        assert_eq!(curves.len(), 5);
        let total = |book: usize| table.books[book].pnl.iter().sum::<f64>();
        let (strategy, points) = &curves[0];
        assert_eq!((*strategy, points.len()), ("kfac", 25));
        assert_eq!(points[0].1, 0.0);
        let expected = (total(0) + total(1)) / 2.0;
        assert!((points[24].1 - expected).abs() < 1e-9);
    }

    #[test]
    fn ticks_are_years_and_months() {
        assert_eq!(year_label(2022.0), "2022");
        assert_eq!(year_label(2022.0 - 1e-7), "2022");
        assert_eq!(year_label(2022.5), "2022-07");
        let date = NaiveDate::from_ymd_opt(2024, 7, 1).unwrap();
        assert!((decimal_year(date) - 2024.4973).abs() < 1e-4);
    }
}
