//! Charts of several runs, whose axes hold all of them: a method has the same colour in every run, and its runs are told apart by
//! marks and dashes.

use super::frame::{Axis, Figure, MONEY, color, figure, mark, stroke};
use crate::error::Result;
use crate::report::figures::Against;
use crate::report::figures::histogram::{bins, pooled, shares};
use crate::report::figures::scatter::dots;
use crate::report::figures::training::{Curve, by_strategy, frame, validation};
use crate::report::palette::Palette;
use crate::report::several::named;
use crate::report::summary::{cvar_label, lines, main_level, strategies};
use crate::runs::metrics::Metrics;
use crate::runs::store::RunFolder;
use crate::runs::tables::EvaluationTable;
use plotly::common::{ErrorData, ErrorType, Mode};
use plotly::layout::AxisType;
use plotly::{Scatter, Trace};

/// Runs that are shown at once, at most: as many as lines of one colour have dashes.
pub const MOST_RUNS: usize = 6;

/// One of several runs.
pub struct OneRun<'a> {
    /// The folder of the run, whose tables are read when a chart needs them.
    pub folder: &'a RunFolder,
    /// The results of the run.
    pub metrics: &'a Metrics,
}

/// A chart that shows several runs.
pub struct SeveralChart {
    /// The name in addresses.
    pub name: &'static str,
    /// How to read the chart.
    pub caption: &'static str,
    /// Draws the chart; absent if no run has what it shows.
    pub draw: fn(&[OneRun<'_>]) -> Result<Option<Figure>>,
}

/// Every chart of several runs, in the order of their page.
pub static SEVERAL_CHARTS: [&SeveralChart; 4] = [
    &COST_CVAR,
    &PNL_HISTOGRAM,
    &VALIDATION_STEPS,
    &VALIDATION_SECONDS,
];

static COST_CVAR: SeveralChart = SeveralChart {
    name: "cost_cvar",
    caption: "Cost against tail risk of the trained strategies on simulated test paths; bars are one standard error. Down and to \
              the left is better.",
    draw: |runs| Ok(cost_cvar(runs)),
};

static PNL_HISTOGRAM: SeveralChart = SeveralChart {
    name: "pnl_histogram",
    caption: "How the P&L at expiry of the trained strategies is spread over each run's simulated test paths, all seeds together.",
    draw: pnl_histogram,
};

static VALIDATION_STEPS: SeveralChart = SeveralChart {
    name: "validation_steps",
    caption: "Risk on each run's validation paths after each number of steps, averaged over seeds.",
    draw: |runs| Ok(curves(runs, Against::Steps)),
};

static VALIDATION_SECONDS: SeveralChart = SeveralChart {
    name: "validation_seconds",
    caption: "The same against the seconds spent in training, validation excluded.",
    draw: |runs| Ok(curves(runs, Against::Seconds)),
};

/// The strategies that are drawn of a run: the trained ones or, if there are none, all. With the classical hedges of every run
/// there would be more than can be told apart.
fn drawn(metrics: &Metrics) -> Vec<&str> {
    let lines = lines(&metrics.evaluation);
    let trained = lines.iter().filter(|line| line.seeds() > 0);
    let trained: Vec<&str> = trained.map(|line| line.strategy).collect();
    match trained.is_empty() {
        true => lines.iter().map(|line| line.strategy).collect(),
        false => trained,
    }
}

/// The looks of the strategies of all runs, by the names that tell the runs apart.
fn palette(runs: &[OneRun<'_>]) -> Palette {
    let runs = runs.iter().enumerate();
    let names = runs.flat_map(|(run, of)| {
        let strategies = strategies(of.metrics).into_iter();
        strategies.map(move |strategy| named(&strategy, run))
    });
    Palette::new(names.collect())
}

/// Logarithmic where runs lie so far apart that some could not be told from each other otherwise.
fn axis(label: &str, values: impl Iterator<Item = f64>) -> Axis<'_> {
    const FAR: f64 = 20.0;
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    match low > 0.0 && high > FAR * low {
        true => Axis::new(label).of(AxisType::Log),
        false => Axis::new(label),
    }
}

/// Mean cost against CVaR, each at the level of its own run; absent without an evaluation.
fn cost_cvar(runs: &[OneRun<'_>]) -> Option<Figure> {
    let palette = palette(runs);
    let mut all = Vec::new();
    for (run, OneRun { metrics, .. }) in runs.iter().enumerate() {
        let drawn = drawn(metrics);
        let dots = dots(&metrics.evaluation, main_level(metrics)).into_iter();
        let dots = dots.filter(|dot| drawn.contains(&dot.strategy));
        all.extend(dots.map(|dot| (run, dot)));
    }
    if all.is_empty() {
        return None;
    }
    let mut levels: Vec<String> = runs
        .iter()
        .map(|run| cvar_label(main_level(run.metrics)))
        .collect();
    levels.dedup();
    let label = format!("{} of the loss (money)", levels.join(" and "));
    let traces = all.iter().map(|(run, dot)| -> Box<dyn Trace> {
        let name = named(dot.strategy, *run);
        let color = color(&palette, &name);
        let bars = |error: f64| {
            ErrorData::new(ErrorType::Data)
                .array(vec![if error.is_finite() { error } else { 0.0 }])
                .color(color)
                .thickness(1.5)
        };
        let level = cvar_label(main_level(runs[*run].metrics));
        Scatter::new(vec![dot.cost.value], vec![dot.cvar.value])
            .mode(Mode::Markers)
            .name(&name)
            .marker(mark(&palette, &name))
            .error_x(bars(dot.cost.standard_error))
            .error_y(bars(dot.cvar.standard_error))
            .hover_template(format!(
                "%{{fullData.name}}<br>cost %{{x:{MONEY}}}<br>{level} %{{y:{MONEY}}}<extra></extra>"
            ))
    });
    let costs = all.iter().map(|(_, dot)| dot.cost.value);
    let risks = all.iter().map(|(_, dot)| dot.cvar.value);
    Some(figure(
        "Cost against tail risk",
        axis("mean transaction cost per contract (money)", costs),
        axis(&label, risks),
        traces.collect(),
    ))
}

/// P&L histograms over common bins, all seeds of a strategy together, from the least 0.1 % point of all runs to the greatest
/// 99.9 % point; absent without paths.
fn pnl_histogram(runs: &[OneRun<'_>]) -> Result<Option<Figure>> {
    let palette = palette(runs);
    let tables: Vec<EvaluationTable> = runs
        .iter()
        .map(|run| Ok(run.folder.evaluation()?.unwrap_or_default()))
        .collect::<Result<_>>()?;
    let mut samples: Vec<(&str, Vec<f64>)> = Vec::new();
    let mut of: Vec<usize> = Vec::new();
    for (run, (OneRun { metrics, .. }, table)) in runs.iter().zip(&tables).enumerate() {
        let drawn = drawn(metrics);
        for (strategy, sorted) in pooled(table.samples()) {
            if drawn.contains(&strategy) {
                samples.push((strategy, sorted));
                of.push(run);
            }
        }
    }
    let at =
        |sorted: &[f64], share: f64| sorted[(share * (sorted.len() - 1) as f64).round() as usize];
    let low = samples.iter().map(|(_, sorted)| at(sorted, 0.001));
    let high = samples.iter().map(|(_, sorted)| at(sorted, 0.999));
    let range = low.fold(f64::INFINITY, f64::min)..high.fold(f64::NEG_INFINITY, f64::max);
    if range.is_empty() {
        return Ok(None);
    }
    let bins = bins(&samples);
    let width = (range.end - range.start) / bins as f64;
    let traces = samples
        .iter()
        .zip(&of)
        .map(|((strategy, sorted), run)| -> Box<dyn Trace> {
            let name = named(strategy, *run);
            let (shares, _) = shares(sorted, &range, bins);
            let middles = (0..bins).map(|bin| range.start + width * (bin as f64 + 0.5));
            Scatter::new(middles.collect(), shares)
                .mode(Mode::Lines)
                .name(&name)
                .line(stroke(&palette, &name))
                .hover_template(
                    "%{fullData.name}<br>P&L %{x:.5r}: %{y:.2f} % of paths<extra></extra>",
                )
        });
    Ok(Some(figure(
        "P&L at expiry",
        Axis::new("P&L per contract, gains right (money)").zero(),
        Axis::new("paths per bin (%)"),
        traces.collect(),
    )))
}

/// The validation risk of every strategy of every run, averaged over its seeds; absent without any.
fn curves(runs: &[OneRun<'_>], against: Against) -> Option<Figure> {
    let palette = palette(runs);
    let (mut curves, mut of): (Vec<Curve<'_>>, Vec<usize>) = (Vec::new(), Vec::new());
    for (run, OneRun { metrics, .. }) in runs.iter().enumerate() {
        for (strategy, seeds) in by_strategy(&metrics.training) {
            let points = validation(&seeds, against);
            if !points.is_empty() {
                curves.push(Curve {
                    strategy,
                    validated: true,
                    points,
                });
                of.push(run);
            }
        }
    }
    let (x_range, y_range) = frame(&curves)?;
    let (title, label, unit) = match against {
        Against::Steps => ("Validation risk by step", "optimisation step", "step %{x}"),
        Against::Seconds => ("Validation risk by time", "training time (s)", "%{x:.2f} s"),
    };
    let mut measures: Vec<&str> = runs.iter().map(|run| run.metrics.risk.as_str()).collect();
    measures.dedup();
    let y_label = format!("{}, validation (money)", measures.join(" and "));
    let traces = curves
        .into_iter()
        .zip(of)
        .map(|(curve, run)| -> Box<dyn Trace> {
            let name = named(curve.strategy, run);
            let (x, y): (Vec<f64>, Vec<f64>) = curve.points.into_iter().unzip();
            Scatter::new(x, y)
                .mode(Mode::LinesMarkers)
                .name(&name)
                .line(stroke(&palette, &name))
                .marker(mark(&palette, &name).size(7))
                .hover_template(format!(
                    "%{{fullData.name}}: %{{y:{MONEY}}}<br>{unit}<extra></extra>"
                ))
        });
    Some(figure(
        title,
        Axis::new(label).range(x_range),
        Axis::new(&y_label).range(y_range),
        traces.collect(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::fixture::{self, Scratch};
    use serde_json::Value;

    fn values(figure: &Figure, key: &str) -> Vec<f64> {
        let traces = figure.data.as_array().unwrap().iter();
        let numbers = traces.flat_map(|trace| trace[key].as_array().unwrap());
        numbers.filter_map(Value::as_f64).collect()
    }

    /// With runs a hundred times apart every point lies within the axes: they are logarithmic and as long as what is shown. A
    /// strategy has one colour in both runs, which differ in their markers.
    #[test]
    fn the_axes_hold_all_runs() {
        let root = Scratch::new("several-axes");
        let folders = [fixture::write(root.path()), fixture::write(root.path())];
        let small = fixture::metrics();
        let mut large = fixture::metrics();
        for row in &mut large.evaluation {
            row.cost_mean *= 100.0;
            let cvar = row.cvar["0.95"].as_f64().unwrap();
            row.cvar.insert("0.95".into(), (100.0 * cvar).into());
        }
        let runs = [&small, &large].into_iter().zip(&folders);
        let runs: Vec<OneRun<'_>> = runs
            .map(|(metrics, folder)| OneRun { folder, metrics })
            .collect();
        let figure = cost_cvar(&runs).unwrap();
        let traces = figure.data.as_array().unwrap();
        let names: Vec<&str> = traces
            .iter()
            .map(|trace| trace["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["kfac (A)", "adam (A)", "kfac (B)", "adam (B)"]);
        for axis in ["xaxis", "yaxis"] {
            assert_eq!(figure.layout[axis]["type"], "log");
            assert_eq!(figure.layout[axis]["range"], Value::Null, "{axis}");
        }
        assert!(values(&figure, "y").iter().all(|value| *value > 0.0));
        assert_eq!(traces[0]["marker"]["color"], traces[2]["marker"]["color"]);
        assert_ne!(traces[0]["marker"]["color"], traces[1]["marker"]["color"]);
        assert_ne!(traces[0]["marker"]["symbol"], traces[2]["marker"]["symbol"]);
        let near = cost_cvar(&runs[..1]).unwrap();
        assert_eq!(near.layout["yaxis"]["type"], "linear");
    }

    /// All but 0.2 % of the paths of every run are in a bin.
    #[test]
    fn the_histogram_holds_all_runs() {
        let root = Scratch::new("several-histogram");
        let folders = [fixture::write(root.path()), fixture::write(root.path())];
        let mut table = fixture::evaluation();
        for pnl in table.books.iter_mut().flat_map(|book| &mut book.pnl) {
            *pnl = 40.0 * *pnl - 9.0;
        }
        folders[1].write_evaluation(&table).unwrap();
        let metrics = fixture::metrics();
        let runs: Vec<OneRun<'_>> = folders
            .iter()
            .map(|folder| OneRun {
                folder,
                metrics: &metrics,
            })
            .collect();
        let figure = pnl_histogram(&runs).unwrap().unwrap();
        for trace in figure.data.as_array().unwrap() {
            let shares = trace["y"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(Value::as_f64);
            assert!(shares.sum::<f64>() > 99.5, "{}", trace["name"]);
        }
    }

    /// Every run's curves are shown, with the end of each within the axes.
    #[test]
    fn every_curve_ends_in_sight() {
        let root = Scratch::new("several-curves");
        let folder = fixture::write(root.path());
        let first = fixture::metrics();
        let mut second = fixture::metrics();
        for point in second
            .training
            .iter_mut()
            .flat_map(|curve| &mut curve.points)
        {
            point.validation_risk = point.validation_risk.map(|risk| 7.0 * risk);
        }
        let runs = [&first, &second].map(|metrics| OneRun {
            folder: &folder,
            metrics,
        });
        let figure = curves(&runs, Against::Steps).unwrap();
        let range: Vec<f64> = figure.layout["yaxis"]["range"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_f64)
            .collect();
        let traces = figure.data.as_array().unwrap();
        assert_eq!(traces.len(), 4);
        for trace in traces {
            let last = trace["y"]
                .as_array()
                .unwrap()
                .last()
                .unwrap()
                .as_f64()
                .unwrap();
            assert!((range[0]..range[1]).contains(&last), "{}", trace["name"]);
        }
    }
}
