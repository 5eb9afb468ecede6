//! The sweep in candle tensor operations: the readable reference of the fused one.

use super::shape::{GATES, LstmShape};
use crate::error::Result;
use crate::market::Paths;
use crate::network::action::{Actor, TensorHands};
use crate::network::architecture::Architecture;
use crate::network::features::Features;
use crate::network::head::Head;
use crate::network::normalise::EPSILON;
use crate::network::parameters::{Parameters, matrix};
use crate::network::record::Record;
use crate::network::sweep::{Seed, Sweep};
use crate::network::tensors::{DEVICE, feature_tensors, fill};
use crate::simd::{BLOCK, Lane, Real};
use candle_core::{DType, Tensor, WithDType};
use candle_nn::ops::sigmoid;
use faer::Mat;

/// The sweep as tensor operations on all paths at once, with the derivative written out.
///
/// An LSTM layer with map W takes a_t = [h_{t−1}; x_t; 1] to s_t = W a_t and, with
/// i, f, o = σ(s_i), σ(s_f), σ(s_o) and k = tanh(s_k), to
///
/// c_t = f ∘ c_{t−1} + i ∘ k,  h_t = o ∘ tanh(c_t),
///
/// which goes on as ĥ_t with [layer normalisation](LstmShape::layer_normalisation).
///
/// Backward in time, with ∂h_t the sum of what comes from above and from the next date,
///
/// ∂c_t = ∂h_t ∘ o ∘ (1 − tanh²(c_t)) + f_{t+1} ∘ ∂c_{t+1},
/// g_i = ∂c_t ∘ k ∘ i(1 − i),  g_f = ∂c_t ∘ c_{t−1} ∘ f(1 − f),
/// g_k = ∂c_t ∘ i ∘ (1 − k²),  g_o = ∂h_t ∘ tanh(c_t) ∘ o(1 − o),
///
/// and Wᵀ g_t holds ∂h_{t−1} and ∂x_t; where positions are fed back, ∂x_t of the first layer holds a part of
/// ∂δ_{t−1}, which the hands take. No graph is recorded. Slower than
/// [`BlockSweep`](crate::network::BlockSweep) and with the memory of a whole batch; it is what that one is
/// tested against.
///
/// # References
/// Hochreiter and Schmidhuber (1997), with the forget gate of Gers, Schmidhuber and Cummins (2000).
#[derive(Debug, Clone)]
pub struct TensorSweep {
    /// The sizes of the network.
    pub shape: LstmShape,
    /// What makes positions of its outputs.
    pub actor: Actor,
}

impl<R: Real + WithDType> Sweep<R> for TensorSweep {
    fn forward(
        &self,
        parameters: &Parameters,
        features: &Features,
        paths: &Paths<R>,
    ) -> Result<Vec<Lane<R>>> {
        let trace = Trace::new(self, parameters, features, paths)?;
        Ok(trace.hands.positions())
    }

    fn gradient(
        &self,
        parameters: &Parameters,
        features: &Features,
        paths: &Paths<R>,
        seed: &Seed<'_, R>,
    ) -> Result<Vec<Mat<f64>>> {
        differentiate(self, parameters, features, paths, seed)?
            .iter()
            .map(|map| {
                let rows = |x: &Tensor| x.to_dtype(DType::F64)?.flatten(0, 1);
                let sum = rows(&map.gradients)?.t()?.matmul(&rows(&map.inputs)?)?;
                matrix(&sum)
            })
            .collect()
    }

    fn record(
        &self,
        parameters: &Parameters,
        features: &Features,
        paths: &Paths<R>,
        seed: &Seed<'_, R>,
        record: &mut Record<R>,
    ) -> Result<()> {
        record.resize(&self.shape.maps(), paths.blocks(), paths.steps());
        let maps = differentiate(self, parameters, features, paths, seed)?;
        for (target, map) in record.maps.iter_mut().zip(&maps) {
            fill(&mut target.inputs, &map.inputs)?;
            fill(&mut target.gradients, &map.gradients)?;
        }
        Ok(())
    }
}

/// A sweep forward and, along the seeds, backward.
fn differentiate<R: Real + WithDType>(
    sweep: &TensorSweep,
    parameters: &Parameters,
    features: &Features,
    paths: &Paths<R>,
    seed: &Seed<'_, R>,
) -> Result<Vec<MapTensors>> {
    let mut trace = Trace::new(sweep, parameters, features, paths)?;
    trace.hands.seed(seed);
    trace.differentiate()
}

/// Inputs a `[T, B, columns]` and derivatives g `[T, B, rows]` of one map.
struct MapTensors {
    inputs: Tensor,
    gradients: Tensor,
}

/// All that the forward sweep leaves for the backward one; B counts whole blocks.
struct Trace<R> {
    shape: LstmShape,
    weights: Vec<Tensor>,
    /// `[layers][dates]`
    layers: Vec<Vec<LstmDate>>,
    /// [h_t; 1] of the last layer, `[T, B, hidden + 1]`.
    head_inputs: Tensor,
    hands: TensorHands<R>,
}

/// One layer at one date: a_t `[B, columns]`, all others `[B, hidden]`.
struct LstmDate {
    inputs: Tensor,
    input: Tensor,
    forget: Tensor,
    candidate: Tensor,
    output: Tensor,
    cell_before: Tensor,
    cell: Tensor,
    squashed: Tensor,
    normalised: Option<Normalised>,
}

/// ĥ `[B, hidden]` of h, and 1/√(var h + ε) `[B, 1]`.
struct Normalised {
    outputs: Tensor,
    scale: Tensor,
}

impl Normalised {
    fn new(h: &Tensor) -> Result<Self> {
        let centred = h.broadcast_sub(&h.mean_keepdim(1)?)?;
        let variance = centred.sqr()?.mean_keepdim(1)?;
        let scale = variance.affine(1.0, EPSILON)?.sqrt()?.recip()?;
        Ok(Self {
            outputs: centred.broadcast_mul(&scale)?,
            scale,
        })
    }

    /// ∂h from ∂ĥ: s (∂ − mean ∂ − ĥ mean(∂ ĥ)).
    fn differentiate(&self, gradient: &Tensor) -> Result<Tensor> {
        let along = (gradient * &self.outputs)?.mean_keepdim(1)?;
        let rest = gradient.broadcast_sub(&gradient.mean_keepdim(1)?)?;
        let rest = (rest - self.outputs.broadcast_mul(&along)?)?;
        Ok(rest.broadcast_mul(&self.scale)?)
    }
}

impl<R: Real + WithDType> Trace<R> {
    fn new(
        sweep: &TensorSweep,
        parameters: &Parameters,
        features: &Features,
        paths: &Paths<R>,
    ) -> Result<Self> {
        let shape = sweep.shape;
        parameters.check(&shape.maps())?;
        let weights: Vec<Tensor> = parameters
            .variables()
            .map(|(_, variable)| Ok(variable.as_detached_tensor().to_dtype(R::DTYPE)?))
            .collect::<Result<_>>()?;
        let count = paths.blocks() * BLOCK;
        let ones = Tensor::ones((count, 1), R::DTYPE, &DEVICE)?;
        let zeros = |columns: usize| Tensor::zeros((count, columns), R::DTYPE, &DEVICE);
        let seen = feature_tensors(features, paths, shape.features - shape.head.fed)?;
        let (maps, head) = weights.split_at(shape.layers);
        let mut hands = TensorHands::new(&sweep.actor, paths);
        let mut layers: Vec<Vec<LstmDate>> = maps.iter().map(|_| Vec::new()).collect();
        let mut states = vec![(zeros(shape.hidden)?, zeros(shape.hidden)?); shape.layers];
        let mut head_inputs = Vec::new();
        for (t, seen) in seen.into_iter().enumerate() {
            let mut x = match shape.head.fed {
                0 => seen,
                _ => Tensor::cat(&[&seen, &hands.fed(t)?], 1)?,
            };
            for ((w, dates), (h, c)) in maps.iter().zip(&mut layers).zip(&mut states) {
                let inputs = Tensor::cat(&[&*h, &x, &ones], 1)?;
                let date = LstmDate::new(shape, inputs, w, c)?;
                *c = date.cell.clone();
                *h = date.outputs()?;
                x = h.clone();
                dates.push(date);
            }
            let inputs = Tensor::cat(&[&x, &ones], 1)?;
            hands.act(t, &inputs.matmul(&head[0].t()?)?)?;
            head_inputs.push(inputs);
        }
        Ok(Self {
            head_inputs: Tensor::stack(&head_inputs, 0)?,
            shape,
            weights,
            layers,
            hands,
        })
    }

    /// The record of every map, once the hands are seeded.
    fn differentiate(&mut self) -> Result<Vec<MapTensors>> {
        let LstmShape {
            hidden,
            features,
            head: Head { fed, .. },
            ..
        } = self.shape;
        let (maps, head) = self.weights.split_at(self.shape.layers);
        let head = head[0].narrow(1, 0, hidden)?;
        let steps = self.head_inputs.dim(0)?;
        let zeros = self.layers[0][0].cell.zeros_like()?;
        // ∂h_t and ∂c_t from the next date.
        let mut next = vec![(zeros.clone(), zeros); self.shape.layers];
        let mut gradients = vec![Vec::with_capacity(steps); self.shape.layers + 1];
        let mut fed_back: Option<Tensor> = None;
        for t in (0..steps).rev() {
            let by_outputs = self.hands.pull_back(t, fed_back.as_ref())?;
            let mut above = by_outputs.matmul(&head)?;
            gradients[self.shape.layers].push(by_outputs);
            for (index, w) in maps.iter().enumerate().rev() {
                let date = &self.layers[index][t];
                let (from_next, cell) = &mut next[index];
                let mut dh = (&above + &*from_next)?;
                if let Some(normalised) = &date.normalised {
                    dh = normalised.differentiate(&dh)?;
                }
                let (g, dc) = date.differentiate(&dh, cell)?;
                let moved = g.matmul(w)?;
                *from_next = moved.narrow(1, 0, hidden)?;
                *cell = (dc * &date.forget)?;
                above = moved.narrow(1, hidden, self.shape.inputs(index))?;
                gradients[index].push(g);
            }
            fed_back = match fed {
                0 => None,
                _ => Some(above.narrow(1, features - fed, fed)?),
            };
        }
        let inputs = self.layers.iter().map(|dates| {
            let inputs: Vec<&Tensor> = dates.iter().map(|date| &date.inputs).collect();
            Tensor::stack(&inputs, 0)
        });
        let inputs = inputs.chain(std::iter::once(Ok(self.head_inputs.clone())));
        let maps = inputs.zip(gradients).map(|(inputs, mut gradients)| {
            gradients.reverse();
            Ok(MapTensors {
                inputs: inputs?,
                gradients: Tensor::stack(&gradients, 0)?,
            })
        });
        maps.collect()
    }
}

impl LstmDate {
    /// The date with inputs a_t under the map W, from the cells c_{t−1}.
    fn new(shape: LstmShape, inputs: Tensor, w: &Tensor, before: &Tensor) -> Result<Self> {
        let count = inputs.dim(0)?;
        let sums = inputs
            .matmul(&w.t()?)?
            .reshape((count, shape.hidden, GATES))?;
        let gate = |g: usize| sums.narrow(2, g, 1)?.squeeze(2)?.contiguous();
        let (input, forget) = (sigmoid(&gate(0)?)?, sigmoid(&gate(1)?)?);
        let (candidate, output) = (gate(2)?.tanh()?, sigmoid(&gate(3)?)?);
        let cell = ((&forget * before)? + (&input * &candidate)?)?;
        let squashed = cell.tanh()?;
        let normalised = match shape.layer_normalisation {
            true => Some(Normalised::new(&(&output * &squashed)?)?),
            false => None,
        };
        Ok(Self {
            inputs,
            input,
            forget,
            candidate,
            output,
            cell_before: before.clone(),
            cell,
            squashed,
            normalised,
        })
    }

    /// h_t, or ĥ_t with layer normalisation.
    fn outputs(&self) -> Result<Tensor> {
        Ok(match &self.normalised {
            Some(normalised) => normalised.outputs.clone(),
            None => (&self.output * &self.squashed)?,
        })
    }

    /// g_t `[B, 4·hidden]` and ∂c_t, from ∂h_t and what comes to c_t from the next date.
    fn differentiate(&self, dh: &Tensor, cell: &Tensor) -> Result<(Tensor, Tensor)> {
        let dc = (((dh * &self.output)? * one_minus(&self.squashed.sqr()?)?)? + cell)?;
        let slope = |gate: &Tensor| gate * one_minus(gate)?;
        let input = ((&dc * &self.candidate)? * slope(&self.input)?)?;
        let forget = ((&dc * &self.cell_before)? * slope(&self.forget)?)?;
        let candidate = ((&dc * &self.input)? * one_minus(&self.candidate.sqr()?)?)?;
        let output = ((dh * &self.squashed)? * slope(&self.output)?)?;
        let gates = Tensor::stack(&[input, forget, candidate, output], 2)?;
        Ok((gates.flatten_from(1)?, dc))
    }
}

fn one_minus(x: &Tensor) -> candle_core::Result<Tensor> {
    x.affine(-1.0, 1.0)
}
