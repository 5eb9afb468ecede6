//! Options at the sale under rough Bergomi.

use super::RoughBergomiParameters;
use super::volterra::{Drawing, InSingle, Volterra, left_out};
use crate::contract::{Leg, OptionKind};
use crate::market::model::pricer::{Horizon, Pricer};
use crate::pricing::{BlackScholes, Greeks};
use crate::random::{Purpose, Sampling, Source};
use crate::simd::{BLOCK, dispatch};
use faer::linalg::solvers::Solve;
use faer::{Mat, Side};
use rayon::prelude::*;
use std::sync::{Arc, Mutex, PoisonError};

/// Paths of the variance that prices average over.
const PATHS: usize = 1 << 16;
/// Steps until expiry of those paths.
const STEPS: usize = 256;
/// No seed that a strategy is likely to have, so that its simulated prices are independent of these.
const SEED: u64 = 0x0072_6f75_6768;

/// Prices by conditional simulation. Given the Brownian motion W that drives the variance, ln S_T is normal, so that
///
/// ```text
/// V = E[BS(S P, (1 − ρ²) I)],   P = exp(ρM − ½ρ²I),   M = ∫₀ᵀ √v dW,   I = ∫₀ᵀ v dt
/// ```
///
/// where BS has the total variance (1 − ρ²) I. The paths are weighted so that the weighted means of P, M, I and M² − I are what they
/// must be, 1, 0, ξT and 0: the best linear use of them as control variates, which is the same for every option and keeps put–call
/// parity. M and I are proportional to √ξ and ξ, so that one simulation serves all variances, and all options of an expiry.
///
/// # References
/// R. McCrickerd and M. Pakkanen (2018), "Turbocharging Monte Carlo pricing for the rough Bergomi model", Quantitative Finance 18(11),
/// section 3; Glasserman (2004), "Monte Carlo Methods in Financial Engineering", equation 4.20, for the weights.
pub(super) struct ConditionalPricer<'a> {
    pub(super) parameters: &'a RoughBergomiParameters,
    pub(super) horizon: Horizon,
}

/// M and I of every path for ξ = 1.
struct Moments {
    paths: Vec<Path>,
    /// T
    life: f64,
}

#[derive(Clone, Copy)]
struct Path {
    /// Σ √v ΔW
    plain: f64,
    /// The same with what the left ends of steps leave out.
    integral: f64,
    total: f64,
    /// The derivatives of the last two where the curve of forward variance moves as it does with W in the next instant.
    moved: (f64, f64),
}

/// Of the last few lives, since prices of one contract are asked for again and again.
static KNOWN: Mutex<Vec<([u64; 3], Arc<Moments>)>> = Mutex::new(Vec::new());

fn moments(parameters: &RoughBergomiParameters, life: f64) -> Arc<Moments> {
    const MOST: usize = 8;
    let key = [parameters.hurst, parameters.eta, life].map(f64::to_bits);
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, found)) = known().iter().find(|(of, _)| *of == key) {
        return found.clone();
    }
    let made = Arc::new(simulate(parameters, life));
    let mut known = known();
    if known.len() == MOST {
        known.remove(0);
    }
    known.push((key, made.clone()));
    made
}

fn simulate(parameters: &RoughBergomiParameters, life: f64) -> Moments {
    let RoughBergomiParameters { hurst, eta, .. } = *parameters;
    let step = life / STEPS as f64;
    let volterra = Volterra::new(hurst, step, STEPS);
    let source = Source::new(SEED, Purpose::Pricing, Sampling::Antithetic, STEPS, 3);
    let inner = 0.5 * eta * left_out(hurst, life);
    // η √(2H) u^{H−½}, averaged over each step.
    let power = hurst + 0.5;
    let scale = eta * (2.0 * hurst).sqrt() * step.powf(hurst - 0.5) / power;
    let shape: Vec<f64> = (0..STEPS)
        .map(|i| scale * ((i as f64 + 1.0).powf(power) - (i as f64).powf(power)))
        .collect();
    let blocks = (0..PATHS / BLOCK).into_par_iter();
    let paths = blocks.flat_map_iter(|block| {
        let driven = dispatch(InSingle(Drawing {
            volterra: &volterra,
            xi: 1.0,
            eta,
            shocks: source.block(block as u64),
        }));
        (0..BLOCK)
            .map(|lane| {
                let mut path = Path {
                    plain: 0.0,
                    integral: 0.0,
                    total: 0.0,
                    moved: (0.0, 0.0),
                };
                for i in 0..STEPS {
                    let v = f64::from(driven.variance[i][lane]);
                    let z = f64::from(driven.along[i][lane]);
                    let root = v.sqrt();
                    let plain = root * step.sqrt() * z;
                    let whole = plain + root * inner * step * (z * z - 1.0);
                    path.plain += plain;
                    path.integral += whole;
                    path.total += v * step;
                    path.moved.0 += 0.5 * shape[i] * whole;
                    path.moved.1 += shape[i] * v * step;
                }
                path
            })
            .collect::<Vec<_>>()
    });
    Moments {
        paths: paths.collect(),
        life,
    }
}

impl Moments {
    /// P and (1 − ρ²) I of a path where the forward variance is `xi` and has moved by `tilt` in the direction of W.
    fn state(&self, path: &Path, rho: f64, xi: f64, tilt: f64) -> (f64, f64) {
        let integral = xi.sqrt() * (path.integral + tilt * path.moved.0);
        let total = xi * (path.total + tilt * path.moved.1);
        let square = rho * rho;
        (
            (rho * integral - 0.5 * square * total).exp(),
            (1.0 - square) * total,
        )
    }

    /// What is known to be 0 in the mean, less its mean over the paths; and that mean.
    fn controls(&self, rho: f64, xi: f64) -> (Vec<Controls>, Controls) {
        let root = xi.sqrt();
        let control = |path: &Path| {
            let (parallel, _) = self.state(path, rho, xi, 0.0);
            let (plain, total) = (root * path.plain, xi * path.total);
            let expected = xi * self.life;
            [
                parallel - 1.0,
                plain / expected.sqrt(),
                total / expected - 1.0,
                (plain * plain - total) / expected,
            ]
        };
        let mut values: Vec<Controls> = self.paths.iter().map(control).collect();
        let count = values.len() as f64;
        let mut mean = [0.0; CONTROLS];
        for value in &values {
            (0..CONTROLS).for_each(|k| mean[k] += value[k] / count);
        }
        for value in &mut values {
            (0..CONTROLS).for_each(|k| value[k] -= mean[k]);
        }
        (values, mean)
    }
}

/// Quantities that control others.
const CONTROLS: usize = 4;
type Controls = [f64; CONTROLS];

fn dot(one: &Controls, other: &Controls) -> f64 {
    one.iter().zip(other).map(|(x, y)| x * y).sum()
}

/// The coefficients b with CᵀC b = `right`, C the matrix whose rows are `centred`; zeros where there are none.
fn coefficients(centred: &[Controls], right: &Controls) -> Controls {
    let mut products = Mat::<f64>::zeros(CONTROLS, CONTROLS);
    for values in centred {
        for row in 0..CONTROLS {
            for column in 0..=row {
                products[(row, column)] += values[row] * values[column];
            }
        }
    }
    // Where a quantity is the same on every path, as P without correlation and I without volatility, it controls nothing.
    for k in 0..CONTROLS {
        products[(k, k)] += 1e-12 * centred.len() as f64;
    }
    let right = Mat::from_fn(CONTROLS, 1, |k, _| right[k]);
    match products.llt(Side::Lower) {
        Ok(factor) => {
            let solution = factor.solve(&right);
            std::array::from_fn(|k| solution[(k, 0)])
        }
        Err(_) => [0.0; CONTROLS],
    }
}

/// Options on every path, and how much a path counts.
struct Valued {
    centred: Vec<Controls>,
    weights: Vec<f64>,
    values: Vec<f64>,
}

impl Valued {
    fn price(&self) -> f64 {
        self.weights
            .iter()
            .zip(&self.values)
            .map(|(w, v)| w * v)
            .sum()
    }

    /// What the controls leave of the standard deviation of antithetic pairs, over the root of their number.
    fn standard_error(&self) -> f64 {
        let count = self.values.len() as f64;
        let mean = self.values.iter().sum::<f64>() / count;
        let mut right = [0.0; CONTROLS];
        for (value, controls) in self.values.iter().zip(&self.centred) {
            (0..CONTROLS).for_each(|k| right[k] += (value - mean) * controls[k]);
        }
        let slopes = coefficients(&self.centred, &right);
        let left = |i: usize| self.values[i] - mean - dot(&slopes, &self.centred[i]);
        let half = BLOCK / 2;
        let firsts = (0..self.values.len()).filter(|i| i % BLOCK < half);
        let squares: f64 = firsts
            .map(|i| (0.5 * (left(i) + left(i + half))).powi(2))
            .sum();
        squares.sqrt() / (0.5 * count)
    }
}

impl ConditionalPricer<'_> {
    fn valued(&self, legs: &[Leg], spot: f64, variance: f64, (left, tilt): (f64, f64)) -> Valued {
        let moments = moments(self.parameters, left);
        self.valued_on(&moments, legs, (spot, variance), tilt)
    }

    fn valued_on(
        &self,
        moments: &Moments,
        legs: &[Leg],
        (spot, variance): (f64, f64),
        tilt: f64,
    ) -> Valued {
        let (rho, left) = (self.parameters.rho, moments.life);
        let (centred, mean) = moments.controls(rho, variance);
        let shift = coefficients(&centred, &mean);
        let share = 1.0 / centred.len() as f64;
        let weights: Vec<f64> = centred
            .iter()
            .map(|values| share - dot(&shift, values))
            .collect();
        let state = |path| moments.state(path, rho, variance, tilt);
        let states: Vec<(f64, f64)> = moments.paths.iter().map(state).collect();
        // 1 but for rounding, and where the curve has moved.
        let mean: f64 = states.iter().zip(&weights).map(|((p, _), w)| w * p).sum();
        let value = |&(parallel, total): &(f64, f64)| {
            let volatility = (total / left).sqrt();
            let option = |leg: &Leg| {
                let option = BlackScholes {
                    kind: leg.kind,
                    spot: spot * parallel / mean,
                    strike: leg.strike,
                    expiry: left,
                    rate: self.horizon.rate,
                    dividend: self.horizon.dividend,
                    volatility,
                };
                leg.quantity * option.price()
            };
            legs.iter().map(option).sum()
        };
        Valued {
            values: states.par_iter().map(value).collect(),
            centred,
            weights,
        }
    }

    fn value(
        &self,
        (kind, strike): (OptionKind, f64),
        spot: f64,
        variance: f64,
        at: (f64, f64),
    ) -> f64 {
        let legs = [Leg::one(kind, strike)];
        self.valued(&legs, spot, variance, at).price()
    }
}

impl Pricer for ConditionalPricer<'_> {
    fn price(&self, kind: OptionKind, strike: f64, spot: f64, variance: f64) -> f64 {
        self.value((kind, strike), spot, variance, (self.horizon.left, 0.0))
    }

    fn price_of(&self, legs: &[Leg], spot: f64, variance: f64) -> f64 {
        let at = (self.horizon.left, 0.0);
        self.valued(legs, spot, variance, at).price()
    }

    /// Of the paths alone: what the steps of the paths leave out is not in it.
    fn standard_error_of(&self, legs: &[Leg], spot: f64, variance: f64) -> f64 {
        let at = (self.horizon.left, 0.0);
        self.valued(legs, spot, variance, at).standard_error()
    }

    /// The curve of forward variance moves with the spot by d⟨ξ(u), S⟩/d⟨S⟩ = ρ η√(2H) u^{H−½} ξ(u)/(S√v).
    fn greeks(&self, kind: OptionKind, strike: f64, spot: f64, variance: f64) -> Greeks {
        const TILT: f64 = 1e-4;
        let (option, left) = ((kind, strike), self.horizon.left);
        let greeks = Greeks::by_differences(
            |spot, variance, left| self.value(option, spot, variance, (left, 0.0)),
            (spot, variance, left),
            0.0,
        );
        let tilted = |tilt| self.value(option, spot, variance, (left, tilt));
        let slope = (tilted(TILT) - tilted(-TILT)) / (2.0 * TILT);
        Greeks {
            minimum_variance_delta: greeks.delta
                + self.parameters.rho * slope / (spot * variance.sqrt()),
            ..greeks
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The standard error of a price is what prices on independent parts of the paths say: within 40 % where 64 of them leave a ninth,
    /// for an option on either side of the money and for two together.
    #[test]
    fn the_standard_error_is_that_of_parts() {
        const PARTS: usize = 64;
        let parameters = RoughBergomiParameters {
            xi: 0.04,
            eta: 1.9,
            hurst: 0.1,
            rho: -0.7,
        };
        let pricer = ConditionalPricer {
            parameters: &parameters,
            horizon: Horizon {
                left: 0.25,
                elapsed: 0.0,
                start: 100.0,
                carried: 0.0,
                rate: 0.02,
                dividend: 0.01,
                variances: 0.04..=0.04,
                log_moneyness: 0.2,
            },
        };
        let whole = moments(&parameters, 0.25);
        let (call, put) = (
            Leg::one(OptionKind::Call, 106.0),
            Leg::one(OptionKind::Put, 92.0),
        );
        for legs in [&[call][..], &[put], &[call, put]] {
            let stated = pricer.standard_error_of(legs, 100.0, 0.04);
            let part = |paths: &[Path]| {
                let part = Moments {
                    paths: paths.to_vec(),
                    life: whole.life,
                };
                pricer.valued_on(&part, legs, (100.0, 0.04), 0.0).price()
            };
            let prices: Vec<f64> = whole.paths.chunks(PATHS / PARTS).map(part).collect();
            let mean = prices.iter().sum::<f64>() / PARTS as f64;
            let squares: f64 = prices.iter().map(|price| (price - mean).powi(2)).sum();
            let found = (squares / (PARTS * (PARTS - 1)) as f64).sqrt();
            assert!(
                (found / stated - 1.0).abs() < 0.4,
                "{legs:?}: {found} {stated}"
            );
        }
    }
}
