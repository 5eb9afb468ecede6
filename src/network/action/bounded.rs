use super::ActionSettings;
use super::rule::{At, Rule, Through};
use crate::network::step::Situation;
use crate::onnx::Value;
use crate::simd::{BLOCK, Lane, Real, sigmoid};

/// A position between two bounds, δ = l + (h − l)/(1 + e^{−4y/(h − l)}): midway at y = 0, where its slope is 1, and strictly inside for
/// every y.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounded {
    /// The lower bound l, in units of the position.
    pub low: f64,
    /// The upper bound h, above the lower one.
    pub high: f64,
}

impl Bounded {
    /// The share of the range that lies below the position.
    #[inline(always)]
    fn share<R: Real, const FMA: bool>(self, output: R) -> R {
        sigmoid::<R, FMA>(output * R::of(4.0 / (self.high - self.low)))
    }
}

impl Rule for Bounded {
    const ON_BENCHMARK: bool = false;
    const FROM_ZERO: bool = false;

    fn of(settings: &ActionSettings) -> Self {
        Self {
            low: settings.lowest_position,
            high: settings.highest_position,
        }
    }

    #[inline(always)]
    fn act<R: Real, const FMA: bool>(self, at: At<'_, R>) -> Lane<R> {
        let (low, range) = (R::of(self.low), R::of(self.high - self.low));
        let mut position = at.outputs[0];
        for position in &mut position {
            *position = low + range * self.share::<R, FMA>(*position);
        }
        position
    }

    fn describe(self, at: &mut Situation<'_>) -> Value {
        let output = at.output(0);
        let (graph, range) = (at.graph(), self.high - self.low);
        let scaled = graph.scaled(output, 4.0 / range);
        let share = graph.sigmoid(scaled);
        let above = graph.scaled(share, range);
        graph.shifted(above, self.low)
    }

    #[inline(always)]
    fn pull_back<R: Real, const FMA: bool>(
        self,
        at: At<'_, R>,
        total: Lane<R>,
        by_outputs: &mut [Lane<R>],
    ) -> Through<R> {
        let four = R::of(4.0);
        for lane in 0..BLOCK {
            let share = self.share::<R, FMA>(at.outputs[0][lane]);
            by_outputs[0][lane] = total[lane] * four * share * (R::ONE - share);
        }
        Through::NONE
    }
}
