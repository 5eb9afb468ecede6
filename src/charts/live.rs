//! Charts of a training under way: axes, and for every strategy a line without points, which the page fills as events
//! come.

use super::frame::{Axis, Figure, figure, line, mark, stroke};
use crate::report::palette::Palette;
use plotly::common::Mode;
use plotly::{Scatter, Trace};

/// A chart of a training under way: what it is called, and how to read it.
#[derive(Debug, Clone, Copy)]
pub struct Live {
    pub name: &'static str,
    pub caption: &'static str,
}

const fn live_chart(name: &'static str, caption: &'static str) -> Live {
    Live { name, caption }
}

/// The charts in the order of the page.
pub const LIVE: [Live; 7] = [
    live_chart(
        "validation_steps",
        "Risk on the validation paths after each number of steps, a line for every seed.",
    ),
    live_chart(
        "validation_seconds",
        "The same against the seconds spent in training, validation excluded.",
    ),
    live_chart(
        "loss_steps",
        "Risk of the training batches, smoothed over a fiftieth of the steps.",
    ),
    live_chart(
        "loss_seconds",
        "The same against the seconds spent in training.",
    ),
    live_chart(
        "pnl_density",
        "P&L on the validation paths when they were hedged last, the newest seed of each strategy. Losses are on the left.",
    ),
    live_chart(
        "cost_cvar",
        "Mean cost against tail risk on the validation paths as training goes on; the mark is the newest point. Down and to the left is better.",
    ),
    live_chart("statistics", "What an optimizer says of its own steps."),
];

/// The charts of [`LIVE`] without points, a line for every strategy; `risk` is what is trained, `cvar` the tail risk that
/// is measured, in words: `CVaR 95 %`.
pub fn live(strategies: &[String], risk: &str, cvar: &str) -> Vec<(&'static str, Figure)> {
    let palette = Palette::new(strategies.to_vec());
    let lines = |hover: &str, mode: Mode| -> Vec<Box<dyn Trace>> {
        let empty = || (Vec::<f64>::new(), Vec::new());
        let of = |strategy: &String| -> Box<dyn Trace> {
            line(&palette, strategy, empty(), hover).mode(mode.clone())
        };
        strategies.iter().map(of).collect()
    };
    let marked = strategies.iter().map(|strategy| -> Box<dyn Trace> {
        Scatter::new(Vec::<f64>::new(), Vec::<f64>::new())
            .mode(Mode::LinesMarkers)
            .name(strategy)
            .line(stroke(&palette, strategy).width(1.0))
            .marker(mark(&palette, strategy))
            .hover_template(format!(
                "%{{fullData.name}}<br>cost %{{x:.3f}}<br>{cvar} %{{y:.3f}}<extra></extra>"
            ))
    });
    let steps = "optimisation step (count)";
    let seconds = "training time (s)";
    let validation = format!("{risk}, validation (money)");
    let batch = format!("{risk}, batch (money)");
    let by_step = "%{fullData.name}: %{y:.4f}<br>step %{x}<extra></extra>";
    let by_time = "%{fullData.name}: %{y:.4f}<br>%{x:.2f} s<extra></extra>";
    let risk_chart = |title: &str, x: &str, y: &str, hover: &str, mode: Mode| {
        figure(title, Axis::new(x), Axis::new(y), lines(hover, mode))
    };
    let both = Mode::LinesMarkers;
    vec![
        (
            "validation_steps",
            risk_chart(
                "Validation risk by step",
                steps,
                &validation,
                by_step,
                both.clone(),
            ),
        ),
        (
            "validation_seconds",
            risk_chart(
                "Validation risk by time",
                seconds,
                &validation,
                by_time,
                both,
            ),
        ),
        (
            "loss_steps",
            risk_chart("Training loss by step", steps, &batch, by_step, Mode::Lines),
        ),
        (
            "loss_seconds",
            risk_chart(
                "Training loss by time",
                seconds,
                &batch,
                by_time,
                Mode::Lines,
            ),
        ),
        (
            "pnl_density",
            figure(
                "P&L on validation paths",
                Axis::new("P&L per contract, gains right (money)").zero(),
                Axis::new("paths per unit of P&L (% per money)"),
                lines(
                    "%{fullData.name}<br>P&L %{x:.2f}: %{y:.2f} %<extra></extra>",
                    Mode::Lines,
                ),
            ),
        ),
        (
            "cost_cvar",
            figure(
                "Cost against tail risk",
                Axis::new("mean transaction cost per contract (money)"),
                Axis::new(&format!("{cvar} of the loss, validation (money)")),
                marked.collect(),
            ),
        ),
        (
            "statistics",
            figure(
                "Optimizer",
                Axis::new(steps),
                Axis::new("dimensionless"),
                lines(
                    "%{fullData.name}: %{y:.4g}<br>step %{x}<extra></extra>",
                    Mode::Lines,
                ),
            ),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page finds a figure for every place that it has, and a line for every strategy in it.
    #[test]
    fn every_chart_has_a_line_for_every_strategy() {
        let strategies = ["adam".to_owned(), "kfac".to_owned()];
        let figures = live(&strategies, "CVaR 90 %", "CVaR 90 %");
        let names: Vec<&str> = LIVE.iter().map(|chart| chart.name).collect();
        let drawn: Vec<&str> = figures.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, drawn);
        for (name, figure) in &figures {
            let traces = figure.data.as_array().unwrap();
            let named: Vec<&str> = traces.iter().map(|t| t["name"].as_str().unwrap()).collect();
            assert_eq!(named, strategies, "{name}");
            for trace in traces {
                assert_eq!(trace["x"].as_array().unwrap().len(), 0, "{name}");
            }
        }
        // Colours tell the strategies apart.
        let color = |at: usize| figures[0].1.data[at]["line"]["color"].clone();
        assert_ne!(color(0), color(1));
    }
}
