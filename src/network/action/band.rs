use super::rule::{At, Rule, Through};
use super::{ActionSettings, Relaxation};
use crate::network::step::Situation;
use crate::onnx::{Graph, Value};
use crate::simd::{BLOCK, Lane, Real, sigmoid};

/// A no-transaction band around the benchmark: what is held stays while it lies in the band, and goes to the nearest edge where not.
///
/// δ = min(max(δ₋, b − w(y₀)), b + w(y₁)),  w(y) = ln(1 + e^{y + c})
///
/// with c such that w(0) is the width that an untrained policy has. The derivative of w is above 0 everywhere, so that an edge that
/// was left keeps learning. On every date just one of δ₋ and the two edges has an influence on δ, of slope 1: a band so wide that
/// nothing is traded would have no derivative at all, and training could not lead back. So training has a leak ε that falls as it
/// goes on,
///
/// δ' = δ + ε (m − δ),  m = b + (w(y₁) − w(y₀))/2
///
/// with m the middle of the band, in which both edges have the slope ½: what is held moves towards it, however wide the band is.
/// Without a leak δ' is δ, to the last bit.
///
/// # References
/// Imaki, Imajo, Ito, Minami and Nakagawa (2021), "No-transaction band network: a neural network architecture for efficient deep
/// hedging", equation 10, whose widths are leaky rectified linear units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    /// The number c, which makes y = 0 the width that the band begins with.
    offset: f64,
    /// The share ε of the way to the middle of the band that a position goes on every date; 0 but in training.
    leak: f64,
}

impl Band {
    /// A band whose edges lie `width` > 0 from the benchmark where the network's outputs are 0, in units of the position.
    pub fn beginning_at(width: f64) -> Self {
        Self {
            offset: width.exp_m1().ln(),
            leak: 0.0,
        }
    }

    /// w(y) on all lanes. Each loop over lanes is of one kind, or it would not be made of vector instructions.
    #[inline(always)]
    fn widths<R: Real, const FMA: bool>(self, output: &Lane<R>) -> Lane<R> {
        let offset = R::of(self.offset);
        let mut widths = [R::ZERO; BLOCK];
        for lane in 0..BLOCK {
            let x = output[lane] + offset;
            widths[lane] = x.greater(R::ZERO) + (R::ONE + (-x.abs()).exp::<FMA>()).ln::<FMA>();
        }
        widths
    }

    /// w(y) as nodes of a graph.
    fn describe_width(self, output: Value, graph: &mut Graph) -> Value {
        let x = graph.shifted(output, self.offset);
        let none = graph.number(0.0);
        let positive = graph.larger(x, none);
        let size = graph.abs(x);
        let negative = graph.negative(size);
        let power = graph.exp(negative);
        let sum = graph.shifted(power, 1.0);
        let rest = graph.ln(sum);
        graph.add(positive, rest)
    }

    /// The lower and the upper edge.
    #[inline(always)]
    fn edges<R: Real, const FMA: bool>(self, at: &At<'_, R>) -> (Lane<R>, Lane<R>) {
        let mut lower = self.widths::<R, FMA>(&at.outputs[0]);
        let mut upper = self.widths::<R, FMA>(&at.outputs[1]);
        for lane in 0..BLOCK {
            lower[lane] = at.benchmark[lane] - lower[lane];
            upper[lane] += at.benchmark[lane];
        }
        (lower, upper)
    }

    /// ∂w/∂y on all lanes.
    #[inline(always)]
    fn slopes<R: Real, const FMA: bool>(self, output: &Lane<R>) -> Lane<R> {
        let offset = R::of(self.offset);
        let mut slopes = [R::ZERO; BLOCK];
        for lane in 0..BLOCK {
            slopes[lane] = sigmoid::<R, FMA>(output[lane] + offset);
        }
        slopes
    }
}

impl Rule for Band {
    const ON_BENCHMARK: bool = true;
    const FROM_ZERO: bool = true;

    fn of(settings: &ActionSettings) -> Self {
        Self::beginning_at(settings.band_width)
    }

    fn outputs(self) -> usize {
        2
    }

    fn relaxed(self, relaxation: &Relaxation) -> Self {
        Self {
            leak: relaxation.leak,
            ..self
        }
    }

    #[inline(always)]
    fn act<R: Real, const FMA: bool>(self, at: At<'_, R>) -> Lane<R> {
        let mut position = [R::ZERO; BLOCK];
        let leak = R::of(self.leak);
        let (lower, upper) = self.edges::<R, FMA>(&at);
        for lane in 0..BLOCK {
            let held = at.held[lane].greater(lower[lane]).lesser(upper[lane]);
            position[lane] = held + leak * (R::HALF * (lower[lane] + upper[lane]) - held);
        }
        position
    }

    fn describe(self, at: &mut Situation<'_>) -> Value {
        let [below, above] = [0, 1].map(|edge| {
            let output = at.output(edge);
            self.describe_width(output, at.graph())
        });
        let (benchmark, held) = (at.benchmark(), at.held());
        let graph = at.graph();
        let lower = graph.subtract(benchmark, below);
        let upper = graph.add(benchmark, above);
        graph.within(held, lower, upper)
    }

    #[inline(always)]
    fn pull_back<R: Real, const FMA: bool>(
        self,
        at: At<'_, R>,
        total: Lane<R>,
        by_outputs: &mut [Lane<R>],
    ) -> Through<R> {
        let mut through = Through::NONE;
        let leak = R::of(self.leak);
        let (lower, upper) = self.edges::<R, FMA>(&at);
        let [low, high] = [0, 1].map(|edge| self.slopes::<R, FMA>(&at.outputs[edge]));
        let [by_lower, by_upper] = by_outputs else {
            unreachable!("two outputs");
        };
        for lane in 0..BLOCK {
            let held = at.held[lane];
            let middle = R::HALF * leak * total[lane];
            let total = (R::ONE - leak) * total[lane];
            let at_lower = if held < lower[lane] { total } else { R::ZERO };
            let at_upper = if held > upper[lane] { total } else { R::ZERO };
            by_lower[lane] = -(at_lower + middle) * low[lane];
            by_upper[lane] = (at_upper + middle) * high[lane];
            through.benchmark[lane] = at_lower + at_upper + middle + middle;
            through.held[lane] = total - at_lower - at_upper;
        }
        through
    }
}
