//! Cost against tail risk.

use super::canvas::{Area, Axis, Chart, DrawError, Form, SCALE, axes, figure, range};
use super::figure::{Part, SvgFigure};
use crate::error::Result;
use crate::numbers::{median, significant};
use crate::report::palette::Palette;
use crate::report::summary::{Statistic, cvar_label, lines, main_level};
use crate::risk::{Estimate, Row};
use crate::runs::metrics::Metrics;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::ops::Range;

/// Cost against tail risk.
pub const COST_CVAR: SvgFigure = SvgFigure {
    part: Part::Simulated,
    name: "cost_cvar",
    caption: "What a hedge costs against the tail risk that it leaves; bars are one standard \
              error. Down and to the left is better.",
    draw: |data, form| cost_and_cvar(data.metrics, &data.palette, form),
};

/// A strategy's mean cost and CVaR.
pub struct Dot<'a> {
    /// The name of the strategy.
    pub strategy: &'a str,
    /// The mean transaction cost.
    pub cost: Estimate,
    /// The CVaR of the loss.
    pub cvar: Estimate,
}

/// The strategies whose cost and CVaR at `level` are known, one dot for all seeds of each.
pub fn dots<'a>(rows: &'a [Row], level: &str) -> Vec<Dot<'a>> {
    lines(rows)
        .iter()
        .filter_map(|line| {
            Some(Dot {
                strategy: line.strategy,
                cost: line.estimate(&Statistic::Cost)?,
                cvar: line.estimate(&Statistic::Cvar(level.to_owned()))?,
            })
        })
        .filter(|dot| dot.cost.value.is_finite() && dot.cvar.value.is_finite())
        .collect()
}

/// Mean cost against CVaR, a labelled point per strategy; absent without an evaluation.
///
/// # Errors
/// [`crate::Error::Computation`] if plotters fails.
fn cost_and_cvar(metrics: &Metrics, palette: &Palette, form: Form) -> Result<Option<String>> {
    let level = main_level(metrics);
    let dots = dots(&metrics.evaluation, level);
    let Some((x, y)) = scatter_frame(&dots) else {
        return Ok(None);
    };
    let label = format!("{} of the loss (money)", cvar_label(level));
    figure(form, "Cost against tail risk", &[], false, 1.0, |area| {
        let x = Axis {
            label: "mean transaction cost (money per contract)",
            range: x,
            format: None,
        };
        let y = Axis {
            label: &label,
            range: y,
            format: None,
        };
        let mut chart = axes(area, form, &x, &y)?;
        let mut labels = Labels::new(&chart, form);
        for dot in &dots {
            draw_dot(&mut chart, dot, &y.range, palette)?;
            labels.occupy_point(&chart, dot, &y.range);
        }
        for dot in &dots {
            labels.draw(area, &chart, dot, &y.range)?;
        }
        Ok::<(), DrawError>(())
    })
    .map(Some)
}

/// Ranges that show the dots, except for a hedge with several times the others' risk.
pub fn scatter_frame(dots: &[Dot<'_>]) -> Option<(Range<f64>, Range<f64>)> {
    let ends = |e: &Estimate| {
        let error = if e.standard_error.is_finite() {
            e.standard_error
        } else {
            0.0
        };
        [e.value - error, e.value + error]
    };
    let middle = median(dots.iter().map(|dot| dot.cvar.value))?;
    let distances = dots.iter().map(|dot| (dot.cvar.value - middle).abs());
    let spread = median(distances)?;
    // A hedge with several times the others' risk is marked at the edge instead of pressing
    // the others into a corner.
    let inside = |dot: &&Dot<'_>| {
        let distance = (dot.cvar.value - middle).abs();
        distance <= (4.0 * spread).max(0.6 * middle.abs())
    };
    let x = range(dots.iter().flat_map(|dot| ends(&dot.cost)), 0.12)?;
    let y = range(
        dots.iter().filter(inside).flat_map(|dot| ends(&dot.cvar)),
        0.15,
    )?;
    Some((x.start..x.end, y))
}

fn draw_dot(
    chart: &mut Chart<'_, '_>,
    dot: &Dot<'_>,
    frame: &Range<f64>,
    palette: &Palette,
) -> Result<(), DrawError> {
    let style = palette.line(dot.strategy);
    let (x, y) = (dot.cost.value, dot.cvar.value);
    if !frame.contains(&y) {
        let edge = y.clamp(frame.start, frame.end);
        let marker = TriangleMarker::new((x, edge), 7 * SCALE, style.filled());
        chart.draw_series(std::iter::once(marker))?;
        return Ok(());
    }
    let (dx, dy) = (dot.cost.standard_error, dot.cvar.standard_error);
    if dx.is_finite() {
        chart.draw_series(LineSeries::new([(x - dx, y), (x + dx, y)], style))?;
    }
    if dy.is_finite() {
        chart.draw_series(LineSeries::new([(x, y - dy), (x, y + dy)], style))?;
    }
    chart.draw_series(std::iter::once(Circle::new(
        (x, y),
        5 * SCALE,
        style.filled(),
    )))?;
    Ok(())
}

/// Places labels beside their points where they cover neither points nor other labels.
struct Labels {
    form: Form,
    frame: Box,
    taken: Vec<Box>,
}

/// Left, top, right, bottom in drawing units.
#[derive(Clone, Copy)]
struct Box(i32, i32, i32, i32);

impl Box {
    fn overlap(&self, other: &Box) -> i64 {
        let width = (self.2.min(other.2) - self.0.max(other.0)).max(0);
        let height = (self.3.min(other.3) - self.1.max(other.1)).max(0);
        i64::from(width) * i64::from(height)
    }

    fn area(&self) -> i64 {
        i64::from(self.2 - self.0) * i64::from(self.3 - self.1)
    }
}

impl Labels {
    fn new(chart: &Chart<'_, '_>, form: Form) -> Self {
        let (x, y) = chart.plotting_area().get_pixel_range();
        Self {
            form,
            frame: Box(x.start, y.start, x.end, y.end),
            taken: Vec::new(),
        }
    }

    fn at(chart: &Chart<'_, '_>, dot: &Dot<'_>, frame: &Range<f64>) -> (i32, i32) {
        let y = dot.cvar.value.clamp(frame.start, frame.end);
        chart.backend_coord(&(dot.cost.value, y))
    }

    fn occupy_point(&mut self, chart: &Chart<'_, '_>, dot: &Dot<'_>, frame: &Range<f64>) {
        let (x, y) = Self::at(chart, dot, frame);
        let reach = 6 * SCALE;
        self.taken
            .push(Box(x - reach, y - reach, x + reach, y + reach));
        if !frame.contains(&dot.cvar.value) {
            return;
        }
        let (dx, dy) = (dot.cost.standard_error, dot.cvar.standard_error);
        if dx.is_finite() {
            let end = |cost: f64| chart.backend_coord(&(cost, dot.cvar.value)).0;
            let (left, right) = (end(dot.cost.value - dx), end(dot.cost.value + dx));
            self.taken
                .push(Box(left - reach, y - SCALE, right + reach, y + SCALE));
        }
        if dy.is_finite() {
            let end = |cvar: f64| chart.backend_coord(&(dot.cost.value, cvar)).1;
            let (top, bottom) = (end(dot.cvar.value + dy), end(dot.cvar.value - dy));
            self.taken.push(Box(x - SCALE, top, x + SCALE, bottom));
        }
    }

    fn draw(
        &mut self,
        area: &Area<'_>,
        chart: &Chart<'_, '_>,
        dot: &Dot<'_>,
        frame: &Range<f64>,
    ) -> Result<(), DrawError> {
        let words = if frame.contains(&dot.cvar.value) {
            dot.strategy.to_owned()
        } else {
            format!(
                "{}: {}, off scale",
                dot.strategy,
                significant(dot.cvar.value, 3)
            )
        };
        let (x, y) = Self::at(chart, dot, frame);
        let (width, height) = (self.form.text_width(&words), self.form.line_height());
        let error = if dot.cost.standard_error.is_finite() {
            dot.cost.standard_error
        } else {
            0.0
        };
        // Clear of the bar to the left and right of the point.
        let bar = chart
            .backend_coord(&(dot.cost.value + error, frame.start))
            .0
            - x;
        let gap = 10 * SCALE;
        let mut best: Option<(i64, Box)> = None;
        for distance in [0, height, 2 * height] {
            for (dx, dy) in [
                (1, 0),
                (-1, 0),
                (0, -1),
                (0, 1),
                (1, -1),
                (1, 1),
                (-1, -1),
                (-1, 1),
            ] {
                let left = match dx {
                    1 => x + gap + bar,
                    -1 => x - gap - bar - width,
                    _ => x - width / 2,
                };
                let middle = y + dy * (gap + height / 2 + distance);
                let place = Box(left, middle - height / 2, left + width, middle + height / 2);
                let covered: i64 = self.taken.iter().map(|taken| place.overlap(taken)).sum();
                // Letters outside the axes are worse than letters on something.
                let outside = place.area() - place.overlap(&self.frame);
                let penalty = covered + 4 * outside + i64::from(distance);
                if best.is_none_or(|(least, _)| penalty < least) {
                    best = Some((penalty, place));
                }
            }
        }
        if let Some((_, place)) = best {
            self.taken.push(place);
            let (left, top) = area.get_base_pixel();
            let style = self.form.text().pos(Pos::new(HPos::Center, VPos::Center));
            area.draw(&Text::new(
                words,
                (
                    (place.0 + place.2) / 2 - left,
                    (place.1 + place.3) / 2 - top,
                ),
                style,
            ))?;
        }
        Ok(())
    }
}
