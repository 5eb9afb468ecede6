//! A statistic of every strategy with its interval, one below the other.

use super::canvas::{DrawError, Form, SCALE, figure, ink_line, range, reference_line};
use crate::error::Result;
use crate::numbers::{Rounding, with_minus};
use crate::report::palette::Palette;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// A statistic of a strategy.
#[derive(Debug, Clone, PartialEq)]
pub struct Spanned {
    /// The name of the strategy.
    pub name: String,
    /// The statistic.
    pub value: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end of its interval.
    pub high: f64,
}

/// Draws the statistics from the top down; absent if none is a number. One of several times the others' size is marked at the edge.
///
/// # Errors
/// [`crate::Error::Computation`] if plotters fails.
pub fn intervals(
    (title, label): (&str, &str),
    rows: &[Spanned],
    palette: &Palette,
) -> Result<Option<String>> {
    let form = Form::Wide;
    let rows: Vec<&Spanned> = rows.iter().filter(|row| row.value.is_finite()).collect();
    let mut sorted: Vec<f64> = rows.iter().map(|row| row.value).collect();
    sorted.sort_by(f64::total_cmp);
    let Some(&middle) = sorted.get(sorted.len() / 2) else {
        return Ok(None);
    };
    let inside = |row: &&&Spanned| (row.value - middle).abs() <= 2.0 * middle.abs();
    let ends = rows.iter().filter(inside);
    let Some(x) = range(ends.flat_map(|row| [row.low, row.value, row.high]), 0.05) else {
        return Ok(None);
    };
    let rounding = Rounding::of_values([x.end - x.start], 3);
    let tall = 0.3 + 0.1 * rows.len() as f64;
    figure(form, title, &[], false, tall, |area| {
        let mut chart = ChartBuilder::on(area)
            .x_label_area_size(form.line_height() * 5 / 2)
            .margin_right(12 * SCALE)
            .margin_left(12 * SCALE)
            .build_cartesian_2d(x.clone(), -(rows.len() as f64)..0.0)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .x_labels(form.x_labels())
            .max_light_lines(0)
            .axis_style(reference_line())
            .label_style(form.small())
            .axis_desc_style(form.small())
            .x_desc(label)
            .x_label_formatter(&|value| with_minus(&rounding.write(*value)))
            .draw()?;
        for (place, row) in rows.iter().enumerate() {
            let y = -(place as f64) - 0.72;
            let words = form.text().pos(Pos::new(HPos::Left, VPos::Bottom));
            let shown = format!("{} ({})", row.name, with_minus(&rounding.write(row.value)));
            chart.draw_series([Text::new(shown, (x.start, y + 0.18), words)])?;
            let style = palette.line(&row.name);
            if !x.contains(&row.value) {
                let edge = row.value.clamp(x.start, x.end);
                chart.draw_series([TriangleMarker::new((edge, y), 6 * SCALE, style.filled())])?;
                continue;
            }
            let whisker = [row.low, row.high].map(|end| (end.clamp(x.start, x.end), y));
            chart.draw_series(LineSeries::new(whisker, style))?;
            chart.draw_series([Circle::new((row.value, y), 4 * SCALE, style.filled())])?;
        }
        if x.contains(&0.0) {
            let zero = [(0.0, -(rows.len() as f64)), (0.0, 0.0)];
            chart.draw_series(LineSeries::new(zero, ink_line()))?;
        }
        Ok::<(), DrawError>(())
    })
    .map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every row has its name; one far from the others is a triangle at the edge; without numbers there is no figure.
    #[test]
    fn every_row_has_a_name() {
        let row = |name: &str, value: f64| Spanned {
            name: name.into(),
            value,
            low: value - 0.1,
            high: value + 0.1,
        };
        let rows = [row("kfac", 0.8), row("delta", 1.0), row("naked", 6.4)];
        let palette = Palette::new(vec!["kfac".into(), "delta".into()]);
        let svg = intervals(("CVaR", "money"), &rows, &palette)
            .unwrap()
            .unwrap();
        for name in ["kfac (0.80", "delta (1.00", "naked (6.40"] {
            assert!(svg.contains(name), "{name}");
        }
        assert_eq!(svg.matches("<circle").count(), 2);
        assert_eq!(svg.matches("<polygon").count(), 1);
        let none = [row("kfac", f64::NAN)];
        assert!(
            intervals(("CVaR", "money"), &none, &palette)
                .unwrap()
                .is_none()
        );
    }
}
