//! One term of a closed form in a lognormal asset.

use super::Valuation;
use crate::pricing::normal::{normal_cdf, normal_pdf};
use std::f64::consts::TAU;

/// A term `c e^{a} Φ(d)` of a closed form, where `a` and `d` are linear in `u = ln S`: `∂a/∂u = β`, `∂d/∂u = κ`.
///
/// With `P = c e^{a} φ(d) κ` its derivatives are
///
/// ```text
/// ∂V/∂u = βV + P,   ∂²V/∂u² = β ∂V/∂u + (β − dκ) P
/// ∂V/∂S = (∂V/∂u)/S,   ∂²V/∂S² = (∂²V/∂u² − ∂V/∂u)/S²
/// ```
///
/// Binary options, their images in a barrier and options on geometric averages are sums of such terms.
#[derive(Debug, Clone, Copy)]
pub(super) struct Term {
    /// The factor c.
    pub coefficient: f64,
    /// The exponent a.
    pub exponent: f64,
    /// The exponent `a − d²/2`, which stays exact where a and d²/2 are large and nearly equal.
    pub log_density: f64,
    /// The power β of the spot in `e^{a}`.
    pub power: f64,
    /// The argument d of the distribution function.
    pub argument: f64,
    /// The slope κ of the argument in ln S.
    pub slope: f64,
}

impl Term {
    /// Value, delta and gamma of the term at that spot.
    pub fn valuation(&self, spot: f64) -> Valuation {
        let price = self.coefficient * scaled_cdf(self.exponent, self.log_density, self.argument);
        let kick = self.coefficient * density(self.log_density) * self.slope;
        let first = self.power * price + kick;
        let second = self.power * first + (self.power - self.argument * self.slope) * kick;
        Valuation::of_logarithm(price, first, second, spot)
    }
}

/// `e^{a} φ(d)`, given `a − d²/2`.
pub(super) fn density(log_density: f64) -> f64 {
    log_density.exp() / TAU.sqrt()
}

/// `e^{a} Φ(d)`, given also `a − d²/2`. In the lower tail it is `e^{a − d²/2} Φ(d)/φ(d) / √2π`, so a large `e^{a}` does not
/// meet a small `Φ(d)`.
pub(super) fn scaled_cdf(exponent: f64, log_density: f64, argument: f64) -> f64 {
    if argument < -5.0 {
        density(log_density) * mills_ratio(-argument)
    } else {
        exponent.exp() * normal_cdf(argument)
    }
}

/// Mills' ratio `Φ(−y)/φ(y)` for y ≥ 5, by its continued fraction `1/(y + 1/(y + 2/(y + 3/(y + …))))`.
///
/// # References
///
/// M. Abramowitz and I. A. Stegun (1964), eq. 26.2.14.
fn mills_ratio(y: f64) -> f64 {
    let tail = (1..=40).rev().fold(y, |tail, k| y + f64::from(k) / tail);
    1.0 / tail
}

/// `(Φ(d) − e^{y²/2 − yd} Φ(d − y))/y` and its first two derivatives in d; `exponent` is `y²/2 − yd`.
///
/// With `R = Φ/φ` this is φ(d) times the divided difference of R over `[d − y, d]`, so it has a limit at y = 0. There it is
/// summed as a series in y, whose coefficients follow from `R' = 1 + xR`:
///
/// ```text
/// D = Σ_{n ≥ 1} (−y)^{n−1}/n! Q_n,   Q_0 = Φ,  Q_1 = φ + dΦ,  Q_{n+1} = dQ_n + nQ_{n−1}
/// D' = e^{y²/2 − yd} Φ(d − y),   D'' = φ(d) − yD'
/// ```
pub(super) fn divided_difference(argument: f64, y: f64, exponent: f64) -> [f64; 3] {
    let log_density = -0.5 * argument * argument;
    let first = scaled_cdf(exponent, log_density, argument - y);
    let second = normal_pdf(argument) - y * first;
    let value = if y.abs() * argument.abs().max(1.0) < 0.25 {
        let (mut previous, mut q) = (
            normal_cdf(argument),
            normal_pdf(argument) + argument * normal_cdf(argument),
        );
        let (mut sum, mut factor) = (0.0, 1.0);
        for n in 1..=16 {
            sum += factor * q;
            factor *= -y / f64::from(n + 1);
            (previous, q) = (q, argument * q + f64::from(n) * previous);
        }
        sum
    } else {
        (normal_cdf(argument) - first) / y
    };
    [value, first, second]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mills' ratio equals the ratio of the two functions, where both can still be divided.
    #[test]
    fn mills_ratio_is_the_ratio() {
        for y in [5.0, 6.5, 10.0, 20.0, 37.0] {
            let expected = normal_cdf(-y) / normal_pdf(y);
            let error = mills_ratio(y) / expected - 1.0;
            assert!(error.abs() < 1e-13 * (1.0 + 0.01 * y * y), "{y}: {error:e}");
        }
    }

    /// The series and the quotient agree where they meet, and the derivatives are those of the value.
    #[test]
    fn divided_differences_are_smooth() {
        let at = |d: f64, y: f64| divided_difference(d, y, 0.5 * y * y - y * d);
        for d in [-8.0, -3.0, -0.4, 0.0, 0.7, 2.5, 6.0] {
            for sign in [-1.0, 1.0] {
                let edge = sign * 0.25 / f64::max(1.0, f64::abs(d));
                let inside = at(d, edge * (1.0 - 1e-9))[0];
                let outside = at(d, edge * (1.0 + 1e-9))[0];
                let bound = 1e-14 / edge.abs() + 1e-8 * inside.abs();
                assert!(
                    (inside - outside).abs() < bound,
                    "{d} {edge}: {inside} {outside}"
                );
                for y in [0.0, 0.3 * edge, 4.0 * edge] {
                    let h = 1e-4;
                    let [value, first, second] = at(d, y);
                    let [above, slope_above, _] = at(d + h, y);
                    let [below, slope_below, _] = at(d - h, y);
                    assert!(
                        ((above - below) / (2.0 * h) - first).abs() < 1e-7,
                        "{d} {y}"
                    );
                    let found = (slope_above - slope_below) / (2.0 * h);
                    assert!((found - second).abs() < 1e-7, "{d} {y}: {found} {second}");
                    assert!(value >= 0.0);
                }
            }
        }
    }
}
