use super::record::{MapRecord, Record};
use crate::simd::{BLOCK, Lane, Real};

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
            inputs: sum_over_time(&map.inputs, self.steps, map.columns, share),
            gradients: sum_over_time(&map.gradients, self.steps, map.rows, 1.0),
        });
        Self {
            steps: 1,
            maps: maps.collect(),
        }
    }
}

/// `factor · Σ_t` of lanes `[blocks][steps][rows]`.
fn sum_over_time<R: Real>(
    lanes: &[Lane<R>],
    steps: usize,
    rows: usize,
    factor: f64,
) -> Vec<Lane<R>> {
    let factor = R::of(factor);
    let mut sums = vec![[R::ZERO; BLOCK]; lanes.len() / steps];
    for (sums, block) in sums
        .chunks_exact_mut(rows)
        .zip(lanes.chunks_exact(steps * rows))
    {
        for date in block.chunks_exact(rows) {
            for (sum, value) in sums.iter_mut().zip(date) {
                for lane in 0..BLOCK {
                    sum[lane] += factor * value[lane];
                }
            }
        }
    }
    sums
}
