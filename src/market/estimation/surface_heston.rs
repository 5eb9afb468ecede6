//! Heston's variance as the implied one of a month, estimated from past surfaces.

use super::likelihood::StandardErrors;
use crate::error::{Error, Result};
use crate::market::past_surfaces::{PastSurfaces, TRADING_DAYS};

/// A square-root variance, that of an option at the money over one month, as past surfaces show it.
#[derive(Debug, Clone, PartialEq)]
pub struct SurfaceHestonEstimate {
    /// The variance on the last day, annualised.
    pub v0: f64,
    /// The speed of mean reversion κ, per year.
    pub kappa: f64,
    /// The level θ to which the variance reverts, annualised.
    pub theta: f64,
    /// The volatility of variance σ.
    pub sigma: f64,
    /// The correlation ρ of its changes with returns.
    pub rho: f64,
    /// Realised volatility over implied: √ of the mean of r² · 252/v.
    pub realised: f64,
    /// Parameters that ended on a bound.
    pub at_bound: Vec<&'static str>,
    /// Standard errors.
    pub standard_errors: StandardErrors,
}

/// The slowest and the fastest mean reversion, per year.
const KAPPA: (f64, f64) = (0.1, 60.0);

/// Least squares of
///
/// ```text
/// (v_{t+1} − v_t)/√v_t = κθ Δ/√v_t − κΔ √v_t + σ √Δ η_t,      Δ = 1/252
/// ```
///
/// on the variances v of an option at the money over one month, which are those of a square-root process to first order in Δ. ρ is the
/// correlation of η with the returns over √v of the same days. κ is held within 0.1 and 60 a year; on a bound θ is the mean of v.
///
/// Standard errors of κ and θ are those of least squares, that of θ by the delta method; those of σ and of the realised volatility hold for
/// errors of any kurtosis k, √((k − 1)/4n) of the value; that of ρ is (1 − ρ²)/√n.
///
/// # Errors
/// [`Error::Input`] if the variance does not move.
pub fn estimate_surface_heston(past: &PastSurfaces) -> Result<SurfaceHestonEstimate> {
    let dt = 1.0 / TRADING_DAYS;
    let variances: Vec<f64> = past.volatilities().map(|v| v * v).collect();
    let steps = variances.len() - 1;
    let n = steps as f64;
    let rows = variances.windows(2).map(|pair| {
        let root = pair[0].sqrt();
        ([1.0 / root, root], (pair[1] - pair[0]) / root)
    });
    let mut sums = [0.0; 5];
    for ([x1, x2], y) in rows.clone() {
        for (sum, term) in sums
            .iter_mut()
            .zip([x1 * x1, x1 * x2, x2 * x2, x1 * y, x2 * y])
        {
            *sum += term;
        }
    }
    let [s11, s12, s22, s1y, s2y] = sums;
    let determinant = s11 * s22 - s12 * s12;
    let (mut a, mut b) = (
        (s22 * s1y - s12 * s2y) / determinant,
        (s11 * s2y - s12 * s1y) / determinant,
    );
    let mut at_bound = Vec::new();
    let kappa = (-b / dt).clamp(KAPPA.0, KAPPA.1);
    let mut theta = a / (kappa * dt);
    if kappa != -b / dt || theta.is_nan() || theta <= 0.0 {
        at_bound.push("kappa");
        theta = variances.iter().sum::<f64>() / variances.len() as f64;
        (a, b) = (kappa * theta * dt, -kappa * dt);
    }
    let residuals: Vec<f64> = rows.map(|([x1, x2], y)| y - a * x1 - b * x2).collect();
    let square = residuals.iter().map(|e| e * e).sum::<f64>() / n;
    // Of a volatility that never moves rounding is left.
    if square.is_nan() || square <= 1e-16 {
        return Err(Error::input(
            "the volatility at the money must move from day to day to say how it does",
        ));
    }
    let z: Vec<f64> = past.standardised().collect();
    let mean = z.iter().sum::<f64>() / n;
    let spread = z.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / n;
    let together = residuals.iter().zip(&z);
    let covariance = together.map(|(e, z)| e * (z - mean)).sum::<f64>() / n;
    let rho = (covariance / (square * spread).sqrt()).clamp(-0.999, 0.999);
    let realised = (z.iter().map(|z| z * z).sum::<f64>() / n).sqrt();
    let sigma = (square / dt).sqrt();
    let of_root =
        |fourth: f64, square: f64| ((fourth / (square * square) - 1.0) / (4.0 * n)).sqrt();
    let fourth = residuals.iter().map(|e| e.powi(4)).sum::<f64>() / n;
    let fourth_of_z = z.iter().map(|z| z.powi(4)).sum::<f64>() / n;
    let errors = if at_bound.is_empty() {
        let [v11, v12, v22] = [s22, -s12, s11].map(|s| square * s / determinant);
        // θ = −a/b
        let (da, db) = (-1.0 / b, a / (b * b));
        let of_theta = da * da * v11 + 2.0 * da * db * v12 + db * db * v22;
        [Some(v22.sqrt() / dt), Some(of_theta.sqrt())]
    } else {
        [None, None]
    };
    Ok(SurfaceHestonEstimate {
        v0: variances[steps],
        kappa,
        theta,
        sigma,
        rho,
        realised,
        at_bound,
        standard_errors: StandardErrors::new([
            ("kappa", errors[0]),
            ("theta", errors[1]),
            ("sigma", Some(sigma * of_root(fourth, square))),
            ("rho", Some((1.0 - rho * rho) / n.sqrt())),
            (
                "realised",
                Some(realised * of_root(fourth_of_z, realised * realised)),
            ),
        ]),
    })
}
