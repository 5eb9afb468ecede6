use super::PolicyStep;
use crate::network::architecture::Architecture;
use crate::network::normalise;
use crate::onnx::{Attribute, Value};
use faer::Mat;
use std::ops::Range;

/// A network as nodes of a graph: its formula on one date, as it is written for whoever runs a policy elsewhere.
pub(in crate::network) trait GraphNetwork: Architecture {
    /// The outputs of a date, `[batch, outputs]`, from what is seen there, `[batch, inputs]`, both in double precision. What the network
    /// knows of earlier dates is carried ([`PolicyStep::carry`], [`PolicyStep::carry_on`]).
    fn describe(self, weights: &[Mat<f64>], seen: Value, step: &mut PolicyStep) -> Value;
}

impl PolicyStep {
    /// Constant numbers of these sizes, in the precision of `like`.
    pub(in crate::network) fn rows(
        &mut self,
        like: Value,
        sizes: &[usize],
        numbers: impl Iterator<Item = f64>,
    ) -> Value {
        let numbers: Vec<f64> = numbers.collect();
        self.graph.tensor(like.element(), sizes, &numbers)
    }

    /// W [a; 1] of a map whose last column are biases, of `a` `[batch, columns − 1]`, as `[batch, rows]`.
    pub(in crate::network) fn map(&mut self, weights: &Mat<f64>, a: Value) -> Value {
        self.rows_of_map(weights, 0..weights.nrows(), 1, a)
    }

    /// The same with every `stride`-th of some rows alone.
    pub(in crate::network) fn rows_of_map(
        &mut self,
        weights: &Mat<f64>,
        rows: Range<usize>,
        stride: usize,
        a: Value,
    ) -> Value {
        let (rows, inputs): (Vec<usize>, usize) =
            (rows.step_by(stride).collect(), weights.ncols() - 1);
        let numbers = rows
            .iter()
            .flat_map(|row| (0..inputs).map(|column| weights[(*row, column)]));
        let matrix = self.rows(a, &[rows.len(), inputs], numbers);
        let biases = rows.iter().map(|row| weights[(*row, inputs)]);
        let biases = self.rows(a, &[rows.len()], biases);
        let transposed = [("transB", Attribute::Integer(1))];
        self.graph.apply("Gemm", &[a, matrix, biases], &transposed)
    }

    /// (h − mean h)/√(var h + ε) over the units of every path, `[batch, units]`.
    pub(in crate::network) fn normalised(&mut self, units: Value) -> Value {
        let graph = &mut self.graph;
        let mean = graph.mean(units);
        let centred = graph.subtract(units, mean);
        let square = graph.multiply(centred, centred);
        let variance = graph.mean(square);
        let epsilon = graph.tensor(units.element(), &[], &[normalise::EPSILON]);
        let sum = graph.add(variance, epsilon);
        let deviation = graph.sqrt(sum);
        graph.divide(centred, deviation)
    }
}
