use crate::error::{Error, Fault, Result};
use crate::linalg::symmetric_eigen;
use faer::Mat;
use serde::{Serialize, Serializer};

/// The correlation matrix C of what moves the spots of several assets, and its factor.
///
/// # Shapes
/// C is n × n for n assets, in their order: symmetric, with a diagonal of ones and no eigenvalue below 0. Eigenvalues of 0 are
/// allowed, so that entries may be ±1.
#[derive(Debug, Clone, PartialEq)]
pub struct Correlation {
    matrix: Vec<Vec<f64>>,
    factor: Vec<Vec<f64>>,
}

/// What rounding may leave of an entry that should be 0, or of an eigenvalue below it.
const ROUNDING: f64 = 1e-12;

impl Correlation {
    /// The key of a strategy that names it.
    pub const KEY: &'static str = "market.correlation";

    /// The correlation of `count` assets that are independent of each other.
    pub fn independent(count: usize) -> Self {
        let row = |i: usize| (0..count).map(|j| f64::from(u8::from(i == j))).collect();
        let matrix: Vec<Vec<f64>> = (0..count).map(row).collect();
        Self {
            factor: matrix.clone(),
            matrix,
        }
    }

    /// A correlation matrix by its rows.
    ///
    /// # Errors
    /// [`Error::Setting`] at [`Self::KEY`] with the entry or the eigenvalue that is at fault, if the matrix is not square,
    /// symmetric, of unit diagonal and positive semi-definite.
    pub fn new(matrix: Vec<Vec<f64>>) -> Result<Self> {
        let fault = |key: String, bound: String, value: f64| {
            let value = value.to_string();
            Error::setting(key, Fault::Bound { bound, value })
        };
        let count = matrix.len();
        for (i, row) in matrix.iter().enumerate() {
            if row.len() != count {
                return Err(Error::key(
                    format!("{}[{}]", Self::KEY, i + 1),
                    format!("has {} entries, and the matrix {count} rows", row.len()),
                ));
            }
            for (j, &entry) in row.iter().enumerate() {
                let key = || format!("{}[{}][{}]", Self::KEY, i + 1, j + 1);
                if i == j && entry != 1.0 {
                    return Err(fault(key(), "1, as all of the diagonal".into(), entry));
                }
                if !(-1.0..=1.0).contains(&entry) {
                    return Err(fault(key(), "in [-1, 1]".into(), entry));
                }
                if j < i && (entry - matrix[j][i]).abs() > ROUNDING {
                    let mirrored = format!("{}, as entry [{}][{}] is", matrix[j][i], j + 1, i + 1);
                    return Err(fault(key(), mirrored, entry));
                }
            }
        }
        let (eigenvalues, _) = symmetric_eigen(&Mat::from_fn(count, count, |i, j| matrix[i][j]))?;
        if let Some(&least) = eigenvalues.first()
            && least < -ROUNDING * count as f64
        {
            return Err(Error::key(
                Self::KEY,
                format!(
                    "must be positive semi-definite: no shocks have these correlations, the smallest eigenvalue is {least:.4}"
                ),
            ));
        }
        Ok(Self {
            factor: factor(&matrix),
            matrix,
        })
    }

    /// The number of assets.
    pub fn count(&self) -> usize {
        self.matrix.len()
    }

    /// C, by its rows.
    pub fn matrix(&self) -> &[Vec<f64>] {
        &self.matrix
    }

    /// The lower triangular A of A Aᵀ = C, by its rows: A w has the correlation C if w is a vector of independent unit normals.
    pub fn factor(&self) -> &[Vec<f64>] {
        &self.factor
    }
}

impl Serialize for Correlation {
    /// The rows of the matrix.
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.matrix.serialize(serializer)
    }
}

/// Cholesky's factor, row by row. faer's refuses a matrix with an eigenvalue of 0; here a pivot of 0 leaves its column 0, as in a
/// positive semi-definite matrix what is left of that column is 0 too.
fn factor(matrix: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let count = matrix.len();
    let mut factor = vec![vec![0.0; count]; count];
    for i in 0..count {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| factor[i][k] * factor[j][k]).sum();
            let rest = matrix[i][j] - known;
            factor[i][j] = if i == j {
                if rest > ROUNDING { rest.sqrt() } else { 0.0 }
            } else if factor[j][j] > 0.0 {
                rest / factor[j][j]
            } else {
                0.0
            };
        }
    }
    factor
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Aᵀ = C, with A lower triangular, for matrices of full rank and of rank 1, 2 and 3 of 4.
    #[test]
    fn the_factor_times_itself_is_the_matrix() {
        let from_columns = |columns: &[[f64; 4]]| -> Vec<Vec<f64>> {
            let dot = |i: usize, j: usize| columns.iter().map(|c| c[i] * c[j]).sum::<f64>();
            let entry = |i: usize, j: usize| match i == j {
                true => 1.0,
                false => dot(i, j) / (dot(i, i) * dot(j, j)).sqrt(),
            };
            (0..4)
                .map(|i| (0..4).map(|j| entry(i, j)).collect())
                .collect()
        };
        let columns = [
            [1.0, -1.0, 2.0, 0.5],
            [0.5, 1.0, -1.0, 0.1],
            [0.3, 0.2, 0.1, -2.0],
            [1.0, 0.4, 0.2, 0.7],
        ];
        for rank in 1..=4 {
            let matrix = from_columns(&columns[..rank]);
            let correlation = Correlation::new(matrix.clone()).expect("a correlation matrix");
            let factor = correlation.factor();
            for i in 0..4 {
                assert!(factor[i][i + 1..].iter().all(|above| *above == 0.0));
                for j in 0..4 {
                    let product: f64 = (0..4).map(|k| factor[i][k] * factor[j][k]).sum();
                    assert!(
                        (product - matrix[i][j]).abs() < 1e-6,
                        "{rank}: {i}, {j}: {product}, {}",
                        matrix[i][j]
                    );
                }
            }
        }
        let none = Correlation::independent(3);
        assert_eq!(Correlation::new(none.matrix().to_vec()).unwrap(), none);
    }

    /// Each defect of a matrix is refused at the key, and the message names the entry or the eigenvalue: of
    /// [[1, .9, −.9], [.9, 1, .9], [−.9, .9, 1]] the eigenvalues are 1.9, 1.9 and −0.8.
    #[test]
    fn a_matrix_that_is_none_is_refused_with_its_entry() {
        let refused = |rows: &[&[f64]]| {
            let rows = rows.iter().map(|row| row.to_vec()).collect();
            let error = Correlation::new(rows).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            error.to_string()
        };
        for (rows, message) in [
            (
                &[&[1.0, 0.5][..], &[0.4, 1.0]][..],
                "`market.correlation[2][1]` must be 0.5, as entry [1][2] is, was 0.4",
            ),
            (
                &[&[1.0, 0.5], &[0.5, 0.9]],
                "`market.correlation[2][2]` must be 1, as all of the diagonal, was 0.9",
            ),
            (
                &[&[1.0, 1.5], &[1.5, 1.0]],
                "`market.correlation[1][2]` must be in [-1, 1], was 1.5",
            ),
            (
                &[&[1.0, f64::NAN], &[0.5, 1.0]],
                "`market.correlation[1][2]` must be in [-1, 1], was NaN",
            ),
            (
                &[&[1.0, 0.5], &[0.5]],
                "`market.correlation[2]` has 1 entries, and the matrix 2 rows",
            ),
            (
                &[&[1.0, 0.9, -0.9], &[0.9, 1.0, 0.9], &[-0.9, 0.9, 1.0]],
                "the smallest eigenvalue is -0.8000",
            ),
        ] {
            let found = refused(rows);
            assert!(found.contains(message), "{found}");
        }
    }
}
