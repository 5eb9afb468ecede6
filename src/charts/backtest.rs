//! Contracts sold on history.

use super::chart::{Chart, RunData};
use super::frame::{Axis, Figure, MONEY, color, figure, figure_with, layout, line, stroke};
use crate::report::breakdown::shown;
use crate::report::figures::backtest::{
    BACKTEST_PNL as BACKTEST_PNL_FIGURE, DAILY_PNL as DAILY_PNL_FIGURE, curves,
};
use crate::report::html::About;
use crate::report::palette::{INK, PARTS, Palette};
use crate::runs::breakdown::Breakdown;
use crate::runs::daily::{Curve, DailyTable, thinned};
use crate::runs::tables::BacktestTable;
use crate::runs::walk_forward::Period;
use chrono::NaiveDate;
use plotly::common::{LineShape, Marker};
use plotly::layout::{AxisType, BarMode};
use plotly::{Bar, Trace};

/// P&L added up through calendar time.
pub const BACKTEST_PNL: Chart = Chart::new(
    "backtest_pnl",
    "P&L of the contracts sold through the history, added up at their expiries and averaged over seeds.",
    |run| !run.metrics.backtest.is_empty(),
    |run, _| Ok((run.backtest()?).and_then(|table| cumulative_pnl(&table, &run.palette))),
)
.instead_of(&BACKTEST_PNL_FIGURE)
.about(About::History);

/// P&L of the book day by day, added up through calendar time.
pub const DAILY_PNL: Chart = Chart::new(
    "daily_pnl",
    "P&L of the book of all contracts day by day, with every contract at its price of the day, added up and averaged over seeds.",
    |run| run.has_daily,
    |run, _| Ok((run.daily()?).and_then(|table| daily_pnl(&table, &run.palette))),
)
.instead_of(&DAILY_PNL_FIGURE)
.about(About::History);

/// The fall of P&L from its highest point.
pub const DRAWDOWN: Chart = Chart::new(
    "drawdown",
    "How far the P&L that was added up lies below the highest point it had reached.",
    |run| !run.metrics.backtest.is_empty(),
    |run, _| Ok((run.backtest()?).and_then(|table| drawdown(&table, &run.palette))),
)
.about(About::History);

/// The parts of the P&L.
pub const ATTRIBUTION: Chart = Chart::new(
    "attribution",
    "Where the P&L of a contract comes from, on average; the parts add up to its mean.",
    |run| run.breakdowns().next().is_some(),
    |run, _| Ok(attribution(run.breakdowns())),
)
.about(About::History);

/// P&L by year.
pub const YEARS: Chart = Chart::new(
    "years",
    "P&L of the contracts sold in each year, added up.",
    |run| !years(run).is_empty(),
    |run, _| Ok(periods("P&L by year of sale", years(run), &run.palette)),
)
.about(About::History);

/// P&L in falls of the index.
pub const STRESS: Chart = Chart::new(
    "stress",
    "P&L of the contracts alive in falls of the index, added up.",
    |run| !stress(run).is_empty(),
    |run, _| {
        Ok(periods(
            "P&L in falls of the index",
            stress(run),
            &run.palette,
        ))
    },
)
.about(About::History);

fn years<'a>(run: &'a RunData<'_>) -> &'a [Period] {
    run.walk_forward
        .as_ref()
        .map_or(&[], |results| &results.years)
}

fn stress<'a>(run: &'a RunData<'_>) -> &'a [Period] {
    run.walk_forward
        .as_ref()
        .map_or(&[], |results| &results.stress)
}

/// The sum of P&L over all contracts that have expired, a line per strategy averaged over its seeds; absent without
/// contracts.
fn cumulative_pnl(table: &BacktestTable, palette: &Palette) -> Option<Figure> {
    through_time(
        "Cumulative P&L",
        "sum of P&L (money)",
        table,
        palette,
        |sums| sums,
    )
}

/// The sum of P&L less the greatest it had been, a line per strategy; absent without contracts.
fn drawdown(table: &BacktestTable, palette: &Palette) -> Option<Figure> {
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

/// The most points of a line: more are finer than a pixel, and pages heavy.
const MOST_POINTS: usize = 2000;

/// The P&L of the book added up day by day, a line per strategy averaged over its seeds; absent without days.
fn daily_pnl(table: &DailyTable, palette: &Palette) -> Option<Figure> {
    lines(
        "P&L of the book, marked to market",
        ("day (date)", "sum of P&L (money)"),
        (table.curves(), LineShape::Linear),
        palette,
        |sums| sums,
    )
}

fn through_time(
    title: &str,
    label: &str,
    table: &BacktestTable,
    palette: &Palette,
    of: impl Fn(Vec<f64>) -> Vec<f64>,
) -> Option<Figure> {
    let labels = ("expiry of the contract (date)", label);
    lines(
        title,
        labels,
        (curves(&table.books), LineShape::Hv),
        palette,
        of,
    )
}

/// Lines through points in time, each the values that `of` makes of sums; absent without any.
fn lines(
    title: &str,
    (across, up): (&str, &str),
    (curves, shape): (Vec<Curve<'_>>, LineShape),
    palette: &Palette,
    of: impl Fn(Vec<f64>) -> Vec<f64>,
) -> Option<Figure> {
    if curves.is_empty() {
        return None;
    }
    let traces = curves
        .into_iter()
        .map(|(strategy, points)| -> Box<dyn Trace> {
            let (dates, sums): (Vec<NaiveDate>, Vec<f64>) = points.into_iter().unzip();
            let values = dates.iter().map(ToString::to_string).zip(of(sums));
            let points: Vec<(String, f64)> = values.collect();
            let kept = thinned(&(0..points.len()).collect::<Vec<_>>(), MOST_POINTS);
            let points = kept.into_iter().map(|place| points[place].clone());
            let points: (Vec<String>, Vec<f64>) = points.unzip();
            let hover = format!("%{{fullData.name}}<br>%{{x}}: %{{y:{MONEY}}}<extra></extra>");
            line(palette, strategy, points, &hover)
                .line(stroke(palette, strategy).shape(shape.clone()))
        });
    Some(figure(
        title,
        Axis::new(across).of(AxisType::Date),
        Axis::new(up).zero(),
        traces.collect(),
    ))
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
            // What is left has the colour of what is no part. Any other part has its own, whichever are shown.
            let color = match part.as_str() {
                "unexplained" => INK,
                _ => PARTS[at % PARTS.len()],
            };
            Bar::new(strategies.clone(), values)
                .name(part)
                .marker(Marker::new().color(color.light))
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

/// Total P&L in each period, a group of bars per period; absent without periods.
fn periods(title: &str, periods: &[Period], palette: &Palette) -> Option<Figure> {
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
                .hover_template(format!(
                    "%{{x}}<br>%{{fullData.name}}: %{{y:{MONEY}}}<extra></extra>"
                ))
        });
    let layout = layout(title)
        .bar_mode(BarMode::Group)
        .x_axis(Axis::new("period").of(AxisType::Category).build())
        .y_axis(Axis::new("total P&L (money)").zero().build());
    Some(figure_with(title, layout, traces.collect()))
}
