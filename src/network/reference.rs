//! The reference of a sweep in candle tensor operations, with candle's automatic differentiation.

use super::action::{Actor, Relaxation, TensorHands};
use super::architecture::Architecture;
use super::features::Features;
use super::parameters::{Parameters, matrix};
use super::record::Record;
use super::sweep::{Seed, Sweep};
use super::tensors::{DEVICE, feature_tensors, fill};
use crate::distributed::Portable;
use crate::error::Result;
use crate::market::Paths;
use crate::simd::{BLOCK, Lane, Real};
use candle_core::backprop::GradStore;
use candle_core::{DType, Tensor, Var, WithDType};
use faer::Mat;

/// A network in tensor operations on all paths at once, date by date, forward alone.
pub(super) trait TensorNetwork: Architecture {
    /// What a date needs of those before it; at first there are none.
    type Past: Default;

    /// The outputs of a date from what is seen there.
    ///
    /// # Shapes
    /// `[B, inputs]` to `[B, outputs]`.
    fn date(&self, seen: Tensor, past: &mut Self::Past, maps: &mut Maps<'_>) -> Result<Tensor>;
}

/// The linear maps of a network and, if there is a way back, what went in and came out on every date.
pub(super) struct Maps<'a> {
    weights: &'a [Tensor],
    ones: Tensor,
    /// The dates of every map; no maps where there is no way back, and so no graph.
    dates: Vec<Vec<MapDate>>,
}

/// One map on one date.
struct MapDate {
    inputs: Tensor,
    /// Zeros that are added to what comes out, since their derivatives are g.
    probe: Var,
}

impl Maps<'_> {
    /// W [a; 1] of map `map`.
    pub fn apply(&mut self, map: usize, a: &Tensor) -> Result<Tensor> {
        let inputs = Tensor::cat(&[a, &self.ones], 1)?;
        let sums = inputs.matmul(&self.weights[map].t()?)?;
        let Some(dates) = self.dates.get_mut(map) else {
            return Ok(sums);
        };
        let probe = Var::zeros(sums.shape(), sums.dtype(), sums.device())?;
        let sums = (sums + probe.as_tensor())?;
        dates.push(MapDate { inputs, probe });
        Ok(sums)
    }
}

/// The sweep of a network in tensor operations. Slower than [`BlockSweep`](crate::network::BlockSweep) and with the memory of a
/// whole batch; it is what that one is tested against.
///
/// Positions are made of outputs beside the graph, so that the way back through positions that are fed back takes one
/// differentiation for every date. Every rank sweeps the paths of all ranks.
#[derive(Debug, Clone)]
pub(super) struct TensorSweep<N> {
    network: N,
    actor: Actor,
}

/// What a sweep forward leaves for the way back; B counts whole blocks.
struct Trace<'a, R> {
    /// The outputs of every date, `[B, outputs]`; none without a way back.
    outputs: Vec<Tensor>,
    /// What is fed on every date, `[B, instruments]`; none where nothing is, or without a way back.
    fed: Vec<Var>,
    maps: Maps<'a>,
    hands: TensorHands<R>,
}

/// Inputs a `[T, B, columns]` and derivatives g `[T, B, rows]` of one map.
struct MapTensors {
    inputs: Tensor,
    gradients: Tensor,
}

impl<N: TensorNetwork> TensorSweep<N> {
    /// The sweep of a network whose outputs `actor` makes positions of.
    pub fn new(network: N, actor: Actor) -> Self {
        Self { network, actor }
    }

    fn trace<'a, R: Real + Portable + WithDType>(
        &self,
        (weights, back): (&'a [Tensor], bool),
        features: &Features,
        paths: &Paths<R>,
    ) -> Result<Trace<'a, R>> {
        let fed = self.network.head().fed;
        let count = paths.blocks() * BLOCK;
        let mut trace = Trace {
            outputs: Vec::new(),
            fed: Vec::new(),
            maps: Maps {
                weights,
                ones: Tensor::ones((count, 1), R::DTYPE, &DEVICE)?,
                dates: (0..if back { weights.len() } else { 0 })
                    .map(|_| Vec::new())
                    .collect(),
            },
            hands: TensorHands::new(&self.actor, paths),
        };
        let mut past = N::Past::default();
        let seen = feature_tensors(features, paths, self.network.inputs() - fed)?;
        for (t, seen) in seen.into_iter().enumerate() {
            let x = match fed {
                0 => seen,
                _ => {
                    let mut fed = trace.hands.fed(t)?;
                    if back {
                        let variable = Var::from_tensor(&fed)?;
                        fed = variable.as_tensor().clone();
                        trace.fed.push(variable);
                    }
                    Tensor::cat(&[&seen, &fed], 1)?
                }
            };
            let outputs = self.network.date(x, &mut past, &mut trace.maps)?;
            trace.hands.act(t, &outputs.detach())?;
            if back {
                trace.outputs.push(outputs);
            }
        }
        Ok(trace)
    }

    /// A sweep forward and, along the seeds, backward.
    fn differentiate<R: Real + Portable + WithDType>(
        &self,
        parameters: &Parameters,
        features: &Features,
        paths: &Paths<R>,
        seed: &Seed<'_, R>,
    ) -> Result<Vec<MapTensors>> {
        let weights = self.weights::<R>(parameters)?;
        let mut trace = self.trace((&weights, true), features, &paths.whole())?;
        trace.hands.seed(seed, paths.spread());
        let mut sum = Tensor::zeros((), R::DTYPE, &DEVICE)?;
        let mut fed_back: Option<Tensor> = None;
        for (t, outputs) in trace.outputs.iter().enumerate().rev() {
            let gradient = trace.hands.pull_back(t, fed_back.as_ref())?;
            sum = (sum + (outputs * gradient)?.sum_all()?)?;
            if let Some(fed) = trace.fed.get(t) {
                fed_back = Some(derivative(&sum.backward()?, fed)?);
            }
        }
        let gradients = sum.backward()?;
        let maps = trace.maps.dates.iter().map(|dates| {
            let inputs: Vec<&Tensor> = dates.iter().map(|date| &date.inputs).collect();
            let probes = dates.iter().map(|date| derivative(&gradients, &date.probe));
            Ok(MapTensors {
                inputs: Tensor::stack(&inputs, 0)?.detach(),
                gradients: Tensor::stack(&probes.collect::<Result<Vec<_>>>()?, 0)?,
            })
        });
        maps.collect()
    }

    fn weights<R: Real + WithDType>(&self, parameters: &Parameters) -> Result<Vec<Tensor>> {
        parameters.check(&self.network.maps())?;
        parameters
            .variables()
            .map(|(_, variable)| Ok(variable.as_detached_tensor().to_dtype(R::DTYPE)?))
            .collect()
    }
}

/// The derivative in a variable, 0 where nothing depends on it.
fn derivative(gradients: &GradStore, variable: &Var) -> Result<Tensor> {
    match gradients.get(variable) {
        Some(gradient) => Ok(gradient.clone()),
        None => Ok(variable.zeros_like()?),
    }
}

impl<R: Real + Portable + WithDType, N: TensorNetwork> Sweep<R> for TensorSweep<N> {
    fn relax(&mut self, relaxation: Relaxation) {
        self.actor = self.actor.clone().relaxed(relaxation);
    }

    fn forward(
        &self,
        parameters: &Parameters,
        features: &Features,
        paths: &Paths<R>,
    ) -> Result<Vec<Lane<R>>> {
        let weights = self.weights::<R>(parameters)?;
        let trace = self.trace((&weights, false), features, &paths.whole())?;
        Ok(trace.hands.positions_of(paths.own()))
    }

    fn gradient(
        &self,
        parameters: &Parameters,
        features: &Features,
        paths: &Paths<R>,
        seed: &Seed<'_, R>,
    ) -> Result<Vec<Mat<f64>>> {
        self.differentiate(parameters, features, paths, seed)?
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
        record.resize(&self.network.maps(), paths.spread(), paths.steps());
        let maps = self.differentiate(parameters, features, paths, seed)?;
        let dates = paths.own().start * paths.steps()..paths.own().end * paths.steps();
        for (target, map) in record.maps.iter_mut().zip(&maps) {
            fill(&mut target.inputs, &map.inputs, dates.clone())?;
            fill(&mut target.gradients, &map.gradients, dates.clone())?;
        }
        Ok(())
    }
}
