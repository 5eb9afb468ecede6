//! Decompositions of symmetric matrices, by faer.

use crate::error::{Error, Result};
use faer::linalg::solvers::{Llt, Solve};
use faer::linalg::triangular_solve::solve_lower_triangular_in_place;
use faer::{Mat, Par, Side};

/// The eigenvalues (non-decreasing) and eigenvectors (columns) of a symmetric matrix.
///
/// # Errors
/// If the matrix has a value that is not finite.
pub fn symmetric_eigen(matrix: &Mat<f64>) -> Result<(Vec<f64>, Mat<f64>)> {
    let eigen = matrix.self_adjoint_eigen(Side::Lower).map_err(|error| {
        Error::Computation(format!(
            "eigenvalues of a {0} × {0} matrix: {error:?}",
            matrix.nrows()
        ))
    })?;
    let values = eigen.S().column_vector().iter().copied().collect();
    Ok((values, eigen.U().to_owned()))
}

/// C^{power} of a symmetric positive definite matrix with its eigenvalues moved up to `floor`.
pub fn symmetric_power(matrix: &Mat<f64>, power: f64, floor: f64) -> Result<Mat<f64>> {
    let (values, vectors) = symmetric_eigen(matrix)?;
    Ok(spectral_power(&values, &vectors, power, floor))
}

/// V diag(max(λ, `floor`)^{power}) Vᵀ
pub fn spectral_power(values: &[f64], vectors: &Mat<f64>, power: f64, floor: f64) -> Mat<f64> {
    let scaled = Mat::from_fn(vectors.nrows(), vectors.ncols(), |r, c| {
        vectors[(r, c)] * values[c].max(floor).powf(power)
    });
    &scaled * vectors.transpose()
}

/// Q of the QR decomposition: orthonormal columns that span those of a square matrix, in order.
pub fn orthonormal(matrix: &Mat<f64>) -> Mat<f64> {
    matrix.qr().compute_thin_Q()
}

/// Singular values (non-increasing) and right singular vectors (columns) of a matrix.
///
/// # Errors
/// If the matrix has a value that is not finite.
pub fn right_singular(matrix: &Mat<f64>) -> Result<(Vec<f64>, Mat<f64>)> {
    let svd = matrix.svd().map_err(|error| {
        Error::Computation(format!(
            "singular values of a {} × {} matrix: {error:?}",
            matrix.nrows(),
            matrix.ncols()
        ))
    })?;
    Ok((
        svd.S().column_vector().iter().copied().collect(),
        svd.V().to_owned(),
    ))
}

/// What `of` gives for every matrix and its partner.
///
/// # Panics
/// If there are not as many on both sides: one without a partner would be left out and never be missed.
pub fn paired<A, B, C>(a: &[A], b: &[B], of: impl Fn(&A, &B) -> C) -> Vec<C> {
    assert_eq!(a.len(), b.len(), "as many matrices on both sides");
    a.iter().zip(b).map(|(a, b)| of(a, b)).collect()
}

/// Σ a∘b
///
/// # Panics
/// If there are not as many matrices on both sides.
pub fn inner(a: &[Mat<f64>], b: &[Mat<f64>]) -> f64 {
    let of = |a: &Mat<f64>, b: &Mat<f64>| -> f64 {
        (0..a.ncols())
            .map(|c| (0..a.nrows()).map(|r| a[(r, c)] * b[(r, c)]).sum::<f64>())
            .sum()
    };
    paired(a, b, of).iter().sum()
}

/// `to += factor · values`
///
/// # Panics
/// If there are not as many matrices on both sides.
pub fn add_scaled(to: &mut [Mat<f64>], factor: f64, values: &[Mat<f64>]) {
    assert_eq!(to.len(), values.len(), "as many matrices on both sides");
    for (to, value) in to.iter_mut().zip(values) {
        *to += faer::Scale(factor) * value;
    }
}

/// The matrices times a number.
pub fn scaled(a: &[Mat<f64>], factor: f64) -> Vec<Mat<f64>> {
    a.iter().map(|a| faer::Scale(factor) * a).collect()
}

/// The solution x of (A + ρ diag A) x = b for a symmetric positive semi-definite A; columns of A that are zero have x = 0.
///
/// # Errors
/// If A has a value that is not finite, or is not positive definite even with the ridge ρ.
pub fn solve_positive(matrix: &Mat<f64>, right: &[f64], ridge: f64) -> Result<Vec<f64>> {
    let (scale, factor) = scaled_factor(matrix, ridge)?;
    let n = right.len();
    let mut solution = Mat::from_fn(n, 1, |row, _| scale[row] * right[row]);
    factor.solve_in_place(&mut solution);
    Ok((0..n).map(|row| scale[row] * solution[(row, 0)]).collect())
}

/// The lower triangular R with RᵀR = (A + ρ diag A)⁻¹ for a symmetric positive semi-definite A, of which the lower triangle is read; columns of A that are
/// zero are zero in R.
///
/// # Errors
/// Those of [`solve_positive`].
pub fn inverse_factor(matrix: &Mat<f64>, ridge: f64) -> Result<Mat<f64>> {
    let (scale, factor) = scaled_factor(matrix, ridge)?;
    let n = matrix.nrows();
    let mut inverse = Mat::from_fn(n, n, |row, column| match row == column {
        true => scale[row],
        false => 0.0,
    });
    solve_lower_triangular_in_place(factor.L(), inverse.as_mut(), Par::Seq);
    Ok(inverse)
}

/// The scales s with s_i² A_ii = 1, 0 where A_ii is, and the Cholesky factor of the matrix with entries s_i A_ij s_j and 1 + ρ on its diagonal.
fn scaled_factor(matrix: &Mat<f64>, ridge: f64) -> Result<(Vec<f64>, Llt<f64>)> {
    let n = matrix.nrows();
    let inverse_root = |i: usize| match matrix[(i, i)] > 0.0 {
        true => matrix[(i, i)].sqrt().recip(),
        false => 0.0,
    };
    let scale: Vec<f64> = (0..n).map(inverse_root).collect();
    let scaled = Mat::from_fn(n, n, |row, column| {
        let value = scale[row] * matrix[(row, column)] * scale[column];
        match row == column {
            // A column that is zero gives x = 0.
            true => 1.0 + ridge,
            false => value,
        }
    });
    let factor = scaled.llt(Side::Lower).map_err(|error| {
        Error::Computation(format!(
            "a {n} × {n} matrix is not positive definite: {error:?}"
        ))
    })?;
    Ok((scale, factor))
}
