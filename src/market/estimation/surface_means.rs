//! The mean equations of surface factors.

use crate::error::{Error, Result};
use crate::pricing::SurfaceFactors;
use faer::linalg::solvers::Solve;
use faer::{Mat, Side};

/// Of every factor α, its coefficients θ on all factors, and ν on its own value a day before.
pub type Means = [[f64; SurfaceFactors::COUNT + 2]; SurfaceFactors::COUNT];

/// α + Σ θ β + ν β₋₁
pub(super) fn expected(row: &[f64; 7], factors: &[f64; 5], before: f64) -> f64 {
    let own = factors.iter().zip(&row[1..]);
    row[0] + own.map(|(factor, theta)| factor * theta).sum::<f64>() + row[6] * before
}

/// The places in a row of means that are estimated, for every factor.
const ESTIMATED: [&[usize]; 5] = [
    &[0, 1, 2],
    &[0, 1, 2, 3, 5, 6],
    &[0, 2, 3],
    &[0, 1, 3, 4],
    &[0, 3, 5],
];

/// α, θ and ν by least squares, and whether they are stationary.
pub(super) fn mean_equations(factors: &[[f64; 5]]) -> Result<(Means, bool)> {
    let row = |factor: usize, places: &[usize]| -> Result<[f64; 7]> {
        let regressors = |t: usize| -> Vec<f64> {
            let known: Vec<f64> = std::iter::once(1.0)
                .chain(factors[t + 1])
                .chain([factors[t][factor]])
                .collect();
            places.iter().map(|place| known[*place]).collect()
        };
        let n = places.len();
        let (mut square, mut right) = (Mat::<f64>::zeros(n, n), Mat::<f64>::zeros(n, 1));
        for t in 0..factors.len() - 2 {
            let x = regressors(t);
            for i in 0..n {
                for j in 0..n {
                    square[(i, j)] += x[i] * x[j];
                }
                right[(i, 0)] += x[i] * factors[t + 2][factor];
            }
        }
        let solver = square.llt(Side::Lower).map_err(|_| {
            let name = SurfaceFactors::NAMES[factor];
            Error::input(format!(
                "the factors on which the {name} depends must move from day to day"
            ))
        })?;
        let solved = solver.solve(&right);
        let mut row = [0.0; 7];
        for (i, place) in places.iter().enumerate() {
            row[*place] = solved[(i, 0)];
        }
        Ok(row)
    };
    let mut means = [[0.0; 7]; 5];
    for (factor, places) in ESTIMATED.into_iter().enumerate() {
        means[factor] = row(factor, places)?;
    }
    if is_stationary(&means) {
        return Ok((means, true));
    }
    for factor in 0..5 {
        let mut alone = row(factor, &[0, factor + 1])?;
        let mean = factors.iter().map(|f| f[factor]).sum::<f64>() / factors.len() as f64;
        alone[factor + 1] = alone[factor + 1].clamp(0.0, 0.999);
        alone[0] = (1.0 - alone[factor + 1]) * mean;
        means[factor] = alone;
    }
    Ok((means, false))
}

/// Whether the 4,096th power of the companion matrix is small.
fn is_stationary(means: &Means) -> bool {
    let mut power = Mat::from_fn(6, 6, |i, j| match (i, j) {
        (5, 1) => 1.0,
        (5, _) => 0.0,
        (1, 5) => means[1][6],
        (_, 5) => 0.0,
        (i, j) => means[i][j + 1],
    });
    for _ in 0..12 {
        power = &power * &power;
        if !power.norm_max().is_finite() {
            return false;
        }
    }
    power.norm_max() < 0.5
}
