//! One simulated path and what every strategy held on it.

use super::canvas::{Axis, DrawError, Form, SCALE, axes, figure, ink_line, range, reference_line};
use super::figure::SvgFigure;
use crate::error::Result;
use crate::numbers::Rounding;
use crate::report::palette::Palette;
use crate::runs::metrics::ExamplePath;
use plotters::prelude::*;

/// One simulated path.
pub const EXAMPLE_PATH: SvgFigure = SvgFigure {
    name: "example_path",
    caption: "One simulated path: the spot above, below it how many units of it each strategy held.",
    draw: |data, form| {
        let path = data.path;
        path.map_or(Ok(None), |path| example_path(path, &data.palette, form))
    },
};

/// The spot with the strike above, the positions of each strategy below; absent if the path
/// is empty.
///
/// # Errors
/// [`crate::Error::Computation`] if plotters fails.
fn example_path(path: &ExamplePath, palette: &Palette, form: Form) -> Result<Option<String>> {
    let held = path.positions.iter().flat_map(|(_, held)| held.iter());
    let spots = path.spot.iter().copied().chain([path.strike]);
    let (Some(spot_range), Some(held_range)) = (
        range(spots, 0.08),
        range(held.copied().chain([0.0, 1.0]), 0.06),
    ) else {
        return Ok(None);
    };
    let Some(&end) = path.time.last().filter(|&&end| end > 0.0) else {
        return Ok(None);
    };
    let money = Rounding::of_values(path.pnl.iter().map(|(_, pnl)| *pnl), 3);
    let mut legend = vec![("spot".to_owned(), ink_line())];
    legend.extend(path.positions.iter().map(|(strategy, _)| {
        let pnl = path.pnl.iter().find(|(name, _)| name == strategy);
        let words = match pnl {
            Some((_, pnl)) => {
                let sign = if *pnl > 0.0 { "+" } else { "" };
                format!("{strategy} (P&L {sign}{})", money.write(*pnl))
            }
            None => strategy.clone(),
        };
        (words, style(palette, strategy))
    }));
    let time = |label| Axis {
        label,
        range: 0.0..end,
        format: None,
    };
    figure(form, "One simulated path", &legend, true, 1.3, |area| {
        let (_, height) = area.dim_in_pixel();
        let (above, below) = area.split_vertically(height * 2 / 5);
        let spot = Axis {
            label: "spot (money)",
            range: spot_range,
            format: None,
        };
        let mut chart = axes(&above, form, &time(""), &spot)?;
        let strike = path.strike;
        chart.draw_series(LineSeries::new(
            [(0.0, strike), (end, strike)],
            reference_line(),
        ))?;
        let points = path.time.iter().copied().zip(path.spot.iter().copied());
        chart.draw_series(LineSeries::new(points, ink_line()))?;
        // Beside the strike line, on the side of it that has more room.
        let room_above = spot.range.end - strike > strike - spot.range.start;
        let lift = if room_above {
            -form.line_height()
        } else {
            4 * SCALE
        };
        let (x, y) = chart.backend_coord(&(0.0, strike));
        let (left, top) = above.get_base_pixel();
        above.draw(&Text::new(
            format!("strike {strike}"),
            (x - left + 6 * SCALE, y - top + lift),
            form.small(),
        ))?;

        let held = Axis {
            label: "position (units)",
            range: held_range,
            format: None,
        };
        let mut chart = axes(&below, form, &time("time (years)"), &held)?;
        for (strategy, positions) in &path.positions {
            chart.draw_series(LineSeries::new(
                stairs(&path.time, positions),
                style(palette, strategy),
            ))?;
        }
        Ok::<(), DrawError>(())
    })
    .map(Some)
}

/// A strategy's line; a thin one for its position in another instrument than the spot.
fn style(palette: &Palette, name: &str) -> ShapeStyle {
    match name.split_once(", ") {
        Some((strategy, _)) => palette.color(strategy).stroke_width(SCALE as u32),
        None => palette.line(name),
    }
}

/// Each position from its date to the next.
fn stairs(time: &[f64], positions: &[f64]) -> Vec<(f64, f64)> {
    let periods = time.windows(2).zip(positions);
    periods
        .flat_map(|(period, &held)| [(period[0], held), (period[1], held)])
        .collect()
}
