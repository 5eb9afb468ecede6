//! The variance of rough Bergomi paths.

use crate::random::Shocks;
use crate::simd::{BLOCK, Kernel, Lane, Real, multiply_add};

/// The Volterra process of a Hurst index H on an equidistant grid, by the hybrid scheme with one exact cell,
///
/// ```text
/// X_t = √(2H) ∫₀ᵗ (t − s)^{H−½} dW_s
/// X_{ih} ≈ √(2H) ∫_{(i−1)h}^{ih} (ih − s)^{H−½} dW_s + Σ_{k=2}^i g_k Z_{i−k+1},   W_{jh} − W_{(j−1)h} = √h Z_j
/// g_k = √(2H) h^H (k^{H+½} − (k − 1)^{H+½})/(H + ½)
/// ```
///
/// The integral is c₁Z_i + c₂Z′_i, which has the right variance h^{2H} and covariance with the increment of W.
///
/// # References
/// M. Bennedsen, A. Lunde and M. Pakkanen (2017), "Hybrid scheme for Brownian semistationary processes", Finance and Stochastics 21(4),
/// equations 2.12, 2.13 and 3.2 with κ = 1 and the optimal b_k of proposition 2.8 replaced by averages over the cells.
pub(super) struct Volterra {
    /// g_k, from k = 0, of which the first two are not used.
    weights: Vec<f64>,
    /// c₁ and c₂.
    near: (f64, f64),
    /// Var[X_{ih}] of the scheme, from i = 0.
    variances: Vec<f64>,
}

impl Volterra {
    /// The scheme on `steps` steps of length h = `step` in years.
    pub(super) fn new(hurst: f64, step: f64, steps: usize) -> Self {
        let power = hurst + 0.5;
        let scale = (2.0 * hurst).sqrt() * step.powf(hurst) / power;
        let weights: Vec<f64> = (0..=steps)
            .map(|k| scale * ((k as f64).powf(power) - (k as f64 - 1.0).max(0.0).powf(power)))
            .collect();
        let cell = step.powf(2.0 * hurst);
        let mut variances = vec![0.0; steps + 1];
        for i in 1..=steps {
            variances[i] = match i {
                1 => cell,
                _ => variances[i - 1] + weights[i] * weights[i],
            };
        }
        Self {
            weights,
            near: (scale, (cell - scale * scale).max(0.0).sqrt()),
            variances,
        }
    }
}

/// The variance of one block of paths at every step and the unit normal variates that go with it.
///
/// # Shapes
/// `variance` is `[steps + 1][BLOCK]`, the others `[steps][BLOCK]`.
pub(super) struct Driven<R> {
    /// v = ξ e^{ηX − ½η² Var X}, whose mean is ξ.
    pub(super) variance: Vec<Lane<R>>,
    /// Z, the increments of the Brownian motion that drives the variance.
    pub(super) along: Vec<Lane<R>>,
    /// The variates that are independent of it.
    pub(super) across: Vec<Lane<R>>,
}

/// Draws [`Driven`] from three shocks a step: Z, Z′ and the independent one.
pub(super) struct Drawing<'a, S> {
    pub(super) volterra: &'a Volterra,
    pub(super) xi: f64,
    pub(super) eta: f64,
    pub(super) shocks: S,
}

impl<S: Shocks> Drawing<'_, S> {
    /// The block, in the arithmetic of `R`.
    #[inline(always)]
    pub(super) fn of<R: Real, const FMA: bool>(&self) -> Driven<R> {
        let Volterra {
            weights,
            near,
            variances,
        } = self.volterra;
        let steps = variances.len() - 1;
        let weights: Vec<R> = weights.iter().map(|w| R::of(*w)).collect();
        let (own, other) = (R::of(near.0), R::of(near.1));
        let mut driven = Driven {
            variance: vec![[R::of(self.xi); BLOCK]; steps + 1],
            along: vec![[R::ZERO; BLOCK]; steps],
            across: vec![[R::ZERO; BLOCK]; steps],
        };
        let eta = R::of(self.eta);
        let mut words = [[0; BLOCK]; 4];
        let mut drawn = 0;
        let mut next = || {
            if drawn % 4 == 0 {
                words = self.shocks.draw(drawn / 4);
            }
            drawn += 1;
            words[(drawn - 1) % 4]
        };
        for i in 1..=steps {
            let bits = [next(), next(), next()];
            let mut sum = [R::ZERO; BLOCK];
            for (j, along) in driven.along[..i - 1].iter().enumerate() {
                let weight = weights[i - j];
                for lane in 0..BLOCK {
                    sum[lane] = multiply_add::<R, FMA>(weight, along[lane], sum[lane]);
                }
            }
            let mean = R::of(self.xi * (-0.5 * self.eta * self.eta * variances[i]).exp());
            for lane in 0..BLOCK {
                let normal = |k: usize| S::normal::<R, FMA>(bits[k][lane]);
                let (z, rest) = (normal(0), normal(1));
                let x = multiply_add::<R, FMA>(own, z, other * rest) + sum[lane];
                driven.variance[i][lane] = mean * (eta * x).exp::<FMA>();
                driven.along[i - 1][lane] = z;
                driven.across[i - 1][lane] = normal(2);
            }
        }
        driven
    }
}

/// [`Drawing`] in single precision, by itself.
pub(super) struct InSingle<'a, S>(pub(super) Drawing<'a, S>);

impl<S: Shocks> Kernel for InSingle<'_, S> {
    type Output = Driven<f32>;

    #[inline(always)]
    fn run<const FMA: bool, const ROWS: usize>(self) -> Driven<f32> {
        self.0.of::<f32, FMA>()
    }
}

/// What X does along W that the left ends of steps leave out, ½ ∫₀ᵀ √(2H) s^{H−½} ds / T for a life of T years, spread evenly over all
/// steps. The left ends have Σ (T − kh) of the kernel's k-th cell where the integral has T − s: what they overstate of the shocks of the last step is
/// most of what they leave out within this one.
pub(super) fn left_out(hurst: f64, life: f64) -> f64 {
    (2.0 * hurst).sqrt() * life.powf(hurst - 0.5) / (2.0 * hurst + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Sampling, Source};
    use crate::simd::dispatch;

    /// Var[X_t] of the scheme is t^{2H} within 1 % after the first cell, where it is exact; with H = ½ it is a Brownian motion, W
    /// itself, of which half is left out within every step.
    #[test]
    fn variances_are_those_of_the_process() {
        for hurst in [0.05, 0.12, 0.3] {
            let volterra = Volterra::new(hurst, 0.01, 200);
            for i in [1, 2, 10, 200] {
                let expected = (0.01 * i as f64).powf(2.0 * hurst);
                let found = volterra.variances[i];
                assert!(
                    (found / expected - 1.0).abs() < 0.01,
                    "{hurst} {i}: {found} {expected}"
                );
            }
        }
        let brownian = Volterra::new(0.5, 0.01, 20);
        assert!(brownian.near.1 < 1e-9);
        assert!(
            brownian.weights[1..]
                .iter()
                .all(|w| (w - 0.1).abs() < 1e-12)
        );
        assert!((left_out(0.5, 0.3) - 0.5).abs() < 1e-12);
    }

    /// E[v_t] = ξ and Var[ln v_t] = η² Var[X_t] on paths, z-bound 4.
    #[test]
    fn variance_has_its_law() {
        let volterra = Volterra::new(0.1, 0.01, 30);
        let source = Source::new(3, Purpose::Pricing, Sampling::Pseudorandom, 30, 3);
        let (mut sum, mut square, mut logs, mut count) = (0.0, 0.0, 0.0, 0.0);
        let center = -0.5 * 0.64 * volterra.variances[30] + 0.04f64.ln();
        for block in 0..2048 {
            let driven = dispatch(InSingle(Drawing {
                volterra: &volterra,
                xi: 0.04,
                eta: 0.8,
                shocks: source.block(block),
            }));
            for v in driven.variance[30].map(f64::from) {
                sum += v;
                square += v * v;
                logs += (v.ln() - center).powi(2);
                count += 1.0;
            }
        }
        let mean: f64 = sum / count;
        let error = ((square / count - mean * mean) / count).sqrt();
        assert!((mean - 0.04).abs() < 4.0 * error, "{mean} ± {error}");
        let expected = 0.64 * volterra.variances[30];
        let found: f64 = logs / count / expected - 1.0;
        assert!(found.abs() < 4.0 * (2.0 / count).sqrt(), "{found}");
    }
}
