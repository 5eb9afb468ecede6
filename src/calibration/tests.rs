//! Fits to a published surface and to surfaces of known parameters.

use super::*;
use crate::market::VolatilityUnit;
use crate::pricing::HestonParameters;
use std::path::{Path, PathBuf};

fn dax() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("market_data/dax_2002-07-05_implied_vols.csv")
}

/// QuantLib's test-suite/hestonmodel.cpp, testDAXCalibration: the sum of squared errors of implied volatility in
/// points is 177.2 within 1.
#[test]
fn the_dax_surface_of_quantlib() {
    let options = SurfaceOptions {
        whole_weeks: true,
        ..SurfaceOptions::default()
    };
    let surface = Surface::load(&dax(), &options).unwrap();
    assert_eq!(surface.quotes.len(), 104);
    let fit = fit_heston(&surface, Errors::ImpliedVolatility).unwrap();
    assert!((fit.sum_squared_error - 177.2).abs() < 1.0, "{fit:?}");
    assert!(fit.at_bound.is_empty(), "{fit:?}");
    assert!(fit.not_identified.is_empty(), "{fit:?}");
    assert!(fit.parameters.rho < -0.3);
}

/// A surface of the model's own prices gives its parameters back, with and without Feller's condition, with rates.
#[test]
fn surfaces_of_the_model_give_its_parameters_back() {
    for (truth, rate, dividend) in [
        ((0.04, 1.5, 0.06, 0.5, -0.7), 0.0, 0.0),
        ((0.09, 3.0, 0.04, 0.3, -0.3), 0.03, 0.01),
        ((0.02, 0.8, 0.05, 1.2, 0.2), 0.01, 0.0),
    ] {
        let (v0, kappa, theta, sigma, rho) = truth;
        let truth = HestonParameters::new(v0, kappa, theta, sigma, rho).unwrap();
        let mut quotes = Vec::new();
        for expiry in [0.1, 0.25, 0.5, 1.0, 2.0] {
            for moneyness in [-1.5, -1.0, -0.5, 0.0, 0.5, 1.0] {
                let strike = 100.0 * (0.2 * moneyness * f64::sqrt(expiry)).exp();
                let mut quote = Quote {
                    spot: 100.0,
                    strike,
                    expiry,
                    rate,
                    dividend,
                    implied_volatility: 0.2,
                };
                let option = quote.option();
                let price = truth.price(option.kind, 100.0, strike, expiry, rate, dividend);
                quote.implied_volatility = option.implied_volatility(price).unwrap();
                quotes.push(quote);
            }
        }
        let surface = Surface {
            quotes,
            dropped: Vec::new(),
            date: None,
            unit: VolatilityUnit::Fraction,
        };
        for errors in [Errors::ImpliedVolatility, Errors::Vega] {
            let fit = fit_heston(&surface, errors).unwrap();
            let found = fit.parameters;
            for (found, truth) in [
                (found.v0, v0),
                (found.kappa, kappa),
                (found.theta, theta),
                (found.sigma, sigma),
                (found.rho, rho),
            ] {
                assert!(
                    (found - truth).abs() < 1e-4 * (1.0 + truth.abs()),
                    "{fit:?}"
                );
            }
            assert!(fit.sum_squared_error < 1e-8);
            assert_eq!(fit.feller, truth.feller());
        }
    }
}
