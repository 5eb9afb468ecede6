//! Prices and sensitivities at the edges: without variance, at expiry, and far from the strike.

use super::{BlackScholes, Greeks, HestonParameters, MertonParameters};
use crate::contract::OptionKind::{self, Call, Put};
use proptest::prelude::*;

const HESTON: HestonParameters = HestonParameters {
    v0: 0.04,
    kappa: 1.5,
    theta: 0.04,
    sigma: 0.3,
    rho: -0.7,
};

const MERTON: MertonParameters = MertonParameters {
    volatility: 0.2,
    jump_intensity: 5.0,
    log_jump_mean: -0.05,
    log_jump_std: 0.1,
};

/// A state of the market, the strike at 100.
#[derive(Debug, Clone, Copy)]
struct State {
    kind: OptionKind,
    spot: f64,
    variance: f64,
    left: f64,
    rate: f64,
    dividend: f64,
}

fn option(state: &State, volatility: f64) -> BlackScholes {
    BlackScholes {
        kind: state.kind,
        spot: state.spot,
        strike: 100.0,
        expiry: state.left,
        rate: state.rate,
        dividend: state.dividend,
        volatility,
    }
}

/// The price lies between the discounted intrinsic value of the forward and the asset or the strike; delta is that of a
/// call or a put; what is infinite is gamma, theta and the derivative by variance, and nothing is undefined.
fn assert_possible(state: &State, greeks: &Greeks, model: &str) {
    let asset = state.spot * (-state.dividend * state.left).exp();
    let bond = 100.0 * (-state.rate * state.left).exp();
    let sign = state.kind.sign();
    let ceiling = if sign > 0.0 { asset } else { bond };
    let rounding = 1e-9 * (asset + bond);
    let intrinsic = (sign * (asset - bond)).max(0.0);
    assert!(
        greeks.price >= intrinsic - rounding && greeks.price <= ceiling + rounding,
        "{model}: {state:?} {greeks:?}"
    );
    let most = (-state.dividend * state.left).exp();
    let delta = sign * greeks.delta;
    assert!(
        (-1e-6..=most + 1e-6).contains(&delta),
        "{model}: {state:?} {greeks:?}"
    );
    assert!(
        greeks.vega.is_finite() && greeks.minimum_variance_delta.is_finite(),
        "{model}: {state:?} {greeks:?}"
    );
    for value in [greeks.gamma, greeks.theta, greeks.variance_sensitivity] {
        assert!(!value.is_nan(), "{model}: {state:?} {greeks:?}");
    }
}

fn every_model(state: &State) {
    let &State {
        kind,
        spot,
        variance,
        left,
        rate,
        dividend,
    } = state;
    let gbm = option(state, variance.sqrt()).greeks();
    assert_possible(state, &gbm, "gbm");
    // Little variance now but not in the long run, and little at any time, with a volatility of the variance to match.
    for (theta, sigma) in [(0.04, HESTON.sigma), (variance, 5.0 * variance.sqrt())] {
        let heston = HestonParameters {
            v0: variance,
            theta,
            sigma,
            ..HESTON
        };
        let greeks = heston.greeks(kind, spot, 100.0, left, rate, dividend);
        assert_possible(state, &greeks, "heston");
        let price = heston.price(kind, spot, 100.0, left, rate, dividend);
        assert!((price - greeks.price).abs() <= 1e-9 * (spot + 100.0));
    }
    for intensity in [0.0, 5.0] {
        let merton = MertonParameters {
            volatility: variance.sqrt(),
            jump_intensity: intensity,
            ..MERTON
        };
        let greeks = merton.greeks(kind, spot, 100.0, left, rate, dividend);
        assert_possible(state, &greeks, "merton");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn nothing_is_undefined(
        call in any::<bool>(),
        // ln S/K, half of the cases within a thousandth of the money.
        far in -10.0..10.0f64,
        near in any::<bool>(),
        exponent in -40.0..1.0f64,
        without in any::<bool>(),
        expired in 0..4u32,
        days in 0.01..2000.0f64,
        rate in -0.1..0.1f64,
        dividend in -0.1..0.1f64,
    ) {
        let x = if near { 1e-4 * far } else { far };
        every_model(&State {
            kind: if call { Call } else { Put },
            spot: 100.0 * x.exp(),
            variance: if without { 0.0 } else { 10f64.powf(exponent) },
            left: if expired == 0 { 0.0 } else { days / 365.0 },
            rate,
            dividend,
        });
    }
}

/// At the money forward without variance a delta is one half, a price zero, and what has no limit is infinite; off it the
/// price is the discounted intrinsic value of the forward, delta 0 or e^{−qτ}, and the rest 0.
#[test]
fn without_variance_values_are_limits() {
    for kind in [Call, Put] {
        let state = State {
            kind,
            spot: 100.0,
            variance: 0.0,
            left: 0.5,
            rate: 0.0,
            dividend: 0.0,
        };
        let heston = HestonParameters {
            v0: 0.0,
            theta: 0.0,
            ..HESTON
        };
        let merton = MertonParameters {
            volatility: 0.0,
            jump_intensity: 0.0,
            ..MERTON
        };
        let of = |state: &State| {
            let State {
                spot,
                left,
                rate,
                dividend,
                ..
            } = *state;
            [
                option(state, 0.0).greeks(),
                heston.greeks(kind, spot, 100.0, left, rate, dividend),
                merton.greeks(kind, spot, 100.0, left, rate, dividend),
            ]
        };
        for greeks in of(&state) {
            assert_eq!(greeks.price, 0.0, "{greeks:?}");
            assert_eq!(greeks.delta, 0.5 * kind.sign(), "{greeks:?}");
            assert_eq!(greeks.gamma, f64::INFINITY, "{greeks:?}");
        }
        for spot in [80.0, 130.0] {
            let state = State {
                spot,
                rate: 0.03,
                dividend: 0.01,
                ..state
            };
            let (asset, bond) = (spot * (-0.005f64).exp(), 100.0 * (-0.015f64).exp());
            let pays = kind.sign() * (asset - bond) > 0.0;
            for greeks in of(&state) {
                let price = if pays { (asset - bond).abs() } else { 0.0 };
                assert!((greeks.price - price).abs() < 1e-12, "{greeks:?}");
                let delta = if pays {
                    kind.sign() * (-0.005f64).exp()
                } else {
                    0.0
                };
                assert!((greeks.delta - delta).abs() < 1e-12, "{greeks:?}");
                assert_eq!(greeks.gamma, 0.0, "{greeks:?}");
                assert_eq!((greeks.vega, greeks.variance_sensitivity), (0.0, 0.0));
            }
        }
    }
}
