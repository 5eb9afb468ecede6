//! The parameters of variance gamma by maximum likelihood.

use super::levy::{Law, Sample, likeliest};
use super::likelihood::{Bound, LikelihoodEstimate};
use crate::error::Result;
use num_complex::Complex64;

/// σ, θ and ν of a Brownian motion in gamma time as estimated from log returns.
pub type VarianceGammaEstimate = LikelihoodEstimate<[f64; 3]>;

/// Maximises the likelihood of independent returns with the characteristic function
///
/// ```text
/// φ(u) = e^{iuc dt} (1 − iuθν + ½σ²νu²)^{−dt/ν}
/// ```
///
/// over `(c, ln σ, θ, ln ν)` within `σ` from 0.2 to 1.5 times the sample's volatility, `|θ| ≤ 2` a year and at most three standard deviations
/// of a return per return, `ν` between 0.03 and 50 times the time between returns and at most 2 years, and `θν + ½σ²ν ≤ ½`, as the model
/// asks. With ν above twice that time, as daily returns have it, the density has a pole at c, and the likelihood of returns as they are no
/// maximum; that of returns on a lattice has ([`super::lattice::Lattice`]). Searches begin at the moments and at ν of three times the time
/// between returns.
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
/// D. Madan, P. Carr and E. Chang (1998), "The variance gamma process and option pricing", European Finance Review 2, equation 7 for φ and
/// section 5 for the likelihood.
pub fn estimate_variance_gamma(
    returns: &[f64],
    days_per_year: f64,
) -> Result<VarianceGammaEstimate> {
    let sample = Sample::new(returns, days_per_year)?;
    likeliest(&sample, &GammaLaw(&sample))
}

/// In the time between two returns and the standard deviation of one: c, ln σ, θ, ln ν.
struct GammaLaw<'a>(&'a Sample);

impl Law<4> for GammaLaw<'_> {
    const MODEL: &'static str = "variance gamma";
    const NAMES: [&'static str; 4] = ["drift", "volatility", "gamma_drift", "gamma_variance"];
    type Parameters = [f64; 3];

    fn bounds(&self) -> [Bound; 4] {
        let Sample { scale, dt, .. } = *self.0;
        let bound = |low: f64, high: f64| Bound { low, high };
        let logs = |low: f64, high: f64| bound(low.ln(), high.ln());
        let theta = f64::min(3.0, 2.0 * dt / scale);
        [
            bound(-4.0, 4.0),
            logs(0.2, 1.5),
            bound(-theta, theta),
            logs(0.03, f64::min(50.0, 2.0 / dt)),
        ]
    }

    fn starts(&self) -> Vec<[f64; 4]> {
        let nu = ((self.0.moment(4) - 3.0) / 3.0).max(0.1);
        let start = |nu: f64| {
            let bounds = self.bounds();
            let theta = (self.0.moment(3) / (3.0 * nu)).clamp(-0.3, 0.3);
            let theta = theta.clamp(0.8 * bounds[2].low, 0.8 * bounds[2].high);
            // Well within θν + ½σ²ν ≤ ½, where σ is about 1.
            let scale = self.0.scale;
            let most = 0.3 / (theta.abs() * scale + 0.5 * scale * scale);
            [-theta, -0.05, theta, bounds[3].clamp(nu.min(most).ln())]
        };
        vec![start(nu), start(3.0)]
    }

    fn characteristic(&self, x: &[f64; 4]) -> Option<impl Fn(f64) -> Complex64> {
        let [drift, log_volatility, theta, log_nu] = *x;
        let (variance, nu) = ((2.0 * log_volatility).exp(), log_nu.exp());
        let scale = self.0.scale;
        let lost = nu * (theta * scale + 0.5 * variance * scale * scale);
        let law = move |u: f64| {
            let base = Complex64::new(1.0 + 0.5 * variance * nu * u * u, -theta * nu * u);
            (Complex64::new(0.0, drift * u) - base.ln() / nu).exp()
        };
        (lost <= 0.5).then_some(law)
    }

    fn parameters(&self, x: &[f64; 4]) -> (Self::Parameters, f64, [f64; 4]) {
        let Sample {
            mean, scale, dt, ..
        } = *self.0;
        let volatility = scale * x[1].exp() / dt.sqrt();
        let (theta, nu) = (scale * x[2] / dt, dt * x[3].exp());
        // μ = c − ω: the mean of e^{θG + σW(G)} over a year is e^{−ω}.
        let compensator = (1.0 - nu * (theta + 0.5 * volatility * volatility)).ln() / nu;
        let drift = (mean + scale * x[0]) / dt - compensator;
        let slopes = [scale / dt, volatility, scale / dt, nu];
        ([volatility, theta, nu], drift, slopes)
    }
}
