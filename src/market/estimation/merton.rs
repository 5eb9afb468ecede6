//! Merton's parameters by maximum likelihood.

use super::levy::Sample;
use super::likelihood::{Bound, LikelihoodEstimate, Searched};
use crate::error::Result;
use crate::pricing::MertonParameters;

/// Merton's model as estimated from log returns.
pub type MertonEstimate = LikelihoodEstimate<MertonParameters>;

/// Maximises the likelihood of independent returns, each a Poisson mixture of normals,
///
/// ```text
/// ℓ(a, σ, λ, m, s) = Σ_t ln Σ_n e^{−λdt}(λdt)ⁿ/n! · N(r_t; a dt + n m, σ²dt + n s²)
/// ```
///
/// over `(a, ln σ, ln λ, m, ln s)` within `σ` from 0.05 to 1.2 times the sample's volatility, `λ ∈ [0.5, 500]` a year, and,
/// in units of the standard deviation of a return, `|m| ≤ 5` and `s ∈ [0.1, 20]`. With `s = 0` and few jumps the
/// likelihood of a mixture has maxima without meaning; the bounds and a search from 5, 25 and 100 jumps a year, whose
/// sizes are those of the returns beyond three standard deviations, keep away from them.
///
/// Standard errors are the square roots of the diagonal of the inverse of the observed information, carried to the
/// parameters by the delta method.
///
/// # Units
///
/// Daily log returns; `days_per_year` of them make the year in which parameters are stated.
///
/// # Errors
///
/// [`Error::Input`] for fewer than [`super::MIN_RETURNS`] returns, a return that is not finite, returns without variance, or
/// `days_per_year` not above 0.
///
/// # References
///
/// S. J. Press (1967), "A compound events model for security prices", Journal of Business 40; P. Honoré (1998),
/// "Pitfalls in estimating jump-diffusion models", on bounding the likelihood.
pub fn estimate_merton(returns: &[f64], days_per_year: f64) -> Result<MertonEstimate> {
    let sample = Sample::new(returns, days_per_year)?;
    let Sample { mean, scale, .. } = sample;
    let likelihood = Likelihood {
        returns: &sample.standardised,
        dt: sample.dt,
    };
    let starts = [5.0, 25.0, 100.0].map(|intensity| likelihood.start(intensity));
    let log_likelihood = |x: &Point| likelihood.log_likelihood(x);
    let searched = Searched::new("Merton's model", log_likelihood, BOUNDS, starts)?;
    let best = searched.point;
    let annual = scale * days_per_year.sqrt();
    let parameters = MertonParameters {
        volatility: annual * best[1].exp(),
        jump_intensity: best[2].exp(),
        log_jump_mean: scale * best[3],
        log_jump_std: scale * best[4].exp(),
    };
    let slopes = [
        1.0,
        parameters.volatility,
        parameters.jump_intensity,
        scale,
        parameters.log_jump_std,
    ];
    let log_drift = (mean + scale * best[0]) * days_per_year;
    Ok(MertonEstimate {
        parameters,
        standard_errors: searched.standard_errors(log_likelihood, NAMES, slopes),
        drift: log_drift
            + 0.5 * parameters.volatility.powi(2)
            + parameters.jump_intensity * parameters.mean_jump(),
        log_likelihood: searched.log_likelihood - sample.change_of_scale(),
        log_likelihood_without_jumps: sample.log_likelihood_without_jumps(),
        at_bound: searched.at_bound(NAMES),
    })
}

const NAMES: [&str; 5] = [
    "drift",
    "volatility",
    "jump_intensity",
    "log_jump_mean",
    "log_jump_std",
];

/// (a dt, ln σ√dt, ln λ, m, ln s), all but λ in units of the standard deviation of a return.
type Point = [f64; 5];

const BOUNDS: [Bound; 5] = {
    const fn bound(low: f64, high: f64) -> Bound {
        Bound { low, high }
    }
    // Logarithms of 0.05, 1.2; 0.5, 500; 0.1, 20.
    [
        bound(-3.0, 3.0),
        bound(-2.995_732_273_553_991, 0.182_321_556_793_954_6),
        bound(-std::f64::consts::LN_2, 6.214_608_098_422_191),
        bound(-5.0, 5.0),
        bound(-std::f64::consts::LN_10, 2.995_732_273_553_991),
    ]
};

struct Likelihood<'a> {
    /// With mean 0 and variance 1.
    returns: &'a [f64],
    dt: f64,
}

impl Likelihood<'_> {
    fn log_likelihood(&self, x: &Point) -> f64 {
        let (variance, jump_variance) = ((2.0 * x[1]).exp(), (2.0 * x[4]).exp());
        let expected = x[2].exp() * self.dt;
        let mut weight = (-expected).exp();
        let mut terms: Vec<(f64, f64, f64)> = Vec::new();
        for n in 0.. {
            let jumps = f64::from(n);
            let spread = variance + jumps * jump_variance;
            let factor = weight / (std::f64::consts::TAU * spread).sqrt();
            terms.push((factor, x[0] + jumps * x[3], 0.5 / spread));
            weight *= expected / f64::from(n + 1);
            if jumps > expected && weight < 1e-14 {
                break;
            }
        }
        let density = |r: &f64| -> f64 {
            let density = terms.iter().map(|(factor, mean, precision)| {
                factor * (-(r - mean) * (r - mean) * precision).exp()
            });
            // A return that no number of jumps explains is as bad as this.
            density.sum::<f64>().max(1e-300)
        };
        self.returns.iter().map(|r| density(r).ln()).sum()
    }

    /// Jumps of the size of the outlying returns, so many a year; the diffusion has what they leave of the variance.
    fn start(&self, intensity: f64) -> Point {
        let far: Vec<f64> = self
            .returns
            .iter()
            .copied()
            .filter(|r| r.abs() > 3.0)
            .collect();
        let count = far.len().max(1) as f64;
        let square = (far.iter().map(|r| r * r).sum::<f64>() / count).max(1.0);
        let jumps = (intensity * self.dt * square).min(0.8);
        // More jumps than outliers are smaller ones.
        let size = (jumps / (intensity * self.dt)).sqrt();
        let start = [
            0.0,
            0.5 * (1.0 - jumps).ln(),
            intensity.ln(),
            0.0,
            size.ln(),
        ];
        std::array::from_fn(|i| BOUNDS[i].clamp(start[i]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::ChaCha8Rng;
    use rand_distr::{Distribution, Poisson, StandardNormal};

    const TRUTH: MertonParameters = MertonParameters {
        volatility: 0.12,
        jump_intensity: 30.0,
        log_jump_mean: -0.005,
        log_jump_std: 0.02,
    };

    fn returns(truth: &MertonParameters, count: usize, seed: u64) -> Vec<f64> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let dt = 1.0 / 252.0;
        let poisson = Poisson::new(truth.jump_intensity * dt).unwrap();
        (0..count)
            .map(|_| {
                let jumps: f64 = poisson.sample(&mut random);
                let (z, w): (f64, f64) = (
                    StandardNormal.sample(&mut random),
                    StandardNormal.sample(&mut random),
                );
                0.05 * dt
                    + truth.volatility * dt.sqrt() * z
                    + jumps * truth.log_jump_mean
                    + jumps.sqrt() * truth.log_jump_std * w
            })
            .collect()
    }

    /// Over twelve samples of ten years, estimates lie around the truth: the mean of each z-score (error over stated
    /// standard error) within four of its own standard errors of zero, and their root mean square between ½ and 2.
    #[test]
    fn estimates_and_their_errors_recover_the_truth() {
        let scores: Vec<[f64; 4]> = (0..12)
            .map(|seed| {
                let found = estimate_merton(&returns(&TRUTH, 2520, seed), 252.0).unwrap();
                let (p, errors) = (found.parameters, &found.standard_errors);
                let error = |name| errors.of(name).unwrap();
                assert!(found.at_bound.is_empty(), "{found:?}");
                assert!(found.log_likelihood > found.log_likelihood_without_jumps + 50.0);
                [
                    (p.volatility - TRUTH.volatility) / error("volatility"),
                    (p.jump_intensity - TRUTH.jump_intensity) / error("jump_intensity"),
                    (p.log_jump_mean - TRUTH.log_jump_mean) / error("log_jump_mean"),
                    (p.log_jump_std - TRUTH.log_jump_std) / error("log_jump_std"),
                ]
            })
            .collect();
        for parameter in 0..4 {
            let values = scores.iter().map(|score| score[parameter]);
            let mean = values.clone().sum::<f64>() / 12.0;
            let square = values.map(|z| z * z).sum::<f64>() / 12.0;
            assert!(mean.abs() < 4.0 / 12f64.sqrt(), "{parameter}: {scores:?}");
            assert!((0.25..4.0).contains(&square), "{parameter}: {scores:?}");
        }
    }

    /// The density integrates to 1, by the trapezoidal rule, and without jumps to speak of it is the normal one.
    #[test]
    fn the_likelihood_is_a_density() {
        let at = |x: f64, point: &Point| {
            let one = Likelihood {
                returns: &[x],
                dt: 1.0 / 252.0,
            };
            one.log_likelihood(point).exp()
        };
        let point = [0.1, -0.3, 4.0, -0.5, 0.4];
        let mass: f64 = (-2000..=2000)
            .map(|i| 0.02 * at(0.02 * f64::from(i), &point))
            .sum();
        assert!((mass - 1.0).abs() < 1e-9, "{mass}");
        let calm = [0.0, 0.0, -60.0, 0.0, 0.0];
        let normal = (-0.5f64 * 1.21).exp() / std::f64::consts::TAU.sqrt();
        assert!((at(1.1, &calm) - normal).abs() < 1e-12);
    }

    /// Returns that do not vary, or too few, are refused.
    #[test]
    fn constant_returns_are_refused() {
        let message = estimate_merton(&[0.001; 300], 252.0)
            .unwrap_err()
            .to_string();
        assert!(message.contains("returns that vary"), "{message}");
        assert!(estimate_merton(&[0.001; 100], 252.0).is_err());
    }
}
