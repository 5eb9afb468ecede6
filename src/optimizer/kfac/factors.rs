use super::{Approximation, Inverse, LinearGaussianChain, SymmetricChain};
use crate::error::Result;
use crate::network::{Moments, Record};
use crate::simd::Real;
use faer::Mat;

/// Averaged Kronecker factors of one linear map.
///
/// A_d = E (1/T) Σ_t a_{t+d} a_tᵀ and G_d = E Σ_t g_{t+d} g_tᵀ for d = 0, 1, over T dates. The sum over time sits in G, so
/// A₀ ⊗ G₀ is the expand approximation of the whole metric. Both divide by T and not by the number of pairs,
/// which keeps the joint covariance of neighbouring dates positive semidefinite.
///
/// The exponential average is `(decay·w·C + C_new)/(decay·w + 1)` with `w ← decay·w + 1`: no bias to zero.
///
/// # References
/// Martens, Ba and Johnson (2018), "Kronecker-factored curvature approximations for recurrent neural
/// networks", section 3.5.
#[derive(Debug, Clone, Default)]
pub struct MapFactors {
    weight: f64,
    /// T
    steps: usize,
    lags: Vec<Moments>,
}

impl MapFactors {
    /// Averages in the moments of `record`, whose gradients are scaled by √h.
    pub fn update<R: Real>(&mut self, record: &Record<R>, map: usize, decay: f64) {
        let paths = record.paths() as f64;
        let old = decay * self.weight;
        self.steps = record.steps();
        for lag in 0..2 {
            let new = record.moments(map, lag);
            let inputs = faer::Scale(1.0 / (paths * record.steps() as f64)) * &new.inputs;
            let gradients = faer::Scale(1.0 / paths) * &new.gradients;
            let mix = |old_value: &Mat<f64>, new: &Mat<f64>| {
                faer::Scale(old / (old + 1.0)) * old_value + faer::Scale(1.0 / (old + 1.0)) * new
            };
            match self.lags.get_mut(lag) {
                Some(average) => {
                    average.inputs = mix(&average.inputs, &inputs);
                    average.gradients = mix(&average.gradients, &gradients);
                }
                None => self.lags.push(Moments { inputs, gradients }),
            }
        }
        self.weight = old + 1.0;
    }

    /// The inverse of the damped metric: A₀ + π√λ I and G₀ + (√λ/π) I with
    /// π² = (tr A₀/d_A)/(tr G₀/d_G); the lagged factors stay undamped.
    ///
    /// # Errors
    /// If a decomposition fails.
    ///
    /// # References
    /// Martens and Grosse (2015), section 6.3.
    pub fn inverse(&self, approximation: Approximation, damping: f64) -> Result<Inverse> {
        let [now, next] = self.lags.as_slice() else {
            unreachable!("factors are updated before they are inverted")
        };
        let mean_diagonal =
            |m: &Mat<f64>| m.diagonal().column_vector().iter().sum::<f64>() / m.nrows() as f64;
        let ratio = mean_diagonal(&now.inputs) / mean_diagonal(&now.gradients);
        // A factor without trace (no path carries weight) leaves nothing to balance.
        let pi = if ratio.is_finite() && ratio > 0.0 {
            ratio.sqrt()
        } else {
            1.0
        };
        let damped = |m: &Mat<f64>, by: f64| {
            m + faer::Scale(by) * Mat::<f64>::identity(m.nrows(), m.ncols())
        };
        let (a0, g0) = (
            damped(&now.inputs, pi * damping.sqrt()),
            damped(&now.gradients, damping.sqrt() / pi),
        );
        let (a1, g1) = (&next.inputs, &next.gradients);
        Ok(match approximation {
            Approximation::Expand | Approximation::Reduce => {
                Inverse::Symmetric(SymmetricChain::independent(&a0, &g0)?)
            }
            Approximation::SymmetricChain => {
                Inverse::Symmetric(SymmetricChain::new(&a0, a1, &g0, g1, self.steps)?)
            }
            Approximation::Chain => Inverse::Limit(LinearGaussianChain::new(&a0, a1, &g0, g1)?),
        })
    }
}
