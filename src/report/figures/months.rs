//! P&L by calendar month, a cell each.

use super::canvas::{Area, DrawError, Form, SCALE, figure, rgb};
use super::figure::{FigureData, Part, SvgFigure};
use crate::error::Result;
use crate::numbers::Rounding;
use crate::report::markup::with_minus;
use crate::report::palette::SERIES;
use crate::report::tear_sheet::Months;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// The P&L of the strategy under test by month.
pub const MONTHLY_PNL: SvgFigure = SvgFigure {
    part: Part::TearSheet,
    name: "monthly_pnl",
    caption: "P&L of the book of all contracts in every month, and of every year on the right: blue gains, orange losses, the \
              deeper the greater.",
    draw: |data, form| {
        let sheet = data.tear_sheet();
        let strategy = sheet.map(|sheet| sheet.leading.strategy.clone());
        months(data, strategy.as_deref(), None, form)
    },
};

/// The P&L of the strategy under test by month, less that of its baseline.
pub const MONTHLY_DIFFERENCE: SvgFigure = SvgFigure {
    part: Part::TearSheet,
    name: "monthly_difference",
    caption: "P&L of every month less that of the baseline: blue where the strategy gains on it, orange where it falls behind.",
    draw: |data, form| {
        let leading = data.tear_sheet().map(|sheet| sheet.leading.clone());
        let both = leading.and_then(|leading| Some((leading.strategy, leading.baseline?)));
        match both {
            Some((strategy, less)) => months(data, Some(&strategy), Some(&less), form),
            None => Ok(None),
        }
    },
};

/// What the months of a strategy are called, for figure and chart.
pub fn title(strategy: &str, less: Option<&str>) -> String {
    match less {
        Some(less) => format!("P&L by month: {strategy} less {less}"),
        None => format!("P&L by month: {strategy}"),
    }
}

/// The share of colour in the cell of a month with the P&L of [`Months::scale`], on which text can still be read.
pub const DEEPEST: f64 = 0.55;

fn months(
    data: &FigureData<'_>,
    strategy: Option<&str>,
    less: Option<&str>,
    form: Form,
) -> Result<Option<String>> {
    let found = data.tear_sheet().zip(strategy);
    let Some((strategy, months)) =
        found.and_then(|(sheet, strategy)| Some((strategy, sheet.months(strategy, less)?)))
    else {
        return Ok(None);
    };
    // Numbers where there is room for them.
    let (row, numbers) = match form {
        Form::Wide => (24, true),
        Form::Narrow => (18, false),
    };
    let pixels = 46 + row * (months.years.len() as i32 + 1);
    let usual = match form {
        Form::Wide => 420.0,
        Form::Narrow => 380.0,
    };
    figure(
        form,
        &title(strategy, less),
        &[],
        false,
        f64::from(pixels) / usual,
        |area| cells(area, form, row * SCALE, &months, numbers),
    )
    .map(Some)
}

fn cells(
    area: &Area<'_>,
    form: Form,
    row: i32,
    months: &Months,
    numbers: bool,
) -> Result<(), DrawError> {
    let (width, _) = area.dim_in_pixel();
    let left = form.text_width("2000") + 10 * SCALE;
    let all = months.years.iter().flat_map(|(_, months)| months).flatten();
    let totals = months.years.iter().map(|(_, months)| Months::total(months));
    let money = Rounding::of_values(all.copied().chain(totals), 3);
    let right = match form {
        Form::Wide => 60 * SCALE,
        Form::Narrow => 54 * SCALE,
    };
    let cell = (width as i32 - left - right - 6 * SCALE) / 12;
    let centred = form.small().pos(Pos::new(HPos::Center, VPos::Center));
    let at_end = form.small().pos(Pos::new(HPos::Right, VPos::Center));
    for (place, name) in Months::NAMES.iter().enumerate() {
        let name = if numbers { *name } else { &name[..1] };
        let middle = left + place as i32 * cell + cell / 2;
        area.draw(&Text::new(name, (middle, row / 2), centred.clone()))?;
    }
    let end = width as i32 - 6 * SCALE;
    area.draw(&Text::new("year", (end, row / 2), at_end.clone()))?;
    let scale = months.scale();
    for (place, (year, months)) in months.years.iter().enumerate() {
        let top = row * (place as i32 + 1);
        let middle = top + row / 2;
        let at = (left - 8 * SCALE, middle);
        area.draw(&Text::new(year.to_string(), at, at_end.clone()))?;
        for (month, value) in months.iter().enumerate() {
            let Some(value) = value else { continue };
            let from = left + month as i32 * cell;
            let color = if *value < 0.0 { SERIES[1] } else { SERIES[0] };
            let depth = DEEPEST * (value.abs() / scale).min(1.0);
            let corners = [
                (from + SCALE, top + SCALE),
                (from + cell - SCALE, top + row - SCALE),
            ];
            area.draw(&Rectangle::new(corners, rgb(color).mix(depth).filled()))?;
            let words = with_minus(&money.write(*value));
            let fits = 4 * form.text_width(&words) / 5 <= cell;
            if numbers && fits {
                area.draw(&Text::new(
                    words,
                    (from + cell / 2, middle),
                    form.text_in_cells(),
                ))?;
            }
        }
        let words = with_minus(&money.write(Months::total(months)));
        area.draw(&Text::new(words, (end, middle), at_end.clone()))?;
    }
    Ok(())
}

impl Form {
    /// The style of numbers in the middle of small cells.
    fn text_in_cells(self) -> TextStyle<'static> {
        let style = self.text().pos(Pos::new(HPos::Center, VPos::Center));
        let size = style.font.get_size() * 0.8;
        TextStyle {
            font: style.font.resize(size),
            ..style
        }
    }
}
