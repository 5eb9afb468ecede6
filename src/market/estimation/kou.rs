//! Kou's parameters by maximum likelihood.

use super::lattice::exponential;
use super::levy::{Law, Sample, likeliest};
use super::likelihood::{Bound, LikelihoodEstimate};
use crate::error::Result;
use crate::pricing::jumps::ExponentialJumps;
use num_complex::Complex64;

/// The volatility of Kou's diffusion and its jumps as estimated from log returns.
pub type KouEstimate = LikelihoodEstimate<(f64, ExponentialJumps)>;

/// Maximises the likelihood of independent returns with the characteristic function
///
/// ```text
/// φ(u) = exp(iua dt − ½σ²u² dt + λdt (p/(1 − iu/η₁) + (1 − p)/(1 + iu/η₂) − 1))
/// ```
///
/// over `(a, ln σ, ln λ, ln p/(1 − p), ln 1/η₁, ln 1/η₂)` within `σ` from 0.05 to 1.2 times the sample's volatility, `λ ∈ [0.5, 500]` a year,
/// `p ∈ [0.02, 0.98]` and mean jumps of 0.1 to 8 standard deviations of a return, upwards of at most 0.4 and downwards of at most 1. Searches
/// begin at 5, 25 and 100 jumps a year, whose sizes are those of the returns beyond three standard deviations.
///
/// Standard errors are the square roots of the diagonal of the inverse of the observed information, carried to the parameters by the delta
/// method.
///
/// # Units
/// Daily log returns; `days_per_year` of them make the year in which parameters are stated.
///
/// # Errors
/// [`crate::Error::Input`] for fewer than [`super::MIN_RETURNS`] returns, a return that is not finite, returns without variance, or
/// `days_per_year` not above 0.
///
/// # References
/// C. Ramezani and Y. Zeng (2007), "Maximum likelihood estimation of the double exponential jump-diffusion process", Annals of Finance 3(4),
/// for the likelihood, there by another way to the density.
pub fn estimate_kou(returns: &[f64], days_per_year: f64) -> Result<KouEstimate> {
    let sample = Sample::new(returns, days_per_year)?;
    likeliest(&sample, &KouLaw(&sample))
}

struct KouLaw<'a>(&'a Sample);

impl Law<6> for KouLaw<'_> {
    const MODEL: &'static str = "Kou's model";
    const NAMES: [&'static str; 6] = [
        "drift",
        "volatility",
        "jump_intensity",
        "up_probability",
        "log_jump_up",
        "log_jump_down",
    ];
    type Parameters = (f64, ExponentialJumps);

    fn bounds(&self) -> [Bound; 6] {
        const ODDS: f64 = 49.0;
        let bound = |low: f64, high: f64| Bound { low, high };
        let logs = |low: f64, high: f64| bound(low.ln(), high.ln());
        let sizes = |most: f64| {
            let most = f64::min(8.0, most / self.0.scale);
            logs(f64::min(0.1, most / 3.0), most)
        };
        [
            bound(-3.0, 3.0),
            logs(0.05, 1.2),
            logs(0.5, 500.0),
            logs(1.0 / ODDS, ODDS),
            sizes(0.4),
            sizes(1.0),
        ]
    }

    fn starts(&self) -> Vec<[f64; 6]> {
        let far = || self.0.standardised.iter().filter(|r| r.abs() > 3.0);
        let count = far().count().max(1) as f64;
        let square = (far().map(|r| r * r).sum::<f64>() / count).max(1.0);
        let up = far().filter(|r| **r > 0.0).count() as f64;
        let odds = (up + 1.0) / (count - up.min(count) + 1.0);
        let start = |intensity: f64| {
            let expected = intensity * self.0.dt;
            let jumps = (expected * square).min(0.8);
            // More jumps than outliers are smaller ones; an exponential variate has twice its squared mean as mean square.
            let size = (0.5 * jumps / expected).sqrt();
            let start = [
                0.0,
                0.5 * (1.0 - jumps).ln(),
                intensity.ln(),
                odds.ln(),
                size.ln(),
                size.ln(),
            ];
            let bounds = self.bounds();
            std::array::from_fn(|i| bounds[i].clamp(start[i]))
        };
        vec![start(5.0), start(25.0), start(100.0)]
    }

    fn characteristic(&self, x: &[f64; 6]) -> Option<impl Fn(f64) -> Complex64> {
        let (drift, variance) = (x[0], (2.0 * x[1]).exp());
        let jumps = ExponentialJumps {
            intensity: x[2].exp() * self.0.dt,
            upward: share(x[3]),
            mean_up: x[4].exp(),
            mean_down: x[5].exp(),
        };
        Some(move |u| {
            let moved = Complex64::new(-0.5 * variance * u * u, drift * u);
            let jumped = jumps.moment(Complex64::new(0.0, u)) - 1.0;
            exponential(moved + jumps.intensity * jumped)
        })
    }

    fn parameters(&self, x: &[f64; 6]) -> (Self::Parameters, f64, [f64; 6]) {
        let Sample {
            mean, scale, dt, ..
        } = *self.0;
        let volatility = scale * x[1].exp() / dt.sqrt();
        let jumps = ExponentialJumps {
            intensity: x[2].exp(),
            upward: share(x[3]),
            mean_up: scale * x[4].exp(),
            mean_down: scale * x[5].exp(),
        };
        let drift = (mean + scale * x[0]) / dt
            + 0.5 * volatility * volatility
            + jumps.intensity * jumps.mean_jump();
        let slopes = [
            scale / dt,
            volatility,
            jumps.intensity,
            jumps.upward * (1.0 - jumps.upward),
            jumps.mean_up,
            jumps.mean_down,
        ];
        ((volatility, jumps), drift, slopes)
    }
}

/// The probability of these log odds.
fn share(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}
