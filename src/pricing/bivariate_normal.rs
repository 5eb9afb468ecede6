//! The bivariate standard normal distribution.

use super::normal::normal_cdf;
use super::quadrature::GAUSS_LEGENDRE;
use std::f64::consts::{FRAC_PI_2, TAU};

/// The distribution function of two standard normals of correlation ρ, `P(X ≤ h, Y ≤ k)`, to 10⁻¹³ or better.
///
/// # Formula
///
/// For ρ ≥ 0, with `ψ = arccos ρ`,
///
/// ```text
/// N₂(h, k; ρ) = Φ(h)Φ(k) + 1/(2π) ∫_ψ^{π/2} exp(−(h − k)²/(2 sin²t) − hk/(1 + cos t)) dt
/// ```
///
/// and `N₂(h, k; ρ) = Φ(h) − N₂(h, −k; −ρ)` for ρ < 0. The integrand changes over `t ~ |h − k|`, so the range is cut into
/// panels each twice as long as the one before, of 16 Gauss points.
///
/// # References
///
/// Z. Drezner and G. O. Wesolowsky (1990), "On the computation of the bivariate normal integral", Journal of Statistical
/// Computation and Simulation 35; A. Genz (2004), "Numerical computation of rectangular bivariate and trivariate
/// normal and t probabilities", Statistics and Computing 14.
///
/// ```
/// use deephedge::pricing::bivariate_normal_cdf;
///
/// // Sheppard (1899): P(X ≤ 0, Y ≤ 0) = 1/4 + arcsin(ρ)/2π, here 1/3.
/// assert!((bivariate_normal_cdf(0.0, 0.0, 0.5) - 1.0 / 3.0).abs() < 1e-15);
/// ```
pub fn bivariate_normal_cdf(h: f64, k: f64, correlation: f64) -> f64 {
    let (p, q) = (normal_cdf(h), normal_cdf(k));
    if correlation < 0.0 {
        return (p - bivariate_normal_cdf(h, -k, -correlation)).max(0.0);
    }
    if p == 0.0 || q == 0.0 {
        return 0.0;
    }
    // Where one is certain the other is all there is; its product with an infinite argument would be NaN.
    if p == 1.0 || q == 1.0 {
        return p.min(q);
    }
    let gap = 0.5 * (h - k) * (h - k);
    let product = h * k;
    let density = |angle: f64| {
        let (sine, cosine) = angle.sin_cos();
        let spread = if gap == 0.0 { 0.0 } else { gap / (sine * sine) };
        (-spread - product / (1.0 + cosine)).exp()
    };
    let end = correlation.min(1.0).acos();
    let (mut sum, mut high) = (0.0, FRAC_PI_2);
    while high > end {
        // The last panel of a perfect correlation ends at zero, once what is left is below rounding.
        let low = if high < 1e-17 {
            end
        } else {
            (0.5 * high).max(end)
        };
        let (centre, half) = (0.5 * (high + low), 0.5 * (high - low));
        let panel = GAUSS_LEGENDRE.iter();
        sum += half
            * panel
                .map(|(x, w)| w * density(centre + half * x))
                .sum::<f64>();
        high = low;
    }
    (p * q + sum / TAU).min(p.min(q))
}

/// `Φ(x/s)` with its limits at s = 0, ½ where x is zero too.
pub(super) fn conditional_cdf(x: f64, s: f64) -> f64 {
    if x == 0.0 { 0.5 } else { normal_cdf(x / s) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing::normal::normal_pdf;

    /// `∫ φ(x) Φ((k − ρx)/√(1 − ρ²)) dx` up to h, by the trapezoidal rule with a substitution that makes its ends flat.
    fn by_integral(h: f64, k: f64, rho: f64) -> f64 {
        let root = ((1.0 - rho) * (1.0 + rho)).sqrt();
        let (low, step) = (-12.0, 1.0 / 4096.0);
        let mut sum = 0.0;
        for i in -4 * 4096..=4 * 4096 {
            // x = low + (h − low)·s(t), s the double-exponential map of the line onto (0, 1).
            let t = f64::from(i) * step;
            let e = (std::f64::consts::PI * t.sinh()).exp();
            let share = e / (1.0 + e);
            let slope = std::f64::consts::PI * t.cosh() * share / (1.0 + e);
            if slope > 0.0 && slope.is_finite() {
                let x = low + (h - low) * share;
                sum += slope * normal_pdf(x) * normal_cdf((k - rho * x) / root);
            }
        }
        sum * step * (h - low)
    }

    /// The formula against an integral of another kind, over moderate and strong correlations.
    #[test]
    fn equals_the_integral_of_the_conditional_distribution() {
        let mut worst = 0f64;
        for rho in [-0.999, -0.95, -0.6, 0.0, 0.1, 0.5, 0.9, 0.95, 0.99, 0.9999] {
            for h in [-3.0, -1.2, 0.0, 0.4, 2.5] {
                for k in [-2.8, -1.2, -0.1, 0.4001, 3.0] {
                    let error = bivariate_normal_cdf(h, k, rho) - by_integral(h, k, rho);
                    worst = worst.max(error.abs());
                }
            }
        }
        println!("largest error {worst:e}");
        assert!(worst < 1e-13, "{worst:e}");
    }

    /// `1/4 + arcsin(ρ)/2π` at the origin, `min` at ρ = 1, symmetry, and one argument at infinity.
    #[test]
    fn special_cases() {
        for rho in [-1.0, -0.99, -0.3, 0.0, 0.7, 0.999_999, 1.0] {
            let expected = 0.25 + f64::asin(rho) / TAU;
            assert!(
                (bivariate_normal_cdf(0.0, 0.0, rho) - expected).abs() < 2e-15,
                "{rho}"
            );
            assert_eq!(
                bivariate_normal_cdf(0.3, f64::INFINITY, rho),
                normal_cdf(0.3)
            );
            assert_eq!(bivariate_normal_cdf(0.3, f64::NEG_INFINITY, rho), 0.0);
            let (one, other) = (
                bivariate_normal_cdf(0.3, -1.1, rho),
                bivariate_normal_cdf(-1.1, 0.3, rho),
            );
            assert!((one - other).abs() < 1e-15);
        }
        for (h, k) in [(0.3, 0.2), (-1.0, 2.0), (-3.0, -3.0), (1.0, 1.0)] {
            let full = bivariate_normal_cdf(h, k, 1.0);
            assert!(
                (full - normal_cdf(f64::min(h, k))).abs() < 1e-14,
                "{h} {k}: {full}"
            );
            let opposite = (normal_cdf(h) - normal_cdf(-k)).max(0.0);
            assert!((bivariate_normal_cdf(h, k, -1.0) - opposite).abs() < 1e-14);
        }
    }
}
