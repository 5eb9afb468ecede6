//! Parameters of models with independent returns by maximum likelihood.

use super::heston::MIN_RETURNS;
use super::lattice::Lattice;
use super::likelihood::{Bound, LikelihoodEstimate, Searched};
use super::varying_moments;
use crate::error::Result;
use num_complex::Complex64;

/// The law of one return with N coordinates, in units of the standard deviation of a sample and measured from its mean.
pub(super) trait Law<const N: usize> {
    /// What the likelihood is called in messages.
    const MODEL: &'static str;
    /// The coordinates; the first is the drift, of which no standard error is stated.
    const NAMES: [&'static str; N];
    /// What a law's parameters are in the units of the returns.
    type Parameters;

    /// Where the coordinates are searched.
    fn bounds(&self) -> [Bound; N];

    /// Where searches begin.
    fn starts(&self) -> Vec<[f64; N]>;

    /// φ(u) = E[e^{iuX}]; none where there is no such law.
    fn characteristic(&self, x: &[f64; N]) -> Option<impl Fn(f64) -> Complex64>;

    /// The parameters, the drift μ of dS/S per year, and the derivative of every parameter in its coordinate.
    fn parameters(&self, x: &[f64; N]) -> (Self::Parameters, f64, [f64; N]);
}

/// What a sample says before its law is known.
pub(super) struct Sample {
    /// Returns with mean 0 and variance 1.
    pub standardised: Vec<f64>,
    /// The mean of the returns.
    pub mean: f64,
    /// Their standard deviation.
    pub scale: f64,
    /// The time between two returns in years.
    pub dt: f64,
}

impl Sample {
    /// # Errors
    /// [`crate::Error::Input`] for fewer than [`MIN_RETURNS`] returns, one that is not finite, returns without variance, or `days_per_year`
    /// not above 0.
    pub fn new(returns: &[f64], days_per_year: f64) -> Result<Self> {
        let (mean, variance) = varying_moments(returns, MIN_RETURNS, days_per_year)?;
        let scale = variance.sqrt();
        Ok(Self {
            standardised: returns.iter().map(|r| (r - mean) / scale).collect(),
            mean,
            scale,
            dt: 1.0 / days_per_year,
        })
    }

    /// What the logarithm of a likelihood of the returns as they are has less than that of the standardised ones.
    pub fn change_of_scale(&self) -> f64 {
        self.standardised.len() as f64 * self.scale.ln()
    }

    /// The greatest log likelihood of normal returns.
    pub fn log_likelihood_without_jumps(&self) -> f64 {
        let n = self.standardised.len() as f64;
        // At the maximum, whose variance has n for n − 1.
        -0.5 * n * ((std::f64::consts::TAU * (n - 1.0) / n).ln() + 1.0) - self.change_of_scale()
    }

    /// The mean of the power of a standardised return.
    pub fn moment(&self, power: i32) -> f64 {
        let powers = self.standardised.iter().map(|x| x.powi(power));
        powers.sum::<f64>() / self.standardised.len() as f64
    }
}

/// The parameters under which the returns of `sample`, independent of each other, are likeliest, by a [`Lattice`] whose nodes lie a
/// sixteenth of a standard deviation apart. The likelihood that is stated is that on a lattice eight times finer: there it is that of the
/// returns themselves within 10⁻⁴ of a unit a return, where their density has no pole.
///
/// # Errors
/// [`crate::Error::Computation`] if the likelihood is nowhere finite.
pub(super) fn likeliest<const N: usize, L: Law<N>>(
    sample: &Sample,
    law: &L,
) -> Result<LikelihoodEstimate<L::Parameters>> {
    const SPACING: f64 = 1.0 / 16.0;
    let on = |lattice: &Lattice, x: &[f64; N]| match law.characteristic(x) {
        Some(characteristic) => lattice.log_likelihood(characteristic),
        None => f64::NEG_INFINITY,
    };
    let lattice = Lattice::new(&sample.standardised, SPACING);
    let log_likelihood = |x: &[f64; N]| on(&lattice, x);
    let searched = Searched::new(L::MODEL, log_likelihood, law.bounds(), law.starts())?;
    let (parameters, drift, slopes) = law.parameters(&searched.point);
    let finer = Lattice::new(&sample.standardised, SPACING / 8.0);
    Ok(LikelihoodEstimate {
        parameters,
        standard_errors: searched.standard_errors(log_likelihood, L::NAMES, slopes),
        drift,
        log_likelihood: on(&finer, &searched.point) - sample.change_of_scale(),
        log_likelihood_without_jumps: sample.log_likelihood_without_jumps(),
        at_bound: searched.at_bound(L::NAMES),
    })
}
