//! The worst contracts on history as they were hedged.

use super::canvas::{Area, Axis, DrawError, Form, axes, figure, ink_line, range, reference_line};
use super::figure::{FigureData, Part, SvgFigure};
use crate::error::Result;
use crate::numbers::Rounding;
use crate::report::markup::with_minus;
use crate::report::palette::Palette;
use crate::report::tear_sheet::{HedgedContract, WorstContract, pictured};
use plotters::prelude::*;

/// The figures of the worst contracts, three of the strategy under test and up to three more of its baseline.
pub static WORST_CONTRACTS: [SvgFigure; 6] = [
    worst("worst_contract_1", |data, form| contract(data, 0, form)),
    worst("worst_contract_2", |data, form| contract(data, 1, form)),
    worst("worst_contract_3", |data, form| contract(data, 2, form)),
    worst("worst_contract_4", |data, form| contract(data, 3, form)),
    worst("worst_contract_5", |data, form| contract(data, 4, form)),
    worst("worst_contract_6", |data, form| contract(data, 5, form)),
];

const fn worst(
    name: &'static str,
    draw: fn(&FigureData<'_>, Form) -> Result<Option<String>>,
) -> SvgFigure {
    SvgFigure {
        part: Part::WorstContract,
        name,
        caption: "The spot with the strike, the position beside the model's delta, what was bought or sold, and P&L so far with the \
                  contract at its price; averaged over seeds.",
        draw,
    }
}

fn contract(data: &FigureData<'_>, place: usize, form: Form) -> Result<Option<String>> {
    let found = data.tear_sheet().and_then(|sheet| {
        let sold = *pictured(&sheet.leading, data.breakdowns()).get(place)?;
        let contract = data.worst.iter().find(|contract| contract.sold == sold)?;
        Some((sheet, contract))
    });
    let Some((sheet, contract)) = found else {
        return Ok(None);
    };
    let names = [
        Some(&sheet.leading.strategy),
        sheet.leading.baseline.as_ref(),
    ];
    let named = |name: &String| contract.strategies.iter().find(|one| one.strategy == *name);
    let hedged: Vec<&HedgedContract> = names.into_iter().flatten().filter_map(named).collect();
    let money = Rounding::of_values(hedged.iter().filter_map(|one| one.pnl.last().copied()), 3);
    let mut legend: Vec<_> = hedged
        .iter()
        .map(|one| {
            let last = one.pnl.last().map_or(String::new(), |last| {
                let sign = if *last > 0.0 { "+" } else { "" };
                format!(" ({sign}{})", with_minus(&money.write(*last)))
            });
            let words = format!("{}{last}", one.strategy);
            (words, data.palette.line(&one.strategy))
        })
        .collect();
    if !contract.delta.is_empty() {
        legend.push(("model's delta".to_owned(), reference_line()));
    }
    let title = format!("Contract sold on {}", contract.sold);
    let panels = Panels {
        contract,
        hedged: &hedged,
        palette: &data.palette,
        form,
    };
    figure(form, &title, &legend, true, 2.0, |area| panels.draw(area)).map(Some)
}

/// What is drawn one below the other.
struct Panels<'a> {
    contract: &'a WorstContract,
    hedged: &'a [&'a HedgedContract],
    palette: &'a Palette,
    form: Form,
}

/// Points by the days since the sale.
type Points = Vec<(f64, f64)>;

impl Panels<'_> {
    /// A value for every close.
    fn points(&self, values: &[f64]) -> Points {
        let dates = self.contract.dates.iter().zip(values);
        let point = |(date, value): (&chrono::NaiveDate, &f64)| {
            ((*date - self.contract.sold).num_days() as f64, *value)
        };
        dates.map(point).collect()
    }

    /// Every value from its close to the next one.
    fn stairs(&self, values: &[f64]) -> Points {
        let points = self.points(values);
        let mut stairs: Points = Vec::with_capacity(2 * points.len());
        for pair in points.windows(2) {
            stairs.extend([pair[0], (pair[1].0, pair[0].1)]);
        }
        stairs.extend(points.last());
        stairs
    }

    /// A line for every strategy and instrument, thin for what is not the first.
    fn lines(&self, of: impl Fn(&HedgedContract) -> Vec<Points>) -> Vec<(Points, ShapeStyle)> {
        let strategies = self.hedged.iter();
        let lines = strategies.flat_map(|one| {
            let color = self.palette.color(&one.strategy);
            let thick = self.palette.line(&one.strategy);
            let styles = std::iter::once(thick).chain(std::iter::repeat(color.stroke_width(4)));
            of(one).into_iter().zip(styles).collect::<Vec<_>>()
        });
        lines.collect()
    }

    fn draw(&self, area: &Area<'_>) -> Result<(), DrawError> {
        let contract = self.contract;
        let several = contract.spots.len() > 1;
        let mut spots: Vec<(Points, ShapeStyle)> = contract
            .spots
            .iter()
            .map(|(_, spots)| {
                let over = if several { spots[0] } else { 1.0 };
                let shown: Vec<f64> = spots.iter().map(|spot| spot / over).collect();
                (self.points(&shown), ink_line())
            })
            .collect();
        if let Some(strike) = contract.strike.filter(|_| !several) {
            let level = vec![strike; contract.dates.len()];
            spots.push((self.points(&level), reference_line()));
        }
        let mut held = self.lines(|one| {
            let positions = one.positions.iter();
            positions.map(|(_, held)| self.stairs(held)).collect()
        });
        let delta = self.stairs(&contract.delta);
        held.push((delta, reference_line()));
        let trades = self.lines(|one| {
            let trades = one.trades.iter();
            trades.map(|(_, units)| self.stairs(units)).collect()
        });
        let pnl = self.lines(|one| vec![self.points(&one.pnl)]);
        let spot = match several {
            true => "spot over that of the sale",
            false => "spot (money)",
        };
        let panels = [
            (spot, spots),
            ("position (units)", held),
            ("bought or sold (units)", trades),
            ("P&L so far (money)", pnl),
        ];
        let panels: Vec<_> = panels
            .into_iter()
            .filter(|(_, lines)| lines.iter().any(|(points, _)| !points.is_empty()))
            .collect();
        let areas = area.split_evenly((panels.len(), 1));
        let last = contract.dates.len().saturating_sub(1);
        let end = (contract.dates[last] - contract.sold).num_days() as f64;
        let count = panels.len();
        for (place, ((label, lines), area)) in panels.into_iter().zip(&areas).enumerate() {
            let values = lines.iter().flat_map(|(points, _)| points);
            let Some(y) = range(values.map(|point| point.1), 0.08) else {
                continue;
            };
            let x = Axis {
                label: match place + 1 == count {
                    true => "days since the sale",
                    false => "",
                },
                range: 0.0..end.max(1.0),
                format: None,
            };
            let y = Axis {
                label,
                range: y,
                format: None,
            };
            let mut chart = axes(area, self.form, &x, &y)?;
            for (points, style) in lines {
                chart.draw_series(LineSeries::new(points, style))?;
            }
        }
        Ok(())
    }
}
