//! What contracts on history come to through time, beside a baseline and over the last of them.

use super::backtest::lines;
use super::chart::{Chart, Choices, RunData};
use super::frame::{Axis, Figure, MONEY, figure_with, layout};
use crate::error::Result;
use crate::numbers::Rounding;
use crate::report::figures::months::{self, DEEPEST, MONTHLY_PNL as MONTHLY_PNL_FIGURE};
use crate::report::figures::tear_sheet::{
    DRAWDOWN as DRAWDOWN_FIGURE, RELATIVE_PNL as RELATIVE_PNL_FIGURE,
    ROLLING_CVAR as ROLLING_CVAR_FIGURE, ROLLING_DEVIATION as ROLLING_DEVIATION_FIGURE,
    rolling_words,
};
use crate::report::markup::with_minus;
use crate::report::palette::{Color, INK, PAPER, SERIES};
use crate::report::summary::lines as rows_by_strategy;
use crate::report::tear_sheet::{LEAST_CONTRACTS, Months, RollingRisk};
use plotly::HeatMap;
use plotly::common::{ColorBar, ColorScale, ColorScaleElement, Font, LineShape, Title};
use plotly::layout::AxisType;
use serde_json::json;

/// P&L less that of a baseline, through calendar time.
pub const RELATIVE_PNL: Chart = Chart::new(
    "relative_pnl",
    "P&L less that of a baseline, added up through calendar time: a line that rises gains on it. Further strategies are in the legend.",
    |run| run.leading().is_some_and(|leading| leading.baseline.is_some()),
    |run, key| {
        run.of_history(|sheet| {
            let baseline = key.or(sheet.leading.baseline.as_deref())?;
            let curves = sheet.relative(baseline)?;
            let labels = match sheet.by_day {
                true => ("day (date)", "sum of the differences (money)"),
                false => ("expiry (date)", "sum of the differences (money)"),
            };
            let title = format!("P&L less that of {baseline}");
            let drawn = (curves, LineShape::Linear);
            lines(&title, labels, drawn, Some(&sheet.leading), &run.palette)
        })
    },
)
.instead_of(&RELATIVE_PNL_FIGURE)
.choosing(Choices {
    label: "Less that of",
    of: |run| {
        let baseline = run.leading().and_then(|leading| leading.baseline);
        let mut names = names(run);
        names.sort_by_key(|name| Some(name) != baseline.as_ref());
        names.into_iter().map(|name| (name.clone(), name)).collect()
    },
});

/// P&L by calendar month.
pub const MONTHLY_PNL: Chart = Chart::new(
    "monthly_pnl",
    "P&L of the book of all contracts in every month, and of every year beside its number: blue gains, orange losses, the deeper the greater.",
    |run| !run.metrics.backtest.is_empty(),
    |run, key| {
        run.of_history(|sheet| {
            let key = key.unwrap_or(&sheet.leading.strategy);
            let (strategy, less) = match key.split_once(LESS) {
                Some((strategy, less)) => (strategy, Some(less)),
                None => (key, None),
            };
            Some(calendar(&months::title(strategy, less), &sheet.months(strategy, less)?))
        })
    },
)
.instead_of(&MONTHLY_PNL_FIGURE)
.choosing(Choices {
    label: "P&L of",
    of: |run| {
        let Some(leading) = run.leading() else {
            return Vec::new();
        };
        let mut names = names(run);
        names.sort_by_key(|name| *name != leading.strategy);
        let differences: Vec<String> = leading.baseline.iter().flat_map(|baseline| {
            let others = names.iter().filter(move |name| *name != baseline);
            others.map(move |name| format!("{name}{LESS}{baseline}"))
        }).collect();
        // The two that the report draws come first.
        names.splice(1..1, differences);
        names.into_iter().map(|name| (name.clone(), name)).collect()
    },
});

/// Between a strategy and the one that is subtracted, in the key of a choice.
const LESS: &str = " less ";

/// The deviation of the P&L of the contracts that expired last.
pub const ROLLING_DEVIATION: Chart = Chart::new(
    "rolling_deviation",
    "Standard deviation of the P&L of the contracts that expired last, as many as the title says, at the expiry of the last one; averaged over seeds.",
    has_windows,
    |run, _| rolling(run, RollingRisk::Deviation),
)
.instead_of(&ROLLING_DEVIATION_FIGURE);

/// The CVaR of the contracts that expired last.
pub const ROLLING_CVAR: Chart = Chart::new(
    "rolling_cvar",
    "CVaR of the loss of the contracts that expired last, as many as the title says; with few of them it is the worst loss. Averaged over seeds.",
    has_windows,
    |run, _| rolling(run, RollingRisk::Cvar),
)
.instead_of(&ROLLING_CVAR_FIGURE);

/// The fall of P&L net of mean cost from its highest point.
pub const DRAWDOWN: Chart = Chart::new(
    "drawdown",
    "How far P&L net of mean cost lies below its highest point. Every contract is given back the mean cost of its strategy, evenly over its life: what is left is risk, and not that costs add up.",
    |run| !run.metrics.backtest.is_empty(),
    |run, _| {
        run.of_history(|sheet| {
            let labels = ("day (date)", "below the highest point (money)");
            let drawn = (sheet.drawdowns(), LineShape::Linear);
            let title = "Drawdown net of mean cost";
            lines(title, labels, drawn, Some(&sheet.leading), &run.palette)
        })
    },
)
.instead_of(&DRAWDOWN_FIGURE);

fn names(run: &RunData<'_>) -> Vec<String> {
    let lines = rows_by_strategy(&run.metrics.backtest);
    lines.iter().map(|line| line.strategy.to_owned()).collect()
}

fn has_windows(run: &RunData<'_>) -> bool {
    let first = run.metrics.backtest.first();
    first.is_some_and(|row| row.paths >= LEAST_CONTRACTS)
}

fn rolling(run: &RunData<'_>, risk: RollingRisk) -> Result<Option<Figure>> {
    run.of_history(|sheet| {
        let rolling = sheet.rolling(risk, |_| true)?;
        let (title, up) = rolling_words(sheet, risk, rolling.contracts);
        let labels = ("expiry of the last contract (date)", up.as_str());
        let drawn = (rolling.curves, LineShape::Linear);
        lines(&title, labels, drawn, Some(&sheet.leading), &run.palette)
    })
}

/// A cell for every month, a row for every year, the first one at the top.
fn calendar(title: &str, months: &Months) -> Figure {
    let all = months.years.iter().flat_map(|(_, months)| months).flatten();
    let totals = months.years.iter().map(|(_, months)| Months::total(months));
    let money = Rounding::of_values(all.copied().chain(totals), 3);
    let words = |value: f64| with_minus(&money.write(value));
    let years = months.years.iter();
    let years = years.map(|(year, months)| format!("{year}: {}", words(Months::total(months))));
    let rows = || months.years.iter().map(|(_, months)| months);
    let values: Vec<Vec<Option<f64>>> = rows().map(|months| months.to_vec()).collect();
    let numbers = rows().map(|months| {
        let numbers = months.iter();
        numbers
            .map(|value| value.map_or(String::new(), words))
            .collect()
    });
    let numbers: Vec<Vec<String>> = numbers.collect();
    // The paper's colour shows through as in the figure, so that numbers can be read on both themes.
    let (losses, gains) = (over_paper(SERIES[1]), over_paper(SERIES[0]));
    let colors = [
        (0.0, &losses[0]),
        (0.5, &PAPER.light.to_owned()),
        (1.0, &gains[0]),
    ]
    .map(|(at, color)| ColorScaleElement(at, color.clone()));
    let ends = months.scale();
    let trace = HeatMap::new(Months::NAMES.to_vec(), years.collect::<Vec<_>>(), values)
        .name(title)
        .color_scale(ColorScale::Vector(colors.to_vec()))
        .zmin(-ends)
        .zmax(ends)
        .text_matrix(numbers)
        .color_bar(
            ColorBar::new()
                .title(Title::with_text("money").font(Font::new().size(12)))
                .thickness(12),
        )
        .hover_template(format!("%{{x}} %{{y}}<br>%{{z:{MONEY}}}<extra></extra>"));
    let layout = layout(title)
        .show_legend(false)
        .x_axis(Axis::new("month").of(AxisType::Category).build())
        .y_axis(
            Axis::new("year: its sum (money)")
                .of(AxisType::Category)
                .build(),
        );
    let mut figure = figure_with(title, layout, vec![trace]);
    // The crate has no keys for these.
    figure.layout["yaxis"]["autorange"] = json!("reversed");
    figure.data[0]["texttemplate"] = json!("%{text}");
    figure.data[0]["textfont"] = json!({ "size": 10, "color": INK.light });
    for [light, dark] in [losses, gains] {
        figure.dark.insert(light, dark.into());
    }
    figure
}

/// As much of a colour over the paper as the deepest cell of the figure has, on light pages and on dark ones.
fn over_paper(color: Color) -> [String; 2] {
    let mixed = |color: &str, paper: &str| {
        let channel = |hex: &str, at: usize| {
            let value = u8::from_str_radix(hex.get(at..at + 2).unwrap_or("0"), 16);
            f64::from(value.unwrap_or(0))
        };
        let mixed = [1, 3, 5].map(|at| {
            let (over, under) = (channel(color, at), channel(paper, at));
            format!("{:02x}", (under + DEEPEST * (over - under)).round() as u8)
        });
        format!("#{}", mixed.concat())
    };
    [
        mixed(color.light, PAPER.light),
        mixed(color.dark, PAPER.dark),
    ]
}
