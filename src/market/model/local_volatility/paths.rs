//! Paths of a local volatility.

use super::MOST_VARIANCE;
use crate::market::model::dynamics::Draw;
use crate::pricing::svi::{SviSlice, SviSurface};
use crate::random::Shocks;
use crate::simd::{BLOCK, Kernel, Lane, Real, multiply_add};

/// One block of paths of a local volatility. The logarithm of the spot over its forward, x, moves over a step of length h with
/// W = √h Z by
///
/// ```text
/// √v̄ W + c W² + ½ ln(1 − 2ch) − ½ v̄h/(1 − 2ch)
/// v̄ = v + ¼ h v (∂²v/∂x² − ∂v/∂x),   v = σ²(x, t + ½h),   c = ¼ ∂v/∂x
/// ```
///
/// v̄ is the expected average variance of the step to first order, c W² the term of Milstein's scheme, and the rest
/// makes the discounted spot an exact martingale. The variance of a date is σ² there.
///
/// # References
/// Glasserman (2004), "Monte Carlo Methods in Financial Engineering", section 6.1.1, equation 6.10.
pub(super) struct LocalBlock<'a, R, S> {
    pub(super) surface: &'a SviSurface,
    pub(super) block: Draw<'a, R, S>,
}

/// Two slices and a time between them, in the arithmetic of paths.
struct Local<R> {
    before: [R; 5],
    after: [R; 5],
    share: R,
    /// One over the time between the slices.
    rate: R,
}

impl<R: Real> Local<R> {
    fn new(surface: &SviSurface, time: f64) -> Self {
        let interval = surface.about(time);
        let (start, end) = interval.times();
        let of = |s: &SviSlice| [s.a, s.b, s.rho, s.m, s.sigma * s.sigma].map(R::of);
        Self {
            before: of(&interval.before),
            after: of(&interval.after),
            share: R::of(((time - start) / (end - start)).max(1e-4)),
            rate: R::of(1.0 / (end - start)),
        }
    }

    /// w, w' and w'' of a slice.
    #[inline(always)]
    fn smile<const FMA: bool>([a, b, rho, m, square]: [R; 5], x: R) -> [R; 3] {
        let from = x - m;
        let root = multiply_add::<R, FMA>(from, from, square).sqrt();
        let inverse = R::ONE / root;
        [
            a + b * multiply_add::<R, FMA>(rho, from, root),
            b * multiply_add::<R, FMA>(from, inverse, rho),
            b * square * inverse * inverse * inverse,
        ]
    }

    /// [`SviSurface::local_variance`].
    #[inline(always)]
    fn variance<const FMA: bool>(&self, x: R) -> R {
        let before = Self::smile::<FMA>(self.before, x);
        let after = Self::smile::<FMA>(self.after, x);
        let mix = |k: usize| multiply_add::<R, FMA>(self.share, after[k] - before[k], before[k]);
        let (w, slope, curvature) = (mix(0), mix(1), mix(2));
        let quarter = R::HALF * R::HALF;
        let inverse = R::ONE / w;
        let lever = R::ONE - R::HALF * x * slope * inverse;
        let factor =
            lever * lever - quarter * slope * slope * (inverse + quarter) + R::HALF * curvature;
        let growth = (after[0] - before[0]) * self.rate;
        let most = R::of(MOST_VARIANCE);
        // Rounding may leave next to nothing of a density.
        let variance = (growth / factor.greater(R::of(1e-6))).greater(R::ZERO);
        variance.lesser(most)
    }
}

impl<R: Real, S: Shocks> Kernel for LocalBlock<'_, R, S> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        /// The distance in x over which the slope of the variance is taken.
        const APART: f64 = 0.01;
        let Draw {
            shocks,
            start,
            carry,
            dt,
            substeps,
            begun: _,
            spot,
            variance,
            ..
        } = self.block;
        let of = R::of;
        let h = dt / substeps as f64;
        let (step, half_step, deviation) = (of(h), of(0.5 * h), of(h.sqrt()));
        let (apart, quarter_slope) = (of(APART), of(0.125 / APART));
        // Over differences of the variance up and down by APART.
        let (convexity, drift) = (of(0.25 * h / (APART * APART)), of(0.125 * h / APART));
        let most_curvature = of(0.25 / h);
        let (one, two) = (R::ONE, R::ONE + R::ONE);
        let at_date = |time: f64, x: &Lane<R>| {
            let local = Local::<R>::new(self.surface, time);
            x.map(|x| local.variance::<FMA>(x))
        };
        let mut x = [R::ZERO; BLOCK];
        spot[0] = [of(start); BLOCK];
        variance[0] = at_date(0.0, &x);
        let mut words = [[0; BLOCK]; 4];
        for taken in 0..(spot.len() - 1) * substeps {
            if taken % 4 == 0 {
                words = shocks.draw(taken / 4);
            }
            let word = words[taken % 4];
            let local = Local::<R>::new(self.surface, h * (taken as f64 + 0.5));
            for lane in 0..BLOCK {
                let now = x[lane];
                let v = local.variance::<FMA>(now);
                let up = local.variance::<FMA>(now + apart) - v;
                let down = local.variance::<FMA>(now - apart) - v;
                let c = (quarter_slope * (up - down)).lesser(most_curvature);
                let grown = v * (convexity * (up + down) - drift * (up - down));
                let v = v + grown.greater(-R::HALF * v).lesser(v);
                let w = deviation * S::normal::<R, FMA>(word[lane]);
                let room = one - two * c * step;
                let compensator = R::HALF * room.ln::<FMA>() - half_step * v / room;
                x[lane] = now + w * (v.sqrt() + c * w) + compensator;
            }
            if (taken + 1) % substeps == 0 {
                let date = (taken + 1) / substeps;
                let time = dt * date as f64;
                let forward = of(start * (carry * time).exp());
                for lane in 0..BLOCK {
                    spot[date][lane] = forward * x[lane].exp::<FMA>();
                }
                variance[date] = at_date(time, &x);
            }
        }
    }
}
