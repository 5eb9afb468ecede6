//! Interactive charts of a run as plotly figures, from the same numbers as its tables and figures.

mod backtest;
mod frame;
mod hedge;
mod live;
mod risk;
#[cfg(test)]
mod tests;
mod training;

pub use backtest::{attribution, cumulative_pnl, drawdown, periods};
pub use frame::Figure;
pub use hedge::{hedge_map, path};
pub use live::{LIVE, live};
pub use risk::{cost_cvar, frontier, pnl_histogram};
pub use training::{FIRST, Risk, UNITS, loss, statistic, statistics};

use crate::error::Result;
use crate::report::figures::Against;
use crate::report::palette::Palette;
use crate::report::summary::strategies;
use crate::runs::breakdown::Breakdown;
use crate::runs::metrics::Metrics;
use crate::runs::store::RunFolder;
use crate::runs::walk_forward;

/// plotly's script as the `plotly` crate carries it.
pub fn script() -> String {
    let sources = plotly::Plot::offline_js_sources();
    // The crate gives it as the first of two elements; the second one sets formulas, of which there are none.
    let script = sources.split("</script>").next().unwrap_or_default();
    let (_, script) = script.split_once('>').unwrap_or_default();
    script.to_owned()
}

/// What a chart is called in addresses, and how to read it.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    pub name: &'static str,
    pub caption: &'static str,
    /// The figure of the report that stands in for it where there is no script.
    pub figure: Option<&'static str>,
}

const fn kind(name: &'static str, figure: Option<&'static str>, caption: &'static str) -> Kind {
    Kind {
        name,
        caption,
        figure,
    }
}

/// Every chart that a run may have, in the order of its page.
pub const KINDS: [Kind; 12] = [
    kind(
        "validation_steps",
        Some("loss_steps"),
        "Risk on the validation paths after each number of steps, averaged over seeds.",
    ),
    kind(
        "validation_seconds",
        Some("loss_seconds"),
        "The same against the seconds spent in training, validation excluded.",
    ),
    kind(
        "loss_steps",
        None,
        "Risk of the training batches, smoothed over a fiftieth of the training and averaged over seeds.",
    ),
    kind(
        "statistics",
        Some("damping"),
        "What an optimizer says of its own steps, the first seed's.",
    ),
    kind(
        "pnl_histogram",
        Some("pnl_histogram"),
        "How the P&L at expiry is spread over the simulated test paths, all seeds together. Losses are on the left.",
    ),
    kind(
        "cost_cvar",
        Some("cost_cvar"),
        "What a hedge costs against the tail risk that it leaves; bars are one standard error. Down and to the left is better.",
    ),
    kind(
        "frontier",
        None,
        "Cost against tail risk of policies trained for several CVaR levels or risk aversions, averaged over seeds; a point says for which.",
    ),
    kind(
        "backtest_pnl",
        Some("backtest_pnl"),
        "P&L of the contracts sold through the history, added up at their expiries and averaged over seeds.",
    ),
    kind(
        "drawdown",
        None,
        "How far the P&L that was added up lies below the highest point it had reached.",
    ),
    kind(
        "attribution",
        None,
        "Where the P&L of a contract comes from, on average; the parts add up to its mean.",
    ),
    kind(
        "years",
        None,
        "P&L of the contracts sold in each year, added up.",
    ),
    kind(
        "stress",
        None,
        "P&L of the contracts alive in falls of the index, added up.",
    ),
];

/// What charts are drawn from, read as far as a chart needs it.
pub struct Source<'a> {
    folder: &'a RunFolder,
    pub metrics: &'a Metrics,
    pub palette: Palette,
    walked: Option<walk_forward::Results>,
}

impl<'a> Source<'a> {
    /// # Errors
    /// [`crate::Error::Input`] if the results of a walk-forward run are damaged.
    pub fn new(folder: &'a RunFolder, metrics: &'a Metrics) -> Result<Self> {
        Ok(Self {
            folder,
            metrics,
            palette: Palette::new(strategies(metrics)),
            walked: folder.read_json("walk_forward.json")?,
        })
    }

    /// The results of a walk-forward run, if it is one.
    pub fn walked(&self) -> Option<&walk_forward::Results> {
        self.walked.as_ref()
    }

    /// What the P&L of each strategy's contracts is made of, of a backtest of either kind.
    fn breakdowns(&self) -> impl Iterator<Item = &Breakdown> {
        let walked = self.walked().into_iter();
        let plain = self.metrics.backtest_breakdown.iter();
        walked.flat_map(|results| results.breakdowns()).chain(plain)
    }

    /// Whether the run has what the chart `name` shows, without reading any table.
    pub fn has(&self, name: &str) -> bool {
        let Metrics {
            training,
            evaluation,
            backtest,
            frontier,
            ..
        } = self.metrics;
        let walked =
            |periods: fn(&walk_forward::Results) -> bool| self.walked().is_some_and(periods);
        match name {
            "validation_steps" | "validation_seconds" => training
                .iter()
                .flat_map(|curve| &curve.points)
                .any(|point| point.validation_risk.is_some()),
            "loss_steps" => !training.is_empty(),
            "statistics" => !statistics(training).is_empty(),
            "pnl_histogram" | "cost_cvar" => !evaluation.is_empty(),
            "frontier" => !frontier.is_empty(),
            "backtest_pnl" | "drawdown" => !backtest.is_empty(),
            "attribution" => self.breakdowns().next().is_some(),
            "years" => walked(|results| !results.years.is_empty()),
            "stress" => walked(|results| !results.stress.is_empty()),
            _ => false,
        }
    }

    /// Draws the chart `name`; `key` is the statistic of `statistics`. Absent if the run has nothing to show.
    ///
    /// # Errors
    /// [`crate::Error::Input`] if a table of the run is damaged.
    pub fn draw(&self, name: &str, key: Option<&str>) -> Result<Option<Figure>> {
        let (metrics, palette) = (self.metrics, &self.palette);
        let training = &metrics.training;
        let loss = |risk, against| loss(training, &metrics.risk, risk, against, palette);
        Ok(match name {
            "validation_steps" => loss(Risk::Validation, Against::Steps),
            "validation_seconds" => loss(Risk::Validation, Against::Seconds),
            "loss_steps" => loss(Risk::Batch, Against::Steps),
            "statistics" => {
                let keys = statistics(training);
                let key = key.or_else(|| keys.first().map(String::as_str));
                key.and_then(|key| statistic(training, key, palette))
            }
            "pnl_histogram" => match self.folder.evaluation()? {
                Some(table) => pnl_histogram(&table, palette),
                None => None,
            },
            "cost_cvar" => cost_cvar(metrics, palette),
            "frontier" => frontier(metrics, palette),
            "backtest_pnl" | "drawdown" => match self.folder.backtest()? {
                Some(table) if name == "drawdown" => drawdown(&table, palette),
                Some(table) => cumulative_pnl(&table, palette),
                None => None,
            },
            "attribution" => attribution(self.breakdowns()),
            "years" => self
                .walked()
                .and_then(|results| periods("P&L by year of sale", &results.years, palette)),
            "stress" => self
                .walked()
                .and_then(|results| periods("P&L in falls of the index", &results.stress, palette)),
            _ => None,
        })
    }
}
