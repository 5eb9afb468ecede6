//! One of the worst contracts on history, as it was hedged.

use super::frame::{Axis, Figure, OfInstruments, figure, lines_of_instruments, of_all_instruments};
use crate::report::palette::{INK, MUTED, Palette};
use crate::report::tear_sheet::{HedgedContract, Leading, WorstContract};
use plotly::common::{DashType, Line, LineShape, Mode, Visible};
use plotly::layout::AxisType;
use plotly::{Scatter, Trace};

/// Spot, positions, trades and P&L of a contract, a chart each; lines of strategies that do not lead are named by the legend alone
/// until they are asked for. The chart of P&L is left out where the contract has no price on every date.
pub fn contract(of: &WorstContract, leading: Option<&Leading>, palette: &Palette) -> Vec<Figure> {
    let dates: Vec<String> = of.dates.iter().map(ToString::to_string).collect();
    let hover = "%{fullData.name}: %{y:.5r}<br>%{x}<extra></extra>";
    let own = |name: &str, values: &[f64], ink: &'static str, shape: LineShape| {
        Scatter::new(dates.clone(), values.to_vec())
            .mode(Mode::Lines)
            .name(name)
            .line(Line::new().color(ink).width(2.0).shape(shape))
            .hover_template(hover)
    };
    let several = of.spots.len() > 1;
    let mut spots: Vec<Box<dyn Trace>> = Vec::new();
    for (asset, values) in &of.spots {
        let over = if several { values[0] } else { 1.0 };
        let shown: Vec<f64> = values.iter().map(|spot| spot / over).collect();
        let name = if several { asset.as_str() } else { "spot" };
        spots.push(own(name, &shown, INK.light, LineShape::Linear));
    }
    if let Some(strike) = of.strike.filter(|_| !several) {
        let level = vec![strike; of.dates.len()];
        let dotted = Line::new()
            .color(MUTED.light)
            .width(1.0)
            .dash(DashType::Dot);
        spots.push(own("strike", &level, MUTED.light, LineShape::Linear).line(dotted));
    }
    let lines = |series: fn(&HedgedContract) -> OfInstruments, shape: LineShape| {
        let mut traces: Vec<Box<dyn Trace>> = Vec::new();
        for hedged in &of.strategies {
            let strategy = hedged.strategy.as_str();
            let visible = match leading.is_none_or(|leading| leading.shows(strategy)) {
                true => Visible::True,
                false => Visible::LegendOnly,
            };
            let own = (dates.as_slice(), series(hedged));
            for line in lines_of_instruments(palette, (strategy, strategy), own, hover, &shape) {
                traces.push(line.visible(visible.clone()));
            }
        }
        traces
    };
    let mut positions = lines(|hedged| hedged.positions.clone(), LineShape::Hv);
    if !of.delta.is_empty() {
        positions.push(own("model's delta", &of.delta, MUTED.light, LineShape::Hv));
    }
    let time = || Axis::new("day (date)").of(AxisType::Date);
    let spot = match several {
        true => "spot over that of the sale (share)",
        false => "spot (money)",
    };
    let mut figures = vec![
        figure("Spot", time(), Axis::new(spot), spots),
        figure(
            "Positions",
            time(),
            Axis::new("position (units)").zero(),
            positions,
        ),
        figure(
            "Trades",
            time(),
            Axis::new("bought or sold (units)").zero(),
            lines(|hedged| hedged.trades.clone(), LineShape::Hvh),
        ),
    ];
    if of.strategies.iter().any(|hedged| !hedged.pnl.is_empty()) {
        let pnl = lines(|hedged| of_all_instruments(&hedged.pnl), LineShape::Linear);
        let axis = Axis::new("P&L so far (money)").zero();
        figures.push(figure("P&L so far", time(), axis, pnl));
    }
    figures
}
