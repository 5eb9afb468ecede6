use crate::pricing::MertonParameters;
use crate::random::Shocks;
use crate::simd::{BLOCK, Kernel, Lane, Normal, Real, multiply_add};

/// One block of Merton's jump diffusion, exact at the dates of the grid.
///
/// S_{t+1} = S_t exp((r − q − λk − σ²/2) Δ + N m + √(σ²Δ + N s²) Z),  N ~ Poisson(λΔ)
///
/// The number of jumps is drawn by inversion from its own shock. The variance is that of log returns, σ² + λ(m² + s²).
///
/// # References
/// Glasserman (2004), "Monte Carlo Methods in Financial Engineering", section 3.5.1.
pub(super) struct MertonBlock<'a, R> {
    pub shocks: Shocks,
    pub spot0: f64,
    pub carry: f64,
    pub parameters: MertonParameters,
    pub dt: f64,
    pub spot: &'a mut [Lane<R>],
    pub variance: &'a mut [Lane<R>],
}

/// The thresholds P(N ≤ n), in units of 2⁻³², up to the last that is below 1.
fn thresholds(expected: f64) -> Vec<u32> {
    let mut probability = (-expected).exp();
    let mut sum = 0.0;
    let mut thresholds = Vec::new();
    for n in 1.. {
        sum += probability;
        let threshold = (sum * 4_294_967_296.0).round();
        // Beyond the mean the terms only fall.
        if threshold >= 4_294_967_295.0 || (f64::from(n) > expected && probability < 1e-11) {
            break;
        }
        thresholds.push(threshold as u32);
        probability *= expected / f64::from(n);
    }
    thresholds
}

/// The probability, in units of 2⁻³², below the normal variate of these bits.
#[inline(always)]
fn fraction(bits: u32) -> u32 {
    let tail = bits >> 1;
    if bits & 1 == 0 { !tail } else { tail }
}

impl<R: Real> Kernel for MertonBlock<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) {
        let p = self.parameters;
        let sigma2 = p.volatility * p.volatility;
        let compensated = self.carry - p.jump_intensity * p.mean_jump() - 0.5 * sigma2;
        let (drift, jump) = (R::of(compensated * self.dt), R::of(p.log_jump_mean));
        let (diffusion, square) = (R::of(sigma2 * self.dt), R::of(p.log_jump_std.powi(2)));
        let thresholds = thresholds(p.jump_intensity * self.dt);
        for lane in self.variance.iter_mut() {
            *lane = [R::of(p.total_variance()); BLOCK];
        }
        self.spot[0] = [R::of(self.spot0); BLOCK];
        let steps = self.spot.len() - 1;
        let mut words = [[0; BLOCK]; 4];
        for t in 0..steps {
            if t % 2 == 0 {
                words = self.shocks.draw(t / 2);
            }
            let (for_spot, for_jumps) = (words[2 * (t % 2)], words[2 * (t % 2) + 1]);
            let uniform = for_jumps.map(fraction);
            let mut count = [R::ZERO; BLOCK];
            for threshold in &thresholds {
                for lane in 0..BLOCK {
                    count[lane] += if uniform[lane] >= *threshold {
                        R::ONE
                    } else {
                        R::ZERO
                    };
                }
            }
            // Values, not references: the compiler must see that nothing overlaps.
            let now = self.spot[t];
            let mut next = [R::ZERO; BLOCK];
            for lane in 0..BLOCK {
                let normal = Normal::<R>::from_bits::<FMA>(for_spot[lane]);
                let spread = multiply_add::<R, FMA>(count[lane], square, diffusion).sqrt();
                let mean = multiply_add::<R, FMA>(count[lane], jump, drift);
                let log_return = multiply_add::<R, FMA>(spread, normal.quantile, mean);
                next[lane] = now[lane] * log_return.exp::<FMA>();
            }
            self.spot[t + 1] = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P(N ≤ n) of a Poisson variable of mean 0.3: e^{−0.3}(1, 1.3, 1.345, …); the bits of large normal variates stand for
    /// large probabilities.
    #[test]
    fn thresholds_are_the_poisson_distribution() {
        let found = thresholds(0.3);
        for (n, sum) in [1.0, 1.3, 1.345, 1.3495].into_iter().enumerate() {
            let expected = sum * (-0.3f64).exp() * 4_294_967_296.0;
            assert!((f64::from(found[n]) - expected).abs() <= 1.0);
        }
        assert!((8..=12).contains(&found.len()), "{found:?}");
        assert!(thresholds(0.0).is_empty());
        for bits in [
            0u32,
            1,
            2,
            3,
            12_345_678,
            12_345_679,
            u32::MAX - 1,
            u32::MAX,
        ] {
            let normal = Normal::<f64>::from_bits::<false>(bits);
            let below = (f64::from(fraction(bits)) + 0.5) / 4_294_967_296.0;
            assert!((below - (1.0 - normal.upper_tail)).abs() < 1e-15, "{bits}");
        }
    }
}
