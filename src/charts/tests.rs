use super::training::loss;
use super::*;
use crate::report::palette::Palette;
use crate::report::summary::{Statistic, lines, main_level};
use crate::runs::fixture::{self, Scratch};
use serde_json::Value;

fn drawn(test: &str) -> Vec<(&'static str, Figure)> {
    let root = Scratch::new(test);
    let run = fixture::write(root.path());
    let metrics = run.metrics().unwrap();
    let data = RunData::new(&run, &metrics).unwrap();
    CHARTS
        .into_iter()
        .filter_map(|chart| {
            let figure = (chart.draw)(&data, None).unwrap();
            assert_eq!(figure.is_some(), (chart.has)(&data), "{}", chart.name);
            Some((chart.name, figure?))
        })
        .collect()
}

fn numbers(value: &Value) -> Vec<f64> {
    let values = value.as_array().unwrap().iter();
    values.map(|value| value.as_f64().unwrap()).collect()
}

/// Trace by the name that its legend begins with.
fn trace<'a>(figure: &'a Figure, strategy: &str) -> &'a Value {
    let mut traces = figure.data.as_array().unwrap().iter();
    traces
        .find(|trace| {
            let name = trace["name"].as_str().unwrap();
            name == strategy || name.starts_with(&format!("{strategy} ("))
        })
        .unwrap()
}

/// Axes that have no unit: what they count or name is said by their words.
const WITHOUT_UNIT: [&str; 3] = ["optimisation step", "hedge", "period"];

/// Every other axis says in parentheses what it is measured in, and every line that has a name in the legend a hover text.
#[test]
fn axes_have_units() {
    let figures = drawn("charts-units");
    assert!(figures.len() >= 7, "{}", figures.len());
    for (name, figure) in &figures {
        for axis in ["xaxis", "yaxis"] {
            let label = figure.layout[axis]["title"]["text"].as_str().unwrap();
            if WITHOUT_UNIT.contains(&label) {
                continue;
            }
            let (words, unit) = label.split_once('(').unwrap();
            assert!(
                !words.is_empty() && unit.len() > 1 && label.ends_with(')'),
                "{name}: {label}"
            );
            assert!(!["count)", "name)"].contains(&unit), "{name}: {label}");
        }
        for trace in figure.data.as_array().unwrap() {
            assert!(trace["hovertemplate"].is_string(), "{name}");
        }
    }
}

/// The difference from a baseline is that of the quantiles of both, of whichever baseline is chosen.
#[test]
fn differences_are_from_the_chosen_baseline() {
    let root = Scratch::new("charts-difference");
    let run = fixture::write(root.path());
    let metrics = run.metrics().unwrap();
    let data = RunData::new(&run, &metrics).unwrap();
    let chart = named("pnl_difference").unwrap();
    let of = |baseline| (chart.draw)(&data, baseline).unwrap().unwrap();
    let (usual, other) = (of(None), of(Some("kfac")));
    assert_eq!(usual.title, "P&L less that of adam");
    assert_eq!(other.title, "P&L less that of kfac");
    let ours = numbers(&trace(&usual, "kfac")["y"]);
    let theirs = numbers(&trace(&other, "adam")["y"]);
    assert_eq!(ours, theirs.iter().map(|value| -value).collect::<Vec<_>>());
    assert!((chart.draw)(&data, Some("nobody")).unwrap().is_none());
}

/// What is smoothed more moves less from step to step, and nothing is smoothed without a window; the line that is not smoothed
/// stays behind, without a name.
#[test]
fn training_losses_are_smoothed_as_asked() {
    let metrics = fixture::metrics();
    let palette = Palette::new(vec!["kfac".into(), "adam".into()]);
    let of = |share| loss(&metrics.training, "risk", share, &palette).unwrap();
    let rough = |figure: &Figure| {
        let traces = figure.data.as_array().unwrap().iter();
        let kfac = |t: &&Value| t["name"] == "kfac" && t["showlegend"] != false;
        let line = numbers(&traces.clone().find(kfac).unwrap()["y"]);
        line.windows(2)
            .map(|pair| (pair[1] - pair[0]).abs())
            .sum::<f64>()
    };
    let [none, little, much] = [0.0, 0.02, 0.2].map(of);
    assert!(rough(&none) > rough(&little) && rough(&little) > rough(&much));
    let lines = |figure: &Figure| figure.data.as_array().unwrap().len();
    assert_eq!((lines(&none), lines(&little)), (2, 4));
    let behind = little.data[0]["y"].clone();
    let plain = none.data[0]["y"].clone();
    assert_eq!(behind, plain);
    assert!(none.may_be_logarithmic);
}

/// The scatter has the means of the table, with their standard errors.
#[test]
fn the_scatter_has_the_numbers_of_the_table() {
    let metrics = fixture::metrics();
    let figures = drawn("charts-scatter");
    let (_, figure) = figures
        .iter()
        .find(|(name, _)| *name == "cost_cvar")
        .unwrap();
    for line in lines(&metrics.evaluation) {
        let trace = trace(figure, line.strategy);
        for (at, error, statistic) in [
            ("x", "error_x", Statistic::Cost),
            ("y", "error_y", Statistic::Cvar(main_level(&metrics).into())),
        ] {
            let estimate = line.estimate(&statistic).unwrap();
            assert_eq!(numbers(&trace[at]), [estimate.value], "{}", line.strategy);
            let bars = numbers(&trace[error]["array"]);
            assert_eq!(bars, [estimate.standard_error], "{}", line.strategy);
        }
    }
}

/// The last point of the P&L through time is the sum of the column in the Parquet file, averaged over seeds, and the
/// drawdown is never above zero.
#[test]
fn the_sums_end_where_the_column_does() {
    let table = fixture::backtest();
    let figures = drawn("charts-backtest");
    let of = |wanted: &str| &figures.iter().find(|(name, _)| *name == wanted).unwrap().1;
    for strategy in ["kfac", "adam", "naked"] {
        let books: Vec<_> = table
            .books
            .iter()
            .filter(|b| b.strategy == strategy)
            .collect();
        let total: f64 = books.iter().flat_map(|book| &book.pnl).sum();
        let sums = numbers(&trace(of("backtest_pnl"), strategy)["y"]);
        let expected = total / books.len() as f64;
        assert!((sums[sums.len() - 1] - expected).abs() < 1e-9, "{strategy}");
        let below = numbers(&trace(of("drawdown"), strategy)["y"]);
        let fall = below.iter().copied().fold(0.0, f64::min);
        assert!(below.iter().all(|below| *below <= 0.0) && fall < 0.0);
        let last = sums.iter().copied().fold(f64::MIN, f64::max) - sums[sums.len() - 1];
        assert!((below[below.len() - 1] + last).abs() < 1e-9);
    }
}

/// Shares per bin are those of the sample: with what the legend says is outside they make 100 %.
#[test]
fn every_path_is_in_a_bin_or_outside() {
    let figures = drawn("charts-histogram");
    let (_, figure) = figures
        .iter()
        .find(|(name, _)| *name == "pnl_histogram")
        .unwrap();
    for strategy in ["kfac", "black_scholes"] {
        let total: f64 = numbers(&trace(figure, strategy)["y"]).iter().sum();
        assert!(
            (99.0..=100.0 + 1e-9).contains(&total),
            "{strategy}: {total}"
        );
    }
    let naked = trace(figure, "naked");
    let total: f64 = numbers(&naked["y"]).iter().sum();
    let words = naked["name"].as_str().unwrap();
    assert!(
        words.contains(&format!("({:.0} % outside)", 100.0 - total)),
        "{words}: {total}"
    );
}

/// The validation curve has the means over seeds of metrics.json; its last point is there however long the training.
#[test]
fn curves_have_the_numbers_of_the_training() {
    let metrics = fixture::metrics();
    let figures = drawn("charts-training");
    let (_, figure) = figures
        .iter()
        .find(|(name, _)| *name == "validation_steps")
        .unwrap();
    let mean = |step: usize| {
        let seeds = metrics
            .training
            .iter()
            .filter(|curve| curve.strategy == "kfac");
        let risks: Vec<f64> = seeds
            .map(|c| c.points[step].validation_risk.unwrap())
            .collect();
        risks.iter().sum::<f64>() / risks.len() as f64
    };
    let trace = trace(figure, "kfac");
    for (step, risk) in numbers(&trace["x"]).into_iter().zip(numbers(&trace["y"])) {
        assert!((risk - mean(step as usize)).abs() < 1e-12, "{step}");
    }
    let mut long = metrics.training.clone();
    long.truncate(1);
    long[0].points = (0..2501)
        .map(|step| crate::training::TrainingPoint {
            step,
            ..long[0].points[0].clone()
        })
        .collect();
    let palette = Palette::new(vec!["kfac".into()]);
    let figure = loss(&long, "risk", 0.0, &palette).unwrap();
    let x = numbers(&figure.data[0]["x"]);
    assert!(x.len() <= 1001 && x[x.len() - 1] == 2500.0, "{}", x.len());
}

/// Every colour of a figure has one that stands for it on dark pages.
#[test]
fn every_colour_can_be_turned() {
    fn colours<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::String(text) if text.starts_with('#') => found.push(text),
            Value::Array(values) => values.iter().for_each(|value| colours(value, found)),
            Value::Object(map) => map.values().for_each(|value| colours(value, found)),
            _ => {}
        }
    }
    for (name, figure) in drawn("charts-dark") {
        let mut found = Vec::new();
        colours(&figure.data, &mut found);
        colours(&figure.layout, &mut found);
        assert!(found.len() > 5, "{name}");
        for colour in found {
            assert!(figure.dark.contains_key(colour), "{name}: {colour}");
        }
    }
}
