use super::shape::{GATES, LstmShape};
use crate::error::Result;
use crate::network::normalise;
use crate::network::reference::{Maps, TensorNetwork};
use candle_core::Tensor;
use candle_nn::ops::sigmoid;

impl TensorNetwork for LstmShape {
    /// h_{t−1} and c_{t−1} of every layer.
    type Past = Vec<(Tensor, Tensor)>;

    /// With i, f, o = σ(s_i), σ(s_f), σ(s_o) and k = tanh(s_k) of s_t = W [h_{t−1}; x_t; 1]: c_t = f ∘ c_{t−1} + i ∘ k and
    /// h_t = o ∘ tanh(c_t), which goes on as ĥ_t with [layer normalisation](LstmShape::layer_normalisation).
    fn date(&self, seen: Tensor, past: &mut Self::Past, maps: &mut Maps<'_>) -> Result<Tensor> {
        let (hidden, paths) = (self.hidden, seen.dim(0)?);
        if past.is_empty() {
            let zeros = Tensor::zeros((paths, hidden), seen.dtype(), seen.device())?;
            *past = vec![(zeros.clone(), zeros); self.layers];
        }
        let mut x = seen;
        for (layer, (h, c)) in past.iter_mut().enumerate() {
            let sums = maps.apply(layer, &Tensor::cat(&[&*h, &x], 1)?)?;
            let sums = sums.reshape((paths, hidden, GATES))?;
            let gate = |g: usize| sums.narrow(2, g, 1)?.squeeze(2)?.contiguous();
            let (input, forget) = (sigmoid(&gate(0)?)?, sigmoid(&gate(1)?)?);
            let (candidate, output) = (gate(2)?.tanh()?, sigmoid(&gate(3)?)?);
            *c = ((forget * &*c)? + (input * candidate)?)?;
            x = (output * c.tanh()?)?;
            if self.layer_normalisation {
                x = normalise::tensor(&x)?;
            }
            *h = x.clone();
        }
        maps.apply(self.layers, &x)
    }
}
