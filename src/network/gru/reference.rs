use super::{GATES, GruShape, MAPS};
use crate::error::Result;
use crate::network::normalise;
use crate::network::reference::{Maps, TensorNetwork};
use candle_core::Tensor;
use candle_nn::ops::sigmoid;

impl TensorNetwork for GruShape {
    /// h_{t−1} of every layer.
    type Past = Vec<Tensor>;

    fn date(&self, seen: Tensor, past: &mut Self::Past, maps: &mut Maps<'_>) -> Result<Tensor> {
        let (hidden, paths) = (self.sizes.hidden, seen.dim(0)?);
        if past.is_empty() {
            let zeros = Tensor::zeros((paths, hidden), seen.dtype(), seen.device())?;
            *past = vec![zeros; self.sizes.layers];
        }
        let mut x = seen;
        for (layer, h) in past.iter_mut().enumerate() {
            let map = MAPS * layer;
            let gates = maps.apply(map, &Tensor::cat(&[&x, &*h], 1)?)?;
            let gates = sigmoid(&gates)?.reshape((paths, hidden, GATES))?;
            let gate = |g: usize| gates.narrow(2, g, 1)?.squeeze(2);
            let (reset, update) = (gate(0)?, gate(1)?);
            let candidate = maps.apply(map + 1, &x)?;
            let candidate = (candidate + (reset * maps.apply(map + 2, h)?)?)?.tanh()?;
            x = (&candidate + (update * (&*h - &candidate)?)?)?;
            if self.sizes.layer_normalisation {
                x = normalise::tensor(&x)?;
            }
            *h = x.clone();
        }
        maps.apply(MAPS * self.sizes.layers, &x)
    }
}
