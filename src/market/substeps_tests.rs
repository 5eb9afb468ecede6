//! Simulated against formula prices where a hedging period is too long for one step, and where variance hardly moves.

use super::model::cancels;
use super::{Market, Model, Simulator};
use crate::contract::options::payoff;
use crate::contract::{Leg, OptionKind};
use crate::pricing::{BlackScholes, HestonParameters};
use crate::random::{Purpose, Sampling};
use crate::simd::Real;

const BUEHLER: HestonParameters = HestonParameters {
    v0: 0.04,
    kappa: 1.0,
    theta: 0.04,
    sigma: 2.0,
    rho: -0.7,
};

fn simulator(parameters: HestonParameters, expiry: f64, steps: usize) -> Simulator {
    Simulator {
        assets: Market {
            model: Model::from(parameters),
            spot: 100.0,
            rate: 0.02.into(),
            dividend: 0.01.into(),
        }
        .into(),
        steps,
        dt: expiry / steps as f64,
        seed: 11,
        purpose: Purpose::Pricing,
        sampling: Sampling::Pseudorandom,
        family: None,
    }
}

fn mean_and_error(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let n = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / n;
    let squares: f64 = values.map(|v| (v - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0) / n).sqrt())
}

/// Asserts the formula's prices of puts at 0.8, 1 and 1.2 times the spot, z-bound 4.
fn assert_prices(simulator: &Simulator, count: usize) {
    let expiry = simulator.dt * simulator.steps as f64;
    let ends = simulator.ends(0, count);
    for strike in [80.0, 100.0, 120.0] {
        let put = [Leg::one(OptionKind::Put, strike)];
        let discount = (-0.02 * expiry).exp();
        let (mean, error) = mean_and_error(ends.iter().map(|s| discount * payoff(&put, *s)));
        let price = simulator.assets.first().price(&put, expiry);
        assert!(
            (mean - price).abs() < 4.0 * error + 1e-4,
            "{:?}, {} steps of {} at {strike}: {mean} ± {error}, {price}",
            simulator.assets.first().model,
            simulator.steps,
            simulator.substeps(),
        );
    }
}

/// Periods from a year down to a day, where the plain scheme is off by up to a hundred of these standard errors, and corners of
/// the region that strategies may name.
#[test]
fn prices_are_the_formulas_on_any_grid() {
    let quick = HestonParameters {
        kappa: 1_000.0,
        sigma: 5.0,
        ..BUEHLER
    };
    let wild = HestonParameters {
        sigma: 10.0,
        ..BUEHLER
    };
    let reverting = HestonParameters {
        kappa: 12.0,
        sigma: 1.5,
        ..BUEHLER
    };
    let upward = HestonParameters {
        kappa: 2.0,
        sigma: 1.0,
        rho: 0.5,
        ..BUEHLER
    };
    let falling = HestonParameters {
        v0: 0.2,
        sigma: 0.5,
        ..upward
    };
    let rising = HestonParameters {
        v0: 0.005,
        theta: 0.1,
        sigma: 0.5,
        ..upward
    };
    for (parameters, expiry, steps) in [
        (BUEHLER, 1.0, 1),
        (BUEHLER, 1.0, 4),
        (BUEHLER, 1.0, 52),
        (reverting, 1.0, 4),
        (upward, 1.0, 1),
        (falling, 1.0, 2),
        (rising, 1.0, 2),
        (quick, 20.0 / 365.0, 20),
        (wild, 20.0 / 365.0, 20),
    ] {
        assert_prices(&simulator(parameters, expiry, steps), 1 << 18);
    }
}

/// Sub-steps are further dimensions of a Sobol point and further shocks of an antithetic pair: the law stays what it is.
#[test]
fn substeps_have_the_same_law_under_every_sampling() {
    for sampling in [Sampling::Antithetic, Sampling::Sobol] {
        let simulator = Simulator {
            sampling,
            ..simulator(BUEHLER, 0.5, 4)
        };
        assert!(simulator.substeps() > 10, "{}", simulator.substeps());
        assert_prices(&simulator, 1 << 16);
    }
}

/// The variance at the dates is that of the process: E[v_t] = θ + (v₀ − θ) e^{−κt}, sub-steps or not; z-bound 4.
#[test]
fn variance_has_its_mean_at_the_dates() {
    let parameters = HestonParameters {
        v0: 0.09,
        ..BUEHLER
    };
    let simulator = simulator(parameters, 1.0, 4);
    let paths = simulator.paths::<f64>(0, 1 << 16);
    for t in 1..=4 {
        let variance = (0..paths.blocks()).flat_map(|block| paths.block(block).variance[t]);
        let (mean, error) = mean_and_error(variance);
        let expected = 0.04 + 0.05 * (-0.25 * t as f64).exp();
        assert!(
            (mean - expected).abs() < 4.0 * error,
            "{t}: {mean} ± {error}, {expected}"
        );
    }
}

/// As σ falls to 0 the variance is deterministic, log returns have the variance v̄T, the spot is a martingale, and options are
/// worth what Black and Scholes give at v̄, in both precisions; z-bound 4.
#[test]
fn small_volatility_of_variance_has_its_limit() {
    const COUNT: usize = 1 << 16;
    fn ends<R: Real>(simulator: &Simulator) -> Vec<f64> {
        let paths = simulator.paths::<R>(0, COUNT);
        let blocks = 0..paths.blocks();
        let last = |block| paths.block(block).spot[simulator.steps].map(Real::into_f64);
        blocks.flat_map(last).collect()
    }
    for rho in [-0.99, -0.7, 0.0, 0.9] {
        for sigma in [0.0, 1e-50, 1e-12, 1e-7, 1e-5, 1e-3, 1e-2] {
            let parameters = HestonParameters {
                v0: 0.06,
                kappa: 2.0,
                theta: 0.04,
                sigma,
                rho,
            };
            let simulator = simulator(parameters, 30.0 / 252.0, 30);
            let expiry = 30.0 / 252.0;
            let total = parameters.mean_variance(expiry) * expiry;
            let option = BlackScholes {
                kind: crate::contract::OptionKind::Put,
                spot: 100.0,
                strike: 100.0,
                expiry,
                rate: 0.02,
                dividend: 0.01,
                volatility: (total / expiry).sqrt(),
            };
            for spots in [ends::<f32>(&simulator), ends::<f64>(&simulator)] {
                let logs = spots.iter().map(|s| (s / 100.0).ln() - 0.01 * expiry);
                let squares = logs.map(|x| (x + 0.5 * total).powi(2));
                let puts = spots
                    .iter()
                    .map(|s| (-0.02 * expiry).exp() * (100.0 - s).max(0.0));
                let discounted = spots.iter().map(|s| (-0.01 * expiry).exp() * s);
                for (what, (mean, error), expected) in [
                    ("variance", mean_and_error(squares), total),
                    ("put", mean_and_error(puts), option.price()),
                    ("spot", mean_and_error(discounted), 100.0),
                ] {
                    // The price moves with σ at first order.
                    let bound = 4.0 * error + sigma * expected.min(1.0);
                    assert!(
                        (mean - expected).abs() < bound,
                        "rho {rho}, sigma {sigma}: {what} {mean} ± {error}, {expected}"
                    );
                }
            }
        }
    }
}

/// Paths in single precision, which policies are trained on, are those in double precision, which they are tested on, on
/// either side of the change of arithmetic.
#[test]
fn precisions_agree_for_any_volatility_of_variance() {
    for sigma in [1e-10, 1e-6, 1e-4, 0.0099, 0.0101, 0.03, 0.3] {
        let parameters = HestonParameters { sigma, ..BUEHLER };
        assert_eq!(cancels(&parameters), sigma < 0.01);
        let simulator = simulator(parameters, 0.25, 60);
        let (single, double) = (
            simulator.paths::<f32>(0, 1024),
            simulator.paths::<f64>(0, 1024),
        );
        for path in 0..1024 {
            let (single, double) = (single.path(path), double.path(path));
            for (single, double) in single.0.iter().zip(&double.0) {
                let apart = (single / double - 1.0).abs();
                assert!(apart < 3e-4, "{sigma}: {single} {double}");
            }
        }
    }
}
