//! Interactive charts of a run as plotly figures, from the same numbers as its tables and figures.

mod backtest;
mod chart;
mod contract;
mod frame;
mod hedge;
mod live;
mod parallel;
mod periods;
mod risk;
mod several;
mod tear_sheet;
#[cfg(test)]
mod tests;
mod training;
mod what_if;

pub use chart::{Chart, Choices, RunData};
pub use contract::contract;
pub use frame::Figure;
pub use hedge::{hedge_map, path};
pub use live::{LIVE_CHARTS, LiveChart, LiveChoice, LiveData};
pub use parallel::{Dimension, MOST_AXES, parallel};
pub use several::{MOST_RUNS, OneRun, SEVERAL_CHARTS};
pub use training::{FIRST, SMOOTHINGS, UNITS};
pub use what_if::what_if;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// Every chart that a run may have, in the order of its page. A new one is a file and a line here.
pub static CHARTS: [&Chart; 19] = [
    &training::VALIDATION_STEPS,
    &training::VALIDATION_SECONDS,
    &training::LOSS_STEPS,
    &training::STATISTICS,
    &parallel::TUNING,
    &risk::PNL_HISTOGRAM,
    &risk::PNL_DIFFERENCE,
    &risk::COST_CVAR,
    &risk::FRONTIER,
    &backtest::BACKTEST_PNL,
    &backtest::DAILY_PNL,
    &tear_sheet::RELATIVE_PNL,
    &tear_sheet::MONTHLY_PNL,
    &tear_sheet::ROLLING_DEVIATION,
    &tear_sheet::ROLLING_CVAR,
    &tear_sheet::DRAWDOWN,
    &periods::YEARS,
    &periods::STRESS,
    &periods::ATTRIBUTION,
];

/// The chart of that name, if there is one.
pub fn named(name: &str) -> Option<&'static Chart> {
    CHARTS.into_iter().find(|chart| chart.name == name)
}

/// The name of a chart, in the description of the API.
pub struct ChartName;

impl PartialSchema for ChartName {
    fn schema() -> RefOr<Schema> {
        let names = CHARTS.map(|chart| chart.name);
        let name = ObjectBuilder::new().schema_type(Type::String);
        name.enum_values(Some(names)).into()
    }
}

impl ToSchema for ChartName {}

/// plotly's script as the `plotly` crate carries it.
pub fn script() -> String {
    let sources = plotly::Plot::offline_js_sources();
    // The crate gives it as the first of two elements; the second one sets formulas, of which there are none.
    let script = sources.split("</script>").next().unwrap_or_default();
    let (_, script) = script.split_once('>').unwrap_or_default();
    script.to_owned()
}
