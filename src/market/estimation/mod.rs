//! Model parameters from past daily returns alone.

mod filter;
mod heston;
mod kou;
mod lattice;
mod levy;
#[cfg(test)]
mod levy_tests;
mod likelihood;
mod lognormal;
mod merton;
mod nig;
mod simplex;
mod surface_garch;
mod surface_heston;
mod surface_means;
#[cfg(test)]
mod surface_tests;
mod variance;
mod variance_gamma;
#[cfg(test)]
mod variance_tests;

pub use filter::{ConstantVariance, HestonFilter, VarianceFilter};
pub use heston::{HestonEstimate, MIN_RETURNS, estimate_heston};
pub use kou::{KouEstimate, estimate_kou};
pub use likelihood::{LikelihoodEstimate, StandardErrors};
pub use lognormal::LognormalFilter;
pub use merton::{MertonEstimate, estimate_merton};
pub use nig::{NormalInverseGaussian, NormalQuantiles};
pub use surface_garch::{
    GarchStart, GarchVariance, SERIES, SurfaceGarch, SurfaceGarchEstimate, estimate_surface_garch,
};
pub use surface_heston::{SurfaceHestonEstimate, estimate_surface_heston};
pub use variance::{VarianceEstimator, exponential, garman_klass, implied, realised};
pub use variance_gamma::{VarianceGammaEstimate, estimate_variance_gamma};

use crate::error::{Error, Result};
use serde::Serialize;

/// Geometric Brownian motion as estimated from log returns.
///
/// # Units
///
/// Per year: `volatility` per √year, `drift` as `μ` in `dS/S = μ dt + σ dW`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct GbmEstimate {
    /// The volatility σ̂, annualised.
    pub volatility: f64,
    /// The standard error of σ̂.
    pub volatility_standard_error: f64,
    /// The drift μ̂ per year.
    pub drift: f64,
}

impl GbmEstimate {
    /// The standard error of σ, under its name.
    pub fn standard_errors(&self) -> StandardErrors {
        StandardErrors::new([("volatility", Some(self.volatility_standard_error))])
    }
}

/// Maximum likelihood for geometric Brownian motion sampled `days_per_year` times a year:
///
/// ```text
/// σ̂² = Σ(r − r̄)² / ((n − 1) dt),   SE(σ̂) = σ̂/√(2(n − 1)),   μ̂ = r̄/dt + σ̂²/2,   dt = 1/days_per_year
/// ```
///
/// The variance carries Bessel's correction; its standard error supposes normal returns.
///
/// # Errors
///
/// [`Error::Input`] for fewer than two returns, a return that is not finite, returns that do not vary, or
/// `days_per_year` not above 0.
///
/// # References
///
/// J. Campbell, A. Lo, A. MacKinlay (1997), "The Econometrics of Financial Markets",
/// section 9.3.2.
pub fn estimate_gbm(returns: &[f64], days_per_year: f64) -> Result<GbmEstimate> {
    let (mean, variance) = varying_moments(returns, 2, days_per_year)?;
    let volatility = (variance * days_per_year).sqrt();
    let degrees = (returns.len() - 1) as f64;
    Ok(GbmEstimate {
        volatility,
        volatility_standard_error: volatility / (2.0 * degrees).sqrt(),
        drift: mean * days_per_year + 0.5 * variance * days_per_year,
    })
}

/// The drift μ̂ and the variance σ̂² of [`estimate_gbm`] per year, of returns that need not vary: the variance is then 0.
///
/// # Errors
///
/// [`Error::Input`] for fewer than two returns, a return that is not finite, or `days_per_year` not above 0.
pub fn drift_and_variance(returns: &[f64], days_per_year: f64) -> Result<(f64, f64)> {
    let (mean, variance) = moments(returns, 2, days_per_year)?;
    let variance = variance * days_per_year;
    Ok((mean * days_per_year + 0.5 * variance, variance))
}

/// Mean and unbiased variance per day, once the input has been found fit to be used.
fn moments(returns: &[f64], least: usize, days_per_year: f64) -> Result<(f64, f64)> {
    if returns.len() < least {
        return Err(Error::input(format!(
            "estimation needs at least {least} returns, {} were given",
            returns.len()
        )));
    }
    if !(days_per_year > 0.0 && days_per_year.is_finite()) {
        return Err(Error::input(format!(
            "days per year must be finite and above 0, was {days_per_year}"
        )));
    }
    if let Some(at) = returns.iter().position(|r| !r.is_finite()) {
        return Err(Error::input(format!(
            "return {} must be finite, was {}",
            at + 1,
            returns[at]
        )));
    }
    let n = returns.len() as f64;
    let mean = returns.iter().sum::<f64>() / n;
    let squares: f64 = returns.iter().map(|r| (r - mean) * (r - mean)).sum();
    Ok((mean, squares / (n - 1.0)))
}

/// [`moments`] of returns that are not all the same.
fn varying_moments(returns: &[f64], least: usize, days_per_year: f64) -> Result<(f64, f64)> {
    // Equal returns leave a variance of rounding errors rather than of zero: those of the prices, and of the mean.
    const ROUNDING: f64 = 1e-14;
    let (mean, variance) = moments(returns, least, days_per_year)?;
    if variance.sqrt() <= ROUNDING + 1e-12 * mean.abs() {
        return Err(Error::input(format!(
            "estimation needs returns that vary, all {} are {}",
            returns.len(),
            returns[0]
        )));
    }
    Ok((mean, variance))
}

#[cfg(test)]
mod tests;
