//! Figures of a study: lines with bands over seeds, and cost against risk.

use super::canvas::{Axis, DrawError, Form, SCALE, axes, figure, range};
use crate::error::Result;
use crate::numbers::significant;
use crate::report::palette::Palette;
use plotters::prelude::*;

/// A line with a band around it.
#[derive(Debug, Clone)]
pub struct Series {
    /// The name of the series.
    pub name: String,
    /// (x, y, half of the band's width)
    pub points: Vec<(f64, f64, f64)>,
}

/// What the axes of a figure measure.
pub struct Labels<'a> {
    /// The title of the figure.
    pub title: &'a str,
    /// What the horizontal axis measures.
    pub x: &'a str,
    /// What the vertical axis measures.
    pub y: &'a str,
    /// Whether x is drawn in its logarithm.
    pub logarithmic: bool,
}

/// Draws the series; absent if there are none. What is far above the rest leaves the picture at the top.
///
/// # Errors
/// [`crate::Error::Computation`] if plotters fails.
pub fn lines(series: &[Series], labels: &Labels<'_>, palette: &Palette) -> Result<Option<String>> {
    let form = Form::Wide;
    let place = |x: f64| if labels.logarithmic { x.log10() } else { x };
    let all = || series.iter().flat_map(|series| &series.points);
    let Some(x) = range(all().map(|point| place(point.0)), 0.03) else {
        return Ok(None);
    };
    let low = all().map(|p| p.1 - p.2).fold(f64::INFINITY, f64::min);
    // Everything that the slowest does after half of its points is inside.
    let top = series
        .iter()
        .filter_map(|series| series.points.get(series.points.len() / 2..))
        .flatten()
        .map(|p| p.1 + p.2)
        .fold(low, f64::max);
    let Some(y) = range([low, top].into_iter(), 0.06) else {
        return Ok(None);
    };
    let legend: Vec<_> = series
        .iter()
        .map(|series| (series.name.clone(), palette.line(&series.name)))
        .collect();
    figure(form, labels.title, &legend, true, 1.0, |area| {
        let x = Axis {
            label: labels.x,
            range: x.clone(),
            format: labels.logarithmic.then_some(power),
        };
        let y = Axis {
            label: labels.y,
            range: y.clone(),
            format: None,
        };
        let mut chart = axes(area, form, &x, &y)?;
        let inside = |value: f64| value.clamp(y.range.start, y.range.end);
        for series in series {
            let (color, style) = (palette.color(&series.name), palette.line(&series.name));
            let upper = series
                .points
                .iter()
                .map(|p| (place(p.0), inside(p.1 + p.2)));
            let lower = series
                .points
                .iter()
                .rev()
                .map(|p| (place(p.0), inside(p.1 - p.2)));
            let band = Polygon::new(
                upper.chain(lower).collect::<Vec<_>>(),
                color.mix(0.15).filled(),
            );
            chart.draw_series(std::iter::once(band))?;
            let shown = series.points.iter().filter(|p| p.1 <= y.range.end);
            let line: Vec<_> = shown.map(|p| (place(p.0), p.1)).collect();
            chart.draw_series(LineSeries::new(line.iter().copied(), style))?;
            if line.len() <= 8 {
                let dots = line
                    .iter()
                    .map(|&at| Circle::new(at, 3 * SCALE, style.filled()));
                chart.draw_series(dots)?;
            }
        }
        Ok::<(), DrawError>(())
    })
    .map(Some)
}

fn power(exponent: f64) -> String {
    significant(10f64.powf(exponent), 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line, a band and a name for each series; nothing without points.
    #[test]
    fn every_series_has_a_line_and_a_band() {
        let series: Vec<Series> = ["kfac", "adam"]
            .iter()
            .map(|name| Series {
                name: (*name).into(),
                points: vec![(1.0, 5.0, 0.1), (2.0, 4.0, 0.1), (8.0, 3.0, 0.2)],
            })
            .collect();
        let labels = Labels {
            title: "Risk",
            x: "seconds",
            y: "risk",
            logarithmic: true,
        };
        let palette = Palette::new(vec!["kfac".into(), "adam".into()]);
        let svg = lines(&series, &labels, &palette).unwrap().unwrap();
        assert_eq!(svg.matches("<polygon").count(), 2);
        assert!(svg.contains("kfac") && svg.contains("adam"));
        assert!(lines(&[], &labels, &palette).unwrap().is_none());
    }
}
