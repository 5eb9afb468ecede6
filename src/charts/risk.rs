//! What hedges leave and what they cost.

use super::chart::{Chart, Choices};
use super::frame::{Axis, Figure, MONEY, color, figure, led, line, mark, stroke};
use crate::report::figures::difference::{
    PNL_DIFFERENCE as PNL_DIFFERENCE_FIGURE, baselines, differences,
};
use crate::report::figures::histogram::{
    PNL_HISTOGRAM as PNL_HISTOGRAM_FIGURE, bins, common_range, pooled, shares,
};
use crate::report::figures::scatter::{
    COST_CVAR as COST_CVAR_FIGURE, dots, outside, scatter_frame,
};
use crate::report::palette::Palette;
use crate::report::summary::{cvar_label, leading, main_level, strategies};
use crate::risk::Row;
use crate::runs::metrics::Metrics;
use crate::runs::tables::EvaluationTable;
use plotly::common::{ErrorData, ErrorType, Mode};
use plotly::{Scatter, Trace};

/// The spread of P&L over the test paths.
pub const PNL_HISTOGRAM: Chart = Chart::new(
    "pnl_histogram",
    "How the P&L at expiry is spread over the simulated test paths, all seeds together. Losses are on the left.",
    |run| !run.metrics.evaluation.is_empty(),
    |run, _| Ok((run.evaluation()?).and_then(|table| pnl_histogram(run.metrics, &table, &run.palette))),
)
.instead_of(&PNL_HISTOGRAM_FIGURE);

/// Quantiles of P&L less those of a baseline.
pub const PNL_DIFFERENCE: Chart = Chart::new(
    "pnl_difference",
    "P&L at expiry on the simulated test paths less that of the baseline, quantile by quantile: losses are on the left, and \
     above zero is better. Where distributions seem to coincide, this tells them apart.",
    |run| !baselines(run.metrics).is_empty(),
    |run, baseline| {
        let table = run.evaluation()?;
        let baselines = baselines(run.metrics);
        let baseline = baseline.or_else(|| baselines.first().map(String::as_str));
        Ok(table
            .zip(baseline)
            .and_then(|(table, baseline)| pnl_difference(run.metrics, &table, baseline, &run.palette)))
    },
)
.instead_of(&PNL_DIFFERENCE_FIGURE)
.choosing(Choices {
    label: "Baseline",
    of: |run| {
        let names = baselines(run.metrics).into_iter();
        names.map(|name| (name.clone(), name)).collect()
    },
});

/// Cost against tail risk.
pub const COST_CVAR: Chart = Chart::new(
    "cost_cvar",
    "What a hedge costs against the tail risk that it leaves; bars are one standard error. Down and to the left is better.",
    |run| !run.metrics.evaluation.is_empty(),
    |run, _| Ok(cost_cvar(run.metrics, &run.palette)),
)
.instead_of(&COST_CVAR_FIGURE);

/// Cost against tail risk of policies trained for several levels or aversions.
pub const FRONTIER: Chart = Chart::new(
    "frontier",
    "Cost against tail risk of policies trained for several CVaR levels or risk aversions, averaged over seeds; a point says for which.",
    |run| !run.metrics.frontier.is_empty(),
    |run, _| Ok(frontier(run.metrics, &run.palette)),
);

/// P&L histograms over common bins as one line per strategy, all seeds together; absent without paths.
fn pnl_histogram(metrics: &Metrics, table: &EvaluationTable, palette: &Palette) -> Option<Figure> {
    let samples = pooled(table.samples());
    let frame = common_range(&samples)?;
    let bins = bins(&samples);
    let width = (frame.end - frame.start) / bins as f64;
    let names: Vec<&str> = samples.iter().map(|(name, _)| *name).collect();
    let lines = samples.iter().map(|(strategy, sorted)| {
        let (shares, outside) = shares(sorted, &frame, bins);
        let middles = (0..bins).map(|bin| frame.start + width * (bin as f64 + 0.5));
        let hover = "%{fullData.name}<br>P&L %{x:.5r}: %{y:.2f} % of paths<extra></extra>";
        let trace = line(palette, strategy, (middles.collect(), shares), hover);
        if outside > 0.01 {
            trace.name(format!("{strategy} ({:.0} % outside)", 100.0 * outside))
        } else {
            trace
        }
    });
    let (traces, note) = led(lines, &leading(metrics, &names));
    let made = figure(
        "P&L at expiry",
        Axis::new("P&L per contract, gains right (money)").zero(),
        Axis::new("paths per bin (%)"),
        traces,
    );
    Some(made.noting(note))
}

/// Quantiles of P&L less those of the baseline, a line per strategy; absent without another strategy or with few paths.
fn pnl_difference(
    metrics: &Metrics,
    table: &EvaluationTable,
    baseline: &str,
    palette: &Palette,
) -> Option<Figure> {
    let samples = pooled(table.samples());
    let found = differences(&samples, baseline)?;
    let names: Vec<&str> = samples.iter().map(|(name, _)| *name).collect();
    let leads: Vec<bool> = names
        .iter()
        .zip(leading(metrics, &names))
        .filter(|(name, _)| **name != baseline)
        .map(|(_, leads)| leads)
        .collect();
    let lines = found.lines.into_iter().map(|of| {
        let hover = "%{fullData.name}: %{y:.4r}<br>at the %{x:.4~r} % quantile<extra></extra>";
        line(
            palette,
            of.strategy,
            (found.levels.clone(), of.values),
            hover,
        )
    });
    let (traces, note) = led(lines, &leads);
    let made = figure(
        &format!("P&L less that of {baseline}"),
        Axis::new("quantile of P&L (%)").range(0.0..100.0),
        Axis::new("P&L less the baseline's (money)")
            .range(found.shown)
            .zero(),
        traces,
    );
    Some(made.noting(note))
}

/// Mean cost against CVaR, a point per strategy with one standard error each way; absent without an
/// evaluation.
fn cost_cvar(metrics: &Metrics, palette: &Palette) -> Option<Figure> {
    let level = main_level(metrics);
    let dots = dots(&metrics.evaluation, level);
    let frame = scatter_frame(&dots)?;
    let label = cvar_label(level);
    let traces = dots.iter().map(|dot| -> Box<dyn Trace> {
        let name = match frame.shows(dot) {
            true => dot.strategy.to_owned(),
            false => format!("{} (off scale)", dot.strategy),
        };
        let color = color(palette, dot.strategy);
        let bars = |error: f64| {
            ErrorData::new(ErrorType::Data)
                .array(vec![if error.is_finite() { error } else { 0.0 }])
                .color(color)
                .thickness(1.5)
        };
        Scatter::new(vec![dot.cost.value], vec![dot.cvar.value])
            .mode(Mode::Markers)
            .name(name)
            .marker(mark(palette, dot.strategy))
            .error_x(bars(dot.cost.standard_error))
            .error_y(bars(dot.cvar.standard_error))
            .hover_template(format!(
                "%{{fullData.name}}<br>cost %{{x:{MONEY}}}<br>{label} %{{y:{MONEY}}}<extra></extra>"
            ))
    });
    let traces = traces.collect();
    let far = dots.iter().filter(|dot| !frame.shows(dot));
    let far: Vec<String> = far.map(|dot| outside(dot, &label)).collect();
    let note = (!far.is_empty()).then(|| format!("Off scale: {}.", far.join("; ")));
    let made = figure(
        "Cost against tail risk",
        Axis::new("mean transaction cost per contract (money)").range(frame.cost),
        Axis::new(&format!("{label} of the loss (money)")).range(frame.cvar),
        traces,
    );
    Some(made.noting(note))
}

/// Mean cost against CVaR of the policies trained for each level or aversion, a line per strategy; absent if there is
/// one level alone.
fn frontier(metrics: &Metrics, palette: &Palette) -> Option<Figure> {
    if metrics.frontier.is_empty() {
        return None;
    }
    let label = cvar_label(main_level(metrics));
    let mut parameters: Vec<f64> = metrics.frontier.iter().map(|row| row.parameter).collect();
    parameters.sort_by(f64::total_cmp);
    parameters.dedup();
    let rows_at = |parameter: f64| -> Vec<Row> {
        let rows = metrics.frontier.iter();
        rows.filter(|row| row.parameter == parameter)
            .map(|row| row.row.clone())
            .collect()
    };
    let by_parameter: Vec<(f64, Vec<Row>)> = parameters
        .into_iter()
        .map(|parameter| (parameter, rows_at(parameter)))
        .collect();
    let traces = strategies(metrics).into_iter().filter_map(|strategy| {
        let (mut x, mut y, mut text) = (Vec::new(), Vec::new(), Vec::new());
        for (parameter, rows) in &by_parameter {
            let dots = dots(rows, main_level(metrics));
            if let Some(dot) = dots.iter().find(|dot| dot.strategy == strategy) {
                x.push(dot.cost.value);
                y.push(dot.cvar.value);
                text.push(parameter.to_string());
            }
        }
        let trace: Box<dyn Trace> = Scatter::new(x, y)
            .mode(Mode::LinesMarkers)
            .name(&strategy)
            .text_array(text)
            .line(stroke(palette, &strategy))
            .marker(mark(palette, &strategy))
            .hover_template(format!(
                "%{{fullData.name}} trained at %{{text}}<br>cost %{{x:{MONEY}}}<br>{label} %{{y:{MONEY}}}<extra></extra>"
            ));
        let trained = metrics.frontier.iter().any(|row| row.row.strategy == strategy);
        trained.then_some(trace)
    });
    Some(figure(
        "Frontier of trained policies",
        Axis::new("mean transaction cost per contract (money)"),
        Axis::new(&format!("{label} of the loss (money)")),
        traces.collect(),
    ))
}
