//! Surfaces of an index of which closes and a volatility index are known, as of the NASDAQ-100 and VXN.
//!
//! A volatility index is the rate of a variance swap over a month, which many surfaces have. Here the other four factors are taken from the surfaces of
//! another index, each as an affine function of the one-month volatility at the money and of its mean over the half-year before, by which term structures
//! slope; the level follows from the volatility index.

use crate::contract::OptionKind;
use crate::error::{Error, Result};
use crate::pricing::{BlackScholes, SurfaceFactors};

/// The time to expiry of a variance swap over 30 days of the calendar, in years of 252 trading days.
const MONTH: f64 = 21.0 / 252.0;

/// How far from the forward strikes reach, in standard deviations of ln S, and how many steps lead there on each side.
const WIDTH: f64 = 5.0;
const STEPS: usize = 80;

/// One-month volatilities at the money between which that of a surface is looked for.
const RANGE: [f64; 2] = [0.01, 3.0];

/// The relative error of the variance swap's rate at which a level is found.
const PRECISION: f64 = 1e-12;

/// The factors without the level.
const SHAPES: usize = SurfaceFactors::COUNT - 1;

/// The share that a day has in the exponential mean of volatilities: that of a mean over 126 trading days, half a year.
const SHARE: f64 = 2.0 / 127.0;

/// A factor of a surface as an affine function of the one-month volatility at the money σ and its exponential mean m over the days before:
///
/// β = intercept + gradient·σ + reversion·m.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FactorLine {
    /// The constant.
    pub intercept: f64,
    /// The change of the factor for a change of the day's volatility by 1.
    pub gradient: f64,
    /// The change of the factor for a change of the mean volatility before by 1.
    pub reversion: f64,
    /// The share of the factor's variance that this explains, from 0 to 1.
    pub explained: f64,
}

/// How the surfaces of an index are shaped: the factors but for the level, in the order of [`SurfaceFactors::NAMES`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SurfaceShape {
    /// The lines of slope, moneyness, smile and smirk.
    pub lines: [FactorLine; SHAPES],
}

/// The exponential mean of the days before with that of another day; on the first day the mean is the day's own.
fn followed(mean: Option<f64>, volatility: f64) -> f64 {
    let before = mean.unwrap_or(volatility);
    before + SHARE * (volatility - before)
}

impl SurfaceShape {
    /// Fits the lines to the `surfaces` of consecutive days by least squares.
    ///
    /// # Errors
    /// [`Error::Input`] if volatilities or their means are all the same or lie on a line, as of fewer than three days.
    pub fn fitted(surfaces: &[SurfaceFactors]) -> Result<Self> {
        let mut before = None;
        let days = surfaces.iter().map(|surface| {
            let volatility = surface.one_month();
            let mean = before.unwrap_or(volatility);
            before = Some(followed(before, volatility));
            [volatility, mean]
        });
        let days: Vec<[f64; 2]> = days.collect();
        let count = days.len() as f64;
        let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / count;
        let centre = [0, 1].map(|i| mean(&mut days.iter().map(|day| day[i])));
        let moment = |i: usize, j: usize| {
            mean(
                &mut days
                    .iter()
                    .map(|day| (day[i] - centre[i]) * (day[j] - centre[j])),
            )
        };
        let (own, joint, past) = (moment(0, 0), moment(0, 1), moment(1, 1));
        let determinant = own * past - joint * joint;
        // Of no surfaces it is no number.
        if determinant.is_nan() || determinant <= 1e-9 * own * past {
            return Err(Error::input(format!(
                "{} surfaces do not say how a surface is shaped at other volatilities",
                surfaces.len()
            )));
        }
        let lines = std::array::from_fn(|place| {
            let factors = || surfaces.iter().map(|surface| surface.to_array()[place + 1]);
            let level = mean(&mut factors());
            let with = |i: usize| {
                let pairs = factors().zip(&days);
                mean(&mut pairs.map(|(factor, day)| (factor - level) * (day[i] - centre[i])))
            };
            let (now, then) = (with(0), with(1));
            let gradient = (now * past - then * joint) / determinant;
            let reversion = (then * own - now * joint) / determinant;
            let variance = mean(&mut factors().map(|factor| (factor - level).powi(2)));
            FactorLine {
                intercept: level - gradient * centre[0] - reversion * centre[1],
                gradient,
                reversion,
                explained: match variance > 0.0 {
                    true => (gradient * now + reversion * then) / variance,
                    false => 1.0,
                },
            }
        });
        Ok(Self { lines })
    }

    /// The surface of this shape whose one-month volatility at the money is `volatility`, after days of the exponential mean `before`.
    pub fn at(&self, volatility: f64, before: f64) -> SurfaceFactors {
        let [slope, moneyness, smile, smirk] = self
            .lines
            .map(|line| line.intercept + line.gradient * volatility + line.reversion * before);
        let surface = SurfaceFactors::from_array([0.0, slope, moneyness, smile, smirk]);
        surface.with_one_month(volatility)
    }

    /// The surfaces of this shape on consecutive days whose variance swaps over a month have the rates `index`, volatilities a year as fractions. What a
    /// day has follows from it and the days before.
    ///
    /// # Errors
    /// [`Error::Input`] if no surface of the shape with a one-month volatility from 1 % to 300 % has the rate of a day, which is named by its place from 0.
    pub fn of_index(&self, index: &[f64]) -> Result<Vec<SurfaceFactors>, (usize, Error)> {
        let mut before = None;
        let days = index.iter().enumerate().map(|(day, index)| {
            let surface = self.on_day(*index, before).map_err(|error| (day, error))?;
            before = Some(followed(before, surface.one_month()));
            Ok(surface)
        });
        days.collect()
    }

    /// The surface whose variance swap has the rate `index` after days of the mean `before`, by regula falsi (Illinois).
    fn on_day(&self, index: f64, before: Option<f64>) -> Result<SurfaceFactors> {
        let surface = |volatility: f64| self.at(volatility, before.unwrap_or(volatility));
        let excess = |volatility: f64| swap_rate(&surface(volatility)) / index - 1.0;
        let [mut low, mut high] = RANGE;
        let (mut below, mut above) = (excess(low), excess(high));
        if below > 0.0 || above < 0.0 {
            return Err(Error::input(format!(
                "no surface of the shape has a volatility index of {} %",
                100.0 * index
            )));
        }
        // Which end stayed last; one that stays twice counts half.
        let mut low_stayed = None;
        loop {
            let volatility = (low * above - high * below) / (above - below);
            let found = excess(volatility);
            if found.abs() < PRECISION || high - low < PRECISION * high {
                return Ok(surface(volatility));
            }
            if found < 0.0 {
                (low, below) = (volatility, found);
                if low_stayed.replace(false) == Some(false) {
                    above *= 0.5;
                }
            } else {
                (high, above) = (volatility, found);
                if low_stayed.replace(true) == Some(true) {
                    below *= 0.5;
                }
            }
        }
    }
}

/// The rate of a variance swap over a month on a surface, as a volatility a year:
///
/// σ² = 2/τ ∫ O(K)/K² dK, with O the options out of the money on a forward of 1, at strikes within five standard deviations.
///
/// The integral over ln K is a sum over strikes a sixteenth of a standard deviation apart, as Cboe's indices are sums over listed strikes. What it has beyond
/// the integral comes from the kink of O at the money and is (1/16)²/12 = 3·10⁻⁴ of the volatility.
///
/// # References
/// Demeterfi, Derman, Kamal and Zou (1999), "More than you ever wanted to know about volatility swaps", equation 26 in the limit of many strikes.
pub fn swap_rate(surface: &SurfaceFactors) -> f64 {
    let step = WIDTH * surface.one_month() * MONTH.sqrt() / STEPS as f64;
    let value = |place: i32| {
        let log_strike = f64::from(place) * step;
        let option = BlackScholes {
            kind: if place < 0 {
                OptionKind::Put
            } else {
                OptionKind::Call
            },
            spot: 1.0,
            strike: log_strike.exp(),
            expiry: MONTH,
            rate: 0.0,
            dividend: 0.0,
            volatility: surface.volatility(-log_strike, MONTH),
        };
        // dK/K² = e^{−k} dk for k = ln K.
        option.price() * (-log_strike).exp()
    };
    let last = STEPS as i32;
    let ends = 0.5 * (value(-last) + value(last));
    let sum: f64 = (1 - last..last).map(value).sum();
    (2.0 / MONTH * step * (sum + ends)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skewed(volatility: f64) -> SurfaceFactors {
        let slope = -0.18 + 0.86 * volatility;
        SurfaceFactors::from_array([0.0, slope, 0.17 + 0.2 * volatility, -0.02, -0.01])
            .with_one_month(volatility)
    }

    /// A flat surface's variance swap has its volatility but for what the trapezoidal rule adds at the kink, h²/12 for steps of h standard deviations; one
    /// whose puts are dear has more than that at the money.
    #[test]
    fn the_swap_of_a_flat_surface_is_its_volatility() {
        let kink = (WIDTH / STEPS as f64).powi(2) / 12.0;
        for volatility in [0.1, 0.25, 0.8] {
            let flat = SurfaceFactors {
                level: volatility,
                ..Default::default()
            };
            let error = swap_rate(&flat) / volatility - 1.0;
            assert!((error / kink - 1.0).abs() < 1e-3, "{error}");
        }
        let dear = swap_rate(&skewed(0.2));
        assert!((0.205..0.24).contains(&dear), "{dear}");
    }

    /// Lines through surfaces that lie on lines are these; the surfaces of an index have it as the rate of their variance swaps, and the factors of the
    /// lines at their volatilities and the means before.
    #[test]
    fn surfaces_have_their_volatility_index() {
        let shape = SurfaceShape {
            lines: [
                (-0.1, 1.2, -0.8),
                (0.17, 0.2, 0.1),
                (-0.02, 0.0, 0.0),
                (-0.01, 0.0, 0.0),
            ]
            .map(|(intercept, gradient, reversion)| FactorLine {
                intercept,
                gradient,
                reversion,
                explained: 1.0,
            }),
        };
        let index: Vec<f64> = (0..60)
            .map(|day| 0.3 + 0.2 * (0.4 * f64::from(day)).sin())
            .collect();
        let surfaces = shape.of_index(&index).unwrap();
        let mut before = surfaces[0].one_month();
        for (surface, index) in surfaces.iter().zip(&index) {
            assert!((swap_rate(surface) / index - 1.0).abs() < 1e-10);
            let again = shape.at(surface.one_month(), before);
            let pairs = surface.to_array().into_iter().zip(again.to_array());
            assert!(
                pairs
                    .into_iter()
                    .all(|(found, made)| (found - made).abs() < 1e-12)
            );
            before += SHARE * (surface.one_month() - before);
        }
        let found = SurfaceShape::fitted(&surfaces).unwrap();
        for (found, made) in found.lines.iter().zip(&shape.lines) {
            assert!((found.intercept - made.intercept).abs() < 1e-9);
            assert!((found.gradient - made.gradient).abs() < 1e-9);
            assert!((found.reversion - made.reversion).abs() < 1e-9);
        }
        assert!((found.lines[0].explained - 1.0).abs() < 1e-9);
        // What follows changes nothing before.
        assert_eq!(shape.of_index(&index[..20]).unwrap(), surfaces[..20]);
        let (day, error) = shape.of_index(&[0.2, 9.0]).unwrap_err();
        assert_eq!(day, 1);
        assert!(error.to_string().contains("a volatility index of 900 %"));
        assert!(SurfaceShape::fitted(&surfaces[..2]).is_err());
        assert!(SurfaceShape::fitted(&[]).is_err());
    }
}
