use crate::linalg::{inner, scaled};
use crate::network::Record;
use faer::Mat;

/// Where a step starts: the gradient, and the scale c and damping λ of the model
///
/// M(s) = gᵀs + c/2 ((1/n) Σ_b h_b (J_b·s)² + λ |s|²).
pub struct Step<'a> {
    pub gradient: &'a [Mat<f64>],
    pub scale: f64,
    pub damping: f64,
    /// Root-mean-square change of P&L that the step may make, in currency.
    pub radius: f64,
}

/// A step with its length in money and the change of the risk that the undamped model predicts.
pub struct Taken {
    pub change: Vec<Mat<f64>>,
    pub length: f64,
    pub pnl_change: f64,
    pub predicted: f64,
}

impl Step<'_> {
    /// The step along `direction`, which changes P&L by `size`, that changes it by the radius.
    pub fn of_size(&self, direction: Vec<Mat<f64>>, size: f64) -> Taken {
        let length = if size > 0.0 { self.radius / size } else { 0.0 };
        self.taken(scaled(&direction, length), length, length * size)
    }

    /// The step α d + μ v that minimises the damped model on a record (scaled by √h), cut back to the radius; v is the
    /// last step.
    ///
    /// # References
    /// Martens and Grosse (2015), section 7.
    pub fn minimise(
        &self,
        record: &Record<f32>,
        direction: Vec<Mat<f64>>,
        last: &[Mat<f64>],
    ) -> Taken {
        let mut basis = vec![direction];
        if !last.is_empty() {
            basis.push(last.to_vec());
        }
        let moved: Vec<Vec<f64>> = basis
            .iter()
            .map(|vector| record.directional(vector))
            .collect();
        let n = moved[0].len() as f64;
        let size = basis.len();
        let model = Mat::from_fn(size, size, |i, j| {
            let product: f64 = moved[i].iter().zip(&moved[j]).map(|(a, b)| a * b).sum();
            self.scale * (product / n + self.damping * inner(&basis[i], &basis[j]))
        });
        let slope: Vec<f64> = basis.iter().map(|v| inner(self.gradient, v)).collect();
        let coefficients = solve(&model, &slope);
        let mut change = scaled(&basis[0], coefficients[0]);
        if let (Some(last), Some(weight)) = (basis.get(1), coefficients.get(1)) {
            for (change, last) in change.iter_mut().zip(last) {
                *change += faer::Scale(*weight) * last;
            }
        }
        let size = root_mean_square(&record.directional(&change));
        let cut = if size > self.radius {
            self.radius / size
        } else {
            1.0
        };
        self.taken(scaled(&change, cut), cut * coefficients[0], cut * size)
    }

    fn taken(&self, change: Vec<Mat<f64>>, length: f64, pnl_change: f64) -> Taken {
        let slope = inner(self.gradient, &change);
        Taken {
            predicted: slope + 0.5 * self.scale * pnl_change * pnl_change,
            change,
            length,
            pnl_change,
        }
    }
}

/// The minimiser −C⁻¹b of bᵀx + ½xᵀCx for one or two unknowns; the second is left at 0 where C is singular.
fn solve(model: &Mat<f64>, slope: &[f64]) -> Vec<f64> {
    let first = model[(0, 0)];
    let alone = if first > 0.0 { -slope[0] / first } else { 0.0 };
    if slope.len() == 1 {
        return vec![alone];
    }
    let (cross, second) = (model[(0, 1)], model[(1, 1)]);
    let determinant = first * second - cross * cross;
    if determinant <= 1e-12 * first * second {
        return vec![alone, 0.0];
    }
    vec![
        (cross * slope[1] - second * slope[0]) / determinant,
        (cross * slope[0] - first * slope[1]) / determinant,
    ]
}

pub fn root_mean_square(values: &[f64]) -> f64 {
    (values.iter().map(|v| v * v).sum::<f64>() / values.len() as f64).sqrt()
}
