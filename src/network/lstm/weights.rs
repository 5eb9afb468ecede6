use super::shape::LstmShape;
use crate::simd::{Packed, Real};
use faer::Mat;

/// Weights as the kernels read them.
pub struct Weights<R> {
    pub shape: LstmShape,
    pub layers: Vec<LayerWeights<R>>,
    /// Head weights of every output, the bias last.
    pub head: Vec<Vec<R>>,
}

pub struct LayerWeights<R> {
    pub forward: Packed<R>,
    /// Rows of Wᵀ for h_{t−1}: gate derivatives to ∂z/∂h_{t−1}.
    pub to_hidden: Packed<R>,
    /// Rows of Wᵀ for those inputs that depend on weights: another layer's units, or positions of the date before.
    pub to_inputs: Packed<R>,
}

impl<R: Real> Weights<R> {
    pub fn new(shape: LstmShape, matrices: &[Mat<f64>]) -> Self {
        let hidden = shape.hidden;
        let layers = (0..shape.layers)
            .map(|layer| {
                let w = &matrices[layer];
                let (rows, columns) = (w.nrows(), w.ncols());
                let inputs = if layer > 0 { hidden } else { shape.head.fed };
                let first = hidden + shape.inputs(layer) - inputs;
                LayerWeights {
                    forward: Packed::new(rows, columns, |row, column| w[(row, column)]),
                    to_hidden: Packed::new(hidden, rows, |row, column| w[(column, row)]),
                    to_inputs: Packed::new(inputs, rows, |row, column| w[(column, first + row)]),
                }
            })
            .collect();
        let head = &matrices[shape.layers];
        Self {
            shape,
            layers,
            head: (0..shape.head.outputs)
                .map(|i| (0..=hidden).map(|u| R::of(head[(i, u)])).collect())
                .collect(),
        }
    }
}
