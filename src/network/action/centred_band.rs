use super::rule::{Asks, At, Rule, Through};
use super::{ActionSettings, Relaxation};
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
    /// The half-width w(y).
    #[inline(always)]
    fn half_width<R: Real, const FMA: bool>(self, output: R, unit: R) -> R {
        let free = R::of(self.width) * unit * output.lesser(R::of(MOST)).exp::<FMA>();
        free.lesser(R::of(self.widest))
    }

    /// The half-widths below and above the centre.
    #[inline(always)]
    fn half_widths<R: Real, const FMA: bool>(self, at: &At<'_, R>, lane: usize) -> [R; 2] {
        [1, 2].map(|edge| self.half_width::<R, FMA>(at.outputs[edge][lane], at.width_unit[lane]))
    }

    /// The centre c.
    #[inline(always)]
    fn centre<R: Real>(self, at: &At<'_, R>, lane: usize) -> R {
        let shift = R::of(self.centre_scale) * at.size[lane] * at.outputs[0][lane];
        let centre = at.benchmark[lane] + shift;
        match at.outputs.get(3) {
            Some(output) => {
                centre + R::of(self.curvature_scale) * at.curvature[lane] * output[lane]
            }
            None => centre,
        }
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
        for lane in 0..BLOCK {
            let centre = self.centre(&at, lane);
            let [below, above] = self.half_widths::<R, FMA>(&at, lane);
            let (lower, upper) = (centre - below, centre + above);
            let held = at.held[lane].greater(lower).lesser(upper);
            position[lane] = held + leak * (R::HALF * (lower + upper) - held);
        }
        position
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
        for lane in 0..BLOCK {
            let centre = self.centre(&at, lane);
            let [below, above] = self.half_widths::<R, FMA>(&at, lane);
            let held = at.held[lane];
            let middle = R::HALF * leak * total[lane];
            let total = (R::ONE - leak) * total[lane];
            let at_lower = if held < centre - below {
                total
            } else {
                R::ZERO
            };
            let at_upper = if held > centre + above {
                total
            } else {
                R::ZERO
            };
            let (by_lower, by_upper) = (at_lower + middle, at_upper + middle);
            let by_centre = by_lower + by_upper;
            // At its widest a band does not depend on its output.
            let slope = |width: R| if width < widest { width } else { R::ZERO };
            by_outputs[0][lane] = by_centre * R::of(self.centre_scale) * at.size[lane];
            by_outputs[1][lane] = -by_lower * slope(below);
            by_outputs[2][lane] = by_upper * slope(above);
            if let Some(output) = by_outputs.get_mut(3) {
                output[lane] = by_centre * R::of(self.curvature_scale) * at.curvature[lane];
            }
            through.benchmark[lane] = by_centre;
            through.held[lane] = total - at_lower - at_upper;
        }
        through
    }
}
