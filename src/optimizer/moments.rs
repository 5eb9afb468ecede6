use super::first_order::zeros;
use super::{State, Stateful};
use crate::error::Result;
use faer::Mat;

/// Adam's running averages of gradients and of their squares.
///
/// m ← β₁m + (1 − β₁)g and v ← β₂v + (1 − β₂)g∘g after n updates give m̂ = m/(1 − β₁ⁿ) and v̂ = v/(1 − β₂ⁿ).
///
/// # References
/// Kingma and Ba (2015), algorithm 1.
#[derive(Debug, Clone)]
pub struct AdaptiveMoments {
    /// The decay β₁ of the average of gradients.
    pub beta1: f64,
    /// The decay β₂ of the average of their squares.
    pub beta2: f64,
    count: i32,
    mean: Vec<Mat<f64>>,
    square: Vec<Mat<f64>>,
}

impl Stateful for AdaptiveMoments {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.field("count", &mut self.count)?;
        state.field("mean", &mut self.mean)?;
        state.field("square", &mut self.square)
    }
}

impl AdaptiveMoments {
    /// Nothing averaged yet.
    pub fn new(beta1: f64, beta2: f64) -> Self {
        Self {
            beta1,
            beta2,
            count: 0,
            mean: Vec::new(),
            square: Vec::new(),
        }
    }

    /// The change `factor` · m̂/(√v̂ + ε) with ε = 1e-8, in units of money per unit of weight, after the averages have taken in `gradient`.
    pub fn direction(&mut self, gradient: &[Mat<f64>], factor: f64) -> Vec<Mat<f64>> {
        const EPSILON: f64 = 1e-8;
        let Self { beta1, beta2, .. } = *self;
        if self.mean.is_empty() {
            self.mean = zeros(gradient);
            self.square = zeros(gradient);
        }
        self.count += 1;
        let (correct1, correct2) = (1.0 - beta1.powi(self.count), 1.0 - beta2.powi(self.count));
        gradient
            .iter()
            .zip(self.mean.iter_mut().zip(&mut self.square))
            .map(|(gradient, (mean, square))| {
                Mat::from_fn(gradient.nrows(), gradient.ncols(), |r, c| {
                    let g = gradient[(r, c)];
                    mean[(r, c)] = beta1 * mean[(r, c)] + (1.0 - beta1) * g;
                    square[(r, c)] = beta2 * square[(r, c)] + (1.0 - beta2) * g * g;
                    factor * (mean[(r, c)] / correct1)
                        / ((square[(r, c)] / correct2).sqrt() + EPSILON)
                })
            })
            .collect()
    }

    /// The averages m and v of a map, for a change of coordinates.
    pub(super) fn averages(&mut self, map: usize) -> (&mut Mat<f64>, &mut Mat<f64>) {
        (&mut self.mean[map], &mut self.square[map])
    }

    /// The bias-corrected average m̂ of gradients, `[rows, columns]` of every map.
    pub fn mean(&self) -> Vec<Mat<f64>> {
        crate::linalg::scaled(&self.mean, 1.0 / (1.0 - self.beta1.powi(self.count)))
    }
}
