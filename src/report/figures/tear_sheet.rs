//! What contracts on history come to through time: figures of the strategies that lead, from the numbers that charts have of all.

use super::backtest::{Last, lines};
use super::canvas::Form;
use super::figure::{FigureData, Part, SvgFigure};
use crate::error::Result;
use crate::numbers::share;
use crate::report::tear_sheet::{RollingRisk, TearSheet};

/// P&L less that of the baseline, added up.
pub const RELATIVE_PNL: SvgFigure = SvgFigure {
    part: Part::TearSheet,
    name: "relative_pnl",
    caption: "P&L less that of the baseline, added up through calendar time: a line that rises gains on it.",
    draw: |data, form| {
        let drawn = data.tear_sheet().and_then(|sheet| {
            let baseline = sheet.leading.baseline.clone()?;
            Some((sheet, sheet.relative(&baseline)?, baseline))
        });
        let Some((sheet, curves, baseline)) = drawn else {
            return Ok(None);
        };
        let curves: Vec<_> = curves
            .into_iter()
            .filter(|(strategy, _)| sheet.leading.shows(strategy))
            .collect();
        let title = format!("P&L less that of {baseline}");
        let axes = (sheet.dates(), "sum of the differences (money)");
        lines(&title, axes, (&curves, Last::Signed), &data.palette, form)
    },
};

/// The deviation of the P&L of the contracts that expired last.
pub const ROLLING_DEVIATION: SvgFigure = SvgFigure {
    part: Part::TearSheet,
    name: "rolling_deviation",
    caption: "Standard deviation of the P&L of the contracts that expired last, as many as the title says, at the expiry of the \
              last one; averaged over seeds.",
    draw: |data, form| rolling(data, RollingRisk::Deviation, form),
};

/// The CVaR of the contracts that expired last.
pub const ROLLING_CVAR: SvgFigure = SvgFigure {
    part: Part::TearSheet,
    name: "rolling_cvar",
    caption: "CVaR of the loss of the contracts that expired last, as many as the title says; with few of them it is the worst \
              loss. Averaged over seeds.",
    draw: |data, form| rolling(data, RollingRisk::Cvar, form),
};

/// Drawdowns net of mean cost.
pub const DRAWDOWN: SvgFigure = SvgFigure {
    part: Part::TearSheet,
    name: "drawdown",
    caption: "How far P&L net of mean cost lies below its highest point. Every contract is given back the mean cost of its \
              strategy, evenly over its life: what is left is risk, and not that costs add up.",
    draw: |data, form| {
        let Some(sheet) = data.tear_sheet() else {
            return Ok(None);
        };
        let curves = sheet.drawdowns().into_iter();
        let curves: Vec<_> = curves
            .filter(|(strategy, _)| sheet.leading.shows(strategy))
            .collect();
        let axes = (sheet.dates(), "below the highest point (money)");
        let title = "Drawdown net of mean cost";
        lines(title, axes, (&curves, Last::Signed), &data.palette, form)
    },
};

fn rolling(data: &FigureData<'_>, risk: RollingRisk, form: Form) -> Result<Option<String>> {
    let rolling = data.tear_sheet().and_then(|sheet| {
        let shown = sheet.rolling(risk, |strategy| sheet.leading.shows(strategy))?;
        Some((sheet, shown))
    });
    let Some((sheet, rolling)) = rolling else {
        return Ok(None);
    };
    let (title, up) = rolling_words(sheet, risk, rolling.contracts);
    let axes = ("expiry of the last contract", up.as_str());
    lines(
        &title,
        axes,
        (&rolling.curves, Last::Plain),
        &data.palette,
        form,
    )
}

/// The title and the label of a statistic of the last contracts, for figure and chart.
pub fn rolling_words(
    sheet: &TearSheet<'_>,
    risk: RollingRisk,
    contracts: usize,
) -> (String, String) {
    let name = match risk {
        RollingRisk::Deviation => "Standard deviation".to_owned(),
        RollingRisk::Cvar => format!("CVaR {}", share(sheet.level)),
    };
    let title = format!("{name} of the last {contracts} contracts");
    (title, format!("{name} (money)"))
}
