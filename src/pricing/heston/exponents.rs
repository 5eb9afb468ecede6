//! Heston's characteristic function as an exponential-affine form.

use super::HestonParameters;
use num_complex::Complex64;

/// The exponents of the characteristic function of `X = ln(S_T/F)` on the line `z = u − i/2`:
/// `E[e^{izX}] = exp(A + D v₀)`, where `A' = κθD` and
/// `D' = ½σ²D² − βD − ½(u² + ¼)`, `β = κ − iρσz`, both from zero.
///
/// With `d = √(β² + σ²(u² + ¼))`, `s = β + d` and `e = e^{−dT}`,
///
/// ```text
/// D = −(u² + ¼)(1 − e) / (s − (β − d) e)
/// A = κθ [ −(u² + ¼)T/s − (2/σ²) ln(1 + y) ],   y = (β − d)(1 − e)/(2d)
/// ```
///
/// With κ = σ = 0 the variance never changes and `A = 0`, `D = −½(u² + ¼)T`.
///
/// The decaying exponential `e^{−dT}` keeps the principal logarithm on one branch, which the
/// original form with `e^{+dT}` does not; `β − d = −σ²(u² + ¼)/s` and `ln(1 + y)` keep the digits
/// that small σ would cancel.
///
/// # References
///
/// H. Albrecher, P. Mayer, W. Schoutens, J. Tistaert (2007), "The little Heston trap", Wilmott Magazine January;
/// R. Lord and C. Kahl (2010), "Complex logarithms in Heston-like models", Mathematical Finance 20(4).
#[derive(Debug, Clone, Copy)]
pub struct Exponents {
    /// The part A that does not depend on v₀.
    pub a: Complex64,
    /// The factor D of v₀.
    pub d: Complex64,
}

impl Exponents {
    /// The exponents at real frequency `u` after `expiry` years.
    pub fn new(parameters: &HestonParameters, u: f64, expiry: f64) -> Self {
        let HestonParameters {
            kappa,
            theta,
            sigma,
            ..
        } = *parameters;
        let square = u * u + 0.25;
        if kappa == 0.0 && sigma == 0.0 {
            return Self {
                a: Complex64::ZERO,
                d: Complex64::from(-0.5 * square * expiry),
            };
        }
        let beta = beta(parameters, u);
        let variance = sigma * sigma;
        let root = sqrt_right(beta * beta + variance * square);
        // s·(β − d) = −σ²(u² + ¼): whichever of the two factors cancels comes from the other.
        let (sum, difference) = if beta.re >= 0.0 {
            let sum = beta + root;
            (sum, -variance * square / sum)
        } else {
            let difference = beta - root;
            (-variance * square / difference, difference)
        };
        let decay = (-root * expiry).exp();
        let grown = 1.0 - decay;
        let d = -square * grown / (sum - difference * decay);
        let slope = -square / sum;
        let per_variance = slope * grown / (2.0 * root);
        let y = variance * per_variance;
        let log = if y.norm_sqr() < 1e-20 {
            per_variance * (1.0 - 0.5 * y)
        } else {
            ln_1p(y) / variance
        };
        let a = kappa * theta * (slope * expiry - 2.0 * log);
        Self { a, d }
    }

    /// `E[e^{izX}]` for instantaneous variance `variance`.
    pub fn characteristic(&self, variance: f64) -> Complex64 {
        (self.a + self.d * variance).exp()
    }

    /// `∂(A + D v)/∂T`, from the Riccati equations that the exponents solve.
    pub fn time_slope(&self, parameters: &HestonParameters, u: f64, variance: f64) -> Complex64 {
        let d = self.d;
        let riccati = 0.5 * parameters.sigma * parameters.sigma * d * d
            - beta(parameters, u) * d
            - 0.5 * (u * u + 0.25);
        parameters.kappa * parameters.theta * d + variance * riccati
    }
}

fn beta(parameters: &HestonParameters, u: f64) -> Complex64 {
    let leverage = parameters.rho * parameters.sigma;
    Complex64::new(parameters.kappa - 0.5 * leverage, -leverage * u)
}

/// The principal root of a number with positive real part, without the trigonometry that
/// `num_complex` spends on the general case.
fn sqrt_right(z: Complex64) -> Complex64 {
    let re = (0.5 * (z.norm() + z.re)).sqrt();
    Complex64::new(re, 0.5 * z.im / re)
}

fn ln_1p(y: Complex64) -> Complex64 {
    let re = 0.5 * (2.0 * y.re + y.norm_sqr()).ln_1p();
    Complex64::new(re, y.im.atan2(1.0 + y.re))
}
