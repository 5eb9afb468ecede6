use super::{ActionSettings, Relaxation};
use crate::network::step::Situation;
use crate::onnx::Value;
use crate::simd::{BLOCK, Lane, Real};
use std::fmt::Debug;

/// What an action goes by for one instrument at one date.
#[derive(Debug, Clone, Copy)]
pub struct At<'a, R> {
    /// The network's outputs y for the instrument, [`Rule::outputs`] of them.
    pub outputs: &'a [Lane<R>],
    /// The position δ₋ held from the date before, 0 at the sale.
    pub held: Lane<R>,
    /// The benchmark's position b, 0 where the action has no benchmark. For a spot under an action that knows of other instruments it
    /// is net of the options really asked for, b₀ − Σ_j (q_j − b_j) Δ_j.
    pub benchmark: Lane<R>,
    /// The size m of the benchmark's position, 0 unless [`Rule::ANCHORED`].
    pub size: Lane<R>,
    /// The share of a unit that the contract's delta moves as the spot does by one deviation until expiry, Γ S σ √τ, 0 unless
    /// [`Rule::asks`] for it.
    pub curvature: Lane<R>,
    /// The unit in which the widths of a band are counted, 1 unless the rule asks for another one.
    pub width_unit: Lane<R>,
}

/// What a rule asks for beside outputs, positions held and the benchmark's positions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asks {
    /// How much the contract's delta moves, [`At::curvature`].
    pub curvature: bool,
    /// Widths in units of Whalley and Wilmott's band, [`At::width_unit`].
    pub cost_widths: bool,
}

impl Asks {
    /// Whether it takes the answers of a benchmark to give what is asked for.
    pub fn answers(self) -> bool {
        self.curvature || self.cost_widths
    }

    /// What either asks for.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            curvature: self.curvature || other.curvature,
            cost_widths: self.cost_widths || other.cost_widths,
        }
    }
}

/// The derivatives of what is differentiated in what a position was made of beside the network's outputs.
#[derive(Debug, Clone, Copy)]
pub struct Through<R> {
    /// D ∂A/∂δ₋.
    pub held: Lane<R>,
    /// D ∂A/∂b.
    pub benchmark: Lane<R>,
}

impl<R: Real> Through<R> {
    /// Those of a position that depends on neither.
    pub const NONE: Self = Self {
        held: [R::ZERO; BLOCK],
        benchmark: [R::ZERO; BLOCK],
    };
}

/// A rule that makes the position in one instrument at one date of what a network gives: δ_t = A(y_t, δ_{t−1}, b_t).
///
/// It is continuous in all of its arguments, and differentiable but on sets of measure zero, so that the derivative of an expected
/// value is the expected derivative.
pub trait Rule: Copy + Debug + PartialEq + Send + Sync {
    /// Whether the position depends on that of a benchmark.
    const ON_BENCHMARK: bool;

    /// Whether the size of the benchmark's position matters, and the benchmark of a spot is net of the options that the policy asks for:
    /// then spots act after all other instruments.
    const ANCHORED: bool = false;

    /// Whether all weights of the map that gives the outputs begin at 0, so that an untrained policy is what the rule makes of y = 0.
    const FROM_ZERO: bool;

    /// The rule of one instrument with those of the settings that it has.
    fn of(settings: &ActionSettings) -> Self;

    /// The number of outputs that the network gives for the instrument.
    fn outputs(self) -> usize {
        1
    }

    /// What else it goes by.
    fn asks(self) -> Asks {
        Asks::default()
    }

    /// The rule as training sees it, the rule itself where nothing is relaxed or it has a derivative in every output anyway.
    #[must_use]
    fn relaxed(self, _: &Relaxation) -> Self {
        self
    }

    /// The position A(y, δ₋, b).
    fn act<R: Real, const FMA: bool>(self, at: At<'_, R>) -> Lane<R>;

    /// The position A(y, δ₋, b) as nodes of a graph, `[batch, 1]`, for whoever runs a policy elsewhere.
    fn describe(self, at: &mut Situation<'_>) -> Value;

    /// Writes D ∂A/∂y for every output and returns the other derivatives, D being the derivative of what is differentiated in the
    /// position.
    fn pull_back<R: Real, const FMA: bool>(
        self,
        at: At<'_, R>,
        total: Lane<R>,
        by_outputs: &mut [Lane<R>],
    ) -> Through<R>;
}
