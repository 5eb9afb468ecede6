use super::*;
use crate::contract::OptionKind;
use crate::market::Simulator;
use crate::market::model::{
    BatesParameters, KouParameters, LocalVolatilityParameters, SabrParameters,
};
use crate::market::{Curve, GbmParameters, Model};
use crate::pricing::svi::SviSlice;
use crate::pricing::{HestonParameters, MertonParameters};
use crate::random::{Purpose, Sampling};

/// Buehler, Gonon, Teichmann and Wood (2019): 2κθ/σ² = 0.02, so that variance is near 0 most of the time.
const WILD: HestonParameters = HestonParameters {
    v0: 0.04,
    kappa: 1.0,
    theta: 0.04,
    sigma: 2.0,
    rho: -0.7,
};

const CALM: HestonParameters = HestonParameters {
    v0: 0.05,
    kappa: 3.0,
    theta: 0.04,
    sigma: 0.4,
    rho: -0.6,
};

const JUMPS: MertonParameters = MertonParameters {
    volatility: 0.15,
    jump_intensity: 3.0,
    log_jump_mean: -0.05,
    log_jump_std: 0.1,
};

const BATES: BatesParameters = BatesParameters {
    v0: 0.05,
    kappa: 3.0,
    theta: 0.04,
    sigma: 0.4,
    rho: -0.6,
    jump_intensity: 1.0,
    log_jump_mean: -0.05,
    log_jump_std: 0.07,
};

const KOU: KouParameters = KouParameters {
    volatility: 0.16,
    jump_intensity: 3.0,
    up_probability: 0.4,
    log_jump_up: 0.03,
    log_jump_down: 0.05,
};

const SABR: SabrParameters = SabrParameters {
    alpha: 0.2,
    beta: 1.0,
    nu: 0.3,
    rho: -0.5,
};

fn local() -> LocalVolatilityParameters {
    let slice = |days: f64, a: f64, b: f64| SviSlice {
        days,
        a,
        b,
        rho: -0.5,
        m: 0.0,
        sigma: 0.2,
    };
    vec![slice(30.0, 0.001, 0.012), slice(365.0, 0.02, 0.1)].into()
}

fn models() -> [Model; 7] {
    [
        Model::from(GbmParameters { volatility: 0.2 }),
        Model::from(WILD),
        Model::from(CALM),
        Model::from(JUMPS),
        Model::from(BATES),
        Model::from(KOU),
        Model::from(SABR),
    ]
}

/// A month, with the options that expire with it and two months later.
fn hedged(model: Model) -> (Simulator, Quotes, [Vanilla; 2]) {
    hedged_in(Market {
        model,
        spot: 100.0,
        rate: 0.04.into(),
        dividend: 0.01.into(),
    })
}

/// The same under rates and dividend yields that change within the month.
fn hedged_unevenly(model: Model) -> (Simulator, Quotes, [Vanilla; 2]) {
    let curve = |pairs: [[f64; 2]; 3]| {
        let pairs = pairs.map(|pair| pair.to_vec());
        Curve::of_pillars("curve", &pairs).unwrap()
    };
    hedged_in(Market {
        model,
        spot: 100.0,
        rate: curve([[7.0, -0.5], [20.0, 0.6], [91.0, 0.05]]),
        dividend: curve([[10.0, 0.3], [35.0, -0.2], [60.0, 0.1]]),
    })
}

fn hedged_in(market: Market) -> (Simulator, Quotes, [Vanilla; 2]) {
    let contract = Contract::option(OptionKind::Call, 100.0, 30.0 / 365.0, 10);
    let options = [
        Vanilla {
            asset: 0,
            kind: OptionKind::Call,
            strike: 100.0,
            expiry: contract.expiry,
        },
        Vanilla {
            asset: 0,
            kind: OptionKind::Put,
            strike: 95.0,
            expiry: 0.25,
        },
    ];
    let [first, second] = options.map(Instrument::Option);
    let quotes = Quotes::new(
        &market.clone().into(),
        &contract,
        &[Instrument::SPOT, first, second],
    );
    let simulator = Simulator {
        assets: market.into(),
        steps: contract.steps,
        dt: contract.dt(),
        seed: 4,
        purpose: Purpose::Pricing,
        sampling: Sampling::Pseudorandom,
        family: None,
    };
    (simulator, quotes, options)
}

/// A quote is the model's price at the spot and variance of the date, exactly under geometric Brownian motion and within
/// 2·10⁻⁵ of the strike otherwise; the payoff at expiry.
#[test]
fn options_have_the_prices_of_the_model() {
    // A price of a local volatility is a whole grid.
    let few = std::iter::once((Model::from(local()), 3));
    let even = models().into_iter().map(|model| (model, 64)).chain(few);
    let even = even.map(|(model, count)| (hedged(model), count));
    let uneven = [(Model::from(CALM), 32), (Model::from(local()), 3)];
    let uneven = uneven.map(|(model, count)| (hedged_unevenly(model), count));
    for ((simulator, quotes, options), count) in even.chain(uneven) {
        let model = &simulator.assets.first().model;
        let paths = simulator.paths_with::<f64>(&quotes, 0, 64);
        for (index, option) in options.into_iter().enumerate() {
            let leg = Leg {
                quantity: 1.0,
                kind: option.kind,
                strike: option.strike,
            };
            let mut worst = 0f64;
            for path in 0..count {
                let (spot, variance) = paths.path(path);
                for t in 0..=10 {
                    let elapsed = simulator.dt * t as f64;
                    let left = option.expiry - elapsed;
                    let state = std::iter::once((spot[t], variance[t]));
                    let market = simulator.assets.first();
                    let expected = if left < 1e-9 {
                        option.kind.payoff(spot[t], option.strike)
                    } else {
                        let pricer = market.pricer_after(elapsed, &[leg], left, state);
                        pricer.price(leg.kind, leg.strike, spot[t], variance[t])
                    };
                    let block = paths.block(path / BLOCK);
                    let found = block.price(index + 1)[t][path % BLOCK];
                    worst = worst.max((found - expected).abs());
                }
            }
            let bound = match model.tabulation(0.25) {
                Tabulation::Formula => 1e-10,
                Tabulation::Spot | Tabulation::SpotAndVariance { .. } => 2e-5 * option.strike,
            };
            println!("{model:?} {option:?}: {worst:e}");
            assert!(worst < bound, "{model:?} {option:?}: {worst:e}");
        }
    }
}

/// e^{−∫r} P_t has the mean P_0 at every date; z-bound 4.
#[test]
fn discounted_options_are_martingales() {
    let even = models().into_iter().chain([Model::from(local())]);
    let gbm = Model::from(GbmParameters { volatility: 0.2 });
    let uneven = [
        gbm,
        Model::from(CALM),
        Model::from(JUMPS),
        Model::from(local()),
    ];
    for (simulator, quotes, options) in even.map(hedged).chain(uneven.map(hedged_unevenly)) {
        let market = simulator.assets.first();
        let model = &market.model;
        let paths = simulator.paths_with::<f64>(&quotes, 0, 100_000);
        for index in 1..=options.len() {
            let at = |t: usize| -> Vec<f64> {
                let blocks = 0..paths.blocks();
                blocks
                    .flat_map(|b| paths.block(b).price(index)[t])
                    .collect()
            };
            let start = at(0)[0];
            for t in [1, 5, 9, 10] {
                let discount = market.rate.discount(0.0, simulator.dt * t as f64);
                let prices = at(t);
                let n = prices.len() as f64;
                let mean = discount * prices.iter().sum::<f64>() / n;
                let square = prices
                    .iter()
                    .map(|p| (discount * p - mean).powi(2))
                    .sum::<f64>();
                let error = square.sqrt() / n;
                assert!(
                    (mean - start).abs() < 4.0 * error,
                    "{model:?} {index} {t}: {mean} ± {error}, {start}"
                );
            }
        }
    }
}

/// E[F_t] = F_0 = S₀ at every date, since the simulated variance has its exact conditional mean; z-bound 4. The last
/// quote is what has accrued over what was expected at the sale, with E[v_t] = θ + (v₀ − θ) e^{−κt}.
#[test]
fn variance_swap_is_a_martingale_and_settles_at_the_accrued_variance() {
    for (steps, dt) in [(6, 0.05), (3, 0.4)] {
        let market = Market {
            model: Model::from(HestonParameters { v0: 0.09, ..WILD }),
            spot: 100.0,
            rate: 0.03.into(),
            dividend: 0.0.into(),
        };
        let simulator = Simulator {
            assets: market.clone().into(),
            steps,
            dt,
            seed: 4,
            purpose: Purpose::Pricing,
            sampling: Sampling::Pseudorandom,
            family: None,
        };
        let contract = Contract::option(OptionKind::Call, 100.0, dt * steps as f64, steps);
        let instruments = [Instrument::SPOT, Instrument::VarianceSwap(0)];
        let quotes = Quotes::new(&market.clone().into(), &contract, &instruments);
        let paths = simulator.paths_with::<f64>(&quotes, 0, 200_000);
        for t in 0..=steps {
            let quoted: Vec<f64> = (0..paths.blocks())
                .flat_map(|block| paths.block(block).price(1)[t])
                .collect();
            let n = quoted.len() as f64;
            let mean = quoted.iter().sum::<f64>() / n;
            let square = quoted.iter().map(|q| (q - mean).powi(2)).sum::<f64>();
            let error = square.sqrt() / n;
            let bound = if t == 0 { 1e-12 } else { 4.0 * error };
            assert!((mean - 100.0).abs() <= bound, "{t}: {mean} ± {error}");
        }
        let (_, variance) = paths.path(7);
        let accrued: f64 = variance.windows(2).map(|v| 0.5 * dt * (v[0] + v[1])).sum();
        let decay = (-WILD.kappa * dt).exp();
        let expected_variance = |t: i32| WILD.theta + (0.09 - WILD.theta) * decay.powi(t);
        let expected: f64 = (0..steps as i32)
            .map(|t| 0.5 * dt * (expected_variance(t) + expected_variance(t + 1)))
            .sum();
        let found = paths.block(0).price(1)[steps][7];
        assert!((found - 100.0 * accrued / expected).abs() < 1e-9 * found);
    }
}

/// Whoever is asked to stop while tables are made ends it there, with its own error.
#[test]
fn tables_are_made_until_stopped() {
    let (simulator, quotes, _) = hedged(Model::from(JUMPS));
    let contract = quotes.contract.clone();
    let mut asked = 0;
    let stopped = Quotes::unless(
        &simulator.assets,
        &contract,
        quotes.instruments(),
        &mut || {
            asked += 1;
            match asked {
                1..=7 => Ok(()),
                _ => Err(crate::Error::Stopped("enough".into())),
            }
        },
    );
    assert!(matches!(stopped, Err(crate::Error::Stopped(_))));
    assert_eq!(asked, 8);
}

/// Beside its price an option has what costs ask for: the slope of its price in the volatility under geometric Brownian motion, and
/// its distance from the money in standard deviations until expiry, 0 at a strike that is the forward; nothing of either at expiry.
#[test]
fn the_state_of_an_option_is_that_of_its_price() {
    const BUMP: f64 = 1e-5;
    let at = |volatility: f64| {
        let (simulator, quotes, options) = hedged(Model::from(GbmParameters { volatility }));
        let states = [false, true].map(|states| quotes.clone().with_option_states(states));
        (simulator, states, options)
    };
    let (simulator, [plain, stated], options) = at(0.2);
    let paths: Paths<f64> = simulator.paths(0, BLOCK);
    let priced = |quotes: &Quotes| quotes.onto(paths.clone());
    let (without, with) = (priced(&plain), priced(&stated));
    let bumped = [0.2 + BUMP, 0.2 - BUMP].map(|volatility| {
        // The same spots, at which the variance is another.
        let variance = vec![volatility * volatility; 11];
        let rows = (0..BLOCK).map(|path| (paths.path(path).0, variance.clone()));
        let rows: Vec<(Vec<f64>, Vec<f64>)> = rows.collect();
        let rows = rows.iter().map(|(s, v)| (s.as_slice(), v.as_slice()));
        at(volatility).1[0].onto(Paths::<f64>::from_rows(10, rows))
    });
    let (without, block) = (without.block(0), with.block(0));
    let [up, down] = [bumped[0].block(0), bumped[1].block(0)];
    for (index, option) in (1..).zip(options) {
        let quoted = block.quoted(index);
        for t in 0..=10 {
            let left = option.expiry - t as f64 * 3.0 / 365.0;
            for lane in 0..BLOCK {
                assert_eq!(block.price(index)[t][lane], without.price(index)[t][lane]);
                let state = quoted.at::<crate::contract::Charge>(t, lane);
                let difference = up.price(index)[t][lane] - down.price(index)[t][lane];
                assert!((state.vega - difference / (2.0 * BUMP)).abs() < 1e-4);
                assert!((state.volatility - 0.2).abs() < 1e-12);
                let (distance, root) = match left > 1e-9 {
                    true => {
                        let forward = block.spot[t][lane] * (0.03 * left).exp();
                        let distance = (option.strike / forward).ln().abs();
                        ((distance / (0.2 * left.sqrt())).min(4.0), left.sqrt())
                    }
                    false => (0.0, 0.0),
                };
                assert!((state.moneyness - distance).abs() < 1e-9, "{t} {lane}");
                assert!((state.root_time - root).abs() < 1e-7);
            }
        }
    }
}
