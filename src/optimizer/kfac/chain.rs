use super::factors::Damped;
use crate::distributed::portable;
use crate::error::Result;
use crate::linalg::symmetric_eigen;
use faer::Mat;

/// The inverse of the linear-Gaussian chain for T → ∞ (Option 2).
///
/// The derivatives w_t = vec(g_t a_tᵀ) are modelled as a stationary Gaussian chain with V₀ = A₀ ⊗ G₀ and
/// V₁ = A₁ ⊗ G₁. With Ψ̂ = V₀^{-½} V₁ V₀^{-½} its metric has the inverse
///
/// V₀^{-½} (I − Ψ̂)(I − Ψ̂ᵀΨ̂)⁻¹(I − Ψ̂ᵀ) V₀^{-½}
///
/// (T sits in G₀), which acts on a gradient through small matrices alone: with, for either factor,
/// P = C₁ᵀC₀⁻¹, Ψ̂ = U diag(√μ) Eᵀ and K = C₀^{-½} E,
///
/// X = Z − P_G Z P_Aᵀ;  X ← K_Gᵀ X K_A;  X_ij ← X_ij/(1 − μ_G,i μ_A,j);  X ← K_G X K_Aᵀ;  X ← X − P_Gᵀ X P_A.
///
/// # References
/// Martens, Ba and Johnson (2018), "Kronecker-factored curvature approximations for recurrent neural networks", section 3.5.4,
/// Option 2.
///
/// # Shapes
/// A_d is `[d_A, d_A]`, G_d `[d_G, d_G]`, a gradient Z `[d_G, d_A]`.
#[derive(Debug, Clone)]
pub struct LinearGaussianChain {
    inputs: Side,
    gradients: Side,
}

/// One factor: P, K and μ.
#[derive(Debug, Clone)]
struct Side {
    lag: Mat<f64>,
    basis: Mat<f64>,
    mu: Vec<f64>,
    range: Range,
}

/// The least and the greatest eigenvalue of C₀.
pub(super) type Range = (f64, f64);

/// Least value of what a pair of directions is divided by: a perfectly persistent pair has no stationary metric
/// (Option 2), and one that alternates perfectly over an even number of dates has a metric of zero (Option 1).
pub(super) const LEAST_DENOMINATOR: f64 = 1e-3;

portable!(LinearGaussianChain { inputs, gradients });
portable!(Side {
    lag,
    basis,
    mu,
    range
});

impl Side {
    fn new(c0: &Damped, c1: &Mat<f64>) -> Result<Self> {
        let (whitening, range) = c0.inverse_root()?;
        let psi = &whitening * c1 * &whitening;
        // Ψ̂ᵀΨ̂ = E diag(μ) Eᵀ is all that is needed; singular vectors on the left are not.
        let (mu, vectors) = symmetric_eigen(&(psi.transpose() * &psi))?;
        let inverse = &whitening * &whitening;
        Ok(Self {
            lag: c1.transpose() * &inverse,
            basis: &whitening * &vectors,
            mu: mu.iter().map(|mu| mu.clamp(0.0, 1.0)).collect(),
            range,
        })
    }
}

impl LinearGaussianChain {
    /// From damped factors at lag 0 and factors at lag 1 of inputs (A) and gradients (G).
    ///
    /// # Errors
    /// If a decomposition fails.
    pub fn new(a0: &Damped, a1: &Mat<f64>, g0: &Damped, g1: &Mat<f64>) -> Result<Self> {
        Ok(Self {
            inputs: Side::new(a0, a1)?,
            gradients: Side::new(g0, g1)?,
        })
    }

    /// The least and the greatest eigenvalue of A₀ ⊗ G₀.
    pub fn range(&self) -> (f64, f64) {
        let (a, g) = (self.inputs.range, self.gradients.range);
        (a.0 * g.0, a.1 * g.1)
    }

    /// The inverse metric times a gradient `[d_G, d_A]`.
    pub fn apply(&self, gradient: &Mat<f64>) -> Mat<f64> {
        let (a, g) = (&self.inputs, &self.gradients);
        let mut x = gradient - &g.lag * gradient * a.lag.transpose();
        x = g.basis.transpose() * x * &a.basis;
        for column in 0..x.ncols() {
            for row in 0..x.nrows() {
                x[(row, column)] /= (1.0 - g.mu[row] * a.mu[column]).max(LEAST_DENOMINATOR);
            }
        }
        x = &g.basis * x * a.basis.transpose();
        &x - g.lag.transpose() * &x * &a.lag
    }
}
