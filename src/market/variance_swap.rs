use super::paths::PathBlock;
use super::spot_market::Market;
use crate::simd::{BLOCK, Kernel, Lane, Real};

/// A swap on the variance that accrues from the first date of a grid to its last, marked to model.
///
/// With the variance v and its trapezoidal sum A_t = Δ Σ_{u<t} ½(v_u + v_{u+1}), the expected total variance at date t
/// of n is
///
/// X_t = A_t + θ(T − t) + (v_t − θ) Δ ½(1 + d)(1 − d^{n−t})/(1 − d),  d = e^{−κΔ},
///
/// and the quote is F_t = S₀ X_t/X_0, so that a unit is worth a share at the sale. Since the simulated variance has its
/// exact conditional mean, F is an exact martingale on the grid; as Δ → 0, X tends to
/// ∫₀ᵗ v ds + (v_t − θ)(1 − e^{−κ(T−t)})/κ + θ(T − t).
///
/// # References
/// Buehler, Gonon, Teichmann and Wood (2019), "Deep hedging", section 5.1, for the limit.
#[derive(Debug)]
pub(super) struct VarianceSwap {
    asset: usize,
    spot0: f64,
    dt: f64,
    theta: f64,
    /// Expected excess over θ(T − t) per unit of v_t − θ, for every date.
    weights: Vec<f64>,
}

impl VarianceSwap {
    /// A swap on the variance of asset number `asset`, which has this market, from the sale to the last of `steps` periods of `dt` years.
    ///
    /// # Panics
    /// If the variance of the model is not Markov, which strategies refuse.
    pub fn new(asset: usize, market: &Market, steps: usize, dt: f64) -> Self {
        let process = market.model.variance_process();
        let variance = process
            .markov()
            .expect("a swap is asked for where the variance says what is expected of it");
        let (theta, kappa) = (variance.level, variance.speed);
        let decay = (-kappa * dt).exp();
        let mut weights = vec![0.0; steps + 1];
        for t in (0..steps).rev() {
            weights[t] = 0.5 * dt * (1.0 + decay) + decay * weights[t + 1];
        }
        Self {
            asset,
            spot0: market.spot,
            dt,
            theta,
            weights,
        }
    }

    /// Quotes the swap on one block.
    pub fn quote<'a, R>(&'a self, block: PathBlock<'a, R>, out: &'a mut [Lane<R>]) -> Quote<'a, R> {
        Quote {
            swap: self,
            variance: block.variance_of(self.asset),
            out,
        }
    }
}

pub(super) struct Quote<'a, R> {
    swap: &'a VarianceSwap,
    variance: &'a [Lane<R>],
    out: &'a mut [Lane<R>],
}

impl<R: Real> Kernel for Quote<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        let VarianceSwap {
            spot0,
            dt,
            theta,
            weights,
            ..
        } = self.swap;
        let steps = weights.len() - 1;
        let (half_dt, mean) = (R::of(0.5 * dt), R::of(*theta));
        let mut accrued = [R::ZERO; BLOCK];
        let mut scale = [R::ZERO; BLOCK];
        for t in 0..=steps {
            let variance = self.variance[t];
            if t > 0 {
                let before = self.variance[t - 1];
                for lane in 0..BLOCK {
                    accrued[lane] += half_dt * (before[lane] + variance[lane]);
                }
            }
            let (weight, rest) = (R::of(weights[t]), R::of(theta * dt * (steps - t) as f64));
            let mut total = [R::ZERO; BLOCK];
            for lane in 0..BLOCK {
                total[lane] = accrued[lane] + rest + weight * (variance[lane] - mean);
            }
            if t == 0 {
                scale = total.map(|total| R::of(*spot0) / total);
            }
            for lane in 0..BLOCK {
                self.out[t][lane] = total[lane] * scale[lane];
            }
        }
    }
}
