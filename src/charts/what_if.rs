//! What a book would hold at other spots of today.

use super::frame::{Axis, Figure, figure};
use crate::live::Answer;
use crate::report::palette::{INK, MUTED};
use plotly::common::{DashType, Line, Mode};
use plotly::{Scatter, Trace};

/// What the policies would hold of every instrument against all contracts over moves of today's spot, a chart for each, beside what is
/// held now; none where no moves were asked for.
pub fn what_if(answer: &Answer) -> Vec<Figure> {
    let moves: Vec<f64> = answer.what_if.iter().map(|one| 100.0 * one.moved).collect();
    if moves.is_empty() {
        return Vec::new();
    }
    let hover = "%{fullData.name}: %{y:.5r}<br>at a move of %{x:.4~r} %<extra></extra>";
    let of_instrument = |(place, name): (usize, &String)| {
        let line = |called: &str, held: Vec<f64>, line: Line| -> Box<dyn Trace> {
            Scatter::new(moves.clone(), held)
                .mode(Mode::Lines)
                .name(called)
                .line(line)
                .hover_template(hover)
        };
        let at = answer.what_if.iter().map(|one| one.net[place]).collect();
        let contracts = answer.contracts.iter();
        let held: f64 = contracts.map(|one| one.positions[place].held).sum();
        let traces = vec![
            line("to hold", at, Line::new().color(INK.light).width(2.0)),
            line(
                "held now",
                vec![held; moves.len()],
                Line::new()
                    .color(MUTED.light)
                    .width(1.0)
                    .dash(DashType::Dot),
            ),
        ];
        figure(
            &format!(
                "Position in {} over moves of the spot",
                name.replace('_', " ")
            ),
            Axis::new("move of today's spot (%)"),
            Axis::new("position against all contracts (units)").zero(),
            traces,
        )
    };
    answer
        .instruments
        .iter()
        .enumerate()
        .map(of_instrument)
        .collect()
}
