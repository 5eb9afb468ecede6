//! What the market says of an asset at one date of a path.

use super::model::VarianceProcess;
use crate::pricing::SurfaceFactors;
use crate::simd::{Lane, Real};

/// What the market says of an asset at one date of a path: its spot, its variance and, where there is one, the implied-volatility
/// surface of the day.
///
/// # Units
/// The spot in currency, the variance annualised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MarketState {
    /// The spot.
    pub spot: f64,
    /// The annualised variance; with a surface that of an option at the money over one month.
    pub variance: f64,
    /// The surface.
    pub surface: Option<SurfaceFactors>,
}

impl MarketState {
    /// A state without a surface.
    pub fn new(spot: f64, variance: f64) -> Self {
        Self {
            spot,
            variance,
            surface: None,
        }
    }

    /// The volatility of an option at `log_moneyness` = ln(F/K) with `left` > 0 years to its expiry: that of the surface or, without one,
    /// what `process` expects until then.
    pub fn volatility(&self, process: &VarianceProcess, log_moneyness: f64, left: f64) -> f64 {
        match &self.surface {
            Some(surface) => surface.volatility(log_moneyness, left),
            None => process.mean_from(self.variance, left).sqrt(),
        }
    }
}

/// The implied-volatility surface on a block of paths, at every date.
#[derive(Debug, Clone, Copy)]
pub struct SurfaceRows<'a, R> {
    rows: &'a [Lane<R>],
    dates: usize,
}

impl<'a, R> SurfaceRows<'a, R> {
    /// Of rows `[factors][dates]`.
    pub(super) fn new(rows: &'a [Lane<R>], dates: usize) -> Self {
        Self { rows, dates }
    }

    /// A factor at every date, by its place in [`SurfaceFactors::NAMES`].
    #[inline(always)]
    pub fn factor(&self, index: usize) -> &'a [Lane<R>] {
        &self.rows[index * self.dates..][..self.dates]
    }

    /// All factors at date `t`, in the order of [`SurfaceFactors::NAMES`].
    #[inline(always)]
    pub fn factors(&self, t: usize) -> [&'a Lane<R>; SurfaceFactors::COUNT] {
        std::array::from_fn(|index| &self.rows[index * self.dates + t])
    }
}

impl<R: Real> SurfaceRows<'_, R> {
    /// The surface at date `t` of one path.
    #[inline(always)]
    pub fn at(&self, t: usize, lane: usize) -> SurfaceFactors {
        let factor = |index: usize| self.factor(index)[t][lane].into_f64();
        SurfaceFactors::from_array(std::array::from_fn(factor))
    }
}
