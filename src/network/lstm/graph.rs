//! The network as nodes of a graph.

use super::shape::{GATES, LstmShape};
use crate::network::step::{GraphNetwork, PolicyStep};
use crate::onnx::{Attribute, Element, Value};
use faer::Mat;
use std::ops::Range;

/// The gates in the order of the operator's rows, input, output, forget and cell, as places among our own: input, forget, cell, output.
pub(super) const OPERATOR_GATES: [usize; GATES] = [0, 3, 1, 2];

impl GraphNetwork for LstmShape {
    /// A layer is the operator `LSTM` over one date, in single precision, the only one in which runtimes have it: W `[1, 4 hidden,
    /// inputs]`, R `[1, 4 hidden, hidden]`, B `[1, 8 hidden]`, whose second half, a bias of what recurs, is 0.
    fn describe(self, weights: &[Mat<f64>], seen: Value, step: &mut PolicyStep) -> Value {
        let hidden = self.hidden;
        let mut x = step.graph().cast(seen, Element::Float);
        for (layer, weights) in weights[..self.layers].iter().enumerate() {
            let inputs = self.inputs(layer);
            let names = ["h", "c"].map(|state| format!("{state}_{}", layer + 1));
            let [h, c] = [0, 1].map(|state| {
                let what = ["output", "cell"][state];
                let description = format!("{what} of the units of layer {}", layer + 1);
                let place = step.carry(
                    &names[state],
                    Element::Float,
                    &[hidden.into()],
                    &description,
                );
                step.graph().raised(place)
            });
            let rows = rows(hidden);
            let part = |columns: Range<usize>| {
                let places = rows
                    .iter()
                    .flat_map(|row| columns.clone().map(|column| (*row, column)));
                places
                    .map(|place| weights[place])
                    .collect::<Vec<f64>>()
                    .into_iter()
            };
            let w = step.rows(x, &[1, rows.len(), inputs], part(hidden..hidden + inputs));
            let r = step.rows(x, &[1, rows.len(), hidden], part(0..hidden));
            let biases = part(hidden + inputs..hidden + inputs + 1);
            let none = std::iter::repeat_n(0.0, rows.len());
            let b = step.rows(x, &[1, 2 * rows.len()], biases.chain(none));
            let graph = step.graph();
            let of_date = graph.raised(x);
            let [_, h, c] = graph.apply_many(
                "LSTM",
                Element::Float,
                &[
                    Some(of_date),
                    Some(w),
                    Some(r),
                    Some(b),
                    None,
                    Some(h),
                    Some(c),
                ],
                &[("hidden_size", Attribute::Integer(hidden as i64))],
            );
            let (h, c) = (graph.lowered(h), graph.lowered(c));
            x = match self.layer_normalisation {
                true => step.normalised(h),
                false => h,
            };
            let [of_h, of_c] = names;
            step.carry_on(&of_h, x);
            step.carry_on(&of_c, c);
        }
        let outputs = step.map(&weights[self.layers], x);
        step.graph().cast(outputs, Element::Double)
    }
}

/// Our rows in the order of the operator's: all units of a gate, then all of the next.
pub(super) fn rows(hidden: usize) -> Vec<usize> {
    let of_gate = |gate: usize| (0..hidden).map(move |unit| GATES * unit + gate);
    OPERATOR_GATES.into_iter().flat_map(of_gate).collect()
}

#[cfg(test)]
#[path = "graph_tests.rs"]
mod tests;
