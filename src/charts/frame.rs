//! What every chart shares: the layout, the axes and the lines of the strategies.

use crate::numbers::counted;
use crate::report::palette::{self, GRID, INK, MUTED, PAPER, Palette};
use plotly::common::{
    Anchor, DashType, ExponentFormat, Font, Label, Line, LineShape, Marker, MarkerSymbol, Mode,
    Orientation, Pattern, PatternShape, Title, Visible,
};
use plotly::layout::{AxisType, HoverMode, Legend, Margin, RangeMode};
use plotly::{Layout, Scatter, Trace};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::ops::Range;
use utoipa::ToSchema;

/// How hover texts write money: five digits of whatever size, in d3's format.
pub const MONEY: &str = ".5r";

/// A chart as plotly takes it, in the colours of light pages.
///
/// plotly's own types cannot be sent between threads; this is what they serialise to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Figure {
    /// What the chart shows, in a few words.
    pub title: String,
    /// The traces.
    #[schema(value_type = Vec<Object>)]
    pub data: Value,
    /// The axes, the legend and the fonts.
    #[schema(value_type = Object)]
    pub layout: Value,
    /// The colour that stands on dark pages for each one of light pages.
    #[schema(value_type = HashMap<String, String>)]
    pub dark: Map<String, Value>,
    /// What is not seen at first, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Whether the vertical axis may be shown in logarithms, where all that is on it is positive.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub may_be_logarithmic: bool,
}

impl Figure {
    /// The chart with a sentence about what is not seen at first, if there is one.
    #[must_use]
    pub fn noting(self, note: Option<String>) -> Self {
        Self { note, ..self }
    }

    /// The chart whose vertical axis may be shown in logarithms.
    #[must_use]
    pub fn logarithmic(self) -> Self {
        Self {
            may_be_logarithmic: true,
            ..self
        }
    }
}

/// One axis: what it measures with its unit in parentheses, and what of it is shown at first.
pub struct Axis<'a> {
    label: &'a str,
    kind: AxisType,
    range: Option<Range<f64>>,
    zero: bool,
    positive: bool,
    powers: bool,
}

impl<'a> Axis<'a> {
    /// An axis from numbers to places along a line, as long as what is shown.
    pub fn new(label: &'a str) -> Self {
        Self {
            label,
            kind: AxisType::Linear,
            range: None,
            zero: false,
            positive: false,
            powers: false,
        }
    }

    /// An axis of another kind.
    pub fn of(self, kind: AxisType) -> Self {
        Self { kind, ..self }
    }

    /// An axis that shows `range` at first.
    pub fn range(self, range: Range<f64>) -> Self {
        Self {
            range: Some(range),
            ..self
        }
    }

    /// An axis with a line at zero.
    pub fn zero(self) -> Self {
        Self { zero: true, ..self }
    }

    /// An axis whose numbers have powers of ten where they are long, unlike amounts of money.
    pub fn powers(self) -> Self {
        Self {
            powers: true,
            ..self
        }
    }

    /// An axis without room below zero around a constant.
    pub fn positive(self) -> Self {
        Self {
            positive: true,
            ..self
        }
    }

    /// The axis as plotly takes it.
    pub fn build(self) -> plotly::layout::Axis {
        let axis = plotly::layout::Axis::new()
            .title(Title::with_text(self.label).font(Font::new().size(13).color(MUTED.light)))
            .type_(self.kind)
            .auto_margin(true)
            .grid_color(GRID.light)
            .line_color(MUTED.light)
            .tick_color(MUTED.light)
            .tick_font(Font::new().size(12).color(MUTED.light))
            .exponent_format(if self.powers {
                ExponentFormat::Power
            } else {
                ExponentFormat::None
            })
            .zero_line(self.zero)
            .zero_line_color(MUTED.light);
        let axis = if self.positive {
            axis.range_mode(RangeMode::NonNegative)
        } else {
            axis
        };
        match self.range {
            Some(range) => axis.range(vec![range.start, range.end]),
            None => axis,
        }
    }
}

/// A chart of `traces` in one pair of axes.
pub fn figure(title: &str, x: Axis<'_>, y: Axis<'_>, traces: Vec<Box<dyn Trace>>) -> Figure {
    figure_with(
        title,
        layout(title).x_axis(x.build()).y_axis(y.build()),
        traces,
    )
}

/// A chart of `traces` in a layout made from [`layout`].
pub fn figure_with(title: &str, layout: Layout, traces: Vec<Box<dyn Trace>>) -> Figure {
    let mut layout = json!(layout);
    for axis in ["xaxis", "yaxis"] {
        // From the numbers, however long they are; the crate has no key for it.
        if let Some(title) = layout.pointer_mut(&format!("/{axis}/title")) {
            title["standoff"] = 10.into();
        }
    }
    let colors = palette::all().map(|color| (color.light.to_owned(), color.dark.into()));
    Figure {
        title: title.to_owned(),
        data: json!(traces),
        layout,
        dark: colors.collect(),
        note: None,
        may_be_logarithmic: false,
    }
}

/// The layout of all charts, without axes.
pub fn layout(title: &str) -> Layout {
    let ink = |size| Font::new().size(size).color(INK.light);
    Layout::new()
        .title(
            Title::with_text(format!("<b>{title}</b>"))
                .font(ink(15))
                .x(0.0)
                .x_anchor(Anchor::Left)
                .x_ref(plotly::common::Reference::Paper),
        )
        .font(ink(13).family("system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"))
        .paper_background_color(PAPER.light)
        .plot_background_color(PAPER.light)
        .hover_mode(HoverMode::Closest)
        .hover_label(Label::new().font(ink(13)).background_color(PAPER.light))
        .margin(Margin::new().left(56).right(12).top(44).bottom(48))
        .show_legend(true)
        // Below the axes, where it takes no width away on telephones.
        .legend(
            Legend::new()
                .orientation(Orientation::Horizontal)
                .x(0.0)
                .x_anchor(Anchor::Left)
                .y(-0.22)
                .y_anchor(Anchor::Top)
                .font(ink(13)),
        )
}

/// The dashes of [`palette::DASHES`] as plotly names them.
const DASHES: [DashType; palette::DASHES.len()] = [
    DashType::Solid,
    DashType::Dash,
    DashType::Dot,
    DashType::DashDot,
    DashType::LongDash,
    DashType::LongDashDot,
];

/// The shapes of marks, filled for trained policies and hollow for hedges without training.
const SYMBOLS: [[MarkerSymbol; 2]; palette::SHAPES] = [
    [MarkerSymbol::Circle, MarkerSymbol::CircleOpen],
    [MarkerSymbol::Square, MarkerSymbol::SquareOpen],
    [MarkerSymbol::Diamond, MarkerSymbol::DiamondOpen],
    [MarkerSymbol::TriangleUp, MarkerSymbol::TriangleUpOpen],
    [MarkerSymbol::TriangleDown, MarkerSymbol::TriangleDownOpen],
    [MarkerSymbol::Cross, MarkerSymbol::CrossOpen],
    [MarkerSymbol::Star, MarkerSymbol::StarOpen],
    [MarkerSymbol::X, MarkerSymbol::XOpen],
];

/// The colour of a strategy.
pub fn color(palette: &Palette, strategy: &str) -> &'static str {
    palette.look(strategy).color().light
}

/// The marker of a strategy: colour and shape.
pub fn mark(palette: &Palette, strategy: &str) -> Marker {
    let look = palette.look(strategy);
    let symbol = &SYMBOLS[look.shape][usize::from(look.is_classical)];
    Marker::new()
        .color(look.color().light)
        .symbol(symbol.clone())
        .size(10)
}

/// Hatches that stand for [`palette::DASHES`] where there are no lines.
const HATCHES: [PatternShape; palette::DASHES.len()] = [
    PatternShape::None,
    PatternShape::RightDiagonalLine,
    PatternShape::Dot,
    PatternShape::LeftDiagonalLine,
    PatternShape::HorizontalLine,
    PatternShape::DiagonalCross,
];

/// The bar of a strategy: colour and hatch.
pub fn fill(palette: &Palette, strategy: &str) -> Marker {
    let look = palette.look(strategy);
    let hatch = Pattern::new()
        .shape(HATCHES[look.dash].clone())
        .solidity(0.4);
    Marker::new().color(look.color().light).pattern(hatch)
}

/// The line of a strategy: colour and dash.
pub fn stroke(palette: &Palette, strategy: &str) -> Line {
    let look = palette.look(strategy);
    Line::new()
        .color(look.color().light)
        .dash(DASHES[look.dash].clone())
        .width(2.0)
}

/// A strategy's values as a line; `hover` is plotly's template of what a point says.
pub fn line<X: Serialize + Clone + 'static>(
    palette: &Palette,
    strategy: &str,
    (x, y): (Vec<X>, Vec<f64>),
    hover: &str,
) -> Box<Scatter<X, f64>> {
    Scatter::new(x, y)
        .mode(Mode::Lines)
        .name(strategy)
        .line(stroke(palette, strategy))
        .hover_template(hover)
}

/// Instrument → a value for each date.
pub type OfInstruments = Vec<(String, Vec<f64>)>;

/// What one strategy does in every instrument, a line in steps of `shape` for each. `called` is the name of the strategy, which the
/// lines of instruments other than the spot follow with a comma; colour and dash being the strategy's, these have marks.
pub fn lines_of_instruments<X: Serialize + Clone + 'static>(
    palette: &Palette,
    (strategy, called): (&str, &str),
    (x, of): (&[X], OfInstruments),
    hover: &str,
    shape: &LineShape,
) -> impl Iterator<Item = Box<Scatter<X, f64>>> {
    let stroke = stroke(palette, strategy).shape(shape.clone());
    let of = of.into_iter().enumerate();
    of.map(move |(place, (instrument, values))| {
        let name = match instrument.as_str() {
            SPOT => called.to_owned(),
            further => format!("{called}, {}", further.replace('_', " ")),
        };
        let trace = line(palette, strategy, (x.to_vec(), values), hover)
            .name(name)
            .line(stroke.clone());
        match place {
            0 => trace,
            _ => trace
                .mode(Mode::LinesMarkers)
                .marker(mark(palette, strategy).size(5)),
        }
    })
}

/// What is counted once for all instruments, as [`lines_of_instruments`] takes it.
pub fn of_all_instruments(values: &[f64]) -> OfInstruments {
    vec![(SPOT.to_owned(), values.to_vec())]
}

/// The name of the first instrument where there is one asset.
const SPOT: &str = "spot";

/// Lines, of which those that do not lead are hidden until the reader asks for them in the legend, and the sentence that says
/// so; `leads` has an entry for each.
pub fn led<X: Serialize + Clone + 'static>(
    lines: impl Iterator<Item = Box<Scatter<X, f64>>>,
    leads: &[bool],
) -> (Vec<Box<dyn Trace>>, Option<String>) {
    let hidden = leads.iter().filter(|leads| !**leads).count();
    let shown = lines.zip(leads);
    let traces = shown.map(|(line, leads)| -> Box<dyn Trace> {
        match leads {
            true => line,
            false => line.visible(Visible::LegendOnly),
        }
    });
    let note = (hidden > 0).then(|| {
        let hedges = counted(hidden, "classical hedge");
        format!("{hedges} more: press a name above the chart to see its line.")
    });
    (traces.collect(), note)
}
