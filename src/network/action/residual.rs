use super::ActionSettings;
use super::rule::{At, Rule, Through};
use crate::network::step::Situation;
use crate::onnx::Value;
use crate::simd::{BLOCK, Lane, Real};

/// The output is what is held beyond the benchmark, δ = b + y; an untrained policy is the benchmark, bit for bit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Residual;

impl Rule for Residual {
    const ON_BENCHMARK: bool = true;
    const FROM_ZERO: bool = true;

    fn of(_: &ActionSettings) -> Self {
        Self
    }

    #[inline(always)]
    fn act<R: Real, const FMA: bool>(self, at: At<'_, R>) -> Lane<R> {
        let (mut position, output) = (at.benchmark, at.outputs[0]);
        for lane in 0..BLOCK {
            position[lane] += output[lane];
        }
        position
    }

    fn describe(self, at: &mut Situation<'_>) -> Value {
        let (benchmark, beyond) = (at.benchmark(), at.output(0));
        at.graph().add(benchmark, beyond)
    }

    #[inline(always)]
    fn pull_back<R: Real, const FMA: bool>(
        self,
        _: At<'_, R>,
        total: Lane<R>,
        by_outputs: &mut [Lane<R>],
    ) -> Through<R> {
        by_outputs[0] = total;
        Through {
            benchmark: total,
            ..Through::NONE
        }
    }
}
