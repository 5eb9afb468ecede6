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
pub use live::{LiveChart, live};
pub use risk::{cost_cvar, frontier, pnl_histogram};
pub use training::{FIRST, Risk, UNITS, loss, statistic, statistics};

use crate::error::Result;
use crate::named::named;
use crate::report::figures::{self, Against};
use crate::report::palette::Palette;
use crate::report::summary::strategies;
use crate::runs::breakdown::Breakdown;
use crate::runs::metrics::Metrics;
use crate::runs::store::RunFolder;
use crate::runs::walk_forward;
use utoipa::ToSchema;

/// plotly's script as the `plotly` crate carries it.
pub fn script() -> String {
    let sources = plotly::Plot::offline_js_sources();
    // The crate gives it as the first of two elements; the second one sets formulas, of which there are none.
    let script = sources.split("</script>").next().unwrap_or_default();
    let (_, script) = script.split_once('>').unwrap_or_default();
    script.to_owned()
}

named! {
    /// A chart that a run may have, in the order of its page.
    #[derive(ToSchema)]
    #[schema(rename_all = "snake_case")]
    pub enum Kind {
        ValidationSteps = "validation_steps",
        ValidationSeconds = "validation_seconds",
        LossSteps = "loss_steps",
        Statistics = "statistics",
        PnlHistogram = "pnl_histogram",
        CostCvar = "cost_cvar",
        Frontier = "frontier",
        BacktestPnl = "backtest_pnl",
        Drawdown = "drawdown",
        Attribution = "attribution",
        Years = "years",
        Stress = "stress",
    }
}

impl Kind {
    /// How to read the chart.
    pub fn caption(self) -> &'static str {
        match self {
            Self::ValidationSteps => {
                "Risk on the validation paths after each number of steps, averaged over seeds."
            }
            Self::ValidationSeconds => {
                "The same against the seconds spent in training, validation excluded."
            }
            Self::LossSteps => {
                "Risk of the training batches, smoothed over a fiftieth of the training and averaged over seeds."
            }
            Self::Statistics => "What an optimizer says of its own steps, the first seed's.",
            Self::PnlHistogram => {
                "How the P&L at expiry is spread over the simulated test paths, all seeds together. Losses are on the left."
            }
            Self::CostCvar => {
                "What a hedge costs against the tail risk that it leaves; bars are one standard error. Down and to the left is better."
            }
            Self::Frontier => {
                "Cost against tail risk of policies trained for several CVaR levels or risk aversions, averaged over seeds; a point says for which."
            }
            Self::BacktestPnl => {
                "P&L of the contracts sold through the history, added up at their expiries and averaged over seeds."
            }
            Self::Drawdown => {
                "How far the P&L that was added up lies below the highest point it had reached."
            }
            Self::Attribution => {
                "Where the P&L of a contract comes from, on average; the parts add up to its mean."
            }
            Self::Years => "P&L of the contracts sold in each year, added up.",
            Self::Stress => "P&L of the contracts alive in falls of the index, added up.",
        }
    }

    /// The figure of the report that stands in for it where there is no script.
    pub fn figure(self) -> Option<figures::Kind> {
        match self {
            Self::ValidationSteps => Some(figures::Kind::LossSteps),
            Self::ValidationSeconds => Some(figures::Kind::LossSeconds),
            Self::Statistics => Some(figures::Kind::Damping),
            Self::PnlHistogram => Some(figures::Kind::PnlHistogram),
            Self::CostCvar => Some(figures::Kind::CostCvar),
            Self::BacktestPnl => Some(figures::Kind::BacktestPnl),
            Self::LossSteps
            | Self::Frontier
            | Self::Drawdown
            | Self::Attribution
            | Self::Years
            | Self::Stress => None,
        }
    }
}

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

    /// Whether the run has what the chart shows, without reading any table.
    pub fn has(&self, kind: Kind) -> bool {
        let Metrics {
            training,
            evaluation,
            backtest,
            frontier,
            ..
        } = self.metrics;
        let walked =
            |periods: fn(&walk_forward::Results) -> bool| self.walked().is_some_and(periods);
        match kind {
            Kind::ValidationSteps | Kind::ValidationSeconds => training
                .iter()
                .flat_map(|curve| &curve.points)
                .any(|point| point.validation_risk.is_some()),
            Kind::LossSteps => !training.is_empty(),
            Kind::Statistics => !statistics(training).is_empty(),
            Kind::PnlHistogram | Kind::CostCvar => !evaluation.is_empty(),
            Kind::Frontier => !frontier.is_empty(),
            Kind::BacktestPnl | Kind::Drawdown => !backtest.is_empty(),
            Kind::Attribution => self.breakdowns().next().is_some(),
            Kind::Years => walked(|results| !results.years.is_empty()),
            Kind::Stress => walked(|results| !results.stress.is_empty()),
        }
    }

    /// Draws the chart; `key` is the statistic of [`Kind::Statistics`]. Absent if the run has nothing to show.
    ///
    /// # Errors
    /// [`crate::Error::Input`] if a table of the run is damaged.
    pub fn draw(&self, kind: Kind, key: Option<&str>) -> Result<Option<Figure>> {
        let (metrics, palette) = (self.metrics, &self.palette);
        let training = &metrics.training;
        let loss = |risk, against| loss(training, &metrics.risk, risk, against, palette);
        Ok(match kind {
            Kind::ValidationSteps => loss(Risk::Validation, Against::Steps),
            Kind::ValidationSeconds => loss(Risk::Validation, Against::Seconds),
            Kind::LossSteps => loss(Risk::Batch, Against::Steps),
            Kind::Statistics => {
                let keys = statistics(training);
                let key = key.or_else(|| keys.first().map(String::as_str));
                key.and_then(|key| statistic(training, key, palette))
            }
            Kind::PnlHistogram => match self.folder.evaluation()? {
                Some(table) => pnl_histogram(&table, palette),
                None => None,
            },
            Kind::CostCvar => cost_cvar(metrics, palette),
            Kind::Frontier => frontier(metrics, palette),
            Kind::BacktestPnl => {
                (self.folder.backtest()?).and_then(|table| cumulative_pnl(&table, palette))
            }
            Kind::Drawdown => (self.folder.backtest()?).and_then(|table| drawdown(&table, palette)),
            Kind::Attribution => attribution(self.breakdowns()),
            Kind::Years => self
                .walked()
                .and_then(|results| periods("P&L by year of sale", &results.years, palette)),
            Kind::Stress => self
                .walked()
                .and_then(|results| periods("P&L in falls of the index", &results.stress, palette)),
        })
    }
}
