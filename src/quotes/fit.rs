//! A day's surface: five factors, or SVI slices, by least squares of implied volatility.

use super::points::{Expiry, Point};
use crate::calibration::{Quote, Surface, fit_svi};
use crate::error::Result;
use crate::linalg::{solve_positive, symmetric_eigen};
use crate::market::VolatilityUnit;
use crate::named::named;
use crate::pricing::SurfaceFactors;
use crate::pricing::svi::{Smile, SviSlice, SviSurface};
use chrono::NaiveDate;
use faer::Mat;

named! {
    /// What is fitted to a day.
    #[derive(Default)]
    pub enum SurfaceFit {
        /// The five factors of a surface.
        #[default]
        Factors = "factors",
        /// A slice for every expiry, without arbitrage.
        Svi = "svi",
    }
}

/// A fitted surface.
#[derive(Debug, Clone)]
pub enum Fitted {
    /// The factors of the day.
    Factors(SurfaceFactors),
    /// Slices with the forward of each.
    Svi(Vec<(SviSlice, f64)>),
}

/// How far a fit is from what it was fitted to.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Residuals {
    /// The number of points.
    pub points: usize,
    /// Σ (σ_fit − σ)², volatilities as fractions.
    pub squares: f64,
    /// The largest |σ_fit − σ|.
    pub largest: f64,
}

impl Residuals {
    fn of(errors: impl Iterator<Item = f64>) -> Self {
        errors.fold(Self::default(), |sum, error| Self {
            points: sum.points + 1,
            squares: sum.squares + error * error,
            largest: sum.largest.max(error.abs()),
        })
    }

    /// Adds what another fit leaves, if there is one.
    pub fn and(&mut self, other: Option<Self>) {
        let other = other.unwrap_or_default();
        self.points += other.points;
        self.squares += other.squares;
        self.largest = self.largest.max(other.largest);
    }

    /// The root of the mean square in volatility points.
    pub fn root_mean_square(&self) -> f64 {
        100.0 * (self.squares / self.points as f64).sqrt()
    }
}

/// Half of a spread in volatility below which quotes are not told apart: no surface of five numbers is nearer.
const LEAST_HALF_SPREAD: f64 = 0.005;

/// The least share of the largest eigenvalue that the smallest of the scaled normal matrix may have for factors to be determined.
const LEAST_SHARE: f64 = 1e-7;

/// The factors of a day: least squares, each quote over the square of its half-spread in volatility, of half a point at least.
///
/// # Errors
/// Why the factors are not determined, in words: too few quotes, a single expiry.
pub fn factors(points: &[Point]) -> Result<(SurfaceFactors, Residuals), String> {
    const COUNT: usize = SurfaceFactors::COUNT;
    if points.len() < 2 * COUNT {
        let few = points.len();
        return Err(format!("{few} quotes, five factors take {}", 2 * COUNT));
    }
    let first = points[0].expiry;
    if points.iter().all(|point| point.expiry == first) {
        return Err("one expiry, five factors take two".into());
    }
    let mut normal = Mat::<f64>::zeros(COUNT, COUNT);
    let mut right = [0.0; COUNT];
    for point in points {
        let basis = SurfaceFactors::basis(point.log_moneyness, point.years);
        let width = point.half_spread_volatility;
        // Without prices all quotes count alike.
        let width = if width.is_finite() {
            width.max(LEAST_HALF_SPREAD)
        } else {
            1.0
        };
        let weight = 1.0 / (width * width);
        for i in 0..COUNT {
            right[i] += weight * basis[i] * point.volatility;
            for j in 0..COUNT {
                normal[(i, j)] += weight * basis[i] * basis[j];
            }
        }
    }
    let open = || "the quotes do not determine five factors".to_owned();
    let scaled = Mat::from_fn(COUNT, COUNT, |i, j| {
        normal[(i, j)] / (normal[(i, i)] * normal[(j, j)]).sqrt()
    });
    let (values, _) = symmetric_eigen(&scaled).map_err(|_| open())?;
    let largest = values.iter().copied().fold(0.0, f64::max);
    let smallest = values.iter().copied().fold(f64::INFINITY, f64::min);
    // NaN of a column that is zero counts as not determined.
    if smallest.is_nan() || smallest <= LEAST_SHARE * largest {
        return Err(open());
    }
    let solution = solve_positive(&normal, &right, 0.0).map_err(|_| open())?;
    let factors = std::array::from_fn(|i| solution[i]);
    let factors = SurfaceFactors::from_array(factors);
    let errors = points
        .iter()
        .map(|point| factors.volatility(point.log_moneyness, point.years) - point.volatility);
    Ok((factors, Residuals::of(errors)))
}

/// Slices of a day, and what they leave, in volatilities of calendar years. The points' volatilities count trading days, so each slice's total variance is
/// that of its expiry whatever the days of a year.
///
/// # Errors
/// Why there is no fit, in words.
pub fn svi(
    points: &[Point],
    expiries: &[Expiry],
    (date, spot): (NaiveDate, f64),
) -> Result<(Vec<(SviSlice, f64)>, Residuals), String> {
    let quote = |point: &Point| {
        let expiry = &expiries[point.expiry];
        let forward = expiry.forward?;
        let carry = (forward.forward / spot).ln() / expiry.calendar_years;
        Some(Quote {
            spot,
            strike: point.strike,
            expiry: expiry.calendar_years,
            rate: forward.rate,
            dividend: forward.rate - carry,
            implied_volatility: point.volatility * (point.years / expiry.calendar_years).sqrt(),
        })
    };
    let surface = Surface {
        quotes: points.iter().filter_map(quote).collect(),
        dropped: Vec::new(),
        date: Some(date),
        unit: VolatilityUnit::Fraction,
    };
    let fit = fit_svi(&surface).map_err(|error| error.to_string())?;
    let errors = fit.implied_volatilities.iter();
    let residuals = Residuals::of(errors.map(|(quote, found)| found - quote.implied_volatility));
    let slices = fit.slices.into_iter().filter_map(|slice| {
        let mut own = expiries.iter();
        let own = own.find(|one| (365.0 * one.calendar_years - slice.days).abs() < 1e-6)?;
        Some((slice, own.forward?.forward))
    });
    Ok((slices.collect(), residuals))
}

/// Places of a fitted surface at which prices admit arbitrage, among those that are looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Arbitrage {
    /// Places that are looked at.
    pub places: usize,
    /// Places with a density below 0.
    pub butterflies: usize,
    /// Places at which total variance falls to the next expiry.
    pub calendars: usize,
}

/// Looks for arbitrage on a grid: at every expiry over the strikes that were quoted, 41 places each.
pub fn arbitrage(fitted: &Fitted, points: &[Point], expiries: &[Expiry]) -> Arbitrage {
    const PLACES: i32 = 40;
    const STEP: f64 = 1e-3;
    let mut ranges: Vec<(usize, f64, f64)> = Vec::new();
    for point in points {
        let k = -point.log_moneyness;
        match ranges.last_mut() {
            Some((expiry, low, high)) if *expiry == point.expiry => {
                (*low, *high) = (low.min(k), high.max(k));
            }
            _ => ranges.push((point.expiry, k, k)),
        }
    }
    let surface = match fitted {
        Fitted::Factors(_) => None,
        Fitted::Svi(slices) => Some(SviSurface::new(slices.iter().map(|of| of.0).collect())),
    };
    let total = |place: usize, k: f64| -> f64 {
        let expiry = &expiries[place];
        match (fitted, &surface) {
            (Fitted::Svi(_), Some(surface)) => surface.at(k, expiry.calendar_years).total,
            (Fitted::Factors(factors), _) => {
                factors.volatility(-k, expiry.years).powi(2) * expiry.years
            }
            (Fitted::Svi(_), None) => f64::NAN,
        }
    };
    let mut found = Arbitrage::default();
    for (at, &(expiry, low, high)) in ranges.iter().enumerate() {
        for j in 0..=PLACES {
            let k = low + (high - low) * f64::from(j) / f64::from(PLACES);
            found.places += 1;
            let (down, now, up) = (
                total(expiry, k - STEP),
                total(expiry, k),
                total(expiry, k + STEP),
            );
            let smile = Smile {
                total: now,
                slope: (up - down) / (2.0 * STEP),
                curvature: (up - 2.0 * now + down) / (STEP * STEP),
            };
            found.butterflies += usize::from(smile.density_factor(k) < -1e-6);
            if let Some(&(next, ..)) = ranges.get(at + 1) {
                let later = expiries[next].years > expiries[expiry].years;
                found.calendars += usize::from(later && total(next, k) < now * (1.0 - 1e-9));
            }
        }
    }
    found
}
