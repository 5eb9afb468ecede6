//! The formula at points computed by hand, its linearity, and lanes.

use super::*;
use crate::simd::dispatch;

const FACTORS: SurfaceFactors = SurfaceFactors {
    level: 0.2,
    slope: -0.03,
    moneyness: 0.18,
    smile: -0.04,
    smirk: 0.01,
};

/// At the money σ = β₁ + β₂ e^{−√(τ/¼)}, at any maturity; a month is 21 of 252 days: .2 − .03 e^{−√(1/3)}.
#[test]
fn at_the_money_the_term_structure_alone_counts() {
    let month = 0.2 - 0.03 * (-(1f64 / 3.0).sqrt()).exp();
    assert!((FACTORS.one_month() - month).abs() < 1e-15);
    assert!((FACTORS.volatility(0.0, 0.25) - (0.2 - 0.03 / 1f64.exp())).abs() < 1e-15);
}

/// The formula as it is written, on both sides of the money: M = .1/√.25 = ±.2.
#[test]
fn both_sides_are_the_formula() {
    let fade = (0.25f64 / 5.0).ln();
    let base = 0.2 - 0.03 * (-1f64).exp() - 0.04 * (1.0 - (-0.04f64).exp()) * fade;
    let above = base + 0.18 * 0.2;
    let below = base + 0.18 * (-0.2f64).tanh() + 0.01 * (1.0 - (-0.216f64).exp()) * fade;
    assert!((FACTORS.volatility(0.1, 0.25) - above).abs() < 1e-15);
    assert!((FACTORS.volatility(-0.1, 0.25) - below).abs() < 1e-15);
}

/// Σ β ∂σ/∂β = σ above the floor; below it the floor.
#[test]
fn volatility_is_linear_above_the_floor() {
    for x in [-0.3, -0.02, 0.0, 0.05, 0.4] {
        for years in [1.0 / 252.0, 0.1, 1.0, 5.0] {
            let basis = SurfaceFactors::basis(x, years);
            let sum: f64 = FACTORS
                .to_array()
                .iter()
                .zip(basis)
                .map(|(b, d)| b * d)
                .sum();
            assert!((FACTORS.volatility(x, years) - sum.max(0.01)).abs() < 1e-15);
        }
    }
    let low = SurfaceFactors {
        level: -0.5,
        ..FACTORS
    };
    assert_eq!(low.volatility(0.0, 0.1), SurfaceFactors::FLOOR);
    assert_eq!(SurfaceFactors::from_array(FACTORS.to_array()), FACTORS);
}

fn lanes<R: Real>(years: f64, tolerance: f64) {
    let factor = |index: usize| [R::of(FACTORS.to_array()[index]); BLOCK];
    let factors: [Lane<R>; 5] = std::array::from_fn(factor);
    let spot: Lane<R> = std::array::from_fn(|lane| R::of(70.0 + 2.0 * lane as f64));
    let mut out = [R::ZERO; BLOCK];
    dispatch(SurfaceLanes {
        factors: factors.each_ref(),
        spot: &spot,
        forward_per_strike: 1.01 / 100.0,
        years,
        out: &mut out,
    });
    for lane in 0..BLOCK {
        let x = (spot[lane].into_f64() * 1.01 / 100.0).ln();
        let one = FACTORS.volatility(x, years);
        let gap = (out[lane].into_f64() - one).abs();
        assert!(gap < tolerance, "{years} {lane}: {gap}");
    }
}

/// Lanes are the formula in both precisions.
#[test]
fn lanes_are_the_formula() {
    for years in [1.0 / 252.0, 0.1, 0.25, 2.0] {
        lanes::<f64>(years, 1e-13);
        lanes::<f32>(years, 3e-6);
    }
}
