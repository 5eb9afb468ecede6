//! How trainings went.

use super::chart::{Chart, RunData};
use super::frame::{Axis, Figure, MONEY, figure, line};
use crate::report::figures::Against;
use crate::report::figures::damping::DAMPING;
use crate::report::figures::training::{
    Curve, LOSS_SECONDS as LOSS_SECONDS_FIGURE, LOSS_STEPS as LOSS_STEPS_FIGURE, average,
    by_strategy, frame,
};
use crate::report::html::About;
use crate::report::palette::Palette;
use crate::runs::metrics::TrainingCurve;
use plotly::Trace;
use plotly::common::Mode;
use plotly::layout::AxisType;

/// The validation risk against steps.
pub const VALIDATION_STEPS: Chart = Chart::new(
    "validation_steps",
    "Risk on the validation paths after each number of steps, averaged over seeds.",
    is_validated,
    |run, _| Ok(loss_of(run, Risk::Validation, Against::Steps)),
)
.instead_of(&LOSS_STEPS_FIGURE)
.about(About::Training);

/// The validation risk against seconds.
pub const VALIDATION_SECONDS: Chart = Chart::new(
    "validation_seconds",
    "The same against the seconds spent in training, validation excluded.",
    is_validated,
    |run, _| Ok(loss_of(run, Risk::Validation, Against::Seconds)),
)
.instead_of(&LOSS_SECONDS_FIGURE)
.about(About::Training);

/// The risk of the training batches against steps.
pub const LOSS_STEPS: Chart = Chart::new(
    "loss_steps",
    "Risk of the training batches, smoothed over a fiftieth of the training and averaged over seeds.",
    |run| !run.metrics.training.is_empty(),
    |run, _| Ok(loss_of(run, Risk::Batch, Against::Steps)),
)
.about(About::Training);

/// What optimizers say of their steps, one number at a time.
pub const STATISTICS: Chart = Chart::new(
    "statistics",
    "What an optimizer says of its own steps, the first seed's.",
    |run| !statistics(&run.metrics.training).is_empty(),
    |run, key| {
        let keys = statistics(&run.metrics.training);
        let key = key.or_else(|| keys.first().map(String::as_str));
        Ok(key.and_then(|key| statistic(&run.metrics.training, key, &run.palette)))
    },
)
.instead_of(&DAMPING)
.choosing(|metrics| statistics(&metrics.training))
.about(About::Training);

fn is_validated(run: &RunData<'_>) -> bool {
    let mut points = run.metrics.training.iter().flat_map(|curve| &curve.points);
    points.any(|point| point.validation_risk.is_some())
}

fn loss_of(run: &RunData<'_>, risk: Risk, against: Against) -> Option<Figure> {
    let metrics = run.metrics;
    loss(
        &metrics.training,
        &metrics.risk,
        risk,
        against,
        &run.palette,
    )
}

/// Whose risk is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Risk {
    /// That of the training batches, smoothed.
    Batch,
    /// That of the validation paths.
    Validation,
}

/// Points of a line, at most; a screen has no more columns to show them in.
const POINTS: usize = 1000;

/// One line per strategy, averaged over its seeds at the steps that all of them have; `measure` names the risk in
/// words: `CVaR 95 %`. Absent without points.
pub fn loss(
    training: &[TrainingCurve],
    measure: &str,
    risk: Risk,
    against: Against,
    palette: &Palette,
) -> Option<Figure> {
    let validated = risk == Risk::Validation;
    let curves: Vec<Curve<'_>> = by_strategy(training)
        .into_iter()
        .map(|(strategy, seeds)| Curve {
            strategy,
            validated,
            points: average(&seeds, validated, against),
        })
        .filter(|curve| !curve.points.is_empty())
        .collect();
    let (x_range, y_range) = frame(&curves)?;
    let (label, unit) = match against {
        Against::Steps => ("optimisation step (count)", "step %{x}"),
        Against::Seconds => ("training time (s)", "%{x:.2f} s"),
    };
    let (title, name) = match risk {
        Risk::Batch => ("Training loss", "batch"),
        Risk::Validation => ("Validation risk", "validation"),
    };
    let by = match against {
        Against::Steps => "by step",
        Against::Seconds => "by time",
    };
    let traces = curves.into_iter().map(|curve| -> Box<dyn Trace> {
        let stride = curve.points.len().div_ceil(POINTS);
        let last = curve.points.last().copied();
        let points = curve.points.into_iter().step_by(stride);
        let (mut x, mut y): (Vec<f64>, Vec<f64>) = points.unzip();
        if let Some((end, risk)) = last.filter(|(end, _)| x.last() != Some(end)) {
            x.push(end);
            y.push(risk);
        }
        let hover = format!("%{{fullData.name}}: %{{y:{MONEY}}}<br>{unit}<extra></extra>");
        let trace = line(palette, curve.strategy, (x, y), &hover);
        if validated {
            trace.mode(Mode::LinesMarkers)
        } else {
            trace
        }
    });
    let y_label = format!("{measure}, {name} (money)");
    Some(figure(
        &format!("{title} {by}"),
        Axis::new(label).range(x_range),
        Axis::new(&y_label).range(y_range),
        traces.collect(),
    ))
}

/// The statistics that are looked at first.
pub const FIRST: [&str; 4] = ["pnl_change", "radius_use", "reduction_ratio", "damping"];

/// The names of the numbers that optimizers say of their steps: those of the trust region, then the others in order of
/// first appearance.
fn statistics(training: &[TrainingCurve]) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for point in training.iter().flat_map(|curve| &curve.points) {
        for (key, value) in &point.statistics {
            if value.is_number() && !keys.contains(key) {
                keys.push(key.clone());
            }
        }
    }
    let place = |key: &String| FIRST.iter().position(|first| first == key);
    keys.sort_by_key(|key| place(key).unwrap_or(FIRST.len()));
    keys
}

/// One statistic of the optimizers by step, the first seed's of each strategy; absent if none says it.
fn statistic(training: &[TrainingCurve], key: &str, palette: &Palette) -> Option<Figure> {
    let lines: Vec<(&str, Vec<f64>, Vec<f64>)> = by_strategy(training)
        .into_iter()
        .filter_map(|(strategy, seeds)| {
            let points = seeds.first()?.points.iter();
            let said: Vec<(f64, f64)> = points
                .filter_map(|point| Some((point.step as f64, point.statistics.get(key)?.as_f64()?)))
                .collect();
            let stride = said.len().div_ceil(POINTS).max(1);
            let (x, y): (Vec<f64>, Vec<f64>) = said.into_iter().step_by(stride).unzip();
            (!x.is_empty()).then_some((strategy, x, y))
        })
        .collect();
    let values = || lines.iter().flat_map(|(_, _, y)| y.iter().copied());
    let (low, high) = (
        values().fold(f64::INFINITY, f64::min),
        values().fold(f64::NEG_INFINITY, f64::max),
    );
    if lines.is_empty() {
        return None;
    }
    let kind = if low > 0.0 && high > 100.0 * low {
        AxisType::Log
    } else {
        AxisType::Linear
    };
    let words = key.replace('_', " ");
    let traces = lines.into_iter().map(|(strategy, x, y)| -> Box<dyn Trace> {
        let hover = "%{fullData.name}: %{y:.4g}<br>step %{x}<extra></extra>";
        line(palette, strategy, (x, y), hover)
    });
    let label = format!("{words} ({})", unit(key));
    let axis = Axis::new(&label).of(kind).powers();
    Some(figure(
        &format!("Optimizer: {words}"),
        Axis::new("optimisation step (count)"),
        // A constant would be drawn on an axis from −1 to 1, whatever its size.
        if low == high && low > 0.0 {
            axis.range(0.0..2.0 * low)
        } else {
            axis
        },
        traces.collect(),
    ))
}

/// Units of statistics; all others are dimensionless. Weights have no unit, the optimizer counts P&L in the strategy's unit of
/// money, and its metric in the square of that.
pub const UNITS: [(&str, &str); 9] = [
    ("pnl_change", "units of money"),
    ("predicted_change", "units of money"),
    ("actual_change", "units of money"),
    ("gradient_norm", "units of money per unit of weight"),
    ("velocity_norm", "units of money per unit of weight"),
    ("damping", "squared units of money"),
    ("least_eigenvalue", "squared units of money"),
    ("greatest_eigenvalue", "squared units of money"),
    ("curvature", "units of money per squared unit of weight"),
];

fn unit(key: &str) -> &'static str {
    let known = UNITS.iter().find(|(name, _)| *name == key);
    known.map_or("dimensionless", |(_, unit)| unit)
}
