//! Options on geometric averages.

use super::asset::LEAST_DEVIATION;
use super::{LognormalAsset, Term, Valuation};
use crate::contract::OptionKind;

/// What is averaged, and what of it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AverageSoFar<'a> {
    /// The mean of ln S over fixings.
    Fixings {
        /// The number of those that are known.
        known: usize,
        /// The sum of their logarithms; 0 if there is none.
        log_sum: f64,
        /// Years from now to each of those to come, in their order, none after expiry.
        times: &'a [f64],
    },
    /// The mean of ln S over all the time from the start to expiry.
    Continuous {
        /// Years since the start.
        elapsed: f64,
        /// `∫ ln S dt` since the start; 0 at the start.
        log_integral: f64,
    },
}

/// A call or put on the geometric average G of the spot, `max(φ(G − K), 0)` at expiry.
///
/// # Formula
///
/// ln G is normal. With its mean μ and variance v given what is known, and `d = (μ − ln K)/√v`,
///
/// ```text
/// V = φ e^{−rT} (e^{μ + v/2} Φ(φ(d + √v)) − K Φ(φd))
/// ```
///
/// With n of N fixings to come at `t_1 < … < t_n ≤ T`, and `m = r − q − σ²/2`,
///
/// ```text
/// μ = (Σ_known ln S_i + n ln S + m Σ t_i)/N,   v = σ² Σ_{i,j} min(t_i, t_j)/N²
/// ```
///
/// and over all the time, A = elapsed + T, `μ = (∫ ln S dt + T ln S + mT²/2)/A`, `v = σ²T³/(3A²)`.
///
/// # References
///
/// A. Kemna and A. Vorst (1990), "A pricing method for options based on average asset values", Journal of Banking and
/// Finance 14; S. Turnbull and L. Wakeman (1991), Journal of Financial and Quantitative Analysis 26, for fixings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GeometricAsian<'a> {
    /// The asset until expiry.
    pub asset: LognormalAsset,
    /// Call or put.
    pub kind: OptionKind,
    /// The strike, in currency.
    pub strike: f64,
    /// What is averaged, and what of it is known.
    pub average: AverageSoFar<'a>,
}

impl GeometricAsian<'_> {
    /// Price, delta and gamma.
    pub fn valuation(&self) -> Valuation {
        let phi = self.kind.sign();
        let Law {
            mean,
            deviation,
            weight,
        } = self.law();
        let discount = -self.asset.rate * self.asset.expiry;
        let distance = (mean - self.strike.ln()) / deviation;
        let term = |coefficient: f64, exponent: f64, power: f64, argument: f64| Term {
            coefficient,
            exponent,
            log_density: exponent - 0.5 * argument * argument,
            power,
            argument,
            slope: phi * weight / deviation,
        };
        let average = discount + mean + 0.5 * deviation * deviation;
        let paid = [
            term(phi, average, weight, phi * (distance + deviation)),
            term(-phi * self.strike, discount, 0.0, phi * distance),
        ];
        let [average, strike] = paid.map(|term| term.valuation(self.asset.spot));
        (average + strike).not_negative()
    }

    /// The price of the average itself, delivered at expiry.
    pub fn forward(&self) -> Valuation {
        let law = self.law();
        let exponent = law.mean + 0.5 * law.deviation * law.deviation;
        let price = (exponent - self.asset.rate * self.asset.expiry).exp();
        let first = law.weight * price;
        Valuation::of_logarithm(price, first, law.weight * first, self.asset.spot)
    }

    fn law(&self) -> Law {
        let asset = &self.asset;
        let time = asset.expiry;
        let m = asset.rate - asset.dividend - 0.5 * asset.volatility * asset.volatility;
        let (mean, variance, weight) = match self.average {
            AverageSoFar::Fixings {
                known,
                log_sum,
                times,
            } => {
                let left = times.len();
                let all = (known + left) as f64;
                // The i-th is the earlier one in 2(n − i) + 1 pairs.
                let pairs = times.iter().zip(1..);
                let pairs: f64 = pairs.map(|(t, i)| t * (2 * (left - i) + 1) as f64).sum();
                let drift = m * times.iter().sum::<f64>();
                let mean = (log_sum + left as f64 * asset.spot.ln() + drift) / all;
                (mean, pairs / (all * all), left as f64 / all)
            }
            AverageSoFar::Continuous {
                elapsed,
                log_integral,
            } => {
                let whole = elapsed + time;
                if whole > 0.0 {
                    let mean = log_integral + time * asset.spot.ln() + 0.5 * m * time * time;
                    let variance = time * time * time / (3.0 * whole * whole);
                    (mean / whole, variance, time / whole)
                } else {
                    // Averaged over no time at all, the average is the spot.
                    (asset.spot.ln(), 0.0, 1.0)
                }
            }
        };
        Law {
            mean,
            deviation: (asset.volatility * variance.sqrt()).max(LEAST_DEVIATION),
            weight,
        }
    }
}

/// The law of the logarithm of the average.
struct Law {
    mean: f64,
    deviation: f64,
    /// The share of the average that is still to come, the power of the spot in it.
    weight: f64,
}
