//! Loss against steps and against seconds.

use super::canvas::{Axis, DrawError, Form, SCALE, around, axes, figure};
use super::figure::SvgFigure;
use crate::error::Result;
use crate::report::palette::Palette;
use crate::runs::metrics::{Metrics, TrainingCurve};
use plotters::prelude::*;
use std::collections::BTreeMap;

/// What the loss is drawn against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Against {
    /// Optimisation steps.
    Steps,
    /// Seconds of training, validation excluded.
    Seconds,
}

/// The loss against steps.
pub const LOSS_STEPS: SvgFigure = SvgFigure {
    name: "loss_steps",
    caption: "Risk on the validation paths after each number of steps, averaged over seeds; \
              the smoothed risk of the training batches where there was no validation.",
    draw: |data, form| loss(data.metrics, Against::Steps, &data.palette, form),
};

/// The loss against seconds.
pub const LOSS_SECONDS: SvgFigure = SvgFigure {
    name: "loss_seconds",
    caption: "The same against the seconds spent in training, validation excluded.",
    draw: |data, form| loss(data.metrics, Against::Seconds, &data.palette, form),
};

/// A strategy's risk, averaged over its seeds.
pub struct Curve<'a> {
    /// The name of the strategy.
    pub strategy: &'a str,
    /// Whether the points are validation risks, which are few and get markers.
    pub validated: bool,
    /// The points: steps or seconds, and the risk.
    pub points: Vec<(f64, f64)>,
}

/// One line per strategy, averaged over its seeds; absent without training.
///
/// # Errors
/// [`crate::Error::Computation`] if plotters fails.
fn loss(
    metrics: &Metrics,
    against: Against,
    palette: &Palette,
    form: Form,
) -> Result<Option<String>> {
    let curves = curves(&metrics.training, against);
    let Some((x, y)) = frame(&curves) else {
        return Ok(None);
    };
    let validated = curves.iter().all(|curve| curve.validated);
    let what = if validated { "validation risk" } else { "risk" };
    let (by, label) = match against {
        Against::Steps => ("by step", "optimisation step"),
        Against::Seconds => ("by time", "training time (s)"),
    };
    let legend: Vec<_> = curves
        .iter()
        .map(|curve| (curve.strategy.to_owned(), palette.line(curve.strategy)))
        .collect();
    let y_label = format!("{} (money)", metrics.risk);
    let title = format!("Loss {by}: {what}");
    figure(form, &title, &legend, true, 1.0, |area| {
        let x = Axis {
            label,
            range: x,
            format: None,
        };
        let y = Axis {
            label: &y_label,
            range: y,
            format: None,
        };
        let mut chart = axes(area, form, &x, &y)?;
        for curve in &curves {
            let visible = below(&curve.points, y.range.end);
            let style = palette.line(curve.strategy);
            chart.draw_series(LineSeries::new(visible.iter().copied(), style))?;
            if curve.validated {
                let dots = visible
                    .iter()
                    .filter(|point| curve.points.contains(point))
                    .map(|&at| Circle::new(at, 3 * SCALE, style.filled()));
                chart.draw_series(dots)?;
            }
        }
        Ok::<(), DrawError>(())
    })
    .map(Some)
}

/// The curves of training by strategy, in order of first appearance.
pub fn by_strategy(training: &[TrainingCurve]) -> Vec<(&str, Vec<&TrainingCurve>)> {
    let mut found: Vec<(&str, Vec<&TrainingCurve>)> = Vec::new();
    for curve in training {
        match found.iter_mut().find(|(name, _)| *name == curve.strategy) {
            Some((_, seeds)) => seeds.push(curve),
            None => found.push((&curve.strategy, vec![curve])),
        }
    }
    found
}

/// The share of a training over which the risk of its batches is smoothed in figures, and in charts at first.
pub const SMOOTHED: f64 = 0.02;

fn curves(training: &[TrainingCurve], against: Against) -> Vec<Curve<'_>> {
    by_strategy(training)
        .into_iter()
        .filter_map(|(strategy, seeds)| {
            let validated = seeds
                .iter()
                .all(|seed| seed.points.iter().any(|p| p.validation_risk.is_some()));
            let points = match validated {
                true => validation(&seeds, against),
                false => batches(&seeds, against, SMOOTHED),
            };
            (!points.is_empty()).then_some(Curve {
                strategy,
                validated,
                points,
            })
        })
        .collect()
}

/// The mean over seeds of the validation risk, at the steps that all of them have it.
pub fn validation(seeds: &[&TrainingCurve], against: Against) -> Vec<(f64, f64)> {
    average(seeds, against, |seed| {
        seed.points.iter().map(|p| p.validation_risk).collect()
    })
}

/// The mean over seeds of the risk of the batches, at the steps that all of them recorded, each over a window of this share of
/// the training.
pub fn batches(seeds: &[&TrainingCurve], against: Against, share: f64) -> Vec<(f64, f64)> {
    average(seeds, against, |seed| {
        let risks: Vec<f64> = seed.points.iter().map(|p| p.risk).collect();
        smoothed(&risks, share).map(Some).collect()
    })
}

/// The mean over seeds of a risk for every step that all of them have.
fn average(
    seeds: &[&TrainingCurve],
    against: Against,
    risks: impl Fn(&TrainingCurve) -> Vec<Option<f64>>,
) -> Vec<(f64, f64)> {
    let mut sums: BTreeMap<usize, (f64, f64, usize)> = BTreeMap::new();
    for seed in seeds {
        for (point, risk) in seed.points.iter().zip(risks(seed)) {
            let Some(risk) = risk.filter(|risk| risk.is_finite()) else {
                continue;
            };
            let sum = sums.entry(point.step).or_default();
            sum.0 += point.seconds;
            sum.1 += risk;
            sum.2 += 1;
        }
    }
    sums.into_iter()
        .filter(|(_, (_, _, count))| *count == seeds.len())
        .map(|(step, (seconds, risk, count))| {
            let x = match against {
                Against::Steps => step as f64,
                Against::Seconds => seconds / count as f64,
            };
            (x, risk / count as f64)
        })
        .collect()
}

/// The values averaged over those around each, in a window of this `share` of them; themselves if it is 0.
pub fn smoothed(values: &[f64], share: f64) -> impl Iterator<Item = f64> {
    // A hair more, so that a window of 2 % of 100 values reaches a whole value to either side.
    let reach = (0.5 * share * values.len() as f64 + 1e-9) as usize;
    (0..values.len()).map(move |at| {
        // The window shrinks at both ends, so that it stays centred.
        let reach = reach.min(at).min(values.len() - 1 - at);
        let window = &values[at - reach..=at + reach];
        window.iter().sum::<f64>() / window.len() as f64
    })
}

/// Ranges that show where the curves end up: the first fall from an untrained policy is much
/// higher than anything after it and may leave the picture at the top.
pub fn frame(curves: &[Curve<'_>]) -> Option<(std::ops::Range<f64>, std::ops::Range<f64>)> {
    let xs = curves.iter().flat_map(|c| c.points.iter().map(|p| p.0));
    let right = xs.fold(0.0, f64::max);
    let ys = || curves.iter().flat_map(|c| c.points.iter().map(|p| p.1));
    let low = ys().fold(f64::INFINITY, f64::min);
    let high = ys().fold(f64::NEG_INFINITY, f64::max);
    if !low.is_finite() || !high.is_finite() {
        return None;
    }
    // Everything that the slowest curve does after its first fifth is inside.
    let later = curves
        .iter()
        .flat_map(|c| c.points.iter().skip(c.points.len() / 5))
        .map(|p| p.1)
        .fold(low, f64::max);
    let top = high.min(low + 2.0 * (later - low));
    let margin = if top > low {
        0.06 * (top - low)
    } else {
        around(low)
    };
    let right = if right > 0.0 { right } else { 1.0 };
    Some((0.0..right * 1.02, low - margin..top + margin))
}

/// The part of a curve from where it first comes below `top`, entered at the crossing; later
/// points above are held at `top`.
fn below(points: &[(f64, f64)], top: f64) -> Vec<(f64, f64)> {
    let Some(first) = points.iter().position(|point| point.1 <= top) else {
        return Vec::new();
    };
    let mut visible = Vec::new();
    if first > 0 {
        let ((x0, y0), (x1, y1)) = (points[first - 1], points[first]);
        visible.push((x0 + (x1 - x0) * (y0 - top) / (y0 - y1), top));
    }
    visible.extend(points[first..].iter().map(|&(x, y)| (x, y.min(top))));
    visible
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::fixture;

    /// Seeds are averaged at common steps, validation is preferred to batches.
    #[test]
    fn validation_risks_are_averaged_over_seeds() {
        let metrics = fixture::metrics();
        let curves = curves(&metrics.training, Against::Steps);
        assert_eq!(curves.len(), 2);
        assert!(curves[0].validated);
        // 300 steps, validated every 25 from step 0.
        assert_eq!(curves[0].points.len(), 13);
        let at = |seed: usize| metrics.training[seed].points[50].validation_risk.unwrap();
        let (step, risk) = curves[0].points[2];
        assert_eq!(step, 50.0);
        assert!((risk - (at(0) + at(1)) / 2.0).abs() < 1e-12);
    }

    /// Without validation every step counts; a seed that stopped early ends the mean.
    #[test]
    fn batch_risks_stand_in_and_end_with_the_shortest_seed() {
        let mut training = fixture::metrics().training;
        for point in training.iter_mut().flat_map(|curve| &mut curve.points) {
            point.validation_risk = None;
        }
        training[1].points.truncate(120);
        let curves = curves(&training, Against::Seconds);
        assert!(!curves[0].validated);
        assert_eq!(curves[0].points.len(), 120);
        assert!((curves[0].points[119].0 - 119.0 * 0.2).abs() < 1e-9);
    }

    /// The visible part starts on the upper edge, at the crossing.
    #[test]
    fn curves_are_cut_at_the_top() {
        let visible = below(&[(0.0, 5.0), (1.0, 1.0), (2.0, 0.5)], 3.0);
        assert_eq!(visible, [(0.5, 3.0), (1.0, 1.0), (2.0, 0.5)]);
        assert!(below(&[(0.0, 5.0)], 3.0).is_empty());
    }
}
