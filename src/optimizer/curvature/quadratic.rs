use crate::linalg::{add_scaled, inner, scaled};
use crate::network::Record;
use faer::Mat;

/// Where a step starts: the gradient, and the scale c and damping λ of the model
///
/// M(s) = gᵀs + c/2 ((1/n) Σ_b h_b (J_b·s)² + λ |s|²), in units of money.
pub struct Step<'a> {
    /// The gradient g of every map, `[rows, columns]`.
    pub gradient: &'a [Mat<f64>],
    /// The scale c, in one over units of money.
    pub scale: f64,
    /// The greatest |gᵀs| of a step s whose root-mean-square change of P&L over the batch is 1.
    pub steepest: f64,
    /// The damping λ, in squared units of money.
    pub damping: f64,
    /// Root-mean-square change of P&L that the step may make, in units of money.
    pub radius: f64,
}

/// A step with its length in units of money and the change of the risk that the undamped model predicts.
pub struct Taken {
    /// The step s of every map.
    pub change: Vec<Mat<f64>>,
    /// The multiple α of the direction that is in it.
    pub length: f64,
    /// Its root-mean-square change of P&L over paths that count h_b times, in units of money.
    pub pnl_change: f64,
    /// The change gᵀs + c/2 (1/n) Σ_b h_b (J_b·s)² of the risk, in units of money.
    pub predicted: f64,
}

impl Step<'_> {
    /// The step along `direction`, which changes P&L by `size` on a record, that changes it by the radius.
    pub fn of_size(&self, direction: Vec<Mat<f64>>, size: f64) -> Taken {
        let size = self.at_least(size, &direction);
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
        // J·(α d + μ v) is α J·d + μ J·v.
        let (mut change, mut pnl) = (scaled(&basis[0], 0.0), vec![0.0; moved[0].len()]);
        for ((weight, vector), moved) in coefficients.iter().zip(&basis).zip(&moved) {
            add_scaled(&mut change, *weight, vector);
            pnl.iter_mut()
                .zip(moved)
                .for_each(|(z, m)| *z += weight * m);
        }
        let size = self.at_least(root_mean_square(&pnl), &change);
        let cut = if size > self.radius {
            self.radius / size
        } else {
            1.0
        };
        self.taken(scaled(&change, cut), cut * coefficients[0], cut * size)
    }

    /// The root mean square of the change of P&L that a step makes on a record, and at least |gᵀs|/`steepest`, which the gradient knows
    /// of it on the whole batch.
    ///
    /// A record of few paths may have none of those that a step changes most: where derivatives grow from date to date its root mean
    /// square may be a hundredth of the batch's, and a step of the radius by the record alone ends where nothing is learnt any more.
    fn at_least(&self, size: f64, step: &[Mat<f64>]) -> f64 {
        size.max(inner(self.gradient, step).abs() / self.steepest)
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

/// The root mean square √((1/n) Σ v²) of values.
pub fn root_mean_square(values: &[f64]) -> f64 {
    (values.iter().map(|v| v * v).sum::<f64>() / values.len() as f64).sqrt()
}
