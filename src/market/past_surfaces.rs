//! What is known of a spot and its implied-volatility surface before contracts are sold.

use crate::error::{Error, Result};
use crate::pricing::SurfaceFactors;

/// Trading days of the past in their order: the close of each and its implied-volatility surface.
#[derive(Debug, Clone, PartialEq)]
pub struct PastSurfaces {
    log_returns: Vec<f64>,
    surfaces: Vec<SurfaceFactors>,
}

/// Trading days in a year, of which the times of a surface are counted.
pub const TRADING_DAYS: f64 = 252.0;

impl PastSurfaces {
    /// The least number of days that a market is made of.
    pub const LEAST: usize = 252;

    /// Days with these closes and surfaces.
    ///
    /// # Errors
    /// [`Error::Input`] for fewer than [`Self::LEAST`] days, as many closes as surfaces not being there, a close or a level that is not
    /// above 0, or a number that is not finite.
    pub fn new(closes: &[f64], surfaces: &[SurfaceFactors]) -> Result<Self> {
        if closes.len() != surfaces.len() {
            return Err(Error::input(format!(
                "surfaces must be as many as closes, {}, were {}",
                closes.len(),
                surfaces.len()
            )));
        }
        if closes.len() < Self::LEAST {
            return Err(Error::input(format!(
                "a market of surfaces needs at least {} days, {} were given",
                Self::LEAST,
                closes.len()
            )));
        }
        let positive = |value: f64| value.is_finite() && value > 0.0;
        if let Some(day) = closes.iter().position(|close| !positive(*close)) {
            return Err(Error::input(format!(
                "close {} must be finite and above 0, was {}",
                day + 1,
                closes[day]
            )));
        }
        for (day, surface) in surfaces.iter().enumerate() {
            let mut named = SurfaceFactors::NAMES.iter().zip(surface.to_array());
            if let Some((name, value)) = named.find(|(_, value)| !value.is_finite()) {
                return Err(Error::input(format!(
                    "{name} of day {} must be finite, was {value}",
                    day + 1
                )));
            }
            if surface.level <= 0.0 {
                return Err(Error::input(format!(
                    "level of day {} must be above 0, was {}",
                    day + 1,
                    surface.level
                )));
            }
        }
        let pairs = closes.windows(2);
        Ok(Self {
            log_returns: pairs.map(|pair| (pair[1] / pair[0]).ln()).collect(),
            surfaces: surfaces.to_vec(),
        })
    }

    /// The log return from each day to the next, one fewer than days.
    pub fn log_returns(&self) -> &[f64] {
        &self.log_returns
    }

    /// The surface of each day.
    pub fn surfaces(&self) -> &[SurfaceFactors] {
        &self.surfaces
    }

    /// The annualised volatility at the money over one month, on each day.
    pub fn volatilities(&self) -> impl Iterator<Item = f64> + Clone + '_ {
        self.surfaces.iter().map(SurfaceFactors::one_month)
    }

    /// The annualised log return of each day over the volatility at its beginning, z = r √252/σ: of variance 1 where the surface is right
    /// about what follows.
    pub fn standardised(&self) -> impl Iterator<Item = f64> + '_ {
        let pairs = self.log_returns.iter().zip(self.volatilities());
        pairs.map(|(r, volatility)| r * TRADING_DAYS.sqrt() / volatility)
    }

    /// The surface whose factors are the means over all days.
    pub fn mean_surface(&self) -> SurfaceFactors {
        let n = self.surfaces.len() as f64;
        let sums = self.surfaces.iter().fold([0.0; 5], |sums, surface| {
            let factors = surface.to_array();
            std::array::from_fn(|i| sums[i] + factors[i] / n)
        });
        SurfaceFactors::from_array(sums)
    }

    /// The mean over all days of the variance at the money over one month.
    pub fn mean_variance(&self) -> f64 {
        let squares: f64 = self
            .volatilities()
            .map(|volatility| volatility.powi(2))
            .sum();
        squares / self.surfaces.len() as f64
    }
}

/// The logarithm of E e^{sZ} of a variate of mean 0, for s ≥ 0 of about a daily volatility,
///
/// ```text
/// K(s) = s² (κ₂/2! + κ₃ s/3! + κ₄ s²/4! + κ₅ s³/5! + κ₆ s⁴/6!)
/// ```
///
/// with κ_k its cumulants: what is taken off a log return sZ so that the spot is a martingale over the step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cumulants([f64; 5]);

impl Cumulants {
    /// Of values with these weights, which add up to 1; the values have the mean 0.
    pub fn new(weighted: impl Iterator<Item = (f64, f64)>) -> Self {
        let moments = weighted.fold([0.0; 7], |sums, (value, weight)| {
            std::array::from_fn(|k| sums[k] + weight * value.powi(k as i32))
        });
        let [_, _, m2, m3, m4, m5, m6] = moments;
        Self([
            m2 / 2.0,
            m3 / 6.0,
            (m4 - 3.0 * m2 * m2) / 24.0,
            (m5 - 10.0 * m3 * m2) / 120.0,
            (m6 - 15.0 * m4 * m2 - 10.0 * m3 * m3 + 30.0 * m2.powi(3)) / 720.0,
        ])
    }

    /// The factors of s² … s⁶.
    pub fn coefficients(&self) -> [f64; 5] {
        self.0
    }
}

#[cfg(test)]
#[path = "past_surfaces_tests.rs"]
pub(crate) mod tests;
