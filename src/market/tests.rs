use super::*;
use crate::contract::options::payoff;
use crate::contract::{Leg, OptionKind};
use crate::pricing::{HestonParameters, MertonParameters};
use crate::random::{Purpose, Sampling};
use crate::simd::Real;
use serde_json::Value;

fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

fn terminal<R: Real>(model: Model, rate: f64, steps: usize, dt: f64, count: usize) -> Vec<f64> {
    let market = Market {
        model,
        spot: 100.0,
        rate: rate.into(),
        dividend: 0.0.into(),
    };
    let simulator = Simulator {
        assets: market.into(),
        steps,
        dt,
        seed: 1,
        purpose: Purpose::Pricing,
        sampling: Sampling::Pseudorandom,
        family: None,
    };
    let paths = simulator.paths::<R>(0, count);
    (0..count)
        .map(|i| paths.block(i / crate::simd::BLOCK).spot[steps][i % crate::simd::BLOCK].into_f64())
        .collect()
}

const BUEHLER: HestonParameters = HestonParameters {
    v0: 0.04,
    kappa: 1.0,
    theta: 0.04,
    sigma: 2.0,
    rho: -0.7,
};

/// Heston (1993) price of the setting of Buehler et al. (2019), section 5: 1.6918 by QuantLib 1.44.
#[test]
fn heston_call_of_buehler_2019() {
    let payoff: Vec<f64> = terminal::<f32>(Model::from(BUEHLER), 0.0, 30, 1.0 / 365.0, 1_000_000)
        .iter()
        .map(|s| (s - 100.0).max(0.0))
        .collect();
    let (mean, error) = mean_and_error(&payoff);
    assert!((mean - 1.6918).abs() < 4.0 * error, "{mean} ± {error}");
}

/// E[S_T] = S₀ e^{rT} exactly, by the martingale correction; z-bound 4.
#[test]
fn discounted_spot_is_a_martingale() {
    for model in [
        Model::from(GbmParameters { volatility: 0.2 }),
        Model::from(BUEHLER),
        Model::from(JUMPS),
    ] {
        let spots = terminal::<f64>(model.clone(), 0.05, 24, 1.0 / 24.0, 200_000);
        let (mean, error) = mean_and_error(&spots);
        let expected = 100.0 * 0.05_f64.exp();
        assert!(
            (mean - expected).abs() < 4.0 * error,
            "{model:?}: {mean} ± {error}"
        );
    }
}

const JUMPS: MertonParameters = MertonParameters {
    volatility: 0.15,
    jump_intensity: 6.0,
    log_jump_mean: -0.04,
    log_jump_std: 0.06,
};

/// Log returns of Merton's model have the variance σ² + λ(m² + s²) and the third cumulant λ(m³ + 3ms²) a year, and
/// options their price, z-bound 4, under every sampling.
#[test]
fn merton_has_its_moments_and_prices() {
    for sampling in [
        Sampling::Pseudorandom,
        Sampling::Antithetic,
        Sampling::Sobol,
    ] {
        let market = Market {
            model: Model::from(JUMPS),
            spot: 100.0,
            rate: 0.03.into(),
            dividend: 0.01.into(),
        };
        let simulator = Simulator {
            assets: market.clone().into(),
            steps: 10,
            dt: 0.025,
            seed: 6,
            purpose: Purpose::Pricing,
            sampling,
            family: None,
        };
        let spots = terminal_in_batches(&simulator, 16);
        let logs: Vec<f64> = spots.iter().map(|s| (s / 100.0).ln()).collect();
        let drift =
            0.02 - JUMPS.jump_intensity * JUMPS.mean_jump() - 0.5 * JUMPS.volatility.powi(2)
                + JUMPS.jump_intensity * JUMPS.log_jump_mean;
        let centred = |power: i32| -> Vec<f64> {
            logs.iter()
                .map(|x| (x - 0.25 * drift).powi(power))
                .collect()
        };
        let (m, square) = (JUMPS.log_jump_mean, JUMPS.log_jump_std.powi(2));
        let third = JUMPS.jump_intensity * (m.powi(3) + 3.0 * m * square);
        for (power, expected) in [(1, 0.0), (2, JUMPS.total_variance()), (3, third)] {
            let (mean, error) = mean_and_error(&centred(power));
            assert!(
                (mean - 0.25 * expected).abs() < 4.0 * error,
                "{sampling:?} {power}: {mean} ± {error}, {expected}"
            );
        }
        for strike in [85.0, 100.0, 110.0] {
            let contract = crate::contract::Contract::option(OptionKind::Put, strike, 0.25, 10);
            let discount = (-0.03f64 * 0.25).exp();
            let payoffs: Vec<f64> = spots
                .iter()
                .map(|s| discount * payoff(contract.legs().unwrap(), *s))
                .collect();
            let (mean, error) = mean_and_error(&payoffs);
            let price = market.price(contract.legs().unwrap(), contract.expiry);
            assert!(
                (mean - price).abs() < 4.0 * error,
                "{strike}: {mean} ± {error}, {price}"
            );
        }
    }
}

/// The log-return of GBM over T has variance σ²T; z-bound 4 on the variance of a normal sample.
#[test]
fn gbm_has_its_variance() {
    let logs: Vec<f64> = terminal::<f32>(
        Model::from(GbmParameters { volatility: 0.3 }),
        0.0,
        10,
        0.1,
        200_000,
    )
    .iter()
    .map(|s| (s / 100.0).ln())
    .collect();
    let (mean, error) = mean_and_error(&logs);
    let variance = error * error * logs.len() as f64;
    assert!((mean + 0.045).abs() < 4.0 * error);
    assert!((variance / 0.09 - 1.0).abs() < 4.0 * (2.0 / logs.len() as f64).sqrt());
}

/// Path i is the same however many paths are asked for, and wherever the batch begins.
#[test]
fn paths_are_addressed_by_block() {
    let market = Market {
        model: Model::from(BUEHLER),
        spot: 100.0,
        rate: 0.0.into(),
        dividend: 0.0.into(),
    };
    let simulator = Simulator {
        assets: market.into(),
        steps: 7,
        dt: 0.01,
        seed: 9,
        purpose: Purpose::Training,
        sampling: Sampling::Pseudorandom,
        family: None,
    };
    let all = simulator.paths::<f32>(0, 320);
    let some = simulator.paths::<f32>(4, 100);
    assert_eq!(all.path(4 * crate::simd::BLOCK + 50), some.path(50));
    assert_eq!(all.gather(&[178]).path(0), some.path(50));
}

/// S_T of whole batches of paths, without keeping the dates between.
fn terminal_in_batches(simulator: &Simulator, batches: u64) -> Vec<f64> {
    let mut paths = Paths::<f32>::zeros(1 << 13, simulator.steps);
    let mut spots = Vec::new();
    for batch in 0..batches {
        simulator.fill(batch * paths.blocks() as u64, &mut paths);
        for block in 0..paths.blocks() {
            spots.extend(paths.block(block).spot[simulator.steps].map(f64::from));
        }
    }
    spots
}

/// Every parameter set of `tests/reference/heston.json` (QuantLib 1.44, AnalyticHestonEngine) at 30 days and one
/// year by daily steps, without and with carry: calls at all strikes within 4 standard errors, and 1e-5 because a strike that no path reaches has an estimated error of zero.
#[test]
fn heston_calls_of_every_reference_set() {
    let text = include_str!("../../tests/reference/heston.json");
    let document: Value = serde_json::from_str(text).unwrap();
    let number = |row: &Value, key: &str| row[key].as_f64().unwrap();
    let mut found = 0;
    for (name, set) in document["parameters"].as_object().unwrap() {
        let heston: HestonParameters = serde_json::from_value(set.clone()).unwrap();
        for days in [30, 365] {
            let expiry = f64::from(days) / 365.0;
            for (rate, dividend) in [(0.0, 0.0), (0.03, 0.01)] {
                let simulator = Simulator {
                    assets: Market {
                        model: Model::from(heston),
                        spot: 100.0,
                        rate: f64::into(rate),
                        dividend: f64::into(dividend),
                    }
                    .into(),
                    steps: days as usize,
                    dt: 1.0 / 365.0,
                    seed: 6,
                    purpose: Purpose::Pricing,
                    sampling: Sampling::Pseudorandom,
                    family: None,
                };
                let spots = terminal_in_batches(&simulator, 20);
                for row in document["rows"].as_array().unwrap() {
                    let market = [number(row, "rate"), number(row, "dividend")];
                    let is_this = row["parameters"] == name.as_str()
                        && (number(row, "expiry") - expiry).abs() < 1e-9
                        && market == [rate, dividend];
                    if !is_this {
                        continue;
                    }
                    assert_eq!(number(row, "spot"), 100.0);
                    let discount = (-rate * expiry).exp();
                    let strike = number(row, "strike");
                    let payoffs: Vec<f64> = spots
                        .iter()
                        .map(|s| discount * (s - strike).max(0.0))
                        .collect();
                    let (mean, error) = mean_and_error(&payoffs);
                    let expected = number(row, "call");
                    assert!(
                        (mean - expected).abs() < 4.0 * error + 1e-5,
                        "{mean} ± {error} against {row}"
                    );
                    found += 1;
                }
            }
        }
    }
    assert_eq!(found, 6 * 2 * 2 * 5);
}

/// The error of a simulated call price against Black–Scholes, root mean square over 24 batches of 4096 paths: antithetic
/// paths at least halve the variance of a monotone payoff (Glasserman 2004, section 4.2), and scrambled nets through
/// a bridge are at least ten times as accurate as independent paths.
#[test]
fn antithetic_and_sobol_paths_reduce_the_error_of_a_price() {
    let (steps, dt) = (30, 1.0 / 252.0);
    let market = Market {
        model: Model::from(GbmParameters { volatility: 0.2 }),
        spot: 100.0,
        rate: 0.0.into(),
        dividend: 0.0.into(),
    };
    let contract = crate::contract::Contract::option(OptionKind::Call, 100.0, 30.0 / 252.0, steps);
    let exact = market.price(contract.legs().unwrap(), contract.expiry);
    let error = |sampling: Sampling| {
        let simulator = Simulator {
            assets: market.clone().into(),
            steps,
            dt,
            seed: 5,
            purpose: Purpose::Pricing,
            sampling,
            family: None,
        };
        let squares = (0..24).map(|batch| {
            let paths = simulator.paths::<f64>(batch * 128, 4096);
            let payoffs = (0..128).flat_map(|block| paths.block(block).spot[steps]);
            let mean = payoffs
                .map(|s| payoff(contract.legs().unwrap(), s))
                .sum::<f64>()
                / 4096.0;
            (mean - exact).powi(2)
        });
        (squares.sum::<f64>() / 24.0).sqrt()
    };
    let [independent, antithetic, sobol] = [
        Sampling::Pseudorandom,
        Sampling::Antithetic,
        Sampling::Sobol,
    ]
    .map(error);
    assert!(
        antithetic < independent * 0.5_f64.sqrt() * 1.3,
        "{antithetic} against {independent}"
    );
    assert!(sobol < independent / 10.0, "{sobol} against {independent}");
}

/// Heston under Sobol and antithetic sampling is the same law: price of Buehler et al. and E[S_T], against the error
/// of as many independent paths.
#[test]
fn heston_has_the_same_law_under_every_sampling() {
    for sampling in [Sampling::Antithetic, Sampling::Sobol] {
        let simulator = Simulator {
            assets: Market {
                model: Model::from(BUEHLER),
                spot: 100.0,
                rate: 0.0.into(),
                dividend: 0.0.into(),
            }
            .into(),
            steps: 30,
            dt: 1.0 / 365.0,
            seed: 2,
            purpose: Purpose::Pricing,
            sampling,
            family: None,
        };
        let spots = terminal_in_batches(&simulator, 16);
        let (mean, error) = mean_and_error(&spots);
        assert!(
            (mean - 100.0).abs() < 4.0 * error,
            "{sampling:?}: {mean} ± {error}"
        );
        let payoffs: Vec<f64> = spots.iter().map(|s| (s - 100.0).max(0.0)).collect();
        let (price, error) = mean_and_error(&payoffs);
        let bound = 4.0 * error;
        assert!(
            (price - 1.6918).abs() < bound,
            "{sampling:?}: {price} ± {error}"
        );
    }
}

/// The price of every form of payoff, a sum over its calls and puts, is its discounted mean on simulated paths, z-bound 4.
#[test]
fn payoffs_are_worth_their_discounted_mean() {
    use crate::contract::options::{call_spread, put_spread, straddle, strangle};
    let market = Market {
        model: Model::from(BUEHLER),
        spot: 100.0,
        rate: 0.03.into(),
        dividend: 0.01.into(),
    };
    let simulator = Simulator {
        assets: market.clone().into(),
        steps: 8,
        dt: 1.0 / 96.0,
        seed: 3,
        purpose: Purpose::Pricing,
        sampling: Sampling::Pseudorandom,
        family: None,
    };
    let spots = terminal_in_batches(&simulator, 8);
    for legs in [
        vec![Leg::one(OptionKind::Put, 97.0)],
        straddle(97.0),
        strangle(97.0, 106.0),
        call_spread(97.0, 106.0),
        put_spread(97.0, 106.0),
    ] {
        let discount = (-0.03f64 / 12.0).exp();
        let payoffs: Vec<f64> = spots.iter().map(|s| discount * payoff(&legs, *s)).collect();
        let (mean, error) = mean_and_error(&payoffs);
        let price = market.price(&legs, 1.0 / 12.0);
        assert!(
            (mean - price).abs() < 4.0 * error,
            "{legs:?}: {mean} ± {error}, {price}"
        );
    }
}
