//! Parts of the P&L, years and falls of the index, as bars.

use super::canvas::{Area, Axis, DrawError, Form, SCALE, axes, figure, range, reference_line, rgb};
use super::figure::{FigureData, Part, SvgFigure};
use crate::error::Result;
use crate::numbers::Rounding;
use crate::report::breakdown::{color, shown};
use crate::report::markup::with_minus;
use crate::report::palette::{GRID, MUTED};
use plotters::coord::ranged1d::{BoldPoints, Ranged};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::ops::Range;

/// The parts of the P&L.
pub const ATTRIBUTION: SvgFigure = SvgFigure {
    part: Part::TearSheet,
    name: "attribution",
    caption: "Where the P&L of a contract comes from, on average: gains to the right of zero, losses to the left; together they \
              are its mean.",
    draw: attribution,
};

/// P&L by year of sale.
pub const YEARS: SvgFigure = SvgFigure {
    part: Part::TearSheet,
    name: "years",
    caption: "P&L of the contracts sold in each year, added up.",
    draw: years,
};

/// P&L in falls of the index.
pub const STRESS: SvgFigure = SvgFigure {
    part: Part::TearSheet,
    name: "stress",
    caption: "P&L of the contracts alive in falls of the index, added up.",
    draw: stress,
};

/// A row of bars: its name and a number for every series.
type Row = (String, Vec<f64>);

/// A series: its name and its colour.
type Series = (String, RGBColor);

fn attribution(data: &FigureData<'_>, form: Form) -> Result<Option<String>> {
    let breakdowns = data.breakdowns();
    let Some(first) = breakdowns.clone().next() else {
        return Ok(None);
    };
    let shown = shown(breakdowns.clone());
    let parts = shown.iter().map(|&at| {
        let name = &first.attribution[at].0;
        (name.clone(), rgb(color(at, name)))
    });
    let parts: Vec<Series> = parts.collect();
    let rows = breakdowns.map(|of| {
        let values = shown.iter().map(|&at| of.attribution[at].1);
        (of.strategy.clone(), values.collect())
    });
    let rows: Vec<Row> = rows.collect();
    let title = "Where the P&L comes from";
    let height = row_height(form) * rows.len() as i32;
    horizontal(
        form,
        title,
        "mean P&L per contract (money)",
        &parts,
        height,
        |area, x| stacked(area, form, x, &rows, &parts),
        rows.iter().flat_map(|(_, values)| {
            let side = |sign: f64| {
                values
                    .iter()
                    .map(|v| sign * v)
                    .filter(|v| *v > 0.0)
                    .sum::<f64>()
                    * sign
            };
            [side(-1.0), side(1.0)]
        }),
    )
}

fn stress(data: &FigureData<'_>, form: Form) -> Result<Option<String>> {
    let periods = data.walk_forward.map_or(&[][..], |results| &results.stress);
    let (Some(sheet), Some(first)) = (data.tear_sheet(), periods.first()) else {
        return Ok(None);
    };
    let leading = |name: &str| sheet.leading.shows(name);
    let names = first.pnl.iter().filter(|(name, _)| leading(name));
    let series: Vec<Series> = names
        .map(|(name, _)| (name.clone(), data.palette.color(name)))
        .collect();
    let rows: Vec<Row> = periods
        .iter()
        .map(|period| {
            let own = period.pnl.iter().filter(|(name, _)| leading(name));
            (period.name.clone(), own.map(|(_, pnl)| *pnl).collect())
        })
        .collect();
    let height = rows.len() as i32 * (26 + 12 * series.len() as i32);
    let title = "P&L in falls of the index";
    horizontal(
        form,
        title,
        "total P&L (money)",
        &series,
        height,
        |area, x| grouped(area, form, x, &rows, &series),
        rows.iter().flat_map(|(_, values)| values.iter().copied()),
    )
}

fn years(data: &FigureData<'_>, form: Form) -> Result<Option<String>> {
    let Some(sheet) = data.tear_sheet() else {
        return Ok(None);
    };
    let years = sheet.years();
    let shows = |name: &str| sheet.leading.shows(name);
    let totals = years.iter().flat_map(|year| &year.strategies);
    let totals = totals.filter(|of| shows(of.strategy)).map(|of| of.total);
    let (Some(first), Some(last)) = (years.first(), years.last()) else {
        return Ok(None);
    };
    let Some(y) = range(totals.chain([0.0]), 0.06) else {
        return Ok(None);
    };
    let names: Vec<&str> = sheet.strategies().filter(|name| shows(name)).collect();
    let legend = names.iter().map(|name| {
        let color = data.palette.color(name);
        ((*name).to_owned(), color.stroke_width(8 * SCALE as u32))
    });
    let legend: Vec<_> = legend.collect();
    figure(form, "P&L by year of sale", &legend, false, 1.0, |area| {
        let x = Axis {
            label: "year of sale",
            range: f64::from(first.year) - 0.6..f64::from(last.year) + 0.6,
            format: Some(|year| match (year - year.round()).abs() < 1e-6 {
                true => format!("{year:.0}"),
                false => String::new(),
            }),
        };
        let y = Axis {
            label: "total P&L (money)",
            range: y,
            format: None,
        };
        let mut chart = axes(area, form, &x, &y)?;
        let zero = [(x.range.start, 0.0), (x.range.end, 0.0)];
        chart.draw_series(LineSeries::new(zero, reference_line()))?;
        let width = 0.84 / names.len() as f64;
        for year in &years {
            let own = year.strategies.iter().filter(|of| shows(of.strategy));
            for (place, of) in own.enumerate() {
                let from = f64::from(year.year) - 0.42 + width * place as f64;
                let corners = [(from, 0.0), (from + 0.9 * width, of.total)];
                let bar = Rectangle::new(corners, data.palette.color(of.strategy).filled());
                chart.draw_series([bar])?;
            }
        }
        Ok::<(), DrawError>(())
    })
    .map(Some)
}

/// Bars from zero to the left and to the right, `height` pixels of them, over an axis that holds `ends`.
fn horizontal(
    form: Form,
    title: &str,
    label: &str,
    series: &[Series],
    height: i32,
    bars: impl FnOnce(&Area<'_>, &Scale) -> Result<(), DrawError>,
    ends: impl Iterator<Item = f64>,
) -> Result<Option<String>> {
    let Some(x) = range(ends.chain([0.0]), 0.04) else {
        return Ok(None);
    };
    let legend = series
        .iter()
        .map(|(name, color)| (name.clone(), color.stroke_width(8 * SCALE as u32)));
    let legend: Vec<_> = legend.collect();
    // The legend takes about a line for every so many names.
    let per_line = match form {
        Form::Wide => 5,
        Form::Narrow => 2,
    };
    let lines = (series.len() as i32 + per_line - 1) / per_line;
    let usual = match form {
        Form::Wide => 420.0,
        Form::Narrow => 380.0,
    };
    let pixels = height + 100 + 20 * lines;
    figure(
        form,
        title,
        &legend,
        false,
        f64::from(pixels) / usual,
        |area| {
            let scale = Scale {
                range: x,
                label: label.to_owned(),
            };
            bars(area, &scale)
        },
    )
    .map(Some)
}

/// The horizontal axis of bars.
struct Scale {
    range: Range<f64>,
    label: String,
}

impl Scale {
    /// Where a value lies between the pixels `left` and `right`.
    fn place(&self, value: f64, (left, right): (i32, i32)) -> i32 {
        let share = (value - self.range.start) / (self.range.end - self.range.start);
        left + (share * f64::from(right - left)).round() as i32
    }

    /// Draws grid, labels and the line of zero below `bottom`.
    fn draw(
        &self,
        area: &Area<'_>,
        form: Form,
        ends: (i32, i32),
        bottom: i32,
    ) -> Result<(), DrawError> {
        let axis = RangedCoordf64::from(self.range.clone());
        let steps = axis.key_points(BoldPoints(form.x_labels().min(6)));
        let step = steps.windows(2).map(|pair| pair[1] - pair[0]).next();
        let largest = self.range.start.abs().max(self.range.end.abs());
        let rounding = Rounding::of_steps(step.unwrap_or(largest), largest);
        let below = form.small().pos(Pos::new(HPos::Center, VPos::Top));
        for value in steps {
            let x = self.place(value, ends);
            let color = if value == 0.0 { MUTED } else { GRID };
            let line =
                PathElement::new([(x, 0), (x, bottom)], rgb(color).stroke_width(SCALE as u32));
            area.draw(&line)?;
            let at = (x, bottom + 3 * SCALE);
            area.draw(&Text::new(
                with_minus(&rounding.write(value)),
                at,
                below.clone(),
            ))?;
        }
        let middle = (ends.0 + ends.1) / 2;
        let at = (middle, bottom + form.line_height() + 2 * SCALE);
        area.draw(&Text::new(self.label.clone(), at, below))
    }
}

/// Pixels of a stacked row, whose name stands beside it or, where that leaves no room, above it.
fn row_height(form: Form) -> i32 {
    match form {
        Form::Wide => 28,
        Form::Narrow => 36,
    }
}

/// A row for every name, its numbers behind each other from zero to either side.
fn stacked(
    area: &Area<'_>,
    form: Form,
    x: &Scale,
    rows: &[Row],
    series: &[Series],
) -> Result<(), DrawError> {
    let (width, height) = area.dim_in_pixel();
    let names = rows.iter().map(|(name, _)| form.text_width(name));
    let left = match form {
        Form::Wide => names.max().unwrap_or(0) + 12 * SCALE,
        Form::Narrow => 16 * SCALE,
    };
    let ends = (left, width as i32 - 16 * SCALE);
    let bottom = height as i32 - 2 * form.line_height() - 8 * SCALE;
    x.draw(area, form, ends, bottom)?;
    let row = bottom / rows.len() as i32;
    for (place, (name, values)) in rows.iter().enumerate() {
        let top = row * place as i32;
        let (at, anchor, first) = match form {
            Form::Wide => {
                let at = (left - 8 * SCALE, top + row / 2);
                (at, Pos::new(HPos::Right, VPos::Center), top + row / 6)
            }
            Form::Narrow => {
                let at = (left, top + SCALE);
                (at, Pos::new(HPos::Left, VPos::Top), top + row / 2)
            }
        };
        area.draw(&Text::new(name.clone(), at, form.small().pos(anchor)))?;
        let (mut below, mut above) = (0.0, 0.0);
        for (value, (_, color)) in values.iter().zip(series) {
            let end = if *value < 0.0 { &mut below } else { &mut above };
            let from = *end;
            *end += value;
            let corners = [
                (x.place(from, ends), first),
                (x.place(*end, ends), top + row - row / 8),
            ];
            area.draw(&Rectangle::new(corners, color.filled()))?;
        }
    }
    Ok(())
}

/// A name above a bar for every series.
fn grouped(
    area: &Area<'_>,
    form: Form,
    x: &Scale,
    rows: &[Row],
    series: &[Series],
) -> Result<(), DrawError> {
    let (width, height) = area.dim_in_pixel();
    let ends = (16 * SCALE, width as i32 - 16 * SCALE);
    let bottom = height as i32 - 2 * form.line_height() - 8 * SCALE;
    x.draw(area, form, ends, bottom)?;
    let row = bottom / rows.len() as i32;
    for (place, (name, values)) in rows.iter().enumerate() {
        let top = row * place as i32;
        area.draw(&Text::new(
            name.clone(),
            (ends.0, top + 2 * SCALE),
            form.small(),
        ))?;
        let first = top + form.line_height();
        let bar = (row - form.line_height() - 4 * SCALE) / series.len().max(1) as i32;
        for (place, (value, (_, color))) in values.iter().zip(series).enumerate() {
            let from = first + bar * place as i32;
            let corners = [
                (x.place(0.0, ends), from),
                (x.place(*value, ends), from + bar - SCALE),
            ];
            area.draw(&Rectangle::new(corners, color.filled()))?;
        }
    }
    Ok(())
}
