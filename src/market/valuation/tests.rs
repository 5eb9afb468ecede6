use super::*;
use crate::contract::{ExerciseRule, Leg, OptionKind};
use crate::market::{Curve, GbmParameters, Market, Model};
use crate::pricing::HestonParameters;
use OptionKind::{Call, Put};
use serde_json::Value;

fn market(model: Model) -> Market {
    Market {
        model,
        spot: 100.0,
        rate: 0.03.into(),
        dividend: 0.01.into(),
    }
}

fn gbm(volatility: f64) -> Market {
    market(Model::Gbm(GbmParameters { volatility }))
}

/// A rate and a yield that change twice within a year.
fn uneven(market: Market) -> Market {
    let curve = |pairs: [[f64; 2]; 3]| {
        let pairs = pairs.map(|pair| pair.to_vec());
        Curve::of_pillars("curve", &pairs).unwrap()
    };
    Market {
        rate: curve([[91.0, -0.02], [200.0, 0.09], [365.0, 0.04]]),
        dividend: curve([[120.0, 0.05], [250.0, 0.0], [365.0, 0.02]]),
        ..market
    }
}

fn heston() -> Market {
    market(Model::Heston(HestonParameters {
        v0: 0.05,
        kappa: 2.0,
        theta: 0.07,
        sigma: 0.4,
        rho: -0.6,
    }))
}

fn never(market: &Market, contract: &Contract) -> ContractPrice {
    model_price(&market.clone().into(), contract, &mut || Ok(())).unwrap()
}

/// A put that is never exercised before its expiry, which no formula knows to be a European one.
fn european(kind: OptionKind, strike: f64, expiry: f64, steps: usize) -> Contract {
    let rule = ExerciseRule::at_expiry(kind, strike, (0.25, None), steps);
    Contract::american(rule, expiry, steps)
}

/// A simulated price and its sensitivities are those of the formula, within five standard errors and, for sensitivities, what
/// central differences of the formula over the same changes miss.
#[test]
fn a_simulated_european_option_is_worth_its_formula() {
    for market in [gbm(0.25), heston(), uneven(gbm(0.25))] {
        for (kind, strike) in [(Put, 95.0), (Call, 110.0)] {
            let contract = european(kind, strike, 1.0, 52);
            let legs = [Leg::one(kind, strike)];
            let found = never(&market, &contract);
            let expected = market.price(&legs, 1.0);
            let error = found.value - expected;
            assert!(found.method.is_simulated());
            assert!(found.standard_error < 5e-4 * market.spot, "{found:?}");
            assert!(
                error.abs() < 5.0 * found.standard_error + 1e-4,
                "{found:?} {expected}"
            );

            let greeks = sensitivities(&market.clone().into(), &contract, &mut || Ok(())).unwrap();
            let formula = market.greeks(&legs, 1.0);
            let vega = greeks[0].vega.unwrap();
            for (name, found, expected, missed) in [
                ("delta", greeks[0].delta, formula.delta, 2e-3),
                ("gamma", greeks[0].gamma, formula.gamma, 1e-4),
                ("vega", vega, formula.vega, 0.02),
            ] {
                let error = (found.value - expected).abs();
                let bound = 5.0 * found.standard_error + missed;
                assert!(error < bound, "{name}: {found:?} {expected}");
                assert!(
                    found.standard_error < 0.05 * expected.abs(),
                    "{name}: {found:?}"
                );
            }
        }
    }
}

/// American options under Black–Scholes within 1 % of finite differences (QuantLib, FdBlackScholesVanillaEngine): the rows of
/// `tests/reference/exotics_discrete.json`.
#[test]
fn american_options_are_worth_what_finite_differences_say() {
    let text = include_str!("../../../tests/reference/exotics_discrete.json");
    let document: Value = serde_json::from_str(text).unwrap();
    let rows = document["rows"].as_array().unwrap().iter();
    let rows: Vec<_> = rows.filter(|row| row["product"] == "american").collect();
    assert_eq!(rows.len(), 8);
    for row in rows {
        let number = |key: &str| row[key].as_f64().unwrap();
        let market = Market {
            rate: number("rate").into(),
            dividend: number("dividend").into(),
            ..gbm(number("vol"))
        };
        let kind: OptionKind = row["kind"].as_str().unwrap().parse().unwrap();
        let (strike, expiry) = (number("strike"), number("expiry"));
        let rule = exercise_rule(&market, kind, strike, expiry, 100).unwrap();
        let found = never(&market, &Contract::american(rule, expiry, 100));
        let share = found.value / number("price") - 1.0;
        assert!(share.abs() < 0.01, "{row}: {found:?}");
        assert!(
            share < 3.0 * found.standard_error / number("price"),
            "{row}: {found:?}"
        );
    }
}

/// What one path in three thousand pays: the simulation goes on until it has seen enough of it, and its standard error holds.
#[test]
fn a_rare_payoff_is_simulated_until_it_is_seen() {
    use crate::contract::Position;
    use crate::contract::expression::Sheet;
    let sheet = Sheet::payoff("payoff", "when(S > 140, 100, 0)", []).unwrap();
    let position = Position {
        quantity: 1.0,
        sheet,
        expiry: 0.25,
    };
    let assets = ["x".to_owned()];
    let contract =
        Contract::of_sheets("rare", vec![position], &assets, 252.0, 100.0, (0.25, 1)).unwrap();
    let market = gbm(0.2);
    let digital = crate::pricing::exotic::Digital {
        asset: crate::pricing::exotic::LognormalAsset {
            spot: 100.0,
            rate: 0.03,
            dividend: 0.01,
            volatility: 0.2,
            expiry: 0.25,
        },
        kind: Call,
        strike: 140.0,
        cash: 100.0,
    };
    let (found, expected) = (never(&market, &contract), digital.valuation().price);
    assert!(found.method.is_simulated());
    assert!(found.standard_error > 0.0 && found.standard_error < 0.05 * expected);
    assert!(
        (found.value - expected).abs() < 4.0 * found.standard_error,
        "{found:?} {expected}"
    );
}

/// American options under rates and yields that change within the year, within 1 % of a binomial tree of 2,000 steps whose
/// probabilities and discount factors are those of each step; the early exercise of the put is worth something.
#[test]
fn american_options_know_the_rates_to_come() {
    const STEPS: usize = 2000;
    for (kind, strike) in [(Put, 105.0), (Call, 95.0)] {
        let market = uneven(gbm(0.25));
        let (dt, up) = (
            1.0 / STEPS as f64,
            (0.25 * (1.0 / STEPS as f64).sqrt()).exp(),
        );
        let spot = |t: usize, ups: usize| 100.0 * up.powi(2 * ups as i32 - t as i32);
        let tree = |american: bool| {
            let mut values: Vec<f64> = (0..=STEPS)
                .map(|ups| kind.payoff(spot(STEPS, ups), strike))
                .collect();
            for t in (0..STEPS).rev() {
                let (from, to) = (dt * t as f64, dt * (t + 1) as f64);
                let growth =
                    (market.rate.integral(from, to) - market.dividend.integral(from, to)).exp();
                let p = (growth - 1.0 / up) / (up - 1.0 / up);
                let discount = market.rate.discount(from, to);
                for ups in 0..=t {
                    let later = discount * (p * values[ups + 1] + (1.0 - p) * values[ups]);
                    // The rule may exercise on 100 dates, the tree on those alone.
                    let exercised = match american && t > 0 && t % (STEPS / 100) == 0 {
                        true => kind.payoff(spot(t, ups), strike),
                        false => 0.0,
                    };
                    values[ups] = later.max(exercised);
                }
            }
            values[0]
        };
        let rule = exercise_rule(&market, kind, strike, 1.0, 100).unwrap();
        let found = never(&market, &Contract::american(rule, 1.0, 100));
        let (american, european) = (tree(true), tree(false));
        let exact = market.price(&[Leg::one(kind, strike)], 1.0);
        assert!((european / exact - 1.0).abs() < 1e-3, "{european} {exact}");
        assert!(american > 1.02 * european, "{american} {european}");
        let share = found.value / american - 1.0;
        assert!(share.abs() < 0.01, "{kind}: {found:?} {american}");
    }
}
