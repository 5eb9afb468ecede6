//! The network as nodes of a graph.

use super::{GATES, GruShape, MAPS};
use crate::network::step::{GraphNetwork, PolicyStep};
use crate::onnx::{Attribute, Element, Value};
use faer::Mat;
use std::ops::Range;

impl GraphNetwork for GruShape {
    /// A layer is the operator `GRU` over one date, in single precision, the only one in which runtimes have it, with the reset gate after
    /// the product: W `[1, 3 hidden, inputs]`, R `[1, 3 hidden, hidden]`, B `[1, 6 hidden]`, each with the gates update, reset, candidate.
    /// The candidate alone has a bias of what recurs.
    fn describe(self, weights: &[Mat<f64>], seen: Value, step: &mut PolicyStep) -> Value {
        let hidden = self.sizes.hidden;
        let mut x = step.graph().cast(seen, Element::Float);
        for layer in 0..self.sizes.layers {
            let below = self.sizes.below(layer);
            let [gates, candidate, recurrent] = &weights[MAPS * layer..][..MAPS] else {
                unreachable!("a layer has three maps");
            };
            let name = format!("h_{}", layer + 1);
            let description = format!("output of the units of layer {}", layer + 1);
            let h = step.carry(&name, Element::Float, &[hidden.into()], &description);
            let of_gate = |gate: usize, columns: Range<usize>| {
                let rows = (0..hidden).map(move |unit| GATES * unit + gate);
                numbers(gates, rows, columns)
            };
            let all = || 0..hidden;
            let w = [UPDATE, RESET].map(|gate| of_gate(gate, 0..below));
            let w = w.concat().into_iter();
            let w = w.chain(numbers(candidate, all(), 0..below));
            let r = [UPDATE, RESET].map(|gate| of_gate(gate, below..below + hidden));
            let r = r.concat().into_iter();
            let r = r.chain(numbers(recurrent, all(), 0..hidden));
            let last = below + hidden;
            let b = [UPDATE, RESET].map(|gate| of_gate(gate, last..last + 1));
            let b = b.concat().into_iter();
            let b = b.chain(numbers(candidate, all(), below..below + 1));
            let b = b.chain(std::iter::repeat_n(0.0, GATES * hidden));
            let b = b.chain(numbers(recurrent, all(), hidden..hidden + 1));
            let w = step.rows(x, &[1, MAPS * hidden, below], w);
            let r = step.rows(x, &[1, MAPS * hidden, hidden], r);
            let b = step.rows(x, &[1, 2 * MAPS * hidden], b);
            let graph = step.graph();
            let (of_date, h) = (graph.raised(x), graph.raised(h));
            let [_, h] = graph.apply_many(
                "GRU",
                Element::Float,
                &[Some(of_date), Some(w), Some(r), Some(b), None, Some(h)],
                &[
                    ("hidden_size", Attribute::Integer(hidden as i64)),
                    ("linear_before_reset", Attribute::Integer(1)),
                ],
            );
            x = graph.lowered(h);
            if self.sizes.layer_normalisation {
                x = step.normalised(x);
            }
            step.carry_on(&name, x);
        }
        let outputs = step.map(&weights[MAPS * self.sizes.layers], x);
        step.graph().cast(outputs, Element::Double)
    }
}

/// The gates among the rows of their map.
const RESET: usize = 0;
const UPDATE: usize = 1;

/// Some columns of some rows, row by row.
fn numbers(map: &Mat<f64>, rows: impl Iterator<Item = usize>, columns: Range<usize>) -> Vec<f64> {
    rows.flat_map(|row| columns.clone().map(move |column| map[(row, column)]))
        .collect()
}
