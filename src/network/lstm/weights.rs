use super::shape::LstmShape;
use crate::network::linear::LinearHead;
use crate::simd::{Packed, Real};
use faer::Mat;

/// Weights as the kernels read them.
pub struct Weights<R> {
    pub shape: LstmShape,
    pub layers: Vec<LayerWeights<R>>,
    pub head: LinearHead<R>,
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
                let inputs = if layer > 0 { hidden } else { shape.head.fed };
                let end = hidden + shape.inputs(layer);
                LayerWeights {
                    forward: Packed::of(w),
                    to_hidden: Packed::transposed(w, 0..hidden),
                    to_inputs: Packed::transposed(w, end - inputs..end),
                }
            })
            .collect();
        Self {
            shape,
            layers,
            head: LinearHead::new(&matrices[shape.layers]),
        }
    }
}
