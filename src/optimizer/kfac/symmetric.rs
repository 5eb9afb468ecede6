use super::chain::{LEAST_DENOMINATOR, Range};
use super::factors::Damped;
use crate::distributed::portable;
use crate::error::Result;
use crate::linalg::symmetric_eigen;
use faer::Mat;

/// The inverse of the linear-Gaussian chain of T dates with a symmetric Ψ̂ (Option 1).
///
/// The lagged factors are replaced by their symmetric parts. With Ψ̂ = C₀^{-½} ½(C₁ + C₁ᵀ) C₀^{-½} =
/// U diag(ψ) Uᵀ and L = C₀^{-½} U for either factor,
///
/// F⁻¹Z = L_G [(L_Gᵀ Z L_A) ∘ Γ] L_Aᵀ,  1/Γ_ij = 1 + 2 Σ_{d<T} (1 − d/T) x^d,  x = ψ_G,i ψ_A,j
///
/// (T sits in G₀). ψ keeps its sign: derivatives that alternate in time make the metric small. The sum is
/// taken by Horner's rule, because its closed form cancels where x is near 1, and there it always is for the
/// constant input.
///
/// # References
/// Martens, Ba and Johnson (2018), "Kronecker-factored curvature approximations for recurrent neural networks", section 3.5.3,
/// Option 1.
///
/// # Shapes
/// A_d is `[d_A, d_A]`, G_d `[d_G, d_G]`, a gradient Z and Γ `[d_G, d_A]`.
#[derive(Debug, Clone)]
pub struct SymmetricChain {
    /// The root L_A of inputs, `[d_A, d_A]`.
    inputs: Mat<f64>,
    /// The root L_G of gradients, `[d_G, d_G]`.
    gradients: Mat<f64>,
    /// The gains Γ, `[d_G, d_A]`.
    gain: Mat<f64>,
    /// The least and the greatest eigenvalue of A₀ ⊗ G₀.
    range: Range,
}

portable!(SymmetricChain {
    inputs,
    gradients,
    gain,
    range
});

impl SymmetricChain {
    /// From damped factors at lag 0 and factors at lag 1 of inputs (A) and gradients (G), for `steps` dates.
    ///
    /// # Errors
    /// If a decomposition fails.
    pub fn new(
        a0: &Damped,
        a1: &Mat<f64>,
        g0: &Damped,
        g1: &Mat<f64>,
        steps: usize,
    ) -> Result<Self> {
        let (inputs, psi_a, a) = whitened(a0, a1)?;
        let (gradients, psi_g, g) = whitened(g0, g1)?;
        let gain = Mat::from_fn(psi_g.len(), psi_a.len(), |row, column| {
            1.0 / time_sum(psi_g[row] * psi_a[column], steps).max(LEAST_DENOMINATOR)
        });
        Ok(Self {
            inputs,
            gradients,
            gain,
            range: (a.0 * g.0, a.1 * g.1),
        })
    }

    /// Without correlation in time: Z ↦ G₀⁻¹ Z A₀⁻¹.
    ///
    /// # Errors
    /// If a decomposition fails.
    pub fn independent(a0: &Damped, g0: &Damped) -> Result<Self> {
        let ((inputs, a), (gradients, g)) = (a0.inverse_root()?, g0.inverse_root()?);
        Ok(Self {
            gain: Mat::full(gradients.nrows(), inputs.nrows(), 1.0),
            inputs,
            gradients,
            range: (a.0 * g.0, a.1 * g.1),
        })
    }

    /// The least and the greatest eigenvalue of A₀ ⊗ G₀.
    pub fn range(&self) -> (f64, f64) {
        self.range
    }

    /// The inverse metric times a gradient `[d_G, d_A]`.
    pub fn apply(&self, gradient: &Mat<f64>) -> Mat<f64> {
        let mut x = self.gradients.transpose() * gradient * &self.inputs;
        for column in 0..x.ncols() {
            for row in 0..x.nrows() {
                x[(row, column)] *= self.gain[(row, column)];
            }
        }
        &self.gradients * x * self.inputs.transpose()
    }
}

/// L and ψ of one factor, and the range of C₀'s eigenvalues.
fn whitened(c0: &Damped, c1: &Mat<f64>) -> Result<(Mat<f64>, Vec<f64>, Range)> {
    let (whitening, range) = c0.inverse_root()?;
    let symmetric = faer::Scale(0.5) * (c1 + c1.transpose());
    let (psi, vectors) = symmetric_eigen(&(&whitening * symmetric * &whitening))?;
    let psi = psi.iter().map(|psi| psi.clamp(-1.0, 1.0)).collect();
    Ok((whitening * vectors, psi, range))
}

/// The sum 1 + 2 Σ_{d=1}^{T−1} (1 − d/T) x^d = (1/T) Σ_{s,t} x^{|s−t|} over T dates.
fn time_sum(x: f64, steps: usize) -> f64 {
    let lagged = (1..steps)
        .rev()
        .fold(0.0, |sum, d| x * (sum + (1.0 - d as f64 / steps as f64)));
    1.0 + 2.0 * lagged
}
