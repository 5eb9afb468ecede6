//! Preconditioners against dense matrices, one identity a test.

use super::*;
use crate::linalg::{symmetric_eigen, symmetric_power};
use crate::optimizer::dense::{inverse, kronecker, random, relative, vec};
use faer::Mat;

fn undamped(c0: &Mat<f64>) -> Damped {
    Damped {
        matrix: c0.clone(),
        damping: 0.0,
    }
}

fn option_2(a0: &Mat<f64>, a1: &Mat<f64>, g0: &Mat<f64>, g1: &Mat<f64>) -> LinearGaussianChain {
    LinearGaussianChain::new(&undamped(a0), a1, &undamped(g0), g1).unwrap()
}

fn option_1(
    a0: &Mat<f64>,
    a1: &Mat<f64>,
    g0: &Mat<f64>,
    g1: &Mat<f64>,
    steps: usize,
) -> SymmetricChain {
    SymmetricChain::new(&undamped(a0), a1, &undamped(g0), g1, steps).unwrap()
}

fn independent(a0: &Mat<f64>, g0: &Mat<f64>) -> SymmetricChain {
    SymmetricChain::independent(&undamped(a0), &undamped(g0)).unwrap()
}

/// Lag 0 and lag 1 covariances of a stationary process: C₀ = XXᵀ and C₁ = C₀^½ Ψ̂ C₀^½ with ‖Ψ̂‖ < 1.
pub(super) fn process(size: usize, seed: u64) -> (Mat<f64>, Mat<f64>) {
    let x = random(size, size + 2, seed);
    let c0 = &x * x.transpose();
    let root = symmetric_power(&c0, 0.5, 0.0).unwrap();
    let psi = faer::Scale(0.8 / size as f64) * random(size, size, seed + 100);
    let c1 = &root * psi * &root;
    (c0, c1)
}

/// Identity 14: Option 2 is the dense inverse metric of the chain for T → ∞.
#[test]
fn option_2_is_the_dense_limit() {
    let ((a0, a1), (g0, g1)) = (process(3, 1), process(4, 2));
    let z = random(4, 3, 3);
    let v0 = kronecker(&a0, &g0);
    let whitening = symmetric_power(&v0, -0.5, 0.0).unwrap();
    let psi = &whitening * kronecker(&a1, &g1) * &whitening;
    let identity = Mat::<f64>::identity(12, 12);
    let middle = inverse(&(&identity - psi.transpose() * &psi));
    let dense =
        &whitening * (&identity - &psi) * middle * (&identity - psi.transpose()) * &whitening;
    let found = option_2(&a0, &a1, &g0, &g1).apply(&z);
    assert!(relative(&vec(&found), &(dense * vec(&z))) < 1e-10);
}

/// Identity 14: the chain of T dates, V_d = Ψ^d V₀ with Ψ = V₁V₀⁻¹, comes nearer to Option 2 as T grows, and is
/// not equal at any finite T.
#[test]
fn option_2_misses_the_finite_chain_by_one_over_t() {
    let ((a0, a1), (g0, g1)) = (process(3, 1), process(4, 2));
    let z = random(4, 3, 3);
    let chain = option_2(&a0, &a1, &g0, &g1);
    let found = vec(&chain.apply(&z));
    let (v0, v1) = (kronecker(&a0, &g0), kronecker(&a1, &g1));
    let error = |steps| relative(&found, &(inverse(&finite_chain(&v0, &v1, steps)) * vec(&z)));
    let (short, long) = (error(20), error(80));
    assert!(
        short > 1e-6 && (3.0..5.0).contains(&(short / long)),
        "{short:e} {long:e}"
    );
}

/// V₀ + Σ_{d<T} (1 − d/T)(V_d + V_dᵀ), the metric of the chain of T dates where T sits in V₀.
pub(super) fn finite_chain(v0: &Mat<f64>, v1: &Mat<f64>, steps: usize) -> Mat<f64> {
    let psi = v1 * inverse(v0);
    let (mut metric, mut lagged) = (v0.clone(), v0.clone());
    for d in 1..steps {
        lagged = &psi * &lagged;
        metric += faer::Scale(1.0 - d as f64 / steps as f64) * (&lagged + lagged.transpose());
    }
    metric
}

/// Covariances of a process with a symmetric Ψ̂ of the given eigenvalues.
fn symmetric_process(psi: &[f64], seed: u64) -> (Mat<f64>, Mat<f64>) {
    let size = psi.len();
    let (c0, _) = process(size, seed);
    let turned = random(size, size, seed + 50);
    let (_, vectors) = symmetric_eigen(&(&turned + turned.transpose())).unwrap();
    let scaled = Mat::from_fn(size, size, |r, c| vectors[(r, c)] * psi[c]);
    let root = symmetric_power(&c0, 0.5, 0.0).unwrap();
    let c1 = &root * (scaled * vectors.transpose()) * &root;
    (c0, c1)
}

/// Identity 13: on a symmetric process Option 1 is the inverse of the dense metric of T dates, for ψ of both
/// signs; the skew part of the lagged factors does not count.
#[test]
fn option_1_is_the_dense_finite_chain() {
    let (a0, a1) = symmetric_process(&[0.95, 0.3, -0.6], 1);
    let (g0, g1) = symmetric_process(&[0.9, 0.2, -0.3, -0.8], 2);
    let z = random(4, 3, 3);
    let (v0, v1) = (kronecker(&a0, &g0), kronecker(&a1, &g1));
    let skew = random(3, 3, 4);
    let skewed = &a1 + &skew - skew.transpose();
    for steps in [1, 2, 5, 30] {
        let expected = inverse(&finite_chain(&v0, &v1, steps)) * vec(&z);
        for a1 in [&a1, &skewed] {
            let chain = option_1(&a0, a1, &g0, &g1, steps);
            let error = relative(&vec(&chain.apply(&z)), &expected);
            assert!(error < 1e-9, "{steps} dates: {error:e}");
        }
    }
}

/// Identity 13, the limits: for ψ_G ψ_A = x → 1 all dates are one, F → T A₀ ⊗ G₀, with no cancellation on the
/// way (the closed form of the sum is wrong by 5 % at 1 − 1e-9); for x = −1 the sum is 0 over an even number of dates, where it
/// counts as a thousandth, and 1/T over an odd one.
#[test]
fn option_1_at_perfect_correlation() {
    let ((a0, _), (g0, _)) = (process(3, 1), process(4, 2));
    let z = random(4, 3, 3);
    let steps = 30;
    let of_steps = |x: f64, steps: usize| {
        let a1 = faer::Scale(x) * &a0;
        option_1(&a0, &a1, &g0, &g0, steps).apply(&z)
    };
    let chain = |x: f64| of_steps(x, steps);
    let expected = faer::Scale(1.0 / steps as f64) * (inverse(&g0) * &z * inverse(&a0));
    for below in [0.0, 1e-12, 1e-9, 1e-8] {
        // The sum has the slope (T² − 1)/3 at x = 1, T being its value.
        let bound = 1e-10 + 10.0 * below * steps as f64;
        assert!(relative(&chain(1.0 - below), &expected) < bound, "{below}");
    }
    let independent = inverse(&g0) * &z * inverse(&a0);
    for (steps, factor) in [(30, 1000.0), (31, 31.0)] {
        let expected = faer::Scale(factor) * &independent;
        assert!(
            relative(&of_steps(-1.0, steps), &expected) < 1e-8,
            "{steps}"
        );
    }
}

/// Identity 14 for Option 1: on a symmetric process both options agree for T → ∞, with an error of order 1/T.
#[test]
fn option_1_tends_to_option_2() {
    let (a0, a1) = symmetric_process(&[0.8, 0.3, -0.6], 1);
    let (g0, g1) = symmetric_process(&[0.7, 0.2, -0.3, -0.8], 2);
    let z = random(4, 3, 3);
    let limit = option_2(&a0, &a1, &g0, &g1).apply(&z);
    let error = |steps| {
        let chain = option_1(&a0, &a1, &g0, &g1, steps);
        relative(&chain.apply(&z), &limit)
    };
    let (short, long) = (error(100), error(400));
    assert!(
        short < 0.1 && (3.5..4.5).contains(&(short / long)),
        "{short:e} {long:e}"
    );
}

/// Identity 15: without correlation in time both options are independence, G₀⁻¹ Z A₀⁻¹, for any T; and for
/// T = 1 so is Option 1 with any lagged factors, while Option 2 is not.
#[test]
fn options_without_correlation_are_independence() {
    let ((a0, a1), (g0, g1)) = (process(3, 4), process(5, 5));
    let z = random(5, 3, 6);
    let zero = |m: &Mat<f64>| faer::Scale(0.0) * m;
    let expected = inverse(&g0) * &z * inverse(&a0);
    let equal = |found: Mat<f64>| relative(&found, &expected) < 1e-10;

    assert!(equal(independent(&a0, &g0).apply(&z)));
    let limit = option_2(&a0, &zero(&a1), &g0, &zero(&g1));
    assert!(equal(limit.apply(&z)));
    for steps in [1, 2, 30] {
        let chain = option_1(&a0, &zero(&a1), &g0, &zero(&g1), steps);
        assert!(equal(chain.apply(&z)));
    }
    let single = option_1(&a0, &a1, &g0, &g1, 1);
    assert!(equal(single.apply(&z)));
    let limit = option_2(&a0, &a1, &g0, &g1);
    assert!(!equal(limit.apply(&z)));
}

/// A factor that is singular but for its damping d: along its only direction v the inverse is 1/(c + d), across 1/d; where d
/// is below rounding, nothing is longer than n ε c allows. Rounding alone leaves such a factor eigenvalues below zero.
#[test]
fn singular_factors_have_inverses_of_a_known_size() {
    const SIZE: usize = 8;
    const C: f64 = 1e3;
    let v = random(SIZE, 1, 3);
    let v = faer::Scale(1.0 / v.norm_l2()) * v;
    let other = random(SIZE, 1, 4);
    let other = &other - &v * (v.transpose() * &other);
    let one = Damped {
        matrix: Mat::identity(1, 1),
        damping: 1.0,
    };
    let singular = |damping: f64| Damped {
        matrix: faer::Scale(C) * &v * v.transpose()
            + faer::Scale(damping) * Mat::<f64>::identity(SIZE, SIZE),
        damping,
    };
    let (values, _) = symmetric_eigen(&singular(1e-20).matrix).unwrap();
    assert!(
        values[0] < 0.0,
        "rounding has left nothing below zero: {values:?}"
    );

    let damping = 1e-2;
    let zero = Mat::zeros(SIZE, SIZE);
    let none = Mat::zeros(1, 1);
    let damped = singular(damping);
    let independent = SymmetricChain::independent(&one, &damped).unwrap();
    let chain = LinearGaussianChain::new(&one, &none, &damped, &zero).unwrap();
    let along = faer::Scale(1.0 / (C + damping)) * &v;
    let across = faer::Scale(1.0 / damping) * &other;
    for (z, expected, bound) in [(&v, along, 1e-6), (&other, across, 1e-8)] {
        assert!(relative(&independent.apply(z), &expected) < bound);
        assert!(relative(&chain.apply(z), &expected) < bound);
    }
    for damping in [1e-20, 0.0] {
        let chain = SymmetricChain::independent(&one, &singular(damping)).unwrap();
        let most = 1.0 / (SIZE as f64 * f64::EPSILON * C);
        for z in [&v, &other] {
            let size = chain.apply(z).norm_l2() / z.norm_l2();
            assert!(size <= most * (1.0 + 1e-9), "{size:e} {most:e}");
        }
        let (least, greatest) = chain.range();
        assert!(least > 0.0 && (greatest / C - 1.0).abs() < 1e-9);
    }
}
