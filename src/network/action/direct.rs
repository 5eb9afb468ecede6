use super::ActionSettings;
use super::rule::{At, Rule, Through};
use crate::network::step::Situation;
use crate::onnx::Value;
use crate::simd::{Lane, Real};

/// The output is the position, δ = y.
///
/// # References
/// Buehler, Gonon, Teichmann and Wood (2019), "Deep hedging", section 4.3.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Direct;

impl Rule for Direct {
    const ON_BENCHMARK: bool = false;
    const FROM_ZERO: bool = false;

    fn of(_: &ActionSettings) -> Self {
        Self
    }

    #[inline(always)]
    fn act<R: Real, const FMA: bool>(self, at: At<'_, R>) -> Lane<R> {
        at.outputs[0]
    }

    fn describe(self, at: &mut Situation<'_>) -> Value {
        at.output(0)
    }

    #[inline(always)]
    fn pull_back<R: Real, const FMA: bool>(
        self,
        _: At<'_, R>,
        total: Lane<R>,
        by_outputs: &mut [Lane<R>],
    ) -> Through<R> {
        by_outputs[0] = total;
        Through::NONE
    }
}
