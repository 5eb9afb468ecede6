use crate::simd::{BLOCK, Lane, Real, multiply_add};
use faer::Mat;

/// The linear head that takes [h; 1] to the outputs of a date. It has few rows, which is why they are not packed.
#[derive(Debug, Clone)]
pub struct LinearHead<R> {
    /// The weights of every output, the bias last.
    rows: Vec<Vec<R>>,
}

impl<R: Real> LinearHead<R> {
    /// The head with weights `[outputs, hidden + 1]`.
    pub fn new(weights: &Mat<f64>) -> Self {
        let row = |i: usize| {
            (0..weights.ncols())
                .map(|u| R::of(weights[(i, u)]))
                .collect()
        };
        Self {
            rows: (0..weights.nrows()).map(row).collect(),
        }
    }

    /// The outputs of one date.
    #[inline(always)]
    pub fn outputs<const FMA: bool>(&self, hidden: &[Lane<R>], outputs: &mut [Lane<R>]) {
        for (row, out) in self.rows.iter().zip(outputs) {
            let mut sum = [row[row.len() - 1]; BLOCK];
            for (w, h) in row.iter().zip(hidden) {
                for lane in 0..BLOCK {
                    sum[lane] = multiply_add::<R, FMA>(*w, h[lane], sum[lane]);
                }
            }
            *out = sum;
        }
    }

    /// ∂z/∂h of all units through the outputs of one date, whose derivatives are `gradients`.
    #[inline(always)]
    pub fn derivative<const FMA: bool>(&self, gradients: &[Lane<R>], hidden: &mut [Lane<R>]) {
        for (unit, out) in hidden.iter_mut().enumerate() {
            *out = self.unit::<FMA>(unit, gradients);
        }
    }

    /// ∂z/∂h of one unit.
    #[inline(always)]
    pub fn unit<const FMA: bool>(&self, unit: usize, gradients: &[Lane<R>]) -> Lane<R> {
        let mut sum = gradients[0];
        for lane in 0..BLOCK {
            sum[lane] *= self.rows[0][unit];
        }
        for (row, gradient) in self.rows.iter().zip(gradients).skip(1) {
            for lane in 0..BLOCK {
                sum[lane] = multiply_add::<R, FMA>(row[unit], gradient[lane], sum[lane]);
            }
        }
        sum
    }
}
