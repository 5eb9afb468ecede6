use super::surface_heston::estimate_surface_heston;
use crate::market::past_surfaces::{PastSurfaces, TRADING_DAYS};
use crate::pricing::SurfaceFactors;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Speed, level, volatility and correlation of a square-root variance by days, and the share that is realised, are found within four standard
/// errors from 6,000 days, and every standard error is below a third of its value but that of the speed, below a half.
#[test]
fn the_law_of_a_square_root_variance_is_found() {
    let (kappa, theta, sigma, rho, realised) = (6.0, 0.05, 0.9, -0.7f64, 0.9);
    let dt = 1.0 / TRADING_DAYS;
    let mut random = ChaCha8Rng::seed_from_u64(12);
    let mut normal = || -> f64 { StandardNormal.sample(&mut random) };
    let (mut close, mut v) = (100.0, theta);
    let (mut closes, mut surfaces) = (Vec::new(), Vec::new());
    for _ in 0..6000 {
        closes.push(close);
        surfaces.push(SurfaceFactors {
            level: f64::sqrt(v),
            ..SurfaceFactors::default()
        });
        let (b, own) = (normal(), normal());
        let w = rho * b + (1.0 - rho * rho).sqrt() * own;
        close *= (realised * (v * dt).sqrt() * w).exp();
        v = (v + kappa * (theta - v) * dt + sigma * (v * dt).sqrt() * b).max(1e-3);
    }
    let past = PastSurfaces::new(&closes, &surfaces).unwrap();
    let found = estimate_surface_heston(&past).unwrap();
    assert!(found.at_bound.is_empty(), "{found:?}");
    for (name, value, known, most) in [
        ("kappa", found.kappa, kappa, 0.5),
        ("theta", found.theta, theta, 0.34),
        ("sigma", found.sigma, sigma, 0.34),
        ("rho", found.rho, rho, 0.34),
        ("realised", found.realised, realised, 0.34),
    ] {
        let error = found.standard_errors.of(name).unwrap();
        assert!(
            (value - known).abs() < 4.0 * error,
            "{name}: {value} ± {error}"
        );
        assert!(error < most * known.abs(), "{name} ± {error}");
    }
}

/// A volatility that never moves is refused.
#[test]
fn a_volatility_that_stands_still_has_no_law() {
    let closes: Vec<f64> = (0..300).map(|day| 100.0 + f64::from(day % 7)).collect();
    let surface = SurfaceFactors {
        level: 0.2,
        ..SurfaceFactors::default()
    };
    let past = PastSurfaces::new(&closes, &vec![surface; 300]).unwrap();
    let said = estimate_surface_heston(&past).unwrap_err().to_string();
    assert!(said.contains("must move from day to day"), "{said}");
}
