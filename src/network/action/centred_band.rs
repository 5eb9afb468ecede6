use super::rule::{Asks, At, Rule, Through};
use super::{ActionSettings, Relaxation};
use crate::network::step::Situation;
use crate::onnx::Value;
use crate::simd::{BLOCK, Lane, Real};

/// A no-transaction band whose centre is learned around a benchmark: what is held stays while it lies in the band, and goes to the
/// nearest edge where not.
///
/// δ = min(max(δ₋, c − w(y₁)), c + w(y₂)),  c = b + s m y₀ + g κ y₃,  w(y) = min(w₀ v e^y, w_max)
///
/// m is the size of the benchmark's position: |b| for an option; for a spot the delta of the contract itself, |b₀ + Σ_j b_j Δ_j|, which
/// the benchmark's spot and options have together. A spot acts last, around b = b₀ − Σ_j (q_j − b_j) Δ_j: what the policy asks for of
/// the options, q_j, is already in it. κ = Γ S σ √τ is how much the contract's delta moves, near the money most; a rule with g = 0 has
/// no output y₃. v is 1, or Whalley and Wilmott's (³⁄₂ C Γ²/λ)^{1/3} with what a unit costs to trade, C, at λ = 1 over a hundredth of
/// the spot at the sale. At y = 0 all of it is a band of the width w₀ v around the benchmark.
///
/// As with [`super::Band`] training may have a leak ε towards the middle of the band, so that both edges learn on every date.
///
/// # References
/// Whalley and Wilmott (1997), "An asymptotic analysis of an optimal hedging model for option pricing with transaction costs",
/// equation 3.9. Imaki, Imajo, Ito, Minami and Nakagawa (2021), "No-transaction band network".
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CentredBand {
    /// How far the centre moves with its output, s ≥ 0, as a share of the size of the benchmark's position.
    pub centre_scale: f64,
    /// How far the centre moves where the contract's delta does, g ≥ 0; 0 for a rule without that output.
    pub curvature_scale: f64,
    /// The half-width w₀ > 0 of an untrained band, in units of the position or of v.
    pub width: f64,
    /// The greatest half-width w_max, in units of the position.
    pub widest: f64,
    /// Whether v is Whalley and Wilmott's width, else 1.
    pub cost_widths: bool,
    /// The share ε of the way to the middle of the band that a position goes on every date; 0 but in training.
    pub leak: f64,
}

/// The greatest y of a width: with it e^y is still finite in single precision, and any band at its widest.
const MOST: f64 = 60.0;

impl CentredBand {
    /// The half-widths w(y) of an edge. Each loop over lanes is of one kind, or it would not be made of vector instructions.
    #[inline(always)]
    fn half_widths<R: Real, const FMA: bool>(self, output: &Lane<R>, unit: &Lane<R>) -> Lane<R> {
        let (width, widest, most) = (R::of(self.width), R::of(self.widest), R::of(MOST));
        let mut widths = [R::ZERO; BLOCK];
        for lane in 0..BLOCK {
            let free = width * unit[lane] * output[lane].lesser(most).exp::<FMA>();
            widths[lane] = free.lesser(widest);
        }
        widths
    }

    /// The centre c.
    #[inline(always)]
    fn centres<R: Real>(self, at: &At<'_, R>) -> Lane<R> {
        let scale = R::of(self.centre_scale);
        let mut centre = at.benchmark;
        for lane in 0..BLOCK {
            centre[lane] += scale * at.size[lane] * at.outputs[0][lane];
        }
        if let Some(output) = at.outputs.get(3) {
            let scale = R::of(self.curvature_scale);
            for lane in 0..BLOCK {
                centre[lane] += scale * at.curvature[lane] * output[lane];
            }
        }
        centre
    }

    /// The half-widths below and above the centre, and the centre.
    #[inline(always)]
    fn band<R: Real, const FMA: bool>(self, at: &At<'_, R>) -> (Lane<R>, Lane<R>, Lane<R>) {
        let below = self.half_widths::<R, FMA>(&at.outputs[1], &at.width_unit);
        let above = self.half_widths::<R, FMA>(&at.outputs[2], &at.width_unit);
        (below, above, self.centres(at))
    }
}

impl Rule for CentredBand {
    const ON_BENCHMARK: bool = true;
    const ANCHORED: bool = true;
    const FROM_ZERO: bool = true;

    fn of(settings: &ActionSettings) -> Self {
        Self {
            centre_scale: settings.centre_scale,
            curvature_scale: settings.curvature_scale,
            width: settings.band_width,
            widest: settings.widest_band,
            cost_widths: settings.cost_widths,
            leak: 0.0,
        }
    }

    fn outputs(self) -> usize {
        if self.curvature_scale > 0.0 { 4 } else { 3 }
    }

    fn asks(self) -> Asks {
        Asks {
            curvature: self.curvature_scale > 0.0,
            cost_widths: self.cost_widths,
        }
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
        let (below, above, centre) = self.band::<R, FMA>(&at);
        for lane in 0..BLOCK {
            let (lower, upper) = (centre[lane] - below[lane], centre[lane] + above[lane]);
            let held = at.held[lane].greater(lower).lesser(upper);
            position[lane] = held + leak * (R::HALF * (lower + upper) - held);
        }
        position
    }

    fn describe(self, at: &mut Situation<'_>) -> Value {
        let unit = if self.cost_widths {
            at.width_unit()
        } else {
            None
        };
        let [below, above] = [1, 2].map(|edge| {
            let output = at.output(edge);
            let graph = at.graph();
            let most = graph.number(MOST);
            let output = graph.smaller(output, most);
            let power = graph.exp(output);
            let free = graph.scaled(power, self.width);
            let free = match unit {
                Some(unit) => graph.multiply(free, unit),
                None => free,
            };
            let widest = graph.number(self.widest);
            graph.smaller(free, widest)
        });
        let (benchmark, size, moved) = (at.benchmark(), at.size(), at.output(0));
        let graph = at.graph();
        let moved = graph.multiply(size, moved);
        let moved = graph.scaled(moved, self.centre_scale);
        let mut centre = graph.add(benchmark, moved);
        if self.curvature_scale > 0.0
            && let Some(curvature) = at.curvature()
        {
            let output = at.output(3);
            let graph = at.graph();
            let moved = graph.multiply(curvature, output);
            let moved = graph.scaled(moved, self.curvature_scale);
            centre = graph.add(centre, moved);
        }
        let held = at.held();
        let graph = at.graph();
        let lower = graph.subtract(centre, below);
        let upper = graph.add(centre, above);
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
        let (leak, widest) = (R::of(self.leak), R::of(self.widest));
        let (scale, kept) = (R::of(self.centre_scale), R::ONE - R::of(self.leak));
        let (below, above, centre) = self.band::<R, FMA>(&at);
        let [by_centre, by_lower, by_upper, rest @ ..] = by_outputs else {
            unreachable!("three outputs at least");
        };
        for lane in 0..BLOCK {
            let (lower, upper) = (centre[lane] - below[lane], centre[lane] + above[lane]);
            let held = at.held[lane];
            let middle = R::HALF * leak * total[lane];
            let total = kept * total[lane];
            let at_lower = if held < lower { total } else { R::ZERO };
            let at_upper = if held > upper { total } else { R::ZERO };
            // At its widest a band does not depend on its output.
            let [low, high] = [below[lane], above[lane]]
                .map(|width| if width < widest { width } else { R::ZERO });
            by_lower[lane] = -(at_lower + middle) * low;
            by_upper[lane] = (at_upper + middle) * high;
            through.benchmark[lane] = at_lower + at_upper + middle + middle;
            through.held[lane] = total - at_lower - at_upper;
        }
        for lane in 0..BLOCK {
            by_centre[lane] = through.benchmark[lane] * scale * at.size[lane];
        }
        if let [output, ..] = rest {
            let scale = R::of(self.curvature_scale);
            for lane in 0..BLOCK {
                output[lane] = through.benchmark[lane] * scale * at.curvature[lane];
            }
        }
        through
    }
}
