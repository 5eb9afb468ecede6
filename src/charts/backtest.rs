//! Contracts sold on history.

use super::frame::{Axis, Figure, color, figure, figure_with, layout, line, stroke};
use crate::report::figures::backtest::curves;
use crate::report::palette::{Palette, SERIES};
use crate::runs::breakdown::Breakdown;
use crate::runs::tables::BacktestTable;
use crate::runs::walk_forward::Period;
use chrono::NaiveDate;
use plotly::common::{LineShape, Marker};
use plotly::layout::{AxisType, BarMode};
use plotly::{Bar, Trace};

/// The sum of P&L over all contracts that have expired, a line per strategy averaged over its seeds; absent without
/// contracts.
pub fn cumulative_pnl(table: &BacktestTable, palette: &Palette) -> Option<Figure> {
    through_time(
        "Cumulative P&L",
        "sum of P&L (money)",
        table,
        palette,
        |sums| sums,
    )
}

/// The sum of P&L less the greatest it had been, a line per strategy; absent without contracts.
pub fn drawdown(table: &BacktestTable, palette: &Palette) -> Option<Figure> {
    through_time(
        "Drawdown",
        "P&L below its peak (money)",
        table,
        palette,
        |sums| {
            let mut peak = f64::NEG_INFINITY;
            let below = sums.into_iter().map(|sum| {
                peak = peak.max(sum);
                sum - peak
            });
            below.collect()
        },
    )
}

fn through_time(
    title: &str,
    label: &str,
    table: &BacktestTable,
    palette: &Palette,
    of: impl Fn(Vec<f64>) -> Vec<f64>,
) -> Option<Figure> {
    let curves = curves(&table.books);
    if curves.is_empty() {
        return None;
    }
    let traces = curves
        .into_iter()
        .map(|(strategy, points)| -> Box<dyn Trace> {
            let (dates, sums): (Vec<NaiveDate>, Vec<f64>) = points.into_iter().unzip();
            let dates: Vec<String> = dates.iter().map(ToString::to_string).collect();
            let hover = "%{fullData.name}<br>%{x}: %{y:.2f}<extra></extra>";
            line(palette, strategy, (dates, of(sums)), hover)
                .line(stroke(palette, strategy).shape(LineShape::Hv))
        });
    Some(figure(
        title,
        Axis::new("expiry of the contract (date)").of(AxisType::Date),
        Axis::new(label).zero(),
        traces.collect(),
    ))
}

/// Mean parts of the P&L of a contract, stacked to its mean, a bar per strategy; absent without contracts.
pub fn attribution<'a>(breakdowns: impl Iterator<Item = &'a Breakdown>) -> Option<Figure> {
    let breakdowns: Vec<&Breakdown> = breakdowns.collect();
    let strategies: Vec<String> = breakdowns.iter().map(|of| of.strategy.clone()).collect();
    let parts = &breakdowns.first()?.attribution;
    let traces = parts
        .iter()
        .enumerate()
        .map(|(at, (part, _))| -> Box<dyn Trace> {
            let values: Vec<f64> = breakdowns
                .iter()
                .map(|of| of.attribution.get(at).map_or(0.0, |(_, value)| *value))
                .collect();
            Bar::new(strategies.clone(), values)
                .name(part)
                .marker(Marker::new().color(SERIES[at % SERIES.len()].light))
                .hover_template("%{x}, %{fullData.name}: %{y:.3f}<extra></extra>")
        });
    let title = "Where the P&L comes from";
    let layout = layout(title)
        .bar_mode(BarMode::Relative)
        .x_axis(Axis::new("hedge (name)").of(AxisType::Category).build())
        .y_axis(Axis::new("mean P&L per contract (money)").zero().build());
    Some(figure_with(title, layout, traces.collect()))
}

/// Total P&L in each period, a group of bars per period; absent without periods.
pub fn periods(title: &str, periods: &[Period], palette: &Palette) -> Option<Figure> {
    let first = periods.first()?;
    let names: Vec<String> = periods.iter().map(|period| period.name.clone()).collect();
    let traces = first
        .pnl
        .iter()
        .enumerate()
        .map(|(at, (strategy, _))| -> Box<dyn Trace> {
            let values: Vec<f64> = periods
                .iter()
                .map(|period| period.pnl.get(at).map_or(f64::NAN, |(_, pnl)| *pnl))
                .collect();
            Bar::new(names.clone(), values)
                .name(strategy)
                .marker(Marker::new().color(color(palette, strategy)))
                .hover_template("%{x}<br>%{fullData.name}: %{y:.2f}<extra></extra>")
        });
    let layout = layout(title)
        .bar_mode(BarMode::Group)
        .x_axis(Axis::new("period (name)").of(AxisType::Category).build())
        .y_axis(Axis::new("total P&L (money)").zero().build());
    Some(figure_with(title, layout, traces.collect()))
}
