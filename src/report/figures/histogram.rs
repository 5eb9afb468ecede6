//! The spread of P&L.

use super::canvas::{Axis, DrawError, Form, axes, figure, range, reference_line};
use super::figure::{Part, SvgFigure};
use crate::error::Result;
use crate::numbers::median;
use crate::report::palette::Palette;
use plotters::prelude::*;
use std::ops::Range;

/// A strategy that spreads this many times wider than the middle one does not set the frame.
const OUTLIER: f64 = 3.0;

/// The spread of P&L over the simulated test paths.
pub const PNL_HISTOGRAM: SvgFigure = SvgFigure {
    part: Part::Simulated,
    name: "pnl_histogram",
    caption: "How the P&L at expiry is spread over the simulated test paths, all seeds \
              together. Losses are on the left.",
    draw: |data, form| {
        let words = ("P&L at expiry", "paths");
        let table = data.evaluation;
        table.map_or(Ok(None), |table| {
            pnl_histogram(&pooled(table.samples()), words, &data.palette, form)
        })
    },
};

/// The spread of P&L over the contracts sold on history.
pub const BACKTEST_HISTOGRAM: SvgFigure = SvgFigure {
    part: Part::TearSheet,
    name: "backtest_histogram",
    caption: "How the P&L of the contracts sold through the history is spread, all seeds \
              together. Losses are on the left.",
    draw: |data, form| {
        let words = ("Backtest: P&L at expiry", "contracts");
        let table = data.backtest;
        table.map_or(Ok(None), |table| {
            pnl_histogram(&pooled(table.samples()), words, &data.palette, form)
        })
    },
};

/// P&L histograms over common bins as one line per strategy, of `samples` as [`pooled`] gives them; absent without any.
/// `unit` is what is counted.
///
/// # Errors
/// [`crate::Error::Computation`] if plotters fails.
fn pnl_histogram(
    samples: &[(&str, Vec<f64>)],
    (title, unit): (&str, &str),
    palette: &Palette,
    form: Form,
) -> Result<Option<String>> {
    let Some(frame) = common_range(samples) else {
        return Ok(None);
    };
    let bins = bins(samples);
    let mut legend = Vec::new();
    let mut outlines = Vec::new();
    for (strategy, sorted) in samples {
        let (shares, outside) = shares(sorted, &frame, bins);
        // A tail of a few per mille is outside by construction.
        let words = if outside > 0.01 {
            format!("{strategy} ({:.0} % outside)", 100.0 * outside)
        } else {
            (*strategy).to_owned()
        };
        legend.push((words, palette.line(strategy)));
        outlines.push((*strategy, shares));
    }
    let highest = outlines
        .iter()
        .flat_map(|(_, s)| s)
        .copied()
        .fold(0.0, f64::max);
    let label = format!("{unit} per bin (%)");
    figure(form, title, &legend, true, 1.0, |area| {
        let x = Axis {
            label: "P&L (money per contract; gains right)",
            range: frame.clone(),
            format: None,
        };
        let y = Axis {
            label: &label,
            range: 0.0..highest * 1.06,
            format: None,
        };
        let mut chart = axes(area, form, &x, &y)?;
        if frame.contains(&0.0) {
            let zero = [(0.0, 0.0), (0.0, y.range.end)];
            chart.draw_series(LineSeries::new(zero, reference_line()))?;
        }
        let width = (frame.end - frame.start) / bins as f64;
        for (strategy, shares) in &outlines {
            // Straight lines between the middles of the bins: stairs of several dashed lines
            // on top of each other cannot be told apart.
            let middles = shares.iter().enumerate().map(|(bin, &share)| {
                let middle = frame.start + width * (bin as f64 + 0.5);
                (middle, share)
            });
            chart.draw_series(LineSeries::new(middles, palette.line(strategy)))?;
        }
        Ok::<(), DrawError>(())
    })
    .map(Some)
}

/// The sorted P&L of each strategy over all its seeds.
pub fn pooled<'a>(books: impl Iterator<Item = (&'a str, &'a [f64])>) -> Vec<(&'a str, Vec<f64>)> {
    let mut samples: Vec<(&str, Vec<f64>)> = Vec::new();
    for (strategy, pnl) in books {
        let finite = pnl.iter().copied().filter(|pnl| pnl.is_finite());
        match samples.iter_mut().find(|(name, _)| *name == strategy) {
            Some((_, pooled)) => pooled.extend(finite),
            None => samples.push((strategy, finite.collect())),
        }
    }
    for (_, pnl) in &mut samples {
        pnl.sort_by(f64::total_cmp);
    }
    samples.retain(|(_, pnl)| !pnl.is_empty());
    samples
}

/// From the 0.1 % to the 99.9 % point of every strategy that is not an outlier.
pub fn common_range(samples: &[(&str, Vec<f64>)]) -> Option<Range<f64>> {
    let spans: Vec<(f64, f64)> = samples
        .iter()
        .map(|(_, sorted)| {
            let last = sorted.len() - 1;
            let at = |q: f64| sorted[(q * last as f64).round() as usize];
            (at(0.001), at(0.999))
        })
        .collect();
    let widths = spans.iter().map(|(low, high)| high - low);
    let limit = OUTLIER * median(widths)?;
    let inside = spans.iter().filter(|(low, high)| high - low <= limit);
    range(inside.flat_map(|&(low, high)| [low, high]), 0.02)
}

/// Twice the cube root of the smallest sample (Rice's rule), kept between 16 and 64.
pub fn bins(samples: &[(&str, Vec<f64>)]) -> usize {
    let smallest = samples.iter().map(|(_, pnl)| pnl.len()).min().unwrap_or(0);
    ((2.0 * (smallest as f64).cbrt()) as usize).clamp(16, 64)
}

/// Per cent of the sample in each bin, and the fraction in none.
pub fn shares(sorted: &[f64], frame: &Range<f64>, bins: usize) -> (Vec<f64>, f64) {
    let mut counts = vec![0usize; bins];
    let mut outside = 0usize;
    for pnl in sorted {
        let place = (pnl - frame.start) / (frame.end - frame.start);
        if (0.0..1.0).contains(&place) {
            counts[((place * bins as f64) as usize).min(bins - 1)] += 1;
        } else {
            outside += 1;
        }
    }
    let n = sorted.len() as f64;
    let shares = counts.iter().map(|&count| 100.0 * count as f64 / n);
    (shares.collect(), outside as f64 / n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::fixture;

    /// Seeds are pooled, and every path is in a bin or counted as outside.
    #[test]
    fn every_path_is_counted_once() {
        let table = fixture::evaluation();
        let samples = pooled(table.samples());
        assert_eq!(samples.len(), 5);
        assert_eq!(samples[0].1.len(), 1000);
        let frame = common_range(&samples).unwrap();
        for (strategy, sorted) in &samples {
            let (shares, outside) = shares(sorted, &frame, 32);
            let total = shares.iter().sum::<f64>() + 100.0 * outside;
            assert!((total - 100.0).abs() < 1e-9, "{strategy}: {total}");
        }
    }

    /// The unhedged position, several times wider than the rest, does not set the range.
    #[test]
    fn an_outlier_does_not_set_the_frame() {
        let table = fixture::evaluation();
        let samples = pooled(table.samples());
        let frame = common_range(&samples).unwrap();
        let hedged: Vec<_> = samples
            .iter()
            .filter(|(name, _)| *name != "naked")
            .collect();
        let widest = hedged
            .iter()
            .map(|(_, s)| s[s.len() - 1] - s[0])
            .fold(0.0, f64::max);
        assert!(frame.end - frame.start < 1.5 * widest, "{frame:?} {widest}");
        let naked = samples.iter().find(|(name, _)| *name == "naked").unwrap();
        assert!(shares(&naked.1, &frame, 32).1 > 0.1);
    }
}
