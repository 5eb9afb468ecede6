use super::record::{MapRecord, Record};
use crate::simd::{BLOCK, Dates, Real};

impl<R: Real> Record<R> {
    /// The record of one date that holds the mean input (1/T) Σ_t a_t and the sum Σ_t g_t of every path.
    ///
    /// Its J_b is the derivative of a network whose inputs do not vary in time: the *reduce* setting of weight
    /// sharing.
    ///
    /// # References
    /// Eschenhagen, Immer, Turner, Schneider and Hennig (2023), "Kronecker-factored approximate curvature for modern
    /// neural network architectures", K-FAC-reduce.
    pub fn reduced(&self) -> Self {
        let share = 1.0 / self.steps as f64;
        let maps = self.maps.iter().map(|map| MapRecord {
            rows: map.rows,
            columns: map.columns,
            gates: map.gates,
            inputs: sum_over_time(&map.inputs, self.steps, share),
            gradients: sum_over_time(&map.gradients, self.steps, 1.0),
        });
        Self {
            spread: self.spread.clone(),
            steps: 1,
            maps: maps.collect(),
            factors: self.factors.clone(),
        }
    }
}

/// `factor · Σ_t` of the dates of every block.
fn sum_over_time<R: Real>(dates: &Dates<R>, steps: usize, factor: f64) -> Dates<R> {
    let factor = R::of(factor);
    let mut sums = Dates::zeros(dates.count() / steps, dates.rows());
    for t in 0..dates.count() {
        for (sum, value) in sums.at_mut(t / steps).iter_mut().zip(dates.at(t)) {
            for lane in 0..BLOCK {
                sum[lane] += factor * value[lane];
            }
        }
    }
    sums
}
