//! Layers of gated recurrent units (Cho et al. 2014) under a linear head.

mod graph;
mod reference;
mod units;

use super::action::Actor;
use super::architecture::Architecture;
use super::dated::ByDate;
use super::map::MapShape;
use super::reference::TensorSweep;
use super::sizes::Sizes;
use super::sweep::Sweep;
use crate::distributed::Portable;
use crate::error::Result;
use crate::simd::Real;
use candle_core::WithDType;
use units::Gru;

/// The gates that share a map: reset and update.
const GATES: usize = 2;

/// The maps of a layer.
const MAPS: usize = 3;

/// A network of gated recurrent units.
///
/// A layer with h_{t−1} and the input x_t has the reset gate r, the update gate u, the candidate k and the output
///
/// (r, u) = σ(W [x_t; h_{t−1}; 1]),  k = tanh(V [x_t; 1] + r ∘ q),  q = U [h_{t−1}; 1],
/// h_t = (1 − u) ∘ k + u ∘ h_{t−1},
///
/// which goes on normalised over its units with layer normalisation. The head takes [h_t; 1] of the last layer to the outputs.
/// The reset gate comes after the product with U, so that all three are linear maps of inputs that are known before them:
/// V has the derivatives ∂z/∂k ∘ (1 − k²), and U these times r.
///
/// # References
/// Cho et al. (2014), "Learning phrase representations using RNN encoder–decoder for statistical machine translation", equations
/// 5 to 8, with the reset gate where cuDNN and PyTorch's `nn.GRU` have it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GruShape {
    sizes: Sizes,
}

impl Architecture for GruShape {
    type Network<R: Real> = ByDate<Gru<R>>;

    fn new(sizes: Sizes, key: &dyn Fn(&str) -> String) -> Result<Self> {
        sizes.check_hidden(sizes.layer_normalisation, key)?;
        Ok(Self { sizes })
    }

    fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// The linear maps: W, V and U of the layers from below, then the head. Row 2j + g of W is gate g ∈ (reset, update) of unit
    /// j. Initial weights are drawn from ±1/√hidden, as in PyTorch's `nn.GRU`.
    fn maps(&self) -> Vec<MapShape> {
        let hidden = self.sizes.hidden;
        let bound = MapShape::bound(hidden);
        let map = |name: String, rows: usize, inputs: usize, gates: usize| MapShape {
            gates,
            bound,
            ..MapShape::plain(name, rows, inputs)
        };
        let layer = |layer: usize| {
            let below = self.sizes.below(layer);
            [
                map(
                    format!("gru.{layer}.gates"),
                    GATES * hidden,
                    below + hidden,
                    GATES,
                ),
                map(format!("gru.{layer}.candidate"), hidden, below, 1),
                map(format!("gru.{layer}.reset"), hidden, hidden, 1),
            ]
        };
        let head = self.sizes.head.map(hidden, bound);
        let layers = (0..self.sizes.layers).flat_map(layer);
        layers.chain([head]).collect()
    }

    fn reference<R: Real + Portable + WithDType>(self, actor: Actor) -> Box<dyn Sweep<R>> {
        Box::new(TensorSweep::new(self, actor))
    }
}
