use super::*;
use crate::pricing::BlackScholes;
use num_complex::Complex64;
use proptest::prelude::*;
use serde_json::Value;

const BUEHLER: HestonParameters = HestonParameters {
    v0: 0.04,
    kappa: 1.0,
    theta: 0.04,
    sigma: 2.0,
    rho: -0.7,
};

/// QuantLib 1.44, AnalyticHestonEngine at relative tolerance 1e-10:
/// `tests/reference/heston.json`.
#[test]
fn every_row_matches_quantlib() {
    let text = include_str!("../../../tests/reference/heston.json");
    let document: Value = serde_json::from_str(text).unwrap();
    let rows = document["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 240);
    let (mut worst, mut worst_relative) = (0f64, 0f64);
    for row in rows {
        let set = &document["parameters"][row["parameters"].as_str().unwrap()];
        let heston: HestonParameters = serde_json::from_value(set.clone()).unwrap();
        let number = |key: &str| row[key].as_f64().unwrap();
        let (spot, strike, expiry) = (number("spot"), number("strike"), number("expiry"));
        let (rate, dividend, expected) = (number("rate"), number("dividend"), number("call"));
        let price = heston.price(OptionKind::Call, spot, strike, expiry, rate, dividend);
        let error = (price - expected).abs();
        worst = worst.max(error);
        if error > 1e-8 {
            worst_relative = worst_relative.max(error / expected);
        }
        assert!(
            error <= f64::max(1e-6 * expected, 1e-8),
            "{price} against {row}"
        );
        let greeks = heston.greeks(OptionKind::Call, spot, strike, expiry, rate, dividend);
        assert!((greeks.price - price).abs() < 1e-12, "{row}");
    }
    println!("largest error {worst:e}; relative where above 1e-8: {worst_relative:e}");
}

/// The exponents solve `D' = ½σ²D² − βD − ½(u² + ¼)`, `A' = κθD`: against Runge–Kutta, which
/// knows nothing of roots, logarithms and their branches.
#[test]
fn exponents_solve_the_riccati_equations() {
    let sets = [
        BUEHLER,
        // β has a negative real part: the other branch of the computation.
        HestonParameters {
            rho: 0.9,
            kappa: 0.3,
            ..BUEHLER
        },
        HestonParameters {
            sigma: 1e-4,
            ..BUEHLER
        },
        HestonParameters {
            sigma: 0.0,
            kappa: 2.0,
            ..BUEHLER
        },
    ];
    for heston in sets {
        for expiry in [0.1, 2.0, 10.0] {
            for u in [0.0, 0.7, 4.0, 12.0] {
                let found = Exponents::new(&heston, u, expiry);
                let (a, d) = runge_kutta(&heston, u, expiry, 40_000);
                let bound = 1e-9 * (1.0 + a.norm() + d.norm());
                assert!((found.a - a).norm() < bound, "{heston:?} {u} {expiry}");
                assert!((found.d - d).norm() < bound, "{heston:?} {u} {expiry}");
                let slope = found.time_slope(&heston, u, 0.09);
                let h = 1e-5;
                let near = |t: f64| {
                    let e = Exponents::new(&heston, u, t);
                    e.a + e.d * 0.09
                };
                let difference = (near(expiry + h) - near(expiry - h)) / (2.0 * h);
                assert!((slope - difference).norm() < 1e-5 * (1.0 + slope.norm()));
            }
        }
    }
}

fn runge_kutta(
    heston: &HestonParameters,
    u: f64,
    expiry: f64,
    steps: usize,
) -> (Complex64, Complex64) {
    let leverage = heston.rho * heston.sigma;
    let beta = Complex64::new(heston.kappa - 0.5 * leverage, -leverage * u);
    let slope =
        |d: Complex64| 0.5 * heston.sigma * heston.sigma * d * d - beta * d - 0.5 * (u * u + 0.25);
    let h = expiry / steps as f64;
    let (mut a, mut d) = (Complex64::ZERO, Complex64::ZERO);
    for _ in 0..steps {
        let k1 = slope(d);
        let k2 = slope(d + 0.5 * h * k1);
        let k3 = slope(d + 0.5 * h * k2);
        let k4 = slope(d + h * k3);
        // Simpson's rule on D along the same stages.
        let middle = d + 0.25 * h * (k1 + k2);
        let next = d + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4);
        a += heston.kappa * heston.theta * h / 6.0 * (d + 4.0 * middle + next);
        d = next;
    }
    (a, d)
}

/// At σ = 0 variance is deterministic and the price is Black–Scholes' at the mean variance; the
/// limit is approached from σ > 0 at first order.
#[test]
fn no_volatility_of_variance_is_black_scholes() {
    for (v0, expiry) in [(0.01, 0.1), (0.09, 2.0)] {
        for strike in [80.0, 100.0, 130.0] {
            let still = HestonParameters {
                v0,
                sigma: 0.0,
                ..BUEHLER
            };
            let option = BlackScholes {
                kind: OptionKind::Put,
                spot: 100.0,
                strike,
                expiry,
                rate: 0.02,
                dividend: 0.01,
                volatility: still.mean_variance(expiry).sqrt(),
            };
            let price = |heston: &HestonParameters| {
                heston.price(option.kind, 100.0, strike, expiry, 0.02, 0.01)
            };
            assert!((price(&still) - option.price()).abs() < 1e-11);
            let slight = HestonParameters {
                sigma: 1e-6,
                ..still
            };
            assert!((price(&slight) - option.price()).abs() < 1e-4);
            let greeks = still.greeks(option.kind, 100.0, strike, expiry, 0.02, 0.01);
            assert!((greeks.delta - option.delta()).abs() < 1e-12);
            assert!((greeks.gamma - option.gamma()).abs() < 1e-12);
        }
    }
}

/// Every sensitivity is the central difference of the price.
#[test]
fn greeks_are_derivatives_of_the_price() {
    let mild = HestonParameters {
        v0: 0.06,
        sigma: 0.5,
        ..BUEHLER
    };
    for heston in [BUEHLER, mild] {
        for kind in [OptionKind::Call, OptionKind::Put] {
            for strike in [85.0, 100.0, 120.0] {
                for expiry in [0.1, 3.0] {
                    let price = |spot: f64, deviation: f64, expiry: f64| {
                        let moved = HestonParameters {
                            v0: deviation * deviation,
                            ..heston
                        };
                        moved.price(kind, spot, strike, expiry, 0.03, 0.01)
                    };
                    let deviation = heston.v0.sqrt();
                    let g = heston.greeks(kind, 100.0, strike, expiry, 0.03, 0.01);
                    let h = 1e-2;
                    let (up, down) = (
                        price(100.0 + h, deviation, expiry),
                        price(100.0 - h, deviation, expiry),
                    );
                    let centre = price(100.0, deviation, expiry);
                    let close = |value: f64, difference: f64, bound: f64, name: &str| {
                        assert!(
                            (value - difference).abs() < bound,
                            "{name} {value} {difference} {heston:?} {kind} {strike} {expiry}"
                        );
                    };
                    close(g.price, centre, 1e-11, "price");
                    // The truncation h²/6 ∂³V/∂S³ is below 1e-7 at this step, where gamma would drown in rounding.
                    let short = 2e-3;
                    let delta = (price(100.0 + short, deviation, expiry)
                        - price(100.0 - short, deviation, expiry))
                        / (2.0 * short);
                    close(g.delta, delta, 1e-6, "delta");
                    close(g.gamma, (up - 2.0 * centre + down) / (h * h), 1e-5, "gamma");
                    let h = 1e-5;
                    let vega = (price(100.0, deviation + h, expiry)
                        - price(100.0, deviation - h, expiry))
                        / (2.0 * h);
                    close(g.vega, vega, 1e-5, "vega");
                    let theta = (price(100.0, deviation, expiry - h)
                        - price(100.0, deviation, expiry + h))
                        / (2.0 * h);
                    close(g.theta, theta, 1e-5, "theta");
                    let hedge =
                        g.delta + heston.rho * heston.sigma / 100.0 * g.vega / (2.0 * deviation);
                    close(g.minimum_variance_delta, hedge, 1e-12, "minimum variance");
                }
            }
        }
    }
}

/// One table answers for every state in its range as a table made for that state does.
#[test]
fn a_shared_table_agrees_with_its_own() {
    let shared = HestonTransform::new(&BUEHLER, 0.05, 0.01..=0.3, 0.4);
    for variance in [0.01, 0.04, 0.3] {
        for spot in [70.0, 95.0, 100.0, 140.0] {
            let own = HestonParameters {
                v0: variance,
                ..BUEHLER
            };
            let expected = own.greeks(OptionKind::Call, spot, 100.0, 0.05, 0.0, 0.0);
            let found = shared.greeks(OptionKind::Call, spot, variance, 100.0, 0.0, 0.0);
            assert!((found.price - expected.price).abs() < 1e-10);
            assert!((found.delta - expected.delta).abs() < 1e-9);
            assert!((found.gamma - expected.gamma).abs() < 1e-8);
            assert!((found.vega - expected.vega).abs() < 1e-8);
        }
    }
}

/// Nothing left to move: the discounted intrinsic value on the forward.
#[test]
fn certain_outcomes() {
    let dead = HestonParameters {
        v0: 0.0,
        theta: 0.0,
        ..BUEHLER
    };
    let expected = 110.0 * (-0.03f64).exp() - 90.0 * (-0.02f64).exp();
    let price = dead.price(OptionKind::Call, 110.0, 90.0, 1.0, 0.02, 0.03);
    assert!((price - expected).abs() < 1e-12);
    let expired = BUEHLER.greeks(OptionKind::Put, 90.0, 100.0, 0.0, 0.02, 0.0);
    assert_eq!((expired.price, expired.delta), (10.0, -1.0));
}

#[test]
fn mean_variance_lies_between_now_and_the_long_run() {
    let heston = HestonParameters {
        v0: 0.09,
        ..BUEHLER
    };
    assert_eq!(heston.mean_variance(0.0), 0.09);
    assert!((heston.mean_variance(1e6) - 0.04).abs() < 1e-6);
    // θ + (v0 − θ)(1 − e^{−1})/1 = 0.04 + 0.05 · 0.632120559.
    assert!((heston.mean_variance(1.0) - 0.071_606_027_94).abs() < 1e-11);
}

#[test]
fn refusals_name_parameter_value_and_bound() {
    let message = |result: Result<HestonParameters>| result.unwrap_err().to_string();
    assert_eq!(
        message(HestonParameters::new(0.04, 1.0, 0.04, 0.5, 1.2)),
        "Heston parameter rho must be above -1 and below 1, was 1.2"
    );
    assert_eq!(
        message(HestonParameters::new(0.04, 0.0, 0.04, 0.5, 0.0)),
        "Heston parameter kappa must be finite and above 0, was 0"
    );
    assert!(message(HestonParameters::new(f64::NAN, 1.0, 0.04, 0.5, 0.0)).contains("v0"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// No static arbitrage across strikes: calls fall and are convex in strike, and stay within
    /// `[max(S − K, 0), S]`. A wrong branch of the logarithm or a truncated tail breaks this.
    #[test]
    fn prices_are_free_of_arbitrage(
        v0 in 1e-3..0.5f64,
        kappa in 0.05..8.0f64,
        theta in 1e-3..0.5f64,
        sigma in 0.01..3.0f64,
        rho in -0.98..0.98f64,
        expiry in 0.01..15.0f64,
    ) {
        let heston = HestonParameters::new(v0, kappa, theta, sigma, rho).unwrap();
        let strikes: Vec<f64> = (0..60).map(|i| 50.0 + 2.0 * f64::from(i)).collect();
        let prices = heston.prices(OptionKind::Call, 100.0, &strikes, expiry, 0.0, 0.0);
        for (strike, price) in strikes.iter().zip(&prices) {
            prop_assert!(*price >= (100.0 - strike).max(0.0) && *price <= 100.0);
        }
        for window in prices.windows(3) {
            prop_assert!(window[1] <= window[0] + 1e-10);
            prop_assert!(window[0] - 2.0 * window[1] + window[2] >= -1e-9, "{window:?}");
        }
    }
}
