use super::{Empty, State, Stateful};
use crate::error::Result;
use faer::Mat;

/// Running second moments of one map's gradient: L of GGᵀ and R of GᵀG.
///
/// With a decay β < 1 they are averages, βL + (1 − β)GGᵀ corrected for their start at 0; with β = 1 sums.
#[derive(Debug, Clone)]
pub struct GradientMoments {
    decay: f64,
    count: i32,
    left: Mat<f64>,
    right: Mat<f64>,
}

impl Stateful for GradientMoments {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("decay", &mut self.decay)?;
        state.field("count", &mut self.count)?;
        state.field("left", &mut self.left)?;
        state.field("right", &mut self.right)
    }
}

impl Empty for GradientMoments {
    fn empty() -> Self {
        Self::new(0.0, &Mat::new())
    }
}

impl GradientMoments {
    /// Nothing yet, for gradients of the shape of `like`.
    pub fn new(decay: f64, like: &Mat<f64>) -> Self {
        Self {
            decay,
            count: 0,
            left: Mat::zeros(like.nrows(), like.nrows()),
            right: Mat::zeros(like.ncols(), like.ncols()),
        }
    }

    /// Takes in a gradient.
    pub fn update(&mut self, gradient: &Mat<f64>) {
        let new = if self.decay < 1.0 {
            1.0 - self.decay
        } else {
            1.0
        };
        self.count += 1;
        self.left = faer::Scale(self.decay) * &self.left
            + faer::Scale(new) * (gradient * gradient.transpose());
        self.right = faer::Scale(self.decay) * &self.right
            + faer::Scale(new) * (gradient.transpose() * gradient);
    }

    /// The bias-corrected moments (L, R), in squared units of money.
    pub fn sides(&self) -> (Mat<f64>, Mat<f64>) {
        let correction = if self.decay < 1.0 {
            1.0 / (1.0 - self.decay.powi(self.count))
        } else {
            1.0
        };
        (
            faer::Scale(correction) * &self.left,
            faer::Scale(correction) * &self.right,
        )
    }
}
