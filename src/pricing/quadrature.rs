//! Gauss–Legendre quadrature.

use std::f64::consts::PI;
use std::sync::LazyLock;

/// Points per panel. A panel integrates `e^{iθt}`, `t ∈ [−1, 1]`, to about 10⁻¹⁵ for `θ ≤ 8`.
pub const ORDER: usize = 16;

/// Nodes and weights on `[−1, 1]`.
pub static GAUSS_LEGENDRE: LazyLock<[(f64, f64); ORDER]> = LazyLock::new(|| {
    let mut rule = [(0.0, 0.0); ORDER];
    for (i, entry) in rule.iter_mut().enumerate() {
        // Tricomi's first approximation to the root, then Newton on the Legendre polynomial.
        let mut x = (PI * (i as f64 + 0.75) / (ORDER as f64 + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..8 {
            let (value, derivative) = legendre(x);
            x -= value / derivative;
            slope = legendre(x).1;
        }
        *entry = (x, 2.0 / ((1.0 - x * x) * slope * slope));
    }
    rule
});

/// `P_n(x)` and `P_n'(x)` by Bonnet's recurrence, `n` = [`ORDER`].
fn legendre(x: f64) -> (f64, f64) {
    let (mut previous, mut value) = (1.0, x);
    for k in 2..=ORDER {
        let k = k as f64;
        let next = ((2.0 * k - 1.0) * x * value - (k - 1.0) * previous) / k;
        (previous, value) = (value, next);
    }
    let derivative = ORDER as f64 * (x * value - previous) / (x * x - 1.0);
    (value, derivative)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An n-point Gauss rule is exact for polynomials of degree 2n − 1.
    #[test]
    fn exact_for_polynomials() {
        for degree in 0..2 * ORDER as i32 {
            let sum: f64 = GAUSS_LEGENDRE.iter().map(|(x, w)| w * x.powi(degree)).sum();
            let exact = if degree % 2 == 0 {
                2.0 / f64::from(degree + 1)
            } else {
                0.0
            };
            assert!((sum - exact).abs() < 1e-14, "degree {degree}");
        }
    }

    /// The claim on which the panel widths of the Fourier integrals rest.
    #[test]
    fn resolves_eight_radians_either_side() {
        let sum: f64 = GAUSS_LEGENDRE
            .iter()
            .map(|(x, w)| w * (8.0 * x).cos())
            .sum();
        assert!((sum - 8f64.sin() / 4.0).abs() < 2e-15);
    }
}
