//! What every figure shares: the frame, the axes, the legend and the colours.
//!
//! plotters draws on whole pixels, so figures are drawn [`SCALE`] times too large and shrunk by
//! the view box. Colours are written as plain attributes and turned for dark pages by a style
//! sheet inside the SVG that matches on them. plotters has no dashes for lines of many points, so the dashes of a line
//! are said by its opacity, a few thousandths below 1, which the style sheet matches on too.

use crate::error::{Error, Result};
use crate::numbers::{Rounding, with_minus};
use crate::report::palette::{self, DASHES, GRID, INK, MUTED, PAPER, Palette};
use maud::{PreEscaped, html};
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::ops::Range;

/// Drawing units per pixel.
pub const SCALE: i32 = 4;

/// What figures are drawn with.
pub type Backend<'a> = SVGBackend<'a>;
/// A part of a figure.
pub type Area<'a> = DrawingArea<Backend<'a>, Shift>;
/// A pair of linear axes.
pub type Plane = Cartesian2d<RangedCoordf64, RangedCoordf64>;
/// A pair of axes in a figure.
pub type Chart<'a, 'b> = ChartContext<'b, Backend<'a>, Plane>;
/// What plotters fails with.
pub type DrawError = DrawingAreaErrorKind<std::io::Error>;

/// The shape that a figure is drawn in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For pages and print.
    Wide,
    /// For telephones.
    Narrow,
}

impl Form {
    fn width(self) -> i32 {
        match self {
            Self::Wide => 640,
            Self::Narrow => 360,
        }
    }

    fn height(self) -> i32 {
        match self {
            Self::Wide => 420,
            Self::Narrow => 380,
        }
    }

    /// Height of the letters in pixels.
    fn letter(self) -> i32 {
        match self {
            Self::Wide => 14,
            Self::Narrow => 12,
        }
    }

    /// About how many labels fit on the horizontal axis.
    pub fn x_labels(self) -> usize {
        match self {
            Self::Wide => 8,
            Self::Narrow => 5,
        }
    }

    /// The style of running text.
    pub fn text(self) -> TextStyle<'static> {
        self.styled(rgb(INK), self.letter())
    }

    /// The style of axis labels and remarks.
    pub fn small(self) -> TextStyle<'static> {
        self.styled(rgb(MUTED), self.letter() - 1)
    }

    fn styled(self, color: RGBColor, letter: i32) -> TextStyle<'static> {
        // plotters divides the size by 1.24 when it writes it down.
        let size = f64::from(letter * SCALE) * 1.24;
        ("sans-serif", size).into_font().color(&color)
    }

    /// A generous guess of the width of a text in drawing units.
    pub fn text_width(self, text: &str) -> i32 {
        let letters = text.chars().count() as f64;
        (letters * 0.56 * f64::from(self.letter() * SCALE)).ceil() as i32
    }

    /// The height of a line of text in drawing units.
    pub fn line_height(self) -> i32 {
        (self.letter() + 6) * SCALE
    }
}

/// plotters' form of a colour on light pages.
fn rgb(color: palette::Color) -> RGBColor {
    let channel = |at: usize| u8::from_str_radix(&color.light[at..at + 2], 16).unwrap_or(0);
    RGBColor(channel(1), channel(3), channel(5))
}

/// The opacity that says which of [`DASHES`] a line has.
fn opacity(dash: usize) -> f64 {
    1.0 - dash as f64 / 1000.0
}

impl Palette {
    /// The colour of a strategy.
    pub fn color(&self, strategy: &str) -> RGBColor {
        rgb(self.look(strategy).color())
    }

    /// The line of a strategy: colour and dashes.
    pub fn line(&self, strategy: &str) -> ShapeStyle {
        let opacity = opacity(self.look(strategy).dash);
        let color = self.color(strategy).mix(opacity);
        color.stroke_width(2 * SCALE as u32)
    }
}

/// One axis: what it measures, in which unit, and from where to where.
pub struct Axis<'a> {
    /// What the axis measures, with its unit.
    pub label: &'a str,
    /// The part of the axis that is shown.
    pub range: Range<f64>,
    /// Writes a tick; absent for plain numbers.
    pub format: Option<fn(f64) -> String>,
}

/// Draws one figure: title, legend of the strategies with the words to show for each, and
/// whatever `body` puts below them. `dashed` tells the lines apart without colour; `tall`
/// stretches the usual height.
///
/// # Errors
/// [`Error::Computation`] if plotters fails.
pub fn figure(
    form: Form,
    title: &str,
    legend: &[(String, ShapeStyle)],
    dashed: bool,
    tall: f64,
    body: impl FnOnce(&Area<'_>) -> Result<(), DrawError>,
) -> Result<String> {
    let width = form.width();
    let height = (f64::from(form.height()) * tall) as i32;
    let mut svg = String::new();
    let drawn = (|| {
        let size = ((width * SCALE) as u32, (height * SCALE) as u32);
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        root.fill(&rgb(PAPER))?;
        let margin = 10 * SCALE;
        let bold = form.text().transform_bold();
        root.draw(&Text::new(title.to_owned(), (margin, margin), bold))?;
        let top = margin + form.line_height() + 2 * SCALE;
        let bottom = draw_legend(&root, form, legend, top)?;
        body(&root.margin(bottom, margin / 2, margin / 2, margin))?;
        root.present()
    })();
    drawn.map_err(|error: DrawError| Error::Computation(format!("figure `{title}`: {error}")))?;
    Ok(finish(&svg, title, width, height, dashed))
}

trait Bold {
    fn transform_bold(self) -> Self;
}

impl Bold for TextStyle<'static> {
    fn transform_bold(mut self) -> Self {
        self.font = self.font.style(FontStyle::Bold);
        self
    }
}

fn draw_legend(
    root: &Area<'_>,
    form: Form,
    legend: &[(String, ShapeStyle)],
    top: i32,
) -> Result<i32, DrawError> {
    let (margin, sample) = (10 * SCALE, 26 * SCALE);
    let right = form.width() * SCALE - margin;
    let (mut x, mut y) = (margin, top);
    for (words, style) in legend {
        let used = sample + 6 * SCALE + form.text_width(words);
        if x > margin && x + used > right {
            x = margin;
            y += form.line_height();
        }
        let middle = y + form.line_height() / 2 - 2 * SCALE;
        root.draw(&PathElement::new(
            vec![(x, middle), (x + sample, middle)],
            *style,
        ))?;
        let text = form.text().pos(Pos::new(HPos::Left, VPos::Center));
        root.draw(&Text::new(
            words.clone(),
            (x + sample + 6 * SCALE, middle),
            text,
        ))?;
        x += used + 20 * SCALE;
    }
    Ok(if legend.is_empty() {
        top
    } else {
        y + form.line_height() + 4 * SCALE
    })
}

/// How much taller a figure is whose legend has so many entries.
pub fn stretch(entries: usize) -> f64 {
    1.0 + 0.04 * entries.saturating_sub(8) as f64
}

/// Draws a pair of axes with a light grid.
///
/// # Errors
/// plotters' own.
pub fn axes<'a, 'b>(
    area: &'b Area<'a>,
    form: Form,
    x: &Axis<'_>,
    y: &Axis<'_>,
) -> Result<Chart<'a, 'b>, DrawError> {
    let x_format = ticks(x, form.x_labels());
    let y_format = ticks(y, 6);
    let ends = [y.range.start, y.range.end].map(&y_format);
    let labels = ends.into_iter().chain(["-0.00".to_owned()]);
    let widest = labels
        .max_by_key(|label| label.chars().count())
        .unwrap_or_default();
    let mut chart = ChartBuilder::on(area)
        .x_label_area_size(form.line_height() * 5 / 2)
        .y_label_area_size(form.line_height() * 2 + form.text_width(&widest))
        .margin_top(4 * SCALE)
        .margin_right(8 * SCALE)
        .build_cartesian_2d(x.range.clone(), y.range.clone())?;
    chart
        .configure_mesh()
        .x_labels(form.x_labels())
        .y_labels(6)
        .max_light_lines(1)
        .light_line_style(TRANSPARENT)
        .bold_line_style(rgb(GRID).stroke_width(SCALE as u32))
        .axis_style(rgb(MUTED).stroke_width(SCALE as u32))
        .set_all_tick_mark_size(4 * SCALE)
        .label_style(form.small())
        .axis_desc_style(form.small())
        .x_desc(x.label)
        .y_desc(y.label)
        .x_label_formatter(&|value| x_format(*value))
        .y_label_formatter(&|value| y_format(*value))
        .draw()?;
    Ok(chart)
}

fn ticks(axis: &Axis<'_>, labels: usize) -> Box<dyn Fn(f64) -> String> {
    if let Some(format) = axis.format {
        return Box::new(format);
    }
    // plotters steps by 1, 2 or 5 times a power of ten, the smallest that gives no more labels
    // than asked; a tenth less than that errs towards a decimal too many.
    let least = 0.9 * (axis.range.end - axis.range.start) / labels as f64;
    let power = 10f64.powf(least.log10().floor());
    let step = if least / power > 5.0 {
        10.0 * power
    } else {
        power
    };
    let rounding = Rounding::of_steps(step, axis.range.start.abs().max(axis.range.end.abs()));
    Box::new(move |value| with_minus(&rounding.write(value)))
}

/// The style of reference lines such as a strike or zero.
pub fn reference_line() -> ShapeStyle {
    rgb(MUTED).stroke_width(SCALE as u32)
}

/// The style of the one series that is no strategy.
pub fn ink_line() -> ShapeStyle {
    rgb(INK).stroke_width(2 * SCALE as u32)
}

/// The least and the greatest finite value, widened by `margin` of their distance on both
/// sides; absent if there is no finite value.
pub fn range(values: impl Iterator<Item = f64>, margin: f64) -> Option<Range<f64>> {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values.filter(|value| value.is_finite()) {
        low = low.min(value);
        high = high.max(value);
    }
    if low > high {
        return None;
    }
    let width = high - low;
    // One value alone still needs an axis around it.
    let widen = if width > 0.0 {
        width * margin
    } else {
        around(low)
    };
    Some(low - widen..high + widen)
}

/// Half of the width of an axis around a value that stands alone: a tenth of it, so that the unit of money does not matter.
pub fn around(value: f64) -> f64 {
    if value == 0.0 { 0.1 } else { 0.1 * value.abs() }
}

/// Gives the drawing its size on the page, its name for screen readers and its style sheet.
fn finish(svg: &str, title: &str, width: i32, height: i32, dashed: bool) -> String {
    let body = svg.split_once('>').map_or(svg, |(_, body)| body);
    let inside = body.trim_end().strip_suffix("</svg>").unwrap_or(body);
    let drawing = html! {
        svg class=(if dashed { "figure dashed" } else { "figure" }) role="img" aria-label=(title)
            width=(width) height=(height) viewBox={ "0 0 " (width * SCALE) " " (height * SCALE) }
            xmlns="http://www.w3.org/2000/svg" {
            title { (title) }
            style { (PreEscaped(style_sheet(inside))) }
            (PreEscaped(inside))
        }
    };
    drawing.into_string()
}

/// The rules for the colours that stand in the drawing `body`.
fn style_sheet(body: &str) -> String {
    // plotters writes its colours in capitals.
    let written = |color: palette::Color| color.light.to_uppercase();
    let mut dashes = String::new();
    let mut dark = String::new();
    for color in palette::all() {
        let (light, turned) = (written(color), color.dark);
        if !body.contains(&light) {
            continue;
        }
        dark.push_str(&format!(
            ".figure [fill=\"{light}\"]{{fill:{turned}}}.figure [stroke=\"{light}\"]{{stroke:{turned}}}"
        ));
    }
    for (place, dash) in DASHES.into_iter().enumerate() {
        if dash.is_empty() {
            continue;
        }
        let lengths: Vec<String> = dash
            .iter()
            .map(|length| (length * SCALE as u32).to_string())
            .collect();
        dashes.push_str(&format!(
            ".dashed polyline[opacity=\"{}\"]{{stroke-dasharray:{}}}",
            opacity(place),
            lengths.join(" ")
        ));
    }
    format!(
        ".figure text{{font-family:system-ui,sans-serif}}.figure polyline{{stroke-linejoin:round}}\
         {dashes}@media(prefers-color-scheme:dark){{{dark}}}"
    )
}
