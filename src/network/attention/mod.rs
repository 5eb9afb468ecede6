//! Layers of causal attention (Vaswani et al. 2017) under a linear head.

mod graph;
mod layers;
mod lookback;
mod reference;

use super::action::Actor;
use super::architecture::Architecture;
use super::dated::ByDate;
use super::map::MapShape;
use super::reference::TensorSweep;
use super::sizes::Sizes;
use super::sweep::Sweep;
use crate::bounds::outside;
use crate::distributed::Portable;
use crate::error::Result;
use crate::simd::Real;
use candle_core::WithDType;
use layers::Attention;

/// Query, key and value, which share a map.
const GATES: usize = 3;

/// The maps of a layer.
const MAPS: usize = 4;

/// Rectified units for every unit of the network.
const WIDER: usize = 4;

/// A network whose layers attend to the dates so far.
///
/// x_t = E [what is seen; 1]. A layer with u_t = LN(x_t), (q, k, v) = W [u_t; 1] and, in every head of d units,
///
/// o_t = Σ_{s ≤ t} p_{t,s} v_s,  p_{t,s} ∝ exp(q_t · k_s/√d),
/// x ← x + U [o_t; 1],  x ← x + B [max(A [LN(x); 1], 0); 1];
///
/// the head takes [LN(x_t); 1] of the last layer to the outputs. LN normalises over units, without gain and bias, which would
/// change nothing: every map that takes it has weights and a bias of its own. There is no encoding of positions in time: the
/// time left is a feature, and tells dates apart. A date sees itself and those before it alone, so that outputs can be given, and
/// positions fed back, date by date.
///
/// # References
/// Vaswani et al. (2017), "Attention is all you need", equation 1 and section 3.3, A four times as wide as the network, as there; normalised
/// before and not after each part, as in Xiong et al. (2020), "On layer normalization in the transformer architecture".
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AttentionShape {
    sizes: Sizes,
}

impl Architecture for AttentionShape {
    type Network<R: Real> = ByDate<Attention<R>>;

    fn new(sizes: Sizes, key: &dyn Fn(&str) -> String) -> Result<Self> {
        sizes.check_hidden(true, key)?;
        let Sizes { hidden, heads, .. } = sizes;
        if heads == 0 || !hidden.is_multiple_of(heads) {
            let bound = format!("a divisor of `{}`, which is {hidden}", key("hidden"));
            return Err(outside(&key("heads"), bound, heads.to_string()));
        }
        Ok(Self { sizes })
    }

    fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// The linear maps: E; W, U, A and B of the layers from below; then the head. Row 3j + g of W is g ∈ (query, key, value) of
    /// unit j. Initial weights are drawn from ±1/√inputs, as in PyTorch's `nn.Linear`.
    fn maps(&self) -> Vec<MapShape> {
        let Sizes { hidden, inputs, .. } = self.sizes;
        let layer = |layer: usize| {
            let name = |part: &str| format!("attention.{layer}.{part}");
            [
                MapShape {
                    gates: GATES,
                    ..MapShape::plain(name("query_key_value"), GATES * hidden, hidden)
                },
                MapShape::plain(name("attended"), hidden, hidden),
                MapShape::plain(name("wide"), WIDER * hidden, hidden),
                MapShape::plain(name("narrow"), hidden, WIDER * hidden),
            ]
        };
        let embedding = MapShape::plain("embedding", hidden, inputs);
        let head = self.sizes.head.map(hidden, MapShape::bound(hidden));
        let layers = (0..self.sizes.layers).flat_map(layer);
        [embedding]
            .into_iter()
            .chain(layers)
            .chain([head])
            .collect()
    }

    /// Inputs and derivatives of all maps, queries and what is told them, and for every head weights and scores of the dates so far, which
    /// on average are half of all.
    fn kept(&self, steps: usize) -> usize {
        let Sizes {
            hidden,
            layers,
            heads,
            ..
        } = self.sizes;
        MapShape::kept(&self.maps()) + layers * (2 * hidden + heads * (steps + 2))
    }

    /// At the usual rate, 0.05, ten steps take the weights so far from where they began that 200 steps do not bring them back.
    fn start_learning_rate(&self) -> Option<f64> {
        Some(0.005)
    }

    fn reference<R: Real + Portable + WithDType>(self, actor: Actor) -> Box<dyn Sweep<R>> {
        Box::new(TensorSweep::new(self, actor))
    }
}
