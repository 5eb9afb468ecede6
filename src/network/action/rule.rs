use super::{ActionSettings, Relaxation};
use crate::simd::{Lane, Real};
use std::fmt::Debug;

/// What an action goes by for one instrument at one date.
#[derive(Debug, Clone, Copy)]
pub struct At<'a, R> {
    /// The network's outputs y for the instrument, [`Rule::OUTPUTS`] of them.
    pub outputs: &'a [Lane<R>],
    /// The position δ₋ held from the date before, 0 at the sale.
    pub held: Lane<R>,
    /// The benchmark's position b, 0 where the action has no benchmark.
    pub benchmark: Lane<R>,
}

/// A rule that makes the position in one instrument at one date of what a network gives: δ_t = A(y_t, δ_{t−1}, b_t).
///
/// It is continuous in all of its arguments, and differentiable but on sets of measure zero, so that the derivative of an expected
/// value is the expected derivative.
pub trait Rule: Copy + Debug + PartialEq + Send + Sync {
    /// The number of outputs that the network gives for one instrument.
    const OUTPUTS: usize;

    /// Whether the position depends on that of a benchmark.
    const ON_BENCHMARK: bool;

    /// Whether all weights of the map that gives the outputs begin at 0, so that an untrained policy is what the rule makes of y = 0.
    const FROM_ZERO: bool;

    /// The rule with those of the settings that it has.
    fn of(settings: &ActionSettings) -> Self;

    /// The rule as training sees it, the rule itself where nothing is relaxed or it has a derivative in every output anyway.
    #[must_use]
    fn relaxed(self, _: &Relaxation) -> Self {
        self
    }

    /// The position A(y, δ₋, b).
    fn act<R: Real, const FMA: bool>(self, at: At<'_, R>) -> Lane<R>;

    /// Writes D ∂A/∂y for every output and returns D ∂A/∂δ₋, D being the derivative of what is differentiated in the position.
    fn pull_back<R: Real, const FMA: bool>(
        self,
        at: At<'_, R>,
        total: Lane<R>,
        by_outputs: &mut [Lane<R>],
    ) -> Lane<R>;
}
