//! Heston's parameters by quasi-maximum likelihood.

use super::filter::{HestonFilter, VarianceFilter};
use super::likelihood::{Bound, STEP, StandardErrors, free, inverse_information, shifted};
use super::simplex::minimise;
use super::varying_moments;
use crate::error::{Error, Result};
use crate::pricing::HestonParameters;
use faer::Mat;
use serde::Serialize;

/// Fewer returns than this (a year of trading days) are refused.
pub const MIN_RETURNS: usize = 250;

/// Heston's model as estimated from log returns.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HestonEstimate {
    /// The estimate; `v0` is the filtered variance after the last return.
    pub parameters: HestonParameters,
    /// The standard errors of κ, θ, σ and ρ.
    pub standard_errors: StandardErrors,
    /// `μ` in `dS/S = μ dt + √v dW`, per year: from the mean return, not from the likelihood.
    pub drift: f64,
    /// `Σ ln N(r_t; (μ − v/2) dt, v dt)` with `v` filtered from the returns before `t`.
    pub log_likelihood: f64,
    /// Whether `2κθ ≥ σ²`.
    pub feller: bool,
    /// Parameters that ended on a bound of the search: the returns do not pin them down.
    pub at_bound: Vec<&'static str>,
}

const NAMES: [&str; 4] = ["kappa", "theta", "sigma", "rho"];

/// Maximises the Gaussian quasi-likelihood of [`HestonFilter`]'s one-day forecasts,
///
/// ```text
/// ℓ(κ, θ, σ, ρ) = Σ_t ln N(r_t; (μ − m_t/2) dt, m_t dt),   m_t = E[v_t | r_1 … r_{t−1}]
/// ```
///
/// over `(ln κ, ln θ, ln σ, artanh ρ)` within `κ ∈ [0.1, 50]`, `θ` within a factor 5 of the sample
/// variance `s²`, `σ` between `s/20` and `25 s` and `|ρ| ≤ 0.99`: half-lives between three days and seven
/// years, and what daily returns can tell apart at any scale of theirs. The drift is fixed at `μ = r̄/dt + s²/2`. The search is
/// Nelder and Mead's from the moments of returns and their squares, once with the moment estimate
/// of `κ`, once with a third and once with three times it, since the likelihood of mean reversion
/// is flat.
///
/// Returns are a mixture of normals rather than normal, so the standard errors are those of
/// quasi-maximum likelihood, `H⁻¹ J H⁻¹` with `H` the Hessian and `J` the summed outer products
/// of the scores, carried to the parameters by the delta method.
///
/// # Units
///
/// Daily log returns; `days_per_year` of them make the year in which parameters are stated.
///
/// # Errors
///
/// [`Error::Input`] for fewer than [`MIN_RETURNS`] returns, a return that is not finite, returns
/// without variance, or `days_per_year` not above 0.
///
/// # References
///
/// H. White (1982), "Maximum likelihood estimation of misspecified models", Econometrica 50(1);
/// E. Ruiz (1994), "Quasi-maximum likelihood estimation of stochastic volatility models", Journal
/// of Econometrics 63.
pub fn estimate_heston(returns: &[f64], days_per_year: f64) -> Result<HestonEstimate> {
    let (mean, variance) = varying_moments(returns, MIN_RETURNS, days_per_year)?;
    let likelihood = Likelihood {
        returns,
        dt: 1.0 / days_per_year,
        drift: mean * days_per_year + 0.5 * variance * days_per_year,
        sample: variance * days_per_year,
    };
    let start = likelihood.moment_start(mean);
    let (best, value) = [1.0, 1.0 / 3.0, 3.0]
        .into_iter()
        .map(|factor: f64| {
            let mut from = start;
            from[0] = likelihood.bounds()[0].clamp(start[0] + factor.ln());
            let coarse = minimise(|x| likelihood.objective(x), from, 0.4, 1e-3, 400);
            minimise(|x| likelihood.objective(x), coarse.0, 0.1, 1e-6, 600)
        })
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .filter(|(_, value)| value.is_finite())
        .ok_or_else(|| {
            Error::Computation("the likelihood of Heston's model is nowhere finite".to_string())
        })?;
    let at_bound = NAMES
        .into_iter()
        .zip(likelihood.bounds())
        .zip(best)
        .filter_map(|((name, bound), x)| bound.touches(x).then_some(name))
        .collect();
    let mut parameters = parameters(&best);
    let filtered = likelihood.filter(&best).filter(returns);
    parameters.v0 = filtered.last().copied().unwrap_or(parameters.theta);
    Ok(HestonEstimate {
        parameters,
        standard_errors: likelihood.standard_errors(&best),
        drift: likelihood.drift,
        log_likelihood: -value,
        feller: parameters.feller(),
        at_bound,
    })
}

type Point = [f64; 4];

struct Likelihood<'a> {
    returns: &'a [f64],
    dt: f64,
    drift: f64,
    /// Annualised sample variance.
    sample: f64,
}

fn parameters(x: &Point) -> HestonParameters {
    HestonParameters {
        v0: x[1].exp(),
        kappa: x[0].exp(),
        theta: x[1].exp(),
        sigma: x[2].exp(),
        rho: x[3].tanh(),
    }
}

impl Likelihood<'_> {
    fn bounds(&self) -> [Bound; 4] {
        let bound = |low: f64, high: f64| Bound { low, high };
        let centre = self.sample.ln();
        [
            bound(0.1f64.ln(), 50f64.ln()),
            bound(centre - 5f64.ln(), centre + 5f64.ln()),
            bound(0.5 * centre - 20f64.ln(), 0.5 * centre + 25f64.ln()),
            bound(-0.99f64.atanh(), 0.99f64.atanh()),
        ]
    }

    fn filter(&self, x: &Point) -> HestonFilter {
        HestonFilter::new(parameters(x), self.drift, self.dt)
    }

    /// `−ℓ`, infinite outside the bounds.
    fn objective(&self, x: &Point) -> f64 {
        let inside = self.bounds().iter().zip(x).all(|(b, x)| b.contains(*x));
        if inside {
            -self.log_likelihood(x)
        } else {
            f64::INFINITY
        }
    }

    fn log_likelihood(&self, x: &Point) -> f64 {
        let mut filter = self.filter(x);
        let returns = self.returns.iter();
        returns.map(|r| filter.log_likelihood_step(*r)).sum()
    }

    /// Starting values from the moments that Heston's model implies for small `dt`:
    /// `Cov(r²_t, r²_{t+k}) ≈ dt² (σ²θ/2κ) e^{−κk dt}` and `E[r_t r²_{t+k}] ≈ dt² ρσθ e^{−κk dt}`,
    /// each averaged over lags 1–20 (and 21–60 for the decay).
    fn moment_start(&self, mean: f64) -> Point {
        let centred: Vec<f64> = self.returns.iter().map(|r| r - mean).collect();
        let square: Vec<f64> = centred
            .iter()
            .map(|r| r * r / self.dt - self.sample)
            .collect();
        let covariance = |x: &[f64], lags: std::ops::RangeInclusive<usize>| {
            let count = lags.clone().count() as f64;
            let at = |lag: usize| {
                let pairs = x.iter().zip(&square[lag..]);
                pairs.map(|(a, b)| a * b).sum::<f64>() / (x.len() - lag) as f64
            };
            lags.map(at).sum::<f64>() / count
        };
        let near = covariance(&square, 1..=20);
        let far = covariance(&square, 21..=60);
        // The centres of the two groups of lags are 30 days apart.
        let decay = (near / far).ln() / (30.0 * self.dt);
        let kappa = if decay.is_finite() {
            decay.clamp(1.0, 12.0)
        } else {
            4.0
        };
        let theta = self.sample;
        let growth = (kappa * 10.5 * self.dt).exp();
        let spread = (near * growth).clamp(0.05 * theta * theta, 2.0 * theta * theta);
        let sigma = (2.0 * kappa * spread / theta).sqrt();
        let leverage = covariance(&centred, 1..=20) * growth / self.dt;
        let rho = (leverage / (sigma * theta)).clamp(-0.9, 0.9);
        let start = [kappa.ln(), theta.ln(), sigma.ln(), rho.atanh()];
        let bounds = self.bounds();
        std::array::from_fn(|i| bounds[i].clamp(start[i]))
    }

    fn standard_errors(&self, x: &Point) -> StandardErrors {
        let free = free(&self.bounds(), x);
        let transformed = self.sandwich(x, &free).unwrap_or_default();
        let p = parameters(x);
        let slopes = [p.kappa, p.theta, p.sigma, 1.0 - p.rho * p.rho];
        StandardErrors::new((0..4).map(|i| {
            let place = free.iter().position(|&j| j == i);
            let error = place.and_then(|place| transformed.get(place));
            (NAMES[i], error.map(|error| slopes[i] * error))
        }))
    }

    /// Square roots of the diagonal of `H⁻¹ J H⁻¹` of the coordinates `free`; none where `−H` is not positive definite.
    fn sandwich(&self, x: &Point, free: &[usize]) -> Option<Vec<f64>> {
        let inverse = inverse_information(|x| self.log_likelihood(x), x, free)?;
        let mut filters: Vec<(HestonFilter, HestonFilter)> = free
            .iter()
            .map(|&i| {
                let up = self.filter(&shifted(x, &[(i, STEP)]));
                (up, self.filter(&shifted(x, &[(i, -STEP)])))
            })
            .collect();
        let count = free.len();
        let mut outer = Mat::<f64>::zeros(count, count);
        for &r in self.returns {
            let score: Vec<f64> = filters
                .iter_mut()
                .map(|(up, down)| {
                    (up.log_likelihood_step(r) - down.log_likelihood_step(r)) / (2.0 * STEP)
                })
                .collect();
            for i in 0..count {
                for j in 0..count {
                    outer[(i, j)] += score[i] * score[j];
                }
            }
        }
        let covariance = &inverse * &outer * &inverse;
        Some((0..count).map(|i| covariance[(i, i)].sqrt()).collect())
    }
}
