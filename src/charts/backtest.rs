//! P&L of contracts sold on history, through calendar time.

use super::chart::Chart;
use super::frame::{Axis, Figure, MONEY, figure, line, stroke};
use crate::report::figures::backtest::{
    BACKTEST_PNL as BACKTEST_PNL_FIGURE, DAILY_PNL as DAILY_PNL_FIGURE, curves,
};
use crate::report::palette::Palette;
use crate::report::tear_sheet::Leading;
use crate::runs::daily::{Curve, thinned};
use chrono::NaiveDate;
use plotly::Trace;
use plotly::common::{LineShape, Visible};
use plotly::layout::AxisType;

/// P&L added up through calendar time.
pub const BACKTEST_PNL: Chart = Chart::new(
    "backtest_pnl",
    "P&L of the contracts sold through the history, added up at their expiries and averaged over seeds.",
    |run| !run.metrics.backtest.is_empty(),
    |run, _| {
        let Some(table) = run.backtest()? else {
            return Ok(None);
        };
        let labels = ("expiry of the contract (date)", "sum of P&L (money)");
        let drawn = (curves(&table.books), LineShape::Hv);
        let leading = run.leading();
        Ok(lines("Cumulative P&L", labels, drawn, leading.as_ref(), &run.palette))
    },
)
.instead_of(&BACKTEST_PNL_FIGURE);

/// P&L of the book day by day, added up through calendar time.
pub const DAILY_PNL: Chart = Chart::new(
    "daily_pnl",
    "P&L of the book of all contracts day by day, with every contract at its price of the day, added up and averaged over seeds.",
    |run| run.has_daily && !run.metrics.backtest.is_empty(),
    |run, _| {
        run.of_history(|sheet| {
            let labels = ("day (date)", "sum of P&L (money)");
            let drawn = (sheet.pnl(), LineShape::Linear);
            let title = "P&L of the book, marked to market";
            let shown = lines(title, labels, drawn, Some(&sheet.leading), &run.palette);
            shown.filter(|_| sheet.by_day)
        })
    },
)
.instead_of(&DAILY_PNL_FIGURE);

/// The most points of a line: more are finer than a pixel, and pages heavy.
const MOST_POINTS: usize = 2000;

/// Lines through points in time, those of strategies that do not lead named by the legend alone until they are asked for; absent
/// without any.
pub fn lines(
    title: &str,
    (across, up): (&str, &str),
    (curves, shape): (Vec<Curve<'_>>, LineShape),
    leading: Option<&Leading>,
    palette: &Palette,
) -> Option<Figure> {
    if curves.is_empty() {
        return None;
    }
    let traces = curves
        .into_iter()
        .map(|(strategy, points)| -> Box<dyn Trace> {
            let points = thinned(&points, MOST_POINTS);
            let (dates, values): (Vec<NaiveDate>, Vec<f64>) = points.into_iter().unzip();
            let dates: Vec<String> = dates.iter().map(ToString::to_string).collect();
            let hover = format!("%{{fullData.name}}<br>%{{x}}: %{{y:{MONEY}}}<extra></extra>");
            let shown = leading.is_none_or(|leading| leading.shows(strategy));
            line(palette, strategy, (dates, values), &hover)
                .line(stroke(palette, strategy).shape(shape.clone()))
                .visible(match shown {
                    true => Visible::True,
                    false => Visible::LegendOnly,
                })
        });
    Some(figure(
        title,
        Axis::new(across).of(AxisType::Date),
        Axis::new(up).zero(),
        traces.collect(),
    ))
}
