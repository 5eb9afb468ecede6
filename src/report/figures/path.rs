//! One simulated path and what every strategy held on it.

use super::canvas::{Axis, DrawError, Form, SCALE, axes, figure, ink_line, range, reference_line};
use super::figure::SvgFigure;
use crate::error::Result;
use crate::numbers::{Rounding, with_minus};
use crate::report::horizon::Horizon;
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
    let spots = spots(path);
    let shown = spots.iter().flatten().copied().chain(path.strike);
    let (Some(spot_range), Some(held_range)) = (
        range(shown, 0.08),
        range(held.copied().chain([0.0, 1.0]), 0.06),
    ) else {
        return Ok(None);
    };
    let Some(&end) = path.time.last().filter(|&&end| end > 0.0) else {
        return Ok(None);
    };
    let money = Rounding::of_values(path.pnl.iter().map(|(_, pnl)| *pnl), 3);
    let names = path.assets.iter().map(|(name, _)| name.clone());
    let mut legend: Vec<_> = names
        .enumerate()
        .map(|(i, name)| (name, asset_line(i)))
        .collect();
    if legend.is_empty() {
        legend.push(("spot".to_owned(), ink_line()));
    }
    let first = |name: &str| {
        let mut names = path.positions.iter().map(|(name, _)| name.as_str());
        names.find(|other| strategy(other) == strategy(name)) == Some(name)
    };
    legend.extend(path.positions.iter().map(|(name, _)| {
        let mut pnl = path.pnl.iter().filter(|_| first(name));
        let words = match pnl.find(|(of, _)| of == strategy(name)) {
            Some((_, pnl)) => {
                let sign = if *pnl > 0.0 { "+" } else { "" };
                format!("{name} (P&L {sign}{})", with_minus(&money.write(*pnl)))
            }
            None => name.clone(),
        };
        (words, style(palette, name, first(name)))
    }));
    let horizon = Horizon::new(end, path.days_per_year);
    let times: Vec<f64> = path.time.iter().map(|years| horizon.of(*years)).collect();
    let (end, elapsed) = (horizon.of(end), horizon.label("time"));
    let time = |label| Axis {
        label,
        range: 0.0..end,
        format: None,
    };
    figure(form, "One simulated path", &legend, true, 1.3, |area| {
        let (_, height) = area.dim_in_pixel();
        let (above, below) = area.split_vertically(height * 2 / 5);
        let spot = Axis {
            label: match path.assets.is_empty() {
                true => "spot (money)",
                false => "spot over that of the sale",
            },
            range: spot_range,
            format: None,
        };
        let mut chart = axes(&above, form, &time(""), &spot)?;
        if let Some(strike) = path.strike {
            chart.draw_series(LineSeries::new(
                [(0.0, strike), (end, strike)],
                reference_line(),
            ))?;
            // Beside the line, on the side of it that has more room.
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
        }
        for (place, spots) in spots.iter().enumerate() {
            let points = times.iter().copied().zip(spots.iter().copied());
            chart.draw_series(LineSeries::new(points, asset_line(place)))?;
        }

        let held = Axis {
            label: "position (units)",
            range: held_range,
            format: None,
        };
        let mut chart = axes(&below, form, &time(&elapsed), &held)?;
        for (name, positions) in &path.positions {
            chart.draw_series(LineSeries::new(
                stairs(&times, positions),
                style(palette, name, first(name)),
            ))?;
        }
        Ok::<(), DrawError>(())
    })
    .map(Some)
}

/// The spot of one asset, or those of several over their spots at the sale.
fn spots(path: &ExamplePath) -> Vec<Vec<f64>> {
    if path.assets.is_empty() {
        return vec![path.spot.clone()];
    }
    let relative = |spots: &Vec<f64>| spots.iter().map(|spot| spot / spots[0]).collect();
    path.assets
        .iter()
        .map(|(_, spots)| relative(spots))
        .collect()
}

/// The line of an asset: thick and thin in ink, then in the colour of labels.
fn asset_line(place: usize) -> ShapeStyle {
    let width = 2 * SCALE as u32 / (1 + place as u32 % 2);
    match place % 4 {
        0 | 1 => ink_line().stroke_width(width),
        _ => reference_line().stroke_width(width),
    }
}

/// The strategy of a series of positions, which is called "strategy" or "strategy, instrument".
fn strategy(name: &str) -> &str {
    name.split_once(", ").map_or(name, |(strategy, _)| strategy)
}

/// A strategy's line; a thin one for its position in another instrument than its first.
fn style(palette: &Palette, name: &str, first: bool) -> ShapeStyle {
    match first {
        true => palette.line(strategy(name)),
        false => palette.color(strategy(name)).stroke_width(SCALE as u32),
    }
}

/// Each position from its date to the next.
fn stairs(time: &[f64], positions: &[f64]) -> Vec<(f64, f64)> {
    let periods = time.windows(2).zip(positions);
    periods
        .flat_map(|(period, &held)| [(period[0], held), (period[1], held)])
        .collect()
}
