//! What strategies gain or lose against a baseline, from the worst P&L to the best.

use super::canvas::{Axis, DrawError, Form, axes, figure, range, reference_line, stretch};
use super::figure::SvgFigure;
use super::histogram::{pooled, typical};
use crate::error::Result;
use crate::report::palette::Palette;
use crate::report::summary::{leading, lines};
use crate::runs::metrics::Metrics;
use plotters::prelude::*;
use std::ops::Range;

/// Quantiles of P&L less those of the baseline.
pub const PNL_DIFFERENCE: SvgFigure = SvgFigure {
    name: "pnl_difference",
    caption: "P&L at expiry on the simulated test paths less that of the baseline, quantile by quantile: losses are on the \
              left, and above zero is better.",
    draw: |data, form| {
        let baseline = baselines(data.metrics).into_iter().next();
        let (Some(table), Some(baseline)) = (data.evaluation, baseline) else {
            return Ok(None);
        };
        let samples = pooled(table.samples());
        let names: Vec<&str> = samples.iter().map(|(name, _)| *name).collect();
        let leads = leading(data.metrics, &names);
        match differences(&samples, &baseline) {
            Some(mut found) => {
                found.lines.retain(|line| {
                    let at = names.iter().position(|name| *name == line.strategy);
                    at.is_some_and(|at| leads[at])
                });
                draw(&found, &baseline, &data.palette, form)
            }
            None => Ok(None),
        }
    },
};

/// What a run's strategies can be compared with: the baseline of its comparisons first, then all others; none if there is
/// nothing to compare it with.
pub fn baselines(metrics: &Metrics) -> Vec<String> {
    let evaluated = lines(&metrics.evaluation).into_iter();
    let mut names: Vec<String> = evaluated.map(|line| line.strategy.to_owned()).collect();
    let first = metrics.comparisons.first();
    if let Some(at) = first.and_then(|c| names.iter().position(|name| *name == c.baseline)) {
        let first = names.remove(at);
        names.insert(0, first);
    }
    if names.len() < 2 {
        names.clear();
    }
    names
}

/// The quantiles of a strategy's P&L less those of the baseline.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference<'a> {
    /// The name of the strategy.
    pub strategy: &'a str,
    /// One for each of the levels.
    pub values: Vec<f64>,
}

/// The differences of all strategies but the baseline.
#[derive(Debug, Clone, PartialEq)]
pub struct Differences<'a> {
    /// The levels of the quantiles, in per cent, each of at least ten paths of the smallest sample.
    pub levels: Vec<f64>,
    /// A line for every strategy.
    pub lines: Vec<Difference<'a>>,
    /// What holds the lines of all strategies whose P&L does not spread several times wider than that of the others.
    pub shown: Range<f64>,
}

/// The differences of `samples`, which are sorted as [`pooled`] gives them, from `baseline`; absent without the baseline, without
/// another strategy, or with fewer than 40 paths.
pub fn differences<'a>(samples: &[(&'a str, Vec<f64>)], baseline: &str) -> Option<Differences<'a>> {
    const FEWEST: usize = 40;
    let (_, theirs) = samples.iter().find(|(name, _)| *name == baseline)?;
    let smallest = samples.iter().map(|(_, pnl)| pnl.len()).min()?;
    if samples.len() < 2 || smallest < FEWEST {
        return None;
    }
    let step = (1000.0 / smallest as f64).max(0.5);
    let count = ((100.0 - step) / step).floor() as usize;
    let levels: Vec<f64> = (1..=count).map(|at| step * at as f64).collect();
    let others: Vec<(&str, Difference<'a>)> = samples
        .iter()
        .filter(|(name, _)| *name != baseline)
        .map(|(name, ours)| {
            let values = levels
                .iter()
                .map(|level| quantile(ours, *level) - quantile(theirs, *level));
            let line = Difference {
                strategy: name,
                values: values.collect(),
            };
            (*name, line)
        })
        .collect();
    let usual = typical(samples);
    let is_usual = |name: &str| {
        let at = samples.iter().position(|(other, _)| *other == name);
        at.is_some_and(|at| usual[at])
    };
    let usual = others.iter().filter(|(name, _)| is_usual(name));
    let inside = usual.flat_map(|(_, line)| line.values.iter().copied());
    let shown = range(inside.chain([0.0]), 0.06)?;
    Some(Differences {
        levels,
        lines: others.into_iter().map(|(_, line)| line).collect(),
        shown,
    })
}

/// The value below which `level` per cent of a sorted sample lie, by the nearest rank.
fn quantile(sorted: &[f64], level: f64) -> f64 {
    let last = sorted.len() - 1;
    sorted[((level / 100.0 * last as f64).round() as usize).min(last)]
}

/// # Errors
/// [`crate::Error::Computation`] if plotters fails.
fn draw(
    found: &Differences<'_>,
    baseline: &str,
    palette: &Palette,
    form: Form,
) -> Result<Option<String>> {
    let legend: Vec<_> = found
        .lines
        .iter()
        .map(|line| (line.strategy.to_owned(), palette.line(line.strategy)))
        .collect();
    let title = format!("P&L less that of {baseline}");
    let label = "P&L less the baseline's (money)";
    figure(form, &title, &legend, true, stretch(legend.len()), |area| {
        let x = Axis {
            label: "quantile of P&L (%)",
            range: 0.0..100.0,
            format: None,
        };
        let y = Axis {
            label,
            range: found.shown.clone(),
            format: None,
        };
        let mut chart = axes(area, form, &x, &y)?;
        chart.draw_series(LineSeries::new(
            [(0.0, 0.0), (100.0, 0.0)],
            reference_line(),
        ))?;
        for line in &found.lines {
            let inside = |value: f64| value.clamp(y.range.start, y.range.end);
            let points = found.levels.iter().zip(&line.values);
            let points = points.map(|(level, value)| (*level, inside(*value)));
            chart.draw_series(LineSeries::new(points, palette.line(line.strategy)))?;
        }
        Ok::<(), DrawError>(())
    })
    .map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::fixture;

    /// Of a sample that is shifted by c every quantile is c higher; one that is scaled by k about zero is (k − 1) times the
    /// quantile apart.
    #[test]
    fn shifts_and_scales_are_seen() {
        let base: Vec<f64> = (-500..=500).map(f64::from).collect();
        let shifted = base.iter().map(|pnl| pnl + 3.0).collect();
        let doubled = base.iter().map(|pnl| 2.0 * pnl).collect();
        let samples = [("adam", base), ("shifted", shifted), ("doubled", doubled)];
        let found = differences(&samples, "adam").unwrap();
        assert_eq!(found.lines.len(), 2);
        assert!(found.lines[0].values.iter().all(|value| *value == 3.0));
        for (level, value) in found.levels.iter().zip(&found.lines[1].values) {
            assert_eq!(*value, quantile(&samples[0].1, *level), "{level}");
        }
        assert!(differences(&samples, "kfac").is_none());
        assert!(differences(&samples[..1], "adam").is_none());
    }

    /// A hedge that spreads many times wider than the rest does not set what is shown, and the run's own baseline comes first.
    #[test]
    fn the_unhedged_position_does_not_set_the_frame() {
        let table = fixture::evaluation();
        let samples = pooled(table.samples());
        let metrics = fixture::metrics();
        let baselines = baselines(&metrics);
        assert_eq!((baselines[0].as_str(), baselines.len()), ("adam", 5));
        let found = differences(&samples, "adam").unwrap();
        let naked = found.lines.iter().find(|line| line.strategy == "naked");
        assert!(
            naked
                .unwrap()
                .values
                .iter()
                .any(|value| !found.shown.contains(value))
        );
        let kfac = found.lines.iter().find(|line| line.strategy == "kfac");
        assert!(
            kfac.unwrap()
                .values
                .iter()
                .all(|value| found.shown.contains(value))
        );
    }
}
