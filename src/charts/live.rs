//! Charts of a training under way: axes, and for every strategy a line without points, which the page fills as events
//! come.

use super::frame::{Axis, Figure, figure, line, mark, stroke};
use crate::named::named;
use crate::report::palette::Palette;
use plotly::common::Mode;
use plotly::{Scatter, Trace};

named! {
    /// A chart of a training under way, in the order of the page.
    pub enum LiveChart {
        ValidationSteps = "validation_steps",
        ValidationSeconds = "validation_seconds",
        LossSteps = "loss_steps",
        LossSeconds = "loss_seconds",
        PnlDensity = "pnl_density",
        CostCvar = "cost_cvar",
        Statistics = "statistics",
    }
}

impl LiveChart {
    /// How to read the chart.
    pub fn caption(self) -> &'static str {
        match self {
            Self::ValidationSteps => {
                "Risk on the validation paths after each number of steps, a line for every seed."
            }
            Self::ValidationSeconds => {
                "The same against the seconds spent in training, validation excluded."
            }
            Self::LossSteps => {
                "Risk of the training batches, smoothed over a fiftieth of the steps."
            }
            Self::LossSeconds => "The same against the seconds spent in training.",
            Self::PnlDensity => {
                "P&L on the validation paths when they were hedged last, the newest seed of each strategy. Losses are on the left."
            }
            Self::CostCvar => {
                "Mean cost against tail risk on the validation paths as training goes on; the mark is the newest point. Down and to the left is better."
            }
            Self::Statistics => "What an optimizer says of its own steps.",
        }
    }
}

/// Every [`LiveChart`] chart without points, a line for every strategy; `risk` is what is trained, `cvar` the tail risk that
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
    let marked = |strategy: &String| -> Box<dyn Trace> {
        Scatter::new(Vec::<f64>::new(), Vec::<f64>::new())
            .mode(Mode::LinesMarkers)
            .name(strategy)
            .line(stroke(&palette, strategy).width(1.0))
            .marker(mark(&palette, strategy))
            .hover_template(format!(
                "%{{fullData.name}}<br>cost %{{x:.3f}}<br>{cvar} %{{y:.3f}}<extra></extra>"
            ))
    };
    let steps = "optimisation step (count)";
    let seconds = "training time (s)";
    let validation = format!("{risk}, validation (money)");
    let batch = format!("{risk}, batch (money)");
    let by_step = "%{fullData.name}: %{y:.4f}<br>step %{x}<extra></extra>";
    let by_time = "%{fullData.name}: %{y:.4f}<br>%{x:.2f} s<extra></extra>";
    let risk_chart = |title: &str, x: &str, y: &str, hover: &str, mode: Mode| {
        figure(title, Axis::new(x), Axis::new(y), lines(hover, mode))
    };
    let drawn = |chart: LiveChart| match chart {
        LiveChart::ValidationSteps => risk_chart(
            "Validation risk by step",
            steps,
            &validation,
            by_step,
            Mode::LinesMarkers,
        ),
        LiveChart::ValidationSeconds => risk_chart(
            "Validation risk by time",
            seconds,
            &validation,
            by_time,
            Mode::LinesMarkers,
        ),
        LiveChart::LossSteps => {
            risk_chart("Training loss by step", steps, &batch, by_step, Mode::Lines)
        }
        LiveChart::LossSeconds => risk_chart(
            "Training loss by time",
            seconds,
            &batch,
            by_time,
            Mode::Lines,
        ),
        LiveChart::PnlDensity => figure(
            "P&L on validation paths",
            Axis::new("P&L per contract, gains right (money)").zero(),
            Axis::new("paths per unit of P&L (% per money)"),
            lines(
                "%{fullData.name}<br>P&L %{x:.2f}: %{y:.2f} %<extra></extra>",
                Mode::Lines,
            ),
        ),
        LiveChart::CostCvar => figure(
            "Cost against tail risk",
            Axis::new("mean transaction cost per contract (money)"),
            Axis::new(&format!("{cvar} of the loss, validation (money)")),
            strategies.iter().map(marked).collect(),
        ),
        LiveChart::Statistics => figure(
            "Optimizer",
            Axis::new(steps),
            Axis::new("dimensionless"),
            lines(
                "%{fullData.name}: %{y:.4g}<br>step %{x}<extra></extra>",
                Mode::Lines,
            ),
        ),
    };
    LiveChart::all()
        .map(|chart| (chart.name(), drawn(chart)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page finds a figure for every place that it has, and a line for every strategy in it.
    #[test]
    fn every_chart_has_a_line_for_every_strategy() {
        let strategies = ["adam".to_owned(), "kfac".to_owned()];
        let figures = live(&strategies, "CVaR 90 %", "CVaR 90 %");
        assert_eq!(figures.len(), LiveChart::ALL.len());
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
