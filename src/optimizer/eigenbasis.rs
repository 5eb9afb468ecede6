use crate::linalg::orthonormal;
use faer::Mat;

/// One step of orthogonal iteration from a basis Q of eigenvectors of a symmetric moment C.
#[derive(Debug, Clone)]
pub struct RenewedBasis {
    /// The new basis Q ← qr(CQ), columns in decreasing order of the old qᵀCq.
    pub basis: Mat<f64>,
    /// The old place of every column.
    pub places: Vec<usize>,
    /// The share ‖offdiag(QᵀCQ)‖/‖C‖ that the old basis left beside the diagonal; 0 where C is zero.
    pub off_diagonal: f64,
}

impl RenewedBasis {
    /// The basis after one step from `basis` for `moment`, both `[size, size]`.
    pub fn of(moment: &Mat<f64>, basis: &Mat<f64>) -> Self {
        let product = moment * basis;
        let size = basis.ncols();
        let values: Vec<f64> = (0..size)
            .map(|c| (0..size).map(|r| basis[(r, c)] * product[(r, c)]).sum())
            .collect();
        let mut places: Vec<usize> = (0..size).collect();
        places.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
        let sorted = Mat::from_fn(size, size, |r, c| product[(r, places[c])]);
        let norm = moment.squared_norm_l2();
        let diagonal: f64 = values.iter().map(|value| value * value).sum();
        let off_diagonal = if norm > 0.0 {
            (1.0 - diagonal / norm).max(0.0).sqrt()
        } else {
            0.0
        };
        Self {
            basis: orthonormal(&sorted),
            places,
            off_diagonal,
        }
    }
}
