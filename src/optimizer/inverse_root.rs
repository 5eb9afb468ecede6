use super::{State, Stateful};
use crate::error::Result;
use faer::Mat;

/// K with K Kᵀ ≈ (S + λ I)⁻¹, S the average of curvature matrices, kept without inverting or decomposing any.
///
/// m ← α m + ½(w KᵀSK + λ KᵀK − I),  K ← K − β K m, the first-order factor of K exp(−β m). For α = 0 and w = 1 and
/// K Kᵀ = (S₀ + λ I)⁻¹ one move gives ((1 − β) S₀ + β S + λ I)⁻¹ up to an error of order β².
#[derive(Debug, Clone)]
pub struct InverseRoot {
    /// The root K, `[size, size]`.
    pub root: Mat<f64>,
    momentum: Mat<f64>,
}

/// The numbers of one move of an [`InverseRoot`].
#[derive(Debug, Clone, Copy)]
pub struct Move {
    /// The weight w of the curvature.
    pub weight: f64,
    /// The damping λ.
    pub damping: f64,
    /// The decay α of the momentum m.
    pub momentum: f64,
    /// The rate β of the move; where an entry of m exceeds 1 it is divided by the largest.
    pub rate: f64,
}

impl Stateful for InverseRoot {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("root", &mut self.root)?;
        state.field("momentum", &mut self.momentum)
    }
}

impl InverseRoot {
    /// The root K that is given, without momentum.
    pub fn new(root: Mat<f64>) -> Self {
        Self {
            momentum: Mat::zeros(root.nrows(), root.ncols()),
            root,
        }
    }

    /// The multiple of the identity that fits the mean eigenvalue of S + λ I.
    pub(super) fn of_size(curvature: &Mat<f64>, damping: f64) -> Self {
        let size = curvature.nrows();
        let scale = (trace(curvature) / size as f64 + damping).powf(-0.5);
        Self::new(faer::Scale(scale) * Mat::<f64>::identity(size, size))
    }

    /// The inverse K Kᵀ.
    pub fn inverse(&self) -> Mat<f64> {
        &self.root * self.root.transpose()
    }

    /// tr KᵀSK / d
    pub(super) fn mean_trace(&self, curvature: &Mat<f64>) -> f64 {
        trace(&self.seen(curvature)) / self.root.ncols() as f64
    }

    /// ‖K‖²/d
    pub(super) fn mean_square(&self) -> f64 {
        self.root.squared_norm_l2() / self.root.ncols() as f64
    }

    /// KᵀSK
    fn seen(&self, curvature: &Mat<f64>) -> Mat<f64> {
        self.root.transpose() * curvature * &self.root
    }

    /// Moves K by new curvature S.
    pub fn take(&mut self, curvature: &Mat<f64>, by: Move) {
        let size = curvature.nrows();
        let excess = faer::Scale(by.weight) * self.seen(curvature)
            + faer::Scale(by.damping) * (self.root.transpose() * &self.root)
            - Mat::<f64>::identity(size, size);
        self.momentum = faer::Scale(by.momentum) * &self.momentum + faer::Scale(0.5) * excess;
        let rate = by.rate / self.momentum.norm_max().max(1.0);
        let change = &self.root * &self.momentum;
        self.root -= faer::Scale(rate) * change;
    }
}

fn trace(matrix: &Mat<f64>) -> f64 {
    matrix.diagonal().column_vector().iter().sum()
}
