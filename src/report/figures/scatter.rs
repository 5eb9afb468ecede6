//! Cost against tail risk.

use super::canvas::{Area, Axis, Chart, DrawError, Form, SCALE, axes, figure, range};
use super::figure::SvgFigure;
use crate::error::Result;
use crate::numbers::{median, significant, with_minus};
use crate::report::palette::Palette;
use crate::report::summary::{Statistic, cvar_label, lines, main_level};
use crate::risk::{Estimate, Row};
use crate::runs::metrics::Metrics;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::ops::Range;

/// Cost against tail risk.
pub const COST_CVAR: SvgFigure = SvgFigure {
    name: "cost_cvar",
    caption: "What a hedge costs against the tail risk that it leaves; bars are one standard \
              error. Down and to the left is better.",
    draw: |data, form| cost_and_cvar(data.metrics, &data.palette, form),
};

/// A strategy's mean cost and CVaR.
pub struct Dot<'a> {
    /// The name of the strategy.
    pub strategy: &'a str,
    /// Whether it is trained.
    pub is_trained: bool,
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
                is_trained: line.seeds() > 0,
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
    let Some(frame) = scatter_frame(&dots) else {
        return Ok(None);
    };
    let cvar = cvar_label(level);
    let label = format!("{cvar} of the loss (money)");
    let (inside, far): (Vec<&Dot<'_>>, Vec<&Dot<'_>>) =
        dots.iter().partition(|dot| frame.shows(dot));
    let legend: Vec<_> = far
        .iter()
        .map(|dot| {
            let words = format!("off scale: {}", outside(dot, &cvar));
            (words, palette.line(dot.strategy))
        })
        .collect();
    let tall = 1.0 + 0.03 * legend.len() as f64;
    figure(
        form,
        "Cost against tail risk",
        &legend,
        true,
        tall,
        |area| {
            let x = Axis {
                label: "mean transaction cost (money per contract)",
                range: frame.cost.clone(),
                format: None,
            };
            let y = Axis {
                label: &label,
                range: frame.cvar.clone(),
                format: None,
            };
            let mut chart = axes(area, form, &x, &y)?;
            let mut labels = Labels::new(&chart, form);
            for dot in &far {
                let style = palette.line(dot.strategy).filled();
                let marker = TriangleMarker::new(frame.place(dot), 6 * SCALE, style);
                chart.draw_series(std::iter::once(marker))?;
            }
            for dot in &inside {
                draw_dot(&mut chart, dot, palette)?;
                labels.occupy_point(&chart, dot);
            }
            for dot in &inside {
                labels.draw(area, &chart, dot)?;
            }
            Ok::<(), DrawError>(())
        },
    )
    .map(Some)
}

/// What of the plane is shown: cost and CVaR, from where to where.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// The costs.
    pub cost: Range<f64>,
    /// The CVaRs.
    pub cvar: Range<f64>,
}

impl Frame {
    /// Whether a dot lies inside.
    pub fn shows(&self, dot: &Dot<'_>) -> bool {
        self.cost.contains(&dot.cost.value) && self.cvar.contains(&dot.cvar.value)
    }

    /// The place of a dot, or that on the edge which is nearest to it.
    fn place(&self, dot: &Dot<'_>) -> (f64, f64) {
        let (cost, cvar) = (&self.cost, &self.cvar);
        (
            dot.cost.value.clamp(cost.start, cost.end),
            dot.cvar.value.clamp(cvar.start, cvar.end),
        )
    }
}

/// The frame around the trained policies, with the classical hedges near them; around all hedges where none is trained. A
/// hedge with several times the others' risk or cost would press them into a corner.
pub fn scatter_frame(dots: &[Dot<'_>]) -> Option<Frame> {
    let trained = |dot: &&Dot<'_>| dot.is_trained;
    let mut core: Vec<&Dot<'_>> = dots.iter().filter(trained).collect();
    if core.is_empty() {
        core = dots.iter().collect();
    }
    // A training that diverged is no better than a hedge far away.
    let middle = median(core.iter().map(|dot| dot.cvar.value))?;
    let distances = core.iter().map(|dot| (dot.cvar.value - middle).abs());
    let spread = median(distances)?;
    core.retain(|dot| (dot.cvar.value - middle).abs() <= (4.0 * spread).max(0.6 * middle.abs()));
    let reach = |of: fn(&Dot<'_>) -> Estimate| {
        let values = || core.iter().map(|dot| of(dot).value);
        let low = values().fold(f64::INFINITY, f64::min);
        let high = values().fold(f64::NEG_INFINITY, f64::max);
        let reach = (high - low).max(0.5 * low.abs().max(high.abs()));
        low - reach..high + reach
    };
    let near = Frame {
        cost: reach(|dot| dot.cost),
        cvar: reach(|dot| dot.cvar),
    };
    let inside = dots
        .iter()
        .filter(|dot| near.shows(dot) || core.iter().any(|of| of.strategy == dot.strategy));
    let shown: Vec<&Dot<'_>> = inside.collect();
    let ends = |e: &Estimate| {
        let error = if e.standard_error.is_finite() {
            e.standard_error
        } else {
            0.0
        };
        [e.value - error, e.value + error]
    };
    Some(Frame {
        cost: range(shown.iter().flat_map(|dot| ends(&dot.cost)), 0.12)?,
        cvar: range(shown.iter().flat_map(|dot| ends(&dot.cvar)), 0.15)?,
    })
}

/// What is said of a dot outside of the frame: `naked (cost 0, CVaR 95 % 8.31)`.
pub fn outside(dot: &Dot<'_>, cvar: &str) -> String {
    format!(
        "{} (cost {}, {cvar} {})",
        dot.strategy,
        with_minus(&significant(dot.cost.value, 3)),
        with_minus(&significant(dot.cvar.value, 3))
    )
}

fn draw_dot(chart: &mut Chart<'_, '_>, dot: &Dot<'_>, palette: &Palette) -> Result<(), DrawError> {
    // Error bars are too short for dashes.
    let style = palette.color(dot.strategy).stroke_width(2 * SCALE as u32);
    let (x, y) = (dot.cost.value, dot.cvar.value);
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

    fn at(chart: &Chart<'_, '_>, dot: &Dot<'_>) -> (i32, i32) {
        chart.backend_coord(&(dot.cost.value, dot.cvar.value))
    }

    fn occupy_point(&mut self, chart: &Chart<'_, '_>, dot: &Dot<'_>) {
        let (x, y) = Self::at(chart, dot);
        let reach = 6 * SCALE;
        self.taken
            .push(Box(x - reach, y - reach, x + reach, y + reach));
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
    ) -> Result<(), DrawError> {
        let words = dot.strategy.to_owned();
        let (x, y) = Self::at(chart, dot);
        let (width, height) = (self.form.text_width(&words), self.form.line_height());
        let error = if dot.cost.standard_error.is_finite() {
            dot.cost.standard_error
        } else {
            0.0
        };
        // Clear of the bar to the left and right of the point.
        let bar = chart
            .backend_coord(&(dot.cost.value + error, dot.cvar.value))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn dot(strategy: &str, is_trained: bool, cost: f64, cvar: f64) -> Dot<'_> {
        let estimate = |value| Estimate {
            value,
            standard_error: 0.01,
        };
        Dot {
            strategy,
            is_trained,
            cost: estimate(cost),
            cvar: estimate(cvar),
        }
    }

    /// Trained policies are inside whatever is beside them, with classical hedges near them; a hedge of many times their risk or
    /// cost is outside, and the frame is the same without it.
    #[test]
    fn the_frame_is_around_the_trained_policies() {
        let near = [
            dot("kfac", true, 0.2, 1.1),
            dot("adam", true, 0.25, 1.2),
            dot("soap", true, 0.24, 1.15),
            dot("band", false, 0.3, 1.4),
        ];
        let frame = scatter_frame(&near).unwrap();
        assert!(near.iter().all(|dot| frame.shows(dot)), "{frame:?}");
        let mut all: Vec<Dot<'_>> = near.into_iter().collect();
        all.push(dot("naked", false, 0.0, 8.3));
        all.push(dot("daily", false, 3.0, 2.0));
        assert_eq!(scatter_frame(&all).unwrap(), frame);
        assert!(!frame.shows(&all[4]) && !frame.shows(&all[5]));
        assert_eq!(
            outside(&all[4], "CVaR 95 %"),
            "naked (cost 0.00, CVaR 95 % 8.30)"
        );
        // Without trained policies the unhedged position is still outside.
        let classical = [
            dot("delta", false, 1.0, 2.0),
            dot("band", false, 0.8, 2.1),
            dot("leland", false, 0.9, 1.9),
            dot("naked", false, 0.0, 8.3),
        ];
        let frame = scatter_frame(&classical).unwrap();
        assert!(frame.shows(&classical[2]) && !frame.shows(&classical[3]));
        assert!(scatter_frame(&[]).is_none());
    }

    /// A training that diverged does not hide the others.
    #[test]
    fn a_diverged_training_is_outside() {
        let dots = [
            dot("kfac", true, 0.2, 1.1),
            dot("adam", true, 0.25, 1.2),
            dot("sgd", true, 0.2, 60.0),
        ];
        let frame = scatter_frame(&dots).unwrap();
        assert!(frame.shows(&dots[0]) && frame.shows(&dots[1]) && !frame.shows(&dots[2]));
    }
}
