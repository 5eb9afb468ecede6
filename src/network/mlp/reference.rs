use super::MlpShape;
use crate::error::Result;
use crate::network::normalise;
use crate::network::rectified::rectified_tensor;
use crate::network::reference::{Maps, TensorNetwork};
use candle_core::Tensor;

impl TensorNetwork for MlpShape {
    type Past = ();

    fn date(&self, seen: Tensor, _: &mut (), maps: &mut Maps<'_>) -> Result<Tensor> {
        let mut h = seen;
        for layer in 0..self.sizes.layers {
            h = rectified_tensor(&maps.apply(layer, &h)?)?;
            if self.sizes.layer_normalisation {
                h = normalise::tensor(&h)?;
            }
        }
        maps.apply(self.sizes.layers, &h)
    }
}
