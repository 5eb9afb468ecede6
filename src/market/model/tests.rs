//! What every model of the registry must do.

use super::*;
use crate::contract::{Leg, OptionKind};
use crate::market::past_surfaces::tests::synthetic_past;
use crate::market::{Curve, Market, Simulator};
use crate::random::{Purpose, Sampling};
use crate::settings::{Key, keys};

/// The keys of a model that a file gives, with their values inside their ranges: the first example of the schema, or else the geometric mean
/// of the ends where both are above 0, or else a hundredth of the way from the lower one; those with a default as that, and none for what need
/// not be given.
fn given(schema: &Value) -> Vec<(String, Value)> {
    let value = |parameter: &Key| {
        if let Some(example) = schema["properties"][&parameter.key]["examples"].get(0) {
            return Some(example.clone());
        }
        if let Some(default) = &parameter.default {
            return Some(default.clone());
        }
        let ((least, _), (most, _)) = (parameter.least?, parameter.most?);
        Some(json!(if least > 0.0 {
            (least * most).sqrt()
        } else {
            least + 0.01 * (most - least)
        }))
    };
    let keys = keys(schema, "").into_iter();
    keys.filter_map(|parameter| Some((parameter.key.clone(), value(&parameter)?)))
        .collect()
}

/// Every model as a file gives it; what is made of the past has none.
fn every_written_model() -> Vec<Model> {
    let all = Model::schemas().into_iter();
    all.map(|(name, _, schema)| {
        let values = given(&schema);
        let values = values
            .iter()
            .map(|(key, value)| (key.as_str(), value.clone()));
        Model::named(name, values).unwrap()
    })
    .collect()
}

/// Every model that draws its paths with parameters inside their ranges, made of a past where it is made of one. Paths that are given have no
/// law of their own.
fn every_model() -> Vec<Model> {
    let past = synthetic_past(1500, 7);
    let made = |model: Model| match model.past_file() {
        Some(_) => model.of_past(&past).unwrap().parameters,
        None => model,
    };
    let models = every_written_model().into_iter();
    let drawing = models.filter(|model| model.given_file().is_none());
    drawing.map(made).collect()
}

fn market(model: Model) -> Market {
    Market {
        model,
        spot: 100.0,
        rate: 0.03.into(),
        dividend: 0.01.into(),
    }
}

/// The same where rates and dividend yields change within the days of the tests.
fn uneven(model: Model) -> Market {
    let curve = |pillars: &[[f64; 2]]| {
        let pairs: Vec<Vec<f64>> = pillars.iter().map(|pair| pair.to_vec()).collect();
        Curve::of_pillars("curve", &pairs).unwrap()
    };
    Market {
        rate: curve(&[[15.0, -0.3], [30.0, 0.4], [73.0, 0.1]]),
        dividend: curve(&[[25.0, 0.2], [50.0, -0.1]]),
        ..market(model)
    }
}

/// A model that is written and read is the same; its keys are its name and its parameters and no others; a parameter that is
/// missing or unknown is refused.
#[test]
fn every_model_reads_back_as_it_was_written() {
    for (model, (name, _, schema)) in every_written_model().into_iter().zip(Model::schemas()) {
        let parameters = given(&schema);
        assert_eq!(model.name(), name);
        let written = serde_json::to_value(model.clone()).unwrap();
        let read: Model = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(read, model);
        let found: Vec<&String> = written.as_object().unwrap().keys().collect();
        let expected =
            std::iter::once("model").chain(parameters.iter().map(|(key, _)| key.as_str()));
        assert!(found.into_iter().eq(expected), "{written}");
        let values = || {
            parameters
                .iter()
                .map(|(key, value)| (key.as_str(), value.clone()))
        };
        if keys(&schema, "").iter().any(|key| key.required) {
            assert!(Model::named(name, values().skip(1)).is_err(), "{name}");
        }
        assert!(Model::named(name, values().chain([("other", json!(1.0))])).is_err());
    }
    assert!(Model::named("no model", []).is_err());
}

/// E[S_t] = S₀ e^{∫(r − q)} at every date under every model, under constant rates and under rates that change between dates and
/// within a period, z-bound 4. Of past days in their own order it holds on average over pasts alone, which has a test of its own; here
/// any day follows any other.
#[test]
fn the_discounted_spot_of_every_model_is_a_martingale() {
    const COUNT: usize = 1 << 16;
    let independent = |model: Model| match model {
        Model::SurfaceBootstrap(settings) => {
            Model::SurfaceBootstrap(settings.of_independent_days())
        }
        other => other,
    };
    let markets = every_model().into_iter().map(independent);
    for market in markets.flat_map(|model| [market(model.clone()), uneven(model)]) {
        let model = &market.model;
        let simulator = Simulator {
            assets: market.clone().into(),
            steps: 4,
            dt: 0.05,
            seed: 8,
            purpose: Purpose::Pricing,
            sampling: Sampling::Pseudorandom,
            family: None,
        };
        let paths = simulator.paths::<f64>(0, COUNT);
        for t in 1..=4 {
            let time = 0.05 * t as f64;
            let carry = market.rate.integral(0.0, time) - market.dividend.integral(0.0, time);
            let forward = 100.0 * carry.exp();
            let at = || (0..paths.blocks()).flat_map(|block| paths.block(block).spot[t]);
            let mean = at().sum::<f64>() / COUNT as f64;
            let square = at().map(|s| (s - mean).powi(2)).sum::<f64>();
            let error = square.sqrt() / COUNT as f64;
            assert!(
                (mean - forward).abs() < 4.0 * error,
                "{model:?} {t}: {mean} ± {error}, {forward}"
            );
        }
    }
}

/// Call less put is S e^{−qτ} − K e^{−rτ}; the pricer of many states gives in each the price that a market in that state
/// has; delta and gamma are differences of prices.
#[test]
fn every_pricer_prices_its_states() {
    for model in every_model() {
        let market = market(model.clone());
        let contract = |kind: OptionKind| [Leg::one(kind, 103.0)];
        let now = model.variance_process().now();
        let states = [(90.0, 0.5 * now), (100.0, now), (130.0, 2.0 * now)];
        let [call, put] = [OptionKind::Call, OptionKind::Put].map(contract);
        let pricer = market.pricer(&call, 0.25, states.into_iter());
        for (spot, variance) in states {
            let price = |legs: &[Leg], spot: f64| pricer.price_of(legs, spot, variance);
            let parity = spot * (-0.0025f64).exp() - 103.0 * (-0.0075f64).exp();
            let difference = price(&call, spot) - price(&put, spot);
            assert!((difference - parity).abs() < 1e-8, "{model:?}");
            let alone = if model.variance_process().is_constant() || model.follows_variance() {
                let there = Market {
                    model: model.seen_at(variance),
                    spot,
                    ..market.clone()
                };
                there.price(&call, 0.25)
            } else {
                // Spot and time of the sale are among its parameters.
                let state = std::iter::once((spot, variance));
                let pricer = market.pricer(&call, 0.25, state);
                pricer.price_of(&call, spot, variance)
            };
            assert!((price(&call, spot) - alone).abs() < 1e-8, "{model:?}");
            let greeks = pricer.greeks_of(&call, spot, variance);
            let (up, down) = (price(&call, spot + 0.01), price(&call, spot - 0.01));
            let delta = (up - down) / 0.02;
            let gamma = (up - 2.0 * price(&call, spot) + down) / 1e-4;
            assert!((greeks.price - alone).abs() < 1e-8, "{model:?}");
            assert!((greeks.delta - delta).abs() < 1e-5, "{model:?} {delta}");
            assert!((greeks.gamma - gamma).abs() < 1e-4, "{model:?} {gamma}");
        }
    }
}

/// Under rates that change a price on a date after the sale is that at their averages until expiry, and call less put is
/// S e^{−∫q} − K e^{−∫r}. As time passes it changes by what its theta says: by differences of prices of the same expiry.
#[test]
fn every_pricer_knows_the_rates_to_come() {
    const H: f64 = 1e-4;
    for model in every_model() {
        let market = uneven(model.clone());
        let now = model.variance_process().now();
        let [call, put] = [OptionKind::Call, OptionKind::Put].map(|kind| [Leg::one(kind, 103.0)]);
        let expiry = 0.25;
        let dates: &[f64] = match model.prices_every_state() {
            true => &[0.02, 0.06, 0.11],
            // Its prices are those of the sale.
            false => &[0.0],
        };
        for &elapsed in dates {
            let at = |elapsed: f64, legs: &[Leg]| {
                let state = std::iter::once((100.0, now));
                let pricer = market.pricer_after(elapsed, legs, expiry - elapsed, state);
                pricer.greeks_of(legs, 100.0, now)
            };
            let (found, other) = (at(elapsed, &call), at(elapsed, &put));
            let parity = 100.0 * market.dividend.discount(elapsed, expiry)
                - 103.0 * market.rate.discount(elapsed, expiry);
            let difference = found.price - other.price;
            assert!((difference - parity).abs() < 1e-8, "{model:?} {elapsed}");
            let even = Market {
                rate: market.rate.average(elapsed, expiry).into(),
                dividend: market.dividend.average(elapsed, expiry).into(),
                // The forward of the sale for the date, which the moneyness of a surface is counted from.
                spot: market.forward(elapsed) / (market.carry(elapsed, expiry) * elapsed).exp(),
                ..market.clone()
            };
            let state = std::iter::once((100.0, now));
            let same = even.pricer_after(elapsed, &call, expiry - elapsed, state);
            let same = same.greeks_of(&call, 100.0, now);
            assert!(
                (found.price - same.price).abs() < 1e-9,
                "{model:?} {elapsed}"
            );
            assert!(
                (found.delta - same.delta).abs() < 1e-9,
                "{model:?} {elapsed}"
            );
            if elapsed > 0.0 {
                let price = |elapsed: f64| at(elapsed, &call).price;
                let slope = (price(elapsed + H) - price(elapsed - H)) / (2.0 * H);
                let miss = (found.theta - slope).abs();
                // Of a grid, prices of neighbouring dates differ in its error too.
                let bound = match model.price_method() {
                    PriceMethod::FiniteDifferences => 0.03,
                    PriceMethod::Formula
                    | PriceMethod::Series
                    | PriceMethod::Transform
                    | PriceMethod::Quadrature
                    | PriceMethod::Expansion
                    | PriceMethod::Simulation
                    | PriceMethod::GivenPaths => 1e-3,
                };
                assert!(
                    miss < bound * (1.0 + slope.abs()),
                    "{model:?} {elapsed}: {found:?} {slope}"
                );
            }
        }
    }
}

/// The expected average variance v̄ over T from v(v̄) is v̄ again; at time 0 the expected variance is that now, and over a short
/// time so is its average.
#[test]
fn every_variance_process_inverts_its_mean() {
    for model in every_model() {
        let process = model.variance_process();
        let now = process.now();
        assert_eq!(process.expected(0.0), now);
        assert!((process.mean_from(now, 1e-9) / now - 1.0).abs() < 1e-6);
        for mean in [0.5 * now, now, 3.0 * now] {
            let found = process.mean_from(process.now_given_mean(mean, 0.1), 0.1);
            let floored = process.now_given_mean(mean, 0.1) <= 0.0101 * process.long_run();
            assert!(floored || (found / mean - 1.0).abs() < 1e-12, "{model:?}");
        }
        let given = process.mean_from(process.now_given_mean(2.0 * now, 0.1), 0.1);
        assert!((given / now - 2.0).abs() < 1e-12, "{model:?}");
    }
}

/// Parameters that lie far outside what can be simulated break a limit of their model, and those of the tests break none.
#[test]
fn every_model_has_limits() {
    for model in every_model() {
        let broken = |life: f64, steps: usize| {
            let limits = model.limits(life, steps);
            limits.into_iter().filter(|limit| !limit.holds).count()
        };
        assert_eq!(broken(0.2, 4), 0, "{:?}", model.limits(0.2, 4));
        assert!(broken(1e7, 4) > 0, "{model:?}");
    }
}

/// What the filter of a model begins with is what the model expects in the long run, and it stays positive whatever returns are.
#[test]
fn every_filter_begins_at_the_long_run() {
    for model in every_model() {
        let long_run = model.variance_process().long_run();
        let filter = model.filter(0.05, 1.0 / 252.0);
        assert_eq!(filter.mean(), long_run);
        let found = filter.filter(&[0.02, -0.5, 0.0, 0.3, -0.01]);
        assert_eq!(found.len(), 6);
        assert!(found.iter().all(|variance| *variance > 0.0), "{model:?}");
    }
}
