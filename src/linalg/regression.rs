//! Least squares from covariances.

/// The coefficients of the regression of variate 0 on variates 1 to `count`, given the covariances of all of them, by Cholesky's
/// factor. A variate that those before it explain to 10⁻⁸ of its variance takes no part: its coefficient is 0.
pub fn regression(count: usize, covariance: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let mut factor: Vec<Vec<f64>> = Vec::new();
    let mut used: Vec<usize> = Vec::new();
    let mut projected: Vec<f64> = Vec::new();
    for i in 1..=count {
        let mut row = Vec::new();
        for (k, &other) in used.iter().enumerate() {
            let known: f64 = row
                .iter()
                .zip(&factor[k])
                .map(|(a, b): (&f64, &f64)| a * b)
                .sum();
            row.push((covariance(i, other) - known) / factor[k][k]);
        }
        let own = covariance(i, i);
        let rest = own - row.iter().map(|x| x * x).sum::<f64>();
        if rest > 1e-8 * own && rest > 0.0 {
            let known: f64 = row.iter().zip(&projected).map(|(a, b)| a * b).sum();
            projected.push((covariance(i, 0) - known) / rest.sqrt());
            row.push(rest.sqrt());
            factor.push(row);
            used.push(i);
        }
    }
    let mut coefficients = vec![0.0; count];
    for k in (0..used.len()).rev() {
        let later = (k + 1..used.len()).map(|l| factor[l][k] * coefficients[used[l] - 1]);
        coefficients[used[k] - 1] = (projected[k] - later.sum::<f64>()) / factor[k][k];
    }
    coefficients
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A variate that is a sum of controls has their coefficients; a control that repeats others, or does not vary, has none.
    #[test]
    fn regression_finds_the_coefficients() {
        let columns: Vec<[f64; 5]> = (0..200)
            .map(|i| {
                let t = f64::from(i);
                let (a, b) = ((0.7 * t).sin(), (1.3 * t).cos());
                [2.0 * a - 3.0 * b, a, a, 0.0, b]
            })
            .collect();
        let n = columns.len() as f64;
        let mean = |i: usize| columns.iter().map(|row| row[i]).sum::<f64>() / n;
        let covariance = |i: usize, j: usize| {
            let product: f64 = columns.iter().map(|row| row[i] * row[j]).sum();
            product / n - mean(i) * mean(j)
        };
        let found = regression(4, covariance);
        for (found, expected) in found.iter().zip([2.0, 0.0, 0.0, -3.0]) {
            assert!((found - expected).abs() < 1e-10, "{found} {expected}");
        }
    }
}
