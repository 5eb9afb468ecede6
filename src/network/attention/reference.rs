use super::{AttentionShape, GATES, MAPS};
use crate::error::Result;
use crate::network::normalise;
use crate::network::rectified::rectified_tensor;
use crate::network::reference::{Maps, TensorNetwork};
use candle_core::Tensor;
use candle_nn::ops::softmax;

impl TensorNetwork for AttentionShape {
    /// Keys and values of the dates so far, `[B, 1, heads, units of a head]` each, for every layer.
    type Past = Vec<(Vec<Tensor>, Vec<Tensor>)>;

    fn date(&self, seen: Tensor, past: &mut Self::Past, maps: &mut Maps<'_>) -> Result<Tensor> {
        let (hidden, heads, paths) = (self.sizes.hidden, self.sizes.heads, seen.dim(0)?);
        past.resize_with(self.sizes.layers, Default::default);
        let share = 1.0 / ((hidden / heads) as f64).sqrt();
        let mut x = maps.apply(0, &seen)?;
        for (layer, (keys, values)) in past.iter_mut().enumerate() {
            let map = 1 + MAPS * layer;
            let triples = maps.apply(map, &normalise::tensor(&x)?)?;
            let triples = triples.reshape((paths, hidden, GATES))?;
            let part = |g: usize| {
                let part = triples.narrow(2, g, 1)?.squeeze(2)?;
                part.reshape((paths, 1, heads, hidden / heads))
            };
            let query = part(0)?;
            keys.push(part(1)?);
            values.push(part(2)?);
            let scores = Tensor::cat(keys, 1)?
                .broadcast_mul(&query)?
                .sum_keepdim(3)?;
            let weights = softmax(&(scores * share)?, 1)?;
            let attended = Tensor::cat(values, 1)?.broadcast_mul(&weights)?.sum(1)?;
            let attended = attended.reshape((paths, hidden))?;
            x = (x + maps.apply(map + 1, &attended)?)?;
            let units = rectified_tensor(&maps.apply(map + 2, &normalise::tensor(&x)?)?)?;
            x = (x + maps.apply(map + 3, &units)?)?;
        }
        maps.apply(1 + MAPS * self.sizes.layers, &normalise::tensor(&x)?)
    }
}
