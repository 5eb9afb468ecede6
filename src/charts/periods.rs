//! Parts of the P&L, years and falls of the index, as bars.

use super::chart::{Chart, RunData};
use super::frame::{Axis, Figure, MONEY, figure_with, fill, layout};
use crate::report::breakdown::{self, shown};
use crate::report::figures::bars::{
    ATTRIBUTION as ATTRIBUTION_FIGURE, STRESS as STRESS_FIGURE, YEARS as YEARS_FIGURE,
};
use crate::report::palette::Palette;
use crate::report::tear_sheet::Leading;
use crate::runs::breakdown::Breakdown;
use crate::runs::walk_forward::Period;
use plotly::common::{Marker, Visible};
use plotly::layout::{AxisType, BarMode};
use plotly::{Bar, Trace};

/// The parts of the P&L.
pub const ATTRIBUTION: Chart = Chart::new(
    "attribution",
    "Where the P&L of a contract comes from, on average; the parts add up to its mean.",
    |run| run.breakdowns().next().is_some(),
    |run, _| Ok(attribution(run.breakdowns())),
)
.instead_of(&ATTRIBUTION_FIGURE);

/// P&L by year.
pub const YEARS: Chart = Chart::new(
    "years",
    "P&L of the contracts sold in each year, added up.",
    |run| !run.metrics.backtest.is_empty(),
    |run, _| {
        run.of_history(|sheet| {
            let years = sheet.years();
            let names = years.iter().map(|year| year.year.to_string()).collect();
            let series = sheet.strategies().enumerate().map(|(place, strategy)| {
                let totals = years.iter().map(|year| year.strategies[place].total);
                (strategy, totals.collect())
            });
            let title = ("P&L by year of sale", "year of sale");
            periods(
                title,
                names,
                series.collect(),
                Some(&sheet.leading),
                &run.palette,
            )
        })
    },
)
.instead_of(&YEARS_FIGURE);

/// P&L in falls of the index.
pub const STRESS: Chart = Chart::new(
    "stress",
    "P&L of the contracts alive in falls of the index, added up.",
    |run| !stress(run).is_empty(),
    |run, _| {
        let periods_of_run = stress(run);
        let names = periods_of_run
            .iter()
            .map(|period| period.name.clone())
            .collect();
        let Some(first) = periods_of_run.first() else {
            return Ok(None);
        };
        let series = first.pnl.iter().enumerate().map(|(place, (strategy, _))| {
            let pnl = |period: &Period| period.pnl.get(place).map_or(f64::NAN, |(_, pnl)| *pnl);
            (strategy.as_str(), periods_of_run.iter().map(pnl).collect())
        });
        let title = ("P&L in falls of the index", "period");
        let leading = run.leading();
        Ok(periods(
            title,
            names,
            series.collect(),
            leading.as_ref(),
            &run.palette,
        ))
    },
)
.instead_of(&STRESS_FIGURE);

fn stress<'a>(run: &'a RunData<'_>) -> &'a [Period] {
    run.walk_forward
        .as_ref()
        .map_or(&[], |results| &results.stress)
}

/// Mean parts of the P&L of a contract, stacked to its mean, a bar per strategy; absent without contracts.
fn attribution<'a>(breakdowns: impl Iterator<Item = &'a Breakdown>) -> Option<Figure> {
    let breakdowns: Vec<&Breakdown> = breakdowns.collect();
    let strategies: Vec<String> = breakdowns.iter().map(|of| of.strategy.clone()).collect();
    let parts = &breakdowns.first()?.attribution;
    let traces = shown(breakdowns.iter().copied())
        .into_iter()
        .map(|at| -> Box<dyn Trace> {
            let values: Vec<f64> = breakdowns.iter().map(|of| of.attribution[at].1).collect();
            let part = &parts[at].0;
            Bar::new(strategies.clone(), values)
                .name(part)
                .marker(Marker::new().color(breakdown::color(at, part).light))
                .hover_template(format!(
                    "%{{x}}, %{{fullData.name}}: %{{y:{MONEY}}}<extra></extra>"
                ))
        });
    let title = "Where the P&L comes from";
    let layout = layout(title)
        .bar_mode(BarMode::Relative)
        .x_axis(Axis::new("hedge").of(AxisType::Category).build())
        .y_axis(Axis::new("mean P&L per contract (money)").zero().build());
    Some(figure_with(title, layout, traces.collect()))
}

/// Total P&L in each period, a group of bars per period, those of strategies that do not lead named by the legend alone until they
/// are asked for; absent without periods.
fn periods(
    (title, across): (&str, &str),
    names: Vec<String>,
    series: Vec<(&str, Vec<f64>)>,
    leading: Option<&Leading>,
    palette: &Palette,
) -> Option<Figure> {
    if names.is_empty() {
        return None;
    }
    let traces = series
        .into_iter()
        .map(|(strategy, values)| -> Box<dyn Trace> {
            let shown = leading.is_none_or(|leading| leading.shows(strategy));
            Bar::new(names.clone(), values)
                .name(strategy)
                .marker(fill(palette, strategy))
                .visible(match shown {
                    true => Visible::True,
                    false => Visible::LegendOnly,
                })
                .hover_template(format!(
                    "%{{x}}<br>%{{fullData.name}}: %{{y:{MONEY}}}<extra></extra>"
                ))
        });
    let layout = layout(title)
        .bar_mode(BarMode::Group)
        .x_axis(Axis::new(across).of(AxisType::Category).build())
        .y_axis(Axis::new("total P&L (money)").zero().build());
    Some(figure_with(title, layout, traces.collect()))
}
