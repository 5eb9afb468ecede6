//! How strategies hedge: over spot and time, and on one path.

use super::frame::{
    Axis, Figure, OfInstruments, figure, figure_with, layout, lines_of_instruments,
    of_all_instruments,
};
use crate::experiment::replay::{HedgeMap, Hedged, PathReplay};
use crate::report::horizon::Horizon;
use crate::report::palette::{INK, Palette};
use plotly::common::{
    ColorBar, ColorScale, ColorScaleElement, DashType, ExponentFormat, Font, Line, LineShape, Mode,
    Title,
};
use plotly::{HeatMap, Scatter, Trace};

/// Stops of a scale from low to high in one hue and rising darkness, readable in grey.
const SEQUENTIAL: [(f64, &str); 5] = [
    (0.0, "#f7fbff"),
    (0.25, "#bdd3ea"),
    (0.5, "#6a9fd0"),
    (0.75, "#2a6aa8"),
    (1.0, "#0b2f5b"),
];

/// Stops of a scale around zero: orange below, blue above, which the colour-blind tell apart too.
const DIVERGING: [(f64, &str); 5] = [
    (0.0, "#9c3d00"),
    (0.25, "#f0a468"),
    (0.5, "#f5f5f2"),
    (0.75, "#78aedd"),
    (1.0, "#00478a"),
];

fn scale(stops: &[(f64, &str)]) -> ColorScale {
    let stops = stops.iter();
    ColorScale::Vector(
        stops
            .map(|(at, color)| ColorScaleElement(*at, (*color).to_owned()))
            .collect(),
    )
}

/// The hedge ratio over spot and time left, that of the benchmark at the same points, and their difference.
pub fn hedge_map(map: &HedgeMap) -> [Figure; 3] {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in map.hedge_ratio.iter().chain(&map.black_scholes).flatten() {
        low = low.min(*value);
        high = high.max(*value);
    }
    let apart = map
        .difference
        .iter()
        .flatten()
        .fold(0.0, |most: f64, d| most.max(d.abs()));
    let sequential = |title: &str, values: &[Vec<f64>]| {
        heat_map(map, title, values, (low, high), scale(&SEQUENTIAL))
    };
    [
        sequential(
            &format!("Hedge ratio of {}", map.strategy),
            &map.hedge_ratio,
        ),
        sequential(map.benchmark, &map.black_scholes),
        heat_map(
            map,
            "Difference",
            &map.difference,
            (-apart, apart),
            scale(&DIVERGING),
        ),
    ]
}

fn heat_map(
    map: &HedgeMap,
    title: &str,
    values: &[Vec<f64>],
    (low, high): (f64, f64),
    scale: ColorScale,
) -> Figure {
    let last = map.time_left.iter().copied().fold(0.0, f64::max);
    let horizon = Horizon::new(last, Some(map.days_per_year));
    let left: Vec<f64> = map.time_left.iter().map(|left| horizon.of(*left)).collect();
    let trace = HeatMap::new(map.spot.clone(), left, values.to_vec())
        .color_scale(scale)
        .zmin(low)
        .zmax(high)
        .color_bar(
            ColorBar::new()
                .title(Title::with_text("shares").font(Font::new().size(12)))
                .exponent_format(ExponentFormat::Power)
                .thickness(12),
        )
        .hover_template(format!(
            "spot %{{x:.5r}}, %{{y:.4~r}} {} left<br>%{{z:.3f}} shares<extra></extra>",
            horizon.unit
        ));
    let first = map.time_left.iter().copied().fold(f64::INFINITY, f64::min);
    let (first, last) = (horizon.of(first), horizon.of(last));
    let strike = map.strike.map(|strike| -> Box<dyn Trace> {
        strike_line(vec![strike; 2], vec![first, last])
            .hover_template("strike %{x:.5r}<extra></extra>")
    });
    let mut traces: Vec<Box<dyn Trace>> = vec![trace];
    traces.extend(strike);
    figure_with(
        title,
        layout(title)
            .show_legend(false)
            .x_axis(Axis::new(&format!("{} (money)", map.instrument)).build())
            .y_axis(Axis::new(&horizon.label("time left")).build()),
        traces,
    )
}

/// The strike from one end of a chart to the other.
fn strike_line(x: Vec<f64>, y: Vec<f64>) -> Box<Scatter<f64, f64>> {
    Scatter::new(x, y)
        .mode(Mode::Lines)
        .name("strike")
        .line(Line::new().color(INK.light).width(1.0).dash(DashType::Dot))
}

/// The dashes that tell assets apart, all in the colour of the market.
const DASHES: [DashType; 4] = [
    DashType::Solid,
    DashType::Dash,
    DashType::DashDot,
    DashType::LongDash,
];

/// Spot, volatility, positions, trades, costs and P&L through time on one path, a chart each.
pub fn path(replay: &PathReplay, palette: &Palette) -> Vec<Figure> {
    let last = replay.time.last().copied().unwrap_or(0.0);
    let horizon = Horizon::new(last, Some(replay.days_per_year));
    let times: Vec<f64> = replay.time.iter().map(|time| horizon.of(*time)).collect();
    let (last, unit) = (horizon.of(last), horizon.unit);
    let label = horizon.label("time");
    let time = || Axis::new(&label);
    let hover =
        format!("%{{fullData.name}}: %{{y:.5r}}<br>after %{{x:.4~r}} {unit}<extra></extra>");
    let own = |name: &str, values: Vec<f64>, place: usize| -> Box<dyn Trace> {
        Scatter::new(times.clone(), values)
            .mode(Mode::Lines)
            .name(name)
            .line(
                Line::new()
                    .color(INK.light)
                    .width(2.0)
                    .dash(DASHES[place % DASHES.len()].clone()),
            )
            .hover_template(&hover)
    };
    let percent = |volatility: &[f64]| -> Vec<f64> {
        volatility
            .iter()
            .map(|volatility| 100.0 * volatility)
            .collect()
    };
    let (mut spots, mut volatilities) = (Vec::new(), Vec::new());
    if replay.assets.is_empty() {
        spots.push(own("spot", replay.spot.clone(), 0));
        volatilities.push(own("volatility", percent(&replay.volatility), 0));
    }
    for (place, asset) in replay.assets.iter().enumerate() {
        let relative = asset.spot.iter().map(|spot| spot / asset.spot[0]);
        spots.push(own(&asset.name, relative.collect(), place));
        volatilities.push(own(&asset.name, percent(&asset.volatility), place));
    }
    if let Some(strike) = replay.strike {
        let line = strike_line(vec![0.0, last], vec![strike; 2]);
        spots.push(line.hover_template("strike %{y:.5r}<extra></extra>"));
    }
    let spot = match replay.assets.is_empty() {
        true => "spot (money)",
        false => "spot over that of the sale",
    };
    let lines = |of: &dyn Fn(&Hedged) -> OfInstruments, shape: LineShape| {
        let mut traces: Vec<Box<dyn Trace>> = Vec::new();
        for hedged in &replay.strategies {
            let named = (hedged.strategy.as_str(), &*hedged.name());
            let own = (times.as_slice(), of(hedged));
            for line in lines_of_instruments(palette, named, own, &hover, &shape) {
                traces.push(line);
            }
        }
        traces
    };
    let mut charts = vec![
        figure("Spot", time(), Axis::new(spot), spots),
        figure(
            "Volatility",
            time(),
            Axis::new("volatility (% a year)").positive(),
            volatilities,
        ),
        figure(
            "Positions",
            time(),
            Axis::new("position (units)").zero(),
            lines(&|hedged| hedged.positions.clone(), LineShape::Hv),
        ),
        figure(
            "Trades",
            time(),
            Axis::new("bought or sold (units)").zero(),
            lines(&|hedged| hedged.trades.clone(), LineShape::Hvh),
        ),
        figure(
            "Costs so far",
            time(),
            Axis::new("costs at expiry's value (money)").positive(),
            lines(&|hedged| of_all_instruments(&hedged.cost), LineShape::Hv),
        ),
        figure(
            "P&L so far",
            time(),
            Axis::new("P&L at expiry's value (money)").zero(),
            lines(&|hedged| of_all_instruments(&hedged.pnl), LineShape::Linear),
        ),
    ];
    charts.extend(benchmark(&replay.strategies).map(|benchmark| {
        let less = |hedged: &Hedged| -> OfInstruments {
            if hedged.name() == benchmark.name() || hedged.strategy == NAKED {
                return Vec::new();
            }
            let held = hedged.positions.iter();
            held.map(|(instrument, held)| {
                let theirs = benchmark
                    .positions
                    .iter()
                    .find(|(name, _)| name == instrument);
                let less = held.iter().enumerate().map(|(date, position)| {
                    position - theirs.map_or(0.0, |(_, theirs)| theirs[date])
                });
                (instrument.clone(), less.collect())
            })
            .collect()
        };
        figure(
            &format!("Positions less those of {}", benchmark.name()),
            time(),
            Axis::new("position less the benchmark's (units)").zero(),
            lines(&less, LineShape::Hv),
        )
    }));
    charts
}

/// The position that is none.
const NAKED: &str = "naked";

/// The classical hedge that positions are compared with, where there is another strategy: the first one that trades at all.
fn benchmark(strategies: &[Hedged]) -> Option<&Hedged> {
    let mut classical = strategies.iter().filter(|hedged| hedged.seed.is_none());
    let found = classical.find(|hedged| hedged.strategy != NAKED)?;
    let mut others = strategies.iter();
    let compared = |other: &Hedged| other.name() != found.name() && other.strategy != NAKED;
    others.any(compared).then_some(found)
}
