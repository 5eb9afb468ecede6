use serde::Serialize;

/// The variance v of a forward of elasticity β whose volatility moves by itself too, as under SABR: with e = β − 1,
///
/// ```text
/// v = σ² (F/F₀)^{2e},   dF/F = √v dW,   dσ = νσ dZ,   d⟨W, Z⟩ = ρ dt
/// ```
///
/// It is a Markov process, of which no expectation is linear in what it is now. On powers of s = √v its generator is
///
/// ```text
/// L sᵐ = ½m(m − 1)ν² sᵐ + m²eρν sᵐ⁺¹ + ½me(me − 1) sᵐ⁺²
/// E[v_t | v] = Σ_n tⁿ/n! Lⁿs²,   v̄(v, T) = Σ_n Tⁿ/(n + 1)! Lⁿs²
/// ```
///
/// The series is asymptotic, as paths that come near 0 have variances without bound; it is summed up to T⁴. Within ν²T ≤ 0.25 the next
/// term is below 0.3 % of v̄ where e²vT ≤ 0.04, and 1.2 % at 0.09; where e²vT is greater, v̄/v is held at its value there.
///
/// # Units
/// Annualised variances, times in years, ν per √year.
///
/// # References
/// P. Hagan, D. Kumar, A. Lesniewski and D. Woodward (2002), "Managing smile risk", Wilmott Magazine September, equation 2.1, from which L
/// follows by Itô's formula.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ElasticVariance {
    /// The variance now, v.
    pub now: f64,
    /// The elasticity β.
    pub beta: f64,
    /// The volatility ν of the volatility.
    pub nu: f64,
    /// The correlation ρ.
    pub rho: f64,
}

/// Terms after the first.
const TERMS: usize = 4;

impl ElasticVariance {
    /// Lⁿs²/v from n = 0, at the variance `now`, or where e²vT is 0.09 over `time` years if it is greater.
    fn terms(&self, now: f64, time: f64) -> [f64; TERMS + 1] {
        const MOST: f64 = 0.09;
        let Self { beta, nu, rho, .. } = *self;
        let e = beta - 1.0;
        let s = now.min(MOST / (e * e * time)).sqrt();
        // Coefficients of s^{m−2}, from m = 2.
        let mut powers = [0.0; 2 * TERMS + 1];
        powers[0] = 1.0;
        let mut terms = [1.0; TERMS + 1];
        for n in 1..=TERMS {
            let mut next = [0.0; 2 * TERMS + 1];
            for (place, coefficient) in powers.iter().enumerate().take(2 * n - 1) {
                let m = (place + 2) as f64;
                next[place] += coefficient * 0.5 * m * (m - 1.0) * nu * nu;
                next[place + 1] += coefficient * m * m * e * rho * nu;
                next[place + 2] += coefficient * 0.5 * m * e * (m * e - 1.0);
            }
            powers = next;
            terms[n] = powers.iter().rev().fold(0.0, |sum, c| sum * s + c);
        }
        terms
    }

    /// The expected variance after `time` years.
    pub fn expected(&self, time: f64) -> f64 {
        let terms = self.terms(self.now, time);
        let mut factor = 1.0;
        let sum = terms.iter().enumerate().map(|(n, term)| {
            factor *= if n == 0 { 1.0 } else { time / n as f64 };
            factor * term
        });
        self.now * sum.sum::<f64>()
    }

    /// The expected average variance over `time` years from the variance `now`.
    pub fn mean_from(&self, now: f64, time: f64) -> f64 {
        let terms = self.terms(now, time);
        let mut factor = 1.0;
        let sum = terms.iter().enumerate().map(|(n, term)| {
            factor *= if n == 0 { 1.0 } else { time / (n + 1) as f64 };
            factor * term
        });
        now * sum.sum::<f64>()
    }

    /// ∂v̄/∂v at the variance `now`, by a difference.
    pub fn mean_slope(&self, now: f64, time: f64) -> f64 {
        let h = 1e-6 * self.now;
        (self.mean_from(now + h, time) - self.mean_from(now, time)) / h
    }

    /// The variance now under which the expected average variance over `time` years is `mean`.
    pub fn now_given_mean(&self, mean: f64, time: f64) -> f64 {
        // v̄/v hardly moves with v: every round leaves a small share of the error.
        let mut now = mean;
        for _ in 0..200 {
            let next = now * mean / self.mean_from(now, time);
            let moved = (next / now - 1.0).abs();
            now = next;
            if moved < 1e-15 {
                break;
            }
        }
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With β = 1 E[v_T] = v e^{ν²T}, whatever ρ is; with ν = 0 and β = ½, v = α²F₀/F and L v = v², L²v = 3v³ (by hand: dv = v² dt − v^{3/2} dW),
    /// so that E[v_T] = v (1 + vT + 3(vT)²/2 + …).
    #[test]
    fn limits_of_the_parameters() {
        let lognormal = ElasticVariance {
            now: 0.09,
            beta: 1.0,
            nu: 0.4,
            rho: -0.5,
        };
        let grown = 0.09 * (0.16f64).exp();
        assert!((lognormal.expected(1.0) / grown - 1.0).abs() < 1e-6);
        let root = ElasticVariance {
            now: 0.04,
            beta: 0.5,
            nu: 0.0,
            rho: 0.3,
        };
        let vt: f64 = 0.04 * 0.1;
        let expected = 0.04 * (1.0 + vt + 1.5 * vt * vt);
        assert!((root.expected(0.1) / expected - 1.0).abs() < 5e-7);
        // The average is the integral, by Simpson's rule.
        let elastic = ElasticVariance {
            rho: -0.6,
            nu: 0.5,
            ..root
        };
        let mean = (elastic.now + 4.0 * elastic.expected(0.05) + elastic.expected(0.1)) / 6.0;
        assert!((elastic.mean_from(0.04, 0.1) / mean - 1.0).abs() < 1e-6);
        let difference = elastic.mean_from(0.041, 0.4) - elastic.mean_from(0.039, 0.4);
        assert!((elastic.mean_slope(0.04, 0.4) / (difference / 0.002) - 1.0).abs() < 1e-4);
    }
}
