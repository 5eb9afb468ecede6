//! A volatility that wanders, as past returns show it.

use super::VarianceFilter;
use std::f64::consts::PI;

/// A Kalman filter of the logarithm of a volatility α that is a geometric Brownian motion, dα = ν α dZ, from the logarithms of
/// squared returns,
///
/// ```text
/// y = ln(e²/dt) + 1.2704 = 2 ln α + u,   E[u] = 0,   Var[u] = π²/2
/// update    K = P/(P + π²/2),   m⁺ = m + K (y − m),   P⁺ = (1 − K) P
/// predict   m' = m⁺,   P' = P⁺ + 4ν² dt
/// ```
///
/// for m, the mean of 2 ln α, with e the return less its mean. P begins where it no longer changes; m is held within eight standard
/// deviations √P of what it was with each return, which is far out for any but a return of 0.
///
/// # Units
/// Variance and drift per year, `dt` in years.
///
/// # References
/// A. Harvey, E. Ruiz and N. Shephard (1994), "Multivariate stochastic variance models", Review of Economic Studies 61(2), equations
/// 2–4.
#[derive(Debug, Clone, Copy)]
pub struct LognormalFilter {
    /// The variance that it began with.
    start: f64,
    drift: f64,
    dt: f64,
    /// m less what it began with.
    moved: f64,
    /// P⁺ and K of the steady state.
    spread: f64,
    gain: f64,
}

/// Var[ln χ²₁]
const NOISE: f64 = 0.5 * PI * PI;

/// −E[ln χ²₁]
const BIAS: f64 = 1.270_362_845_461_478;

impl LognormalFilter {
    /// A filter that has seen no return yet and expects the variance `start`; `nu` is the volatility ν of the volatility.
    pub fn new(start: f64, nu: f64, drift: f64, dt: f64) -> Self {
        // P' = P'N/(P' + N) + q, the steady state before a return.
        let q = 4.0 * nu * nu * dt;
        let before = 0.5 * (q + (q * q + 4.0 * q * NOISE).sqrt());
        Self {
            start,
            drift,
            dt,
            moved: 0.0,
            spread: before,
            gain: before / (before + NOISE),
        }
    }
}

impl VarianceFilter for LognormalFilter {
    fn mean(&self) -> f64 {
        self.start * self.moved.exp()
    }

    fn update(&mut self, log_return: f64) -> f64 {
        const MOST: f64 = 8.0;
        let innovation = log_return - (self.drift - 0.5 * self.mean()) * self.dt;
        let shown = (innovation * innovation / (self.dt * self.mean())).ln() + BIAS;
        let most = MOST * self.spread.sqrt();
        self.moved += (self.gain * shown).clamp(-most, most);
        self.mean()
    }

    fn boxed(&self) -> Box<dyn VarianceFilter> {
        Box::new(*self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    /// On simulated paths the error of 2 ln α has the steady state's variance P⁺ = (1 − K) P within a fifth, and mean 0 within four
    /// standard errors of forty independent years.
    #[test]
    fn its_error_has_the_variance_it_states() {
        let (nu, dt) = (0.8, 1.0 / 252.0);
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let (mut sum, mut square, mut count) = (0.0, 0.0, 0.0);
        for _ in 0..40 {
            let mut filter = LognormalFilter::new(0.04, nu, 0.0, dt);
            let mut log_variance = 0.04f64.ln();
            for day in 0..504 {
                let z: f64 = StandardNormal.sample(&mut random);
                let w: f64 = StandardNormal.sample(&mut random);
                let variance = log_variance.exp();
                filter.update((variance * dt).sqrt() * z - 0.5 * variance * dt);
                if day >= 252 {
                    let error: f64 = filter.mean().ln() - log_variance;
                    (sum, square, count) = (sum + error, square + error * error, count + 1.0);
                }
                // Without a drift of the logarithm, which the filter does not know.
                log_variance += 2.0 * nu * dt.sqrt() * w;
            }
        }
        let filter = LognormalFilter::new(0.04, nu, 0.0, dt);
        let expected = (1.0 - filter.gain) * filter.spread;
        let found = square / count;
        assert!((found / expected - 1.0).abs() < 0.2, "{found} {expected}");
        // Errors are correlated over some 1/K days.
        let independent = count * filter.gain / 2.0;
        assert!((sum / count).abs() < 4.0 * (expected / independent).sqrt());
    }
}
