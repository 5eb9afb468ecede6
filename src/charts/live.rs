//! Charts of a training under way: axes, and for every strategy a line without points, which the page fills as events
//! come.

use super::frame::{Axis, Figure, MONEY, figure, line, mark, stroke};
use super::training::STEPS;
use crate::report::palette::Palette;
use plotly::common::Mode;
use plotly::{Scatter, Trace};

/// What a reader chooses of a chart of a training under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiveChoice {
    /// One of the statistics that optimizers say of their steps.
    Statistic,
    /// By how much the risk of batches is smoothed.
    Smoothing,
}

/// A chart of a training under way.
#[derive(Debug, Clone, Copy)]
pub struct LiveChart {
    /// The name by which the page finds it.
    pub name: &'static str,
    /// How to read the chart.
    pub caption: &'static str,
    /// What the reader chooses of it, if anything.
    pub choice: Option<LiveChoice>,
    /// Draws the chart without points, a line for every strategy.
    pub draw: fn(&LiveData<'_>) -> Figure,
}

/// Every chart of a training under way, in the order of the page. A new one is a function and a value here.
pub static LIVE_CHARTS: [LiveChart; 7] = [
    LiveChart {
        name: "validation_steps",
        caption: "Risk on the validation paths after each number of steps, a line for every seed.",
        choice: None,
        draw: |live| live.validation("Validation risk by step", STEPS, BY_STEP),
    },
    LiveChart {
        name: "validation_seconds",
        caption: "The same against the seconds spent in training, validation excluded.",
        choice: None,
        draw: |live| live.validation("Validation risk by time", SECONDS, BY_TIME),
    },
    LiveChart {
        name: "loss_steps",
        caption: "Risk of the training batches: thin as it was, thick over a window around each step, which shrinks at both ends.",
        choice: Some(LiveChoice::Smoothing),
        draw: |live| live.loss("Training loss by step", STEPS, BY_STEP),
    },
    LiveChart {
        name: "loss_seconds",
        caption: "The same against the seconds spent in training.",
        choice: Some(LiveChoice::Smoothing),
        draw: |live| live.loss("Training loss by time", SECONDS, BY_TIME),
    },
    LiveChart {
        name: "pnl_density",
        caption: "P&L on the validation paths when they were hedged last, the newest seed of each strategy. Losses are on the left.",
        choice: None,
        draw: pnl_density,
    },
    LiveChart {
        name: "cost_cvar",
        caption: "Mean cost against tail risk on the validation paths as training goes on; the mark is the newest point. Down and to the left is better.",
        choice: None,
        draw: cost_cvar,
    },
    LiveChart {
        name: "statistics",
        caption: "What an optimizer says of its own steps.",
        choice: Some(LiveChoice::Statistic),
        draw: statistics,
    },
];

const SECONDS: &str = "training time (s)";
const BY_STEP: &str = "%{fullData.name}: %{y:.5r}<br>step %{x}<extra></extra>";
const BY_TIME: &str = "%{fullData.name}: %{y:.5r}<br>%{x:.2f} s<extra></extra>";

/// What the charts of a training under way are drawn from.
pub struct LiveData<'a> {
    strategies: &'a [String],
    palette: Palette,
    risk: &'a str,
    cvar: &'a str,
}

impl<'a> LiveData<'a> {
    /// The lines of `strategies`; `risk` is what is trained, `cvar` the tail risk that is measured, in words: `CVaR 95 %`.
    pub fn new(strategies: &'a [String], risk: &'a str, cvar: &'a str) -> Self {
        Self {
            strategies,
            palette: Palette::new(strategies.to_vec()),
            risk,
            cvar,
        }
    }

    /// The classes of the element that shows a piece of the line of each strategy.
    pub fn swatches(&self) -> Vec<String> {
        let strategies = self.strategies.iter();
        strategies
            .map(|strategy| self.palette.look(strategy).classes())
            .collect()
    }

    fn lines(&self, hover: &str, mode: &Mode) -> Vec<Box<dyn Trace>> {
        let empty = || (Vec::<f64>::new(), Vec::new());
        let of = |strategy: &String| -> Box<dyn Trace> {
            line(&self.palette, strategy, empty(), hover).mode(mode.clone())
        };
        self.strategies.iter().map(of).collect()
    }

    fn validation(&self, title: &str, x: &str, hover: &str) -> Figure {
        let y = format!("{}, validation (money)", self.risk);
        let lines = self.lines(hover, &Mode::LinesMarkers);
        figure(title, Axis::new(x), Axis::new(&y), lines).logarithmic()
    }

    fn loss(&self, title: &str, x: &str, hover: &str) -> Figure {
        let y = format!("{}, batch (money)", self.risk);
        let lines = self.lines(hover, &Mode::Lines);
        figure(title, Axis::new(x), Axis::new(&y), lines).logarithmic()
    }
}

fn pnl_density(live: &LiveData<'_>) -> Figure {
    figure(
        "P&L on validation paths",
        Axis::new("P&L per contract, gains right (money)").zero(),
        Axis::new("paths per unit of P&L (% per money)"),
        live.lines(
            "%{fullData.name}<br>P&L %{x:.5r}: %{y:.4r} %<extra></extra>",
            &Mode::Lines,
        ),
    )
}

fn cost_cvar(live: &LiveData<'_>) -> Figure {
    let LiveData { palette, cvar, .. } = live;
    let marked = |strategy: &String| -> Box<dyn Trace> {
        Scatter::new(Vec::<f64>::new(), Vec::<f64>::new())
            .mode(Mode::LinesMarkers)
            .name(strategy)
            .line(stroke(palette, strategy).width(1.0))
            .marker(mark(palette, strategy))
            .hover_template(format!(
                "%{{fullData.name}}<br>cost %{{x:{MONEY}}}<br>{cvar} %{{y:{MONEY}}}<extra></extra>"
            ))
    };
    figure(
        "Cost against tail risk",
        Axis::new("mean transaction cost per contract (money)"),
        Axis::new(&format!("{cvar} of the loss, validation (money)")),
        live.strategies.iter().map(marked).collect(),
    )
}

fn statistics(live: &LiveData<'_>) -> Figure {
    figure(
        "Optimizer",
        Axis::new(STEPS),
        Axis::new("dimensionless").powers(),
        live.lines(
            "%{fullData.name}: %{y:.4g}<br>step %{x}<extra></extra>",
            &Mode::Lines,
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page finds a figure for every place that it has, and a line for every strategy in it.
    #[test]
    fn every_chart_has_a_line_for_every_strategy() {
        let strategies = ["adam".to_owned(), "kfac".to_owned()];
        let live = LiveData::new(&strategies, "CVaR 90 %", "CVaR 90 %");
        let figures = LIVE_CHARTS.map(|chart| (chart.name, (chart.draw)(&live)));
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
