//! The network as nodes of a graph.

use super::{AttentionShape, GATES, MAPS};
use crate::network::step::{GraphNetwork, PAST, PolicyStep};
use crate::onnx::{Attribute, Dimension, Element, Value};
use faer::Mat;

impl GraphNetwork for AttentionShape {
    /// Keys and values of the dates before are carried, `[batch, past_dates, hidden]`: at the sale of no date, then one longer each time.
    fn describe(self, weights: &[Mat<f64>], seen: Value, step: &mut PolicyStep) -> Value {
        let (hidden, heads) = (self.sizes.hidden, self.sizes.heads);
        let of_head = (hidden / heads) as i64;
        let by_head = [0, 0, heads as i64, of_head];
        let share = 1.0 / (of_head as f64).sqrt();
        let mut x = step.map(&weights[0], seen);
        for layer in 0..self.sizes.layers {
            let map = 1 + MAPS * layer;
            let u = step.normalised(x);
            let triples = &weights[map];
            let part = |gate: usize, step: &mut PolicyStep| {
                step.rows_of_map(triples, gate..triples.nrows(), GATES, u)
            };
            let query = part(0, step);
            let [keys, values] = [(1, "keys"), (2, "values")].map(|(gate, what)| {
                let name = format!("{what}_{}", layer + 1);
                let sizes = [Dimension::Named(PAST), hidden.into()];
                let description = format!("{what} of layer {} on the dates so far", layer + 1);
                let past = step.carry(&name, Element::Double, &sizes, &description);
                let own = part(gate, step);
                let graph = step.graph();
                let own = graph.reshaped(own, &[0, 1, hidden as i64]);
                let axis = [("axis", Attribute::Integer(1))];
                let all = graph.apply("Concat", &[past, own], &axis);
                let by_head = graph.reshaped(all, &by_head);
                step.carry_on(&name, all);
                by_head
            });
            let graph = step.graph();
            let query = graph.reshaped(query, &[0, 1, heads as i64, of_head]);
            let products = graph.multiply(keys, query);
            let scores = graph.sum(products, 3, true);
            let scores = graph.scaled(scores, share);
            let along = [("axis", Attribute::Integer(1))];
            let attention = graph.apply("Softmax", &[scores], &along);
            let weighted = graph.multiply(values, attention);
            let attended = graph.sum(weighted, 1, false);
            let attended = graph.reshaped(attended, &[0, hidden as i64]);
            let attended = step.map(&weights[map + 1], attended);
            x = step.graph().add(x, attended);
            let u = step.normalised(x);
            let wide = step.map(&weights[map + 2], u);
            let wide = step.graph().apply("Relu", &[wide], &[]);
            let narrow = step.map(&weights[map + 3], wide);
            x = step.graph().add(x, narrow);
        }
        let top = step.normalised(x);
        step.map(&weights[1 + MAPS * self.sizes.layers], top)
    }
}
