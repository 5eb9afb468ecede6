//! How trainings went.

use super::chart::{Chart, RunData};
use super::frame::{Axis, Figure, MONEY, figure, line, mark, stroke};
use crate::report::figures::Against;
use crate::report::figures::damping::DAMPING;
use crate::report::figures::training::{
    Curve, LOSS_SECONDS as LOSS_SECONDS_FIGURE, LOSS_STEPS as LOSS_STEPS_FIGURE, SMOOTHED, batches,
    by_strategy, frame, validation,
};
use crate::report::html::About;
use crate::report::palette::Palette;
use crate::runs::metrics::TrainingCurve;
use plotly::Trace;
use plotly::common::{HoverInfo, Mode};
use plotly::layout::AxisType;

/// The validation risk against steps.
pub const VALIDATION_STEPS: Chart = Chart::new(
    "validation_steps",
    "Risk on the validation paths after each number of steps, averaged over seeds.",
    is_validated,
    |run, _| Ok(validation_of(run, Against::Steps)),
)
.instead_of(&LOSS_STEPS_FIGURE)
.about(About::Training);

/// The validation risk against seconds.
pub const VALIDATION_SECONDS: Chart = Chart::new(
    "validation_seconds",
    "The same against the seconds spent in training, validation excluded.",
    is_validated,
    |run, _| Ok(validation_of(run, Against::Seconds)),
)
.instead_of(&LOSS_SECONDS_FIGURE)
.about(About::Training);

/// The risk of the training batches against steps.
pub const LOSS_STEPS: Chart = Chart::new(
    "loss_steps",
    "Risk of the training batches, averaged over seeds: thin as it was, thick over a window around each step, which shrinks at \
     both ends.",
    |run| !run.metrics.training.is_empty(),
    |run, smoothing| Ok(loss_of(run, smoothing)),
)
.choosing("Smoothing", |_| SMOOTHINGS.map(|(words, _)| words.to_owned()).to_vec())
.about(About::Training);

/// By how much the risk of batches is smoothed, in words and as the share of the training that a window has; what is shown at
/// first comes first.
pub const SMOOTHINGS: [(&str, f64); 4] = [
    ("2 % of the steps", SMOOTHED),
    ("10 % of the steps", 0.1),
    ("20 % of the steps", 0.2),
    ("none", 0.0),
];

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
.choosing("Statistic", |metrics| statistics(&metrics.training))
.about(About::Training);

fn is_validated(run: &RunData<'_>) -> bool {
    let mut points = run.metrics.training.iter().flat_map(|curve| &curve.points);
    points.any(|point| point.validation_risk.is_some())
}

fn validation_of(run: &RunData<'_>, against: Against) -> Option<Figure> {
    let of = |seeds: &[&TrainingCurve]| validation(seeds, against);
    let curves = curves(&run.metrics.training, true, of);
    drawn(
        &Shown {
            title: "Validation risk",
            measure: format!("{}, validation", run.metrics.risk),
            against,
        },
        (curves, Vec::new()),
        &run.palette,
    )
}

/// The risk of the batches; `smoothing` are words of [`SMOOTHINGS`], the first ones unless given.
fn loss_of(run: &RunData<'_>, smoothing: Option<&str>) -> Option<Figure> {
    let chosen = SMOOTHINGS
        .into_iter()
        .find(|(words, _)| smoothing == Some(*words));
    let (_, share) = chosen.unwrap_or(SMOOTHINGS[0]);
    loss(
        &run.metrics.training,
        &run.metrics.risk,
        share,
        &run.palette,
    )
}

/// Points of a line, at most; a screen has no more columns to show them in.
const POINTS: usize = 1000;

/// The risk of the batches, one line per strategy, averaged over its seeds at the steps that all of them have and over windows
/// of this `share` of the training, above thin lines of what is not smoothed; `measure` names the risk in words: `CVaR 95 %`.
/// Absent without points.
pub fn loss(
    training: &[TrainingCurve],
    measure: &str,
    share: f64,
    palette: &Palette,
) -> Option<Figure> {
    let of = |share| {
        curves(training, false, move |seeds| {
            batches(seeds, Against::Steps, share)
        })
    };
    let raw = match share > 0.0 {
        true => of(0.0),
        false => Vec::new(),
    };
    drawn(
        &Shown {
            title: "Training loss",
            measure: format!("{measure}, batch"),
            against: Against::Steps,
        },
        (of(share), raw),
        palette,
    )
}

fn curves<'a>(
    training: &'a [TrainingCurve],
    validated: bool,
    points: impl Fn(&[&TrainingCurve]) -> Vec<(f64, f64)>,
) -> Vec<Curve<'a>> {
    by_strategy(training)
        .into_iter()
        .map(|(strategy, seeds)| Curve {
            strategy,
            validated,
            points: points(&seeds),
        })
        .filter(|curve| !curve.points.is_empty())
        .collect()
}

/// What a chart of risks along training is of.
struct Shown<'a> {
    title: &'a str,
    measure: String,
    against: Against,
}

/// One line per strategy in a frame around where they end up, above thin ones without names; absent without points.
fn drawn(
    shown: &Shown<'_>,
    (curves, behind): (Vec<Curve<'_>>, Vec<Curve<'_>>),
    palette: &Palette,
) -> Option<Figure> {
    let (x_range, y_range) = frame(&curves)?;
    let (label, unit, by) = match shown.against {
        Against::Steps => (STEPS, "step %{x}", "by step"),
        Against::Seconds => ("training time (s)", "%{x:.2f} s", "by time"),
    };
    let behind = behind.into_iter().map(|curve| -> Box<dyn Trace> {
        line(palette, curve.strategy, thinned(curve.points), "")
            .show_legend(false)
            .hover_info(HoverInfo::Skip)
            .opacity(0.3)
            .line(stroke(palette, curve.strategy).width(1.0))
    });
    let lines = curves.into_iter().map(|curve| -> Box<dyn Trace> {
        let hover = format!("%{{fullData.name}}: %{{y:{MONEY}}}<br>{unit}<extra></extra>");
        let trace = line(palette, curve.strategy, thinned(curve.points), &hover);
        match curve.validated {
            true => trace
                .mode(Mode::LinesMarkers)
                .marker(mark(palette, curve.strategy).size(6)),
            false => trace,
        }
    });
    let made = figure(
        &format!("{} {by}", shown.title),
        Axis::new(label).range(x_range),
        Axis::new(&format!("{} (money)", shown.measure)).range(y_range),
        behind.chain(lines).collect(),
    );
    Some(made.logarithmic())
}

/// At most about [`POINTS`] of the points, the last one among them.
fn thinned(points: Vec<(f64, f64)>) -> (Vec<f64>, Vec<f64>) {
    let stride = points.len().div_ceil(POINTS).max(1);
    let last = points.last().copied();
    let (mut x, mut y): (Vec<f64>, Vec<f64>) = points.into_iter().step_by(stride).unzip();
    if let Some((end, risk)) = last.filter(|(end, _)| x.last() != Some(end)) {
        x.push(end);
        y.push(risk);
    }
    (x, y)
}

/// The axis of steps.
pub const STEPS: &str = "optimisation step";

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
        Axis::new(STEPS),
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
