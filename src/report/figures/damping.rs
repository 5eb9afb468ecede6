//! Levenberg–Marquardt damping through training.

use super::canvas::{Axis, DrawError, Form, SCALE, axes, figure, range, reference_line};
use super::figure::SvgFigure;
use super::training::{SMOOTHED, by_strategy, smoothed};
use crate::error::Result;
use crate::report::palette::Palette;
use crate::runs::metrics::{Metrics, TrainingCurve};
use crate::training::TrainingPoint;
use plotters::prelude::*;
use std::collections::BTreeMap;

/// Between which ratios the damping stays as it is, see `optimizer::Curvature`.
const KEPT: [f64; 2] = [0.25, 0.75];

/// What ratios are shown; others are held at the edge. A risk that hardly changes divides by next to nothing.
const RATIOS: std::ops::Range<f64> = -0.6..1.8;

/// Damping and ratio along training.
pub const DAMPING: SvgFigure = SvgFigure {
    name: "damping",
    caption: "Damping of the optimizers that adapt it, and ρ, the change of the risk over the one predicted, both \
              averaged over seeds: below the lower line the damping grows, above the upper one it shrinks.",
    draw: |data, form| damping(data.metrics, &data.palette, form),
};

/// A strategy's damping and ratio, averaged over its seeds.
pub struct Curve<'a> {
    /// The name of the strategy.
    pub strategy: &'a str,
    /// Step, log₁₀ λ and ρ.
    pub points: Vec<(f64, f64, f64)>,
}

/// The damping of a run's trainings; absent where no optimizer adapts its damping.
///
/// Over seeds, λ is averaged by its logarithm, and ρ, whose single values are noise, over a fiftieth of the training too.
///
/// # Errors
/// [`crate::Error::Computation`] if plotters fails.
fn damping(metrics: &Metrics, palette: &Palette, form: Form) -> Result<Option<String>> {
    damping_of(&curves(&metrics.training), palette, form)
}

/// Damping λ above, on a logarithmic axis, and below it ρ, the change of the risk on the same paths over the one that the
/// quadratic model predicted; absent without points.
///
/// # Errors
/// [`crate::Error::Computation`] if plotters fails.
pub fn damping_of(curves: &[Curve<'_>], palette: &Palette, form: Form) -> Result<Option<String>> {
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let Some(dampings) = range(points().map(|point| point.1), 0.08) else {
        return Ok(None);
    };
    let end = points().fold(1.0, |end, point| point.0.max(end));
    let legend: Vec<_> = curves
        .iter()
        .map(|curve| (curve.strategy.to_owned(), palette.line(curve.strategy)))
        .collect();
    let steps = |label| Axis {
        label,
        range: 0.0..end,
        format: None,
    };
    let title = "Damping and ratio of actual to predicted change";
    figure(form, title, &legend, true, 1.3, |area| {
        let (_, height) = area.dim_in_pixel();
        let (above, below) = area.split_vertically(height / 2);
        let damping = Axis {
            label: "damping λ",
            range: dampings,
            format: Some(|exponent| format!("{:.0e}", 10f64.powf(exponent))),
        };
        let ratio = Axis {
            label: "ratio ρ",
            range: RATIOS,
            format: None,
        };
        let mut chart = axes(&above, form, &steps(""), &damping)?;
        for curve in curves {
            let line = curve.points.iter().map(|point| (point.0, point.1));
            chart.draw_series(LineSeries::new(line, palette.line(curve.strategy)))?;
        }
        let mut chart = axes(&below, form, &steps("optimisation step"), &ratio)?;
        for bound in KEPT {
            let line = [(0.0, bound), (end, bound)];
            chart.draw_series(LineSeries::new(line, reference_line()))?;
            let (x, y) = chart.backend_coord(&(0.0, bound));
            let (left, top) = below.get_base_pixel();
            let place = (x - left + 6 * SCALE, y - top + 3 * SCALE);
            below.draw(&Text::new(format!("{bound}"), place, form.small()))?;
        }
        for curve in curves {
            let line = curve
                .points
                .iter()
                .map(|point| (point.0, point.2.clamp(RATIOS.start, RATIOS.end)));
            chart.draw_series(LineSeries::new(line, palette.line(curve.strategy)))?;
        }
        Ok::<(), DrawError>(())
    })
    .map(Some)
}

fn curves(training: &[TrainingCurve]) -> Vec<Curve<'_>> {
    by_strategy(training)
        .into_iter()
        .filter_map(|(strategy, seeds)| {
            let mut points = average(&seeds);
            let ratios: Vec<f64> = points.iter().map(|point| point.2).collect();
            for (point, ratio) in points.iter_mut().zip(smoothed(&ratios, SMOOTHED)) {
                point.2 = ratio;
            }
            (!points.is_empty()).then_some(Curve { strategy, points })
        })
        .collect()
}

fn said(point: &TrainingPoint, key: &str) -> Option<f64> {
    let value = point.statistics.get(key)?.as_f64();
    value.filter(|value| value.is_finite())
}

/// Step, log₁₀ λ and ρ, averaged at the steps at which all seeds say both.
fn average(seeds: &[&TrainingCurve]) -> Vec<(f64, f64, f64)> {
    let mut sums: BTreeMap<usize, (f64, f64, usize)> = BTreeMap::new();
    for point in seeds.iter().flat_map(|seed| &seed.points) {
        let (damping, ratio) = (said(point, "damping"), said(point, "reduction_ratio"));
        if let (Some(damping), Some(ratio)) = (damping.filter(|damping| *damping > 0.0), ratio) {
            let sum = sums.entry(point.step).or_default();
            *sum = (sum.0 + damping.log10(), sum.1 + ratio, sum.2 + 1);
        }
    }
    let all = seeds.len();
    sums.into_iter()
        .filter(|(_, (_, _, count))| *count == all)
        .map(|(step, (damping, ratio, _))| (step as f64, damping / all as f64, ratio / all as f64))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::fixture;

    /// Of two seeds the damping is the geometric mean and ρ the mean, from the first trial on; a method without trials
    /// has no curve.
    #[test]
    fn damping_is_averaged_geometrically_over_seeds() {
        let training = fixture::metrics().training;
        let [curve] = curves(&training).try_into().ok().unwrap();
        assert_eq!(curve.strategy, "kfac");
        let (step, damping, ratio) = curve.points[0];
        let at = |seed: usize, key: &str| said(&training[seed].points[step as usize], key).unwrap();
        let product = at(0, "damping") * at(1, "damping");
        assert!((damping - product.sqrt().log10()).abs() < 1e-12);
        let mean = (at(0, "reduction_ratio") + at(1, "reduction_ratio")) / 2.0;
        assert!((ratio - mean).abs() < 1e-12);
        assert!(step > 0.0, "no ratio is known before the first trial");
    }
}
