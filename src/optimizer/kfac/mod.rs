//! K-FAC for networks that go along paths, on the exact Gauss–Newton metric of per-path P&L.
//!
//! The metric is F = (1/n) Σ_b h_b J_b J_bᵀ over n paths, with mean h = 1 and J_b = vec(Σ_t g_{t,b} a_{t,b}ᵀ) the derivative of
//! the P&L of path b; in squared units of money, as is the damping λ that is added to it. It is the Gauss–Newton matrix of
//! Martens (2020), "New insights and perspectives on the natural gradient method", for one output, the P&L, and a
//! loss, the risk, of curvature h_b on path b; its scale c (see [`super::Batch::curvature`]) turns no step. A map's block is approximated by
//! Kronecker products: of independent dates (*expand*), of sums over dates (*reduce*), or of the linear-Gaussian
//! chain, symmetric with T dates (Option 1) or general for T → ∞ (Option 2).

mod chain;
mod factors;
#[cfg(test)]
mod factors_tests;
mod symmetric;
#[cfg(test)]
mod tests;

pub use chain::LinearGaussianChain;
pub use factors::{Damped, MapFactors, balance, factored_damping, inversion_cost};
pub use symmetric::SymmetricChain;

use super::curvature::{ControlSettings, Curvature, Metric, MetricInverse};
use super::{Build, Family, Optimizer, Settings, State, Stateful};
use crate::distributed::{Placed, Portable, Workers};
use crate::error::Result;
use crate::network::Record;
use faer::Mat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// How correlation in time enters the metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Approximation {
    /// Independent in time: F = T A₀ ⊗ G₀.
    Expand,
    /// Inputs that hardly vary in time: F = A ⊗ G with A = E ā āᵀ of mean inputs and G = E γγᵀ of γ = Σ_t g_t.
    Reduce,
    /// The symmetric linear-Gaussian chain of T dates, Option 1 of Martens, Ba and Johnson (2018).
    SymmetricChain,
    /// The linear-Gaussian chain for T → ∞, Option 2 of Martens, Ba and Johnson (2018).
    Chain,
}

/// Whether the gates of a recurrent layer, or query, key and value of a layer of attention, share a block of the metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Gates {
    /// One G of all gates: `[4·hidden, 4·hidden]` of an LSTM.
    Fused,
    /// One G of every gate, `[hidden, hidden]`, with a balance of damping of its own; what gates have in common in G is left
    /// out.
    Separate,
}

/// The inverse of one map's approximate metric.
#[derive(Debug, Clone)]
pub enum Inverse {
    /// Option 1, and independent dates as its case ψ = 0.
    Symmetric(SymmetricChain),
    /// Option 2.
    Limit(LinearGaussianChain),
    /// One inverse for every gate, whose rows take turns in the gradient.
    Separate(Vec<Inverse>),
}

impl Inverse {
    /// The inverse metric times a gradient `[d_G, d_A]`.
    pub fn apply(&self, gradient: &Mat<f64>) -> Mat<f64> {
        match self {
            Self::Symmetric(chain) => chain.apply(gradient),
            Self::Limit(chain) => chain.apply(gradient),
            Self::Separate(gates) => {
                let mut solution = Mat::zeros(gradient.nrows(), gradient.ncols());
                for (gate, inverse) in gates.iter().enumerate() {
                    let row = |unit: usize| unit * gates.len() + gate;
                    let own = Mat::from_fn(
                        gradient.nrows() / gates.len(),
                        gradient.ncols(),
                        |unit, column| gradient[(row(unit), column)],
                    );
                    let solved = inverse.apply(&own);
                    for column in 0..solved.ncols() {
                        for unit in 0..solved.nrows() {
                            solution[(row(unit), column)] = solved[(unit, column)];
                        }
                    }
                }
                solution
            }
        }
    }

    /// The least and the greatest eigenvalue of the damped A₀ ⊗ G₀, in squared units of money.
    pub fn range(&self) -> (f64, f64) {
        match self {
            Self::Symmetric(chain) => chain.range(),
            Self::Limit(chain) => chain.range(),
            Self::Separate(gates) => widest(gates.iter().map(Self::range)),
        }
    }
}

/// Where inverses travel, the first byte tells their kind.
impl Portable for Inverse {
    fn write(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Symmetric(chain) => {
                0u8.write(bytes);
                chain.write(bytes);
            }
            Self::Limit(chain) => {
                1u8.write(bytes);
                chain.write(bytes);
            }
            Self::Separate(gates) => {
                2u8.write(bytes);
                gates.write(bytes);
            }
        }
    }

    fn read(bytes: &mut &[u8]) -> Self {
        match u8::read(bytes) {
            0 => Self::Symmetric(Portable::read(bytes)),
            1 => Self::Limit(Portable::read(bytes)),
            2 => Self::Separate(Portable::read(bytes)),
            kind => panic!("no kind of inverse is {kind}"),
        }
    }
}

/// From the least to the greatest of all.
fn widest(ranges: impl Iterator<Item = (f64, f64)>) -> (f64, f64) {
    ranges.fold((f64::INFINITY, 0.0), |(least, greatest), range| {
        (range.0.min(least), range.1.max(greatest))
    })
}

/// Settings of K-FAC.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct KfacSettings {
    /// How correlation in time enters the metric.
    pub approximation: Approximation,
    /// Whether the gates of a recurrent layer, or query, key and value of a layer of attention, share a block of the metric.
    pub gates: Gates,
    /// Decay of the average of past factors at each renewal.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub factor_decay: f64,
    /// What all curvature methods share: damping, length of steps, renewals.
    #[serde(flatten)]
    pub control: ControlSettings,
}

impl Default for KfacSettings {
    fn default() -> Self {
        Self {
            approximation: Approximation::Chain,
            gates: Gates::Fused,
            factor_decay: 0.6,
            control: ControlSettings::default(),
        }
    }
}

impl Settings for KfacSettings {
    fn check(&self, key: &dyn Fn(&str) -> String) -> Result<()> {
        self.control.check(key)
    }
}

impl Build for KfacSettings {
    fn build(&self) -> Box<dyn Optimizer> {
        Box::new(Curvature::new(self.control, KfacMetric::new(self)))
    }

    fn tunable(&self) -> &'static [&'static str] {
        &["damping", "trust_radius", "momentum", "clip_norm"]
    }

    fn family(&self) -> Family {
        Family::Curvature
    }
}

/// A Kronecker approximation of every map's block, with exponentially averaged factors.
#[derive(Debug, Clone)]
pub struct KfacMetric {
    approximation: Approximation,
    gates: Gates,
    decay: f64,
    maps: Vec<MapFactors>,
}

/// The inverse of every map's damped block.
#[derive(Debug, Clone)]
pub struct KfacInverse {
    inverses: Placed<Inverse>,
    /// The least and the greatest eigenvalue of all blocks.
    range: (f64, f64),
}

impl KfacMetric {
    /// The metric before its first record.
    pub fn new(settings: &KfacSettings) -> Self {
        Self {
            approximation: settings.approximation,
            gates: settings.gates,
            decay: settings.factor_decay,
            maps: Vec::new(),
        }
    }
}

impl Stateful for KfacMetric {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("maps", &mut self.maps)
    }
}

impl Metric for KfacMetric {
    type Inverse = KfacInverse;

    fn update(&mut self, record: &Record<f32>, _damping: f64) -> Result<f64> {
        let reduced = (self.approximation == Approximation::Reduce).then(|| record.reduced());
        let record = reduced.as_ref().unwrap_or(record);
        let (decay, approximation) = (self.decay, self.approximation);
        Ok(MapFactors::update_all(
            &mut self.maps,
            record,
            decay,
            approximation,
        ))
    }

    fn invert(&self, damping: f64, workers: &Workers) -> Result<KfacInverse> {
        let inverse = |factors: &MapFactors| match self.gates {
            Gates::Separate if factors.gates() > 1 => {
                let gates = factors.separate().into_iter();
                gates
                    .map(|gate| gate.inverse(self.approximation, damping))
                    .collect::<Result<_>>()
                    .map(Inverse::Separate)
            }
            Gates::Separate | Gates::Fused => factors.inverse(self.approximation, damping),
        };
        let costs = MapFactors::costs(&self.maps);
        let inverses = workers.place(&costs, |map| inverse(&self.maps[map]))?;
        let ranges = inverses.map(|_, inverse| inverse.range());
        Ok(KfacInverse {
            inverses,
            range: widest(ranges.into_iter()),
        })
    }
}

impl MetricInverse for KfacInverse {
    fn solve(&self, gradient: &[Mat<f64>], _record: Option<&Record<f32>>) -> Result<Vec<Mat<f64>>> {
        let solve = |map: usize, inverse: &Inverse| inverse.apply(&gradient[map]);
        Ok(self.inverses.map(solve))
    }

    fn statistics(&self, statistics: &mut Map<String, Value>) {
        let (least, greatest) = self.range;
        statistics.insert("least_eigenvalue".into(), json!(least));
        statistics.insert("greatest_eigenvalue".into(), json!(greatest));
    }
}
