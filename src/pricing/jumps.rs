//! Independent jumps of a log-spot, as transforms see them.

use num_complex::Complex64;

/// Jumps of the log-spot with independent and stationary increments, independent of everything else, as their cumulant exponent Λ
/// tells them: ln(S_T/F) has the further factor e^{T Λ(s)} in E[e^{s ln(S_T/F)}].
///
/// The discounted spot is a martingale, Λ(0) = Λ(1) = 0. With the measure ν(dy) of the jumps,
///
/// ```text
/// Λ(s) = ∫ (e^{sy} − 1 − s(e^y − 1)) ν(dy)
/// Λ(2) = ∫ (e^y − 1)² ν(dy),   Λ(s + 1) − Λ(s) = ∫ (e^y − 1)(e^{sy} − 1) ν(dy)
/// ```
///
/// # Units
/// Λ per year.
///
/// # References
/// R. Cont and P. Tankov (2004), "Financial Modelling with Jump Processes", theorem 3.1 and proposition 3.18.
pub trait Jumps {
    /// Λ(s), for every s whose real part lies in [0, 2].
    fn exponent(&self, s: Complex64) -> Complex64;

    /// ∫ y² ν(dy): what jumps add to the variance of log returns in a year.
    fn variance(&self) -> f64;

    /// The highest frequency of e^{TΛ(½ + iu)} in u that matters, for T = `expiry` years.
    fn frequency(&self, expiry: f64) -> f64;

    /// Λ(2): what jumps add to the variance of simple returns in a year.
    fn relative_variance(&self) -> f64 {
        self.exponent(Complex64::from(2.0)).re
    }
}

/// No jumps.
#[derive(Debug, Clone, Copy)]
pub struct NoJumps;

impl Jumps for NoJumps {
    fn exponent(&self, _: Complex64) -> Complex64 {
        Complex64::ZERO
    }

    fn variance(&self) -> f64 {
        0.0
    }

    fn frequency(&self, _: f64) -> f64 {
        0.0
    }
}

/// Λ(s) = λ(φ(s) − 1 − s(φ(1) − 1)) of jumps at the times of a Poisson process.
fn compound(intensity: f64, moment: impl Fn(Complex64) -> Complex64, s: Complex64) -> Complex64 {
    let mean_jump = moment(Complex64::ONE) - 1.0;
    intensity * (moment(s) - 1.0 - s * mean_jump)
}

/// Normal jumps of the log-spot at the times of a Poisson process, Y ~ N(m, s²).
///
/// # Units
/// The intensity per year.
///
/// # References
/// R. C. Merton (1976), "Option pricing when underlying stock returns are discontinuous", Journal of Financial Economics 3.
#[derive(Debug, Clone, Copy)]
pub struct NormalJumps {
    /// The intensity λ.
    pub intensity: f64,
    /// The mean m.
    pub mean: f64,
    /// The standard deviation s.
    pub deviation: f64,
}

impl NormalJumps {
    /// φ(s) = E[e^{sY}] = e^{ms + ½(deviation)²s²}
    fn moment(&self, s: Complex64) -> Complex64 {
        (s * self.mean + s * s * (0.5 * self.deviation * self.deviation)).exp()
    }

    /// E[e^Y] − 1: the expected change of the spot by a jump, over the spot.
    pub fn mean_jump(&self) -> f64 {
        self.moment(Complex64::ONE).re - 1.0
    }
}

impl Jumps for NormalJumps {
    fn exponent(&self, s: Complex64) -> Complex64 {
        compound(self.intensity, |s| self.moment(s), s)
    }

    fn variance(&self) -> f64 {
        self.intensity * (self.mean * self.mean + self.deviation * self.deviation)
    }

    /// That of as many jumps as have a probability of 10⁻¹⁵, and of the drift that offsets them.
    fn frequency(&self, expiry: f64) -> f64 {
        let expected = self.intensity * expiry;
        let most = expected + 10.0 * expected.sqrt() + 10.0;
        most * self.mean.abs() + expected * self.mean_jump().abs()
    }
}

/// Double exponential jumps of the log-spot at the times of a Poisson process: with probability p upwards by an exponential variate
/// of mean 1/η₁, else downwards by one of mean 1/η₂.
///
/// # Units
/// The intensity per year.
///
/// # References
/// S. Kou (2002), "A jump-diffusion model for option pricing", Management Science 48(8), equations 1–3.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExponentialJumps {
    /// The intensity λ.
    pub intensity: f64,
    /// The probability p of a jump upwards.
    pub upward: f64,
    /// The mean 1/η₁ of a jump upwards, below ½.
    pub mean_up: f64,
    /// The mean 1/η₂ of a jump downwards, above 0.
    pub mean_down: f64,
}

impl ExponentialJumps {
    /// φ(s) = E[e^{sY}] = p/(1 − s/η₁) + (1 − p)/(1 + s/η₂): the moment generating function of one jump of the log-spot.
    pub fn moment(&self, s: Complex64) -> Complex64 {
        self.upward / (1.0 - s * self.mean_up) + (1.0 - self.upward) / (1.0 + s * self.mean_down)
    }

    /// E[e^Y] − 1: the expected change of the spot by a jump, over the spot.
    pub fn mean_jump(&self) -> f64 {
        self.moment(Complex64::ONE).re - 1.0
    }
}

impl Jumps for ExponentialJumps {
    fn exponent(&self, s: Complex64) -> Complex64 {
        compound(self.intensity, |s| self.moment(s), s)
    }

    fn variance(&self) -> f64 {
        let (up, down) = (self.upward, 1.0 - self.upward);
        2.0 * self.intensity * (up * self.mean_up.powi(2) + down * self.mean_down.powi(2))
    }

    /// A rational function has none; the drift that offsets the jumps has.
    fn frequency(&self, expiry: f64) -> f64 {
        self.intensity * expiry * self.mean_jump().abs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The variance is Λ''(0), by differences; Λ(0) = Λ(1) = 0, which makes the discounted spot a martingale; Λ(2) of lognormal factors
    /// is λ times (e^{s²} − 1)e^{2m+s²} + (e^{m+s²/2} − 1)².
    #[test]
    fn moments_belong_together() {
        let normal = NormalJumps {
            intensity: 2.0,
            mean: -0.1,
            deviation: 0.2,
        };
        let exponential = ExponentialJumps {
            intensity: 3.0,
            upward: 0.3,
            mean_up: 0.1,
            mean_down: 0.2,
        };
        for jumps in [&normal as &dyn Jumps, &exponential] {
            let at = |s: f64| jumps.exponent(Complex64::from(s)).re;
            let h = 1e-3;
            let curvature = (at(h) - 2.0 * at(0.0) + at(-h)) / (h * h);
            assert!((curvature / jumps.variance() - 1.0).abs() < 1e-5);
            for s in [0.0, 1.0] {
                assert!(at(s).abs() < 1e-14);
            }
        }
        let (m, square) = (-0.1f64, 0.04f64);
        let spread = square.exp_m1() * (2.0 * m + square).exp();
        let expected = 2.0 * (spread + (m + 0.5 * square).exp_m1().powi(2));
        assert!((normal.relative_variance() - expected).abs() < 1e-14);
    }
}
