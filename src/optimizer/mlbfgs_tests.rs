//! mL-BFGS against the dense update of the inverse Hessian, and on a quadratic.

use super::first_order_tests::{PLAIN_RATE, change, close};
use super::*;
use crate::linalg::inner;
use faer::mat;

/// The Hessian of ½xᵀHx.
fn hessian() -> Mat<f64> {
    mat![[4.0, 1.0, 0.0], [1.0, 3.0, -0.5], [0.0, -0.5, 0.3]]
}

const NEWTON: MlbfgsSettings = MlbfgsSettings {
    rate: RateSettings {
        learning_rate: 1.0,
        ..PLAIN_RATE
    },
    momentum: 0.0,
    history: 10,
    pair_period: 1,
    mixing: 1.0,
    least_curvature: 1e-6,
    max_length: f64::INFINITY,
};

/// The two-loop recursion is H ← (I − ρsyᵀ)H(I − ρysᵀ) + ρssᵀ, ρ = 1/sᵀy, over the kept pairs from H₀.
#[test]
fn two_loops_are_the_dense_inverse() {
    let points = [
        mat![[1.0], [0.5], [-2.0]],
        mat![[0.3], [-1.0], [0.7]],
        mat![[-0.2], [0.4], [1.5]],
    ];
    let gradient = mat![[0.9], [-0.4], [0.2]];
    for kept in [2, 3] {
        let mut pairs = CurvaturePairs::new(kept);
        for s in &points {
            pairs.push(vec![s.clone()], vec![hessian() * s]);
        }
        let y = hessian() * &points[2];
        let scale = inner(&points[2..], std::slice::from_ref(&y)) / y.squared_norm_l2();
        let mut dense = faer::Scale(scale) * Mat::<f64>::identity(3, 3);
        for s in &points[3 - kept..] {
            let y = hessian() * s;
            let rho = 1.0 / (s.transpose() * &y)[(0, 0)];
            let project = Mat::<f64>::identity(3, 3) - faer::Scale(rho) * (s * y.transpose());
            dense = &project * dense * project.transpose() + faer::Scale(rho) * (s * s.transpose());
        }
        let found = pairs.inverse_times(std::slice::from_ref(&gradient));
        close(&found[0], &(&dense * &gradient), 1e-12);
        // The secant equation Hy = s of the last pair.
        close(&pairs.inverse_times(&[y])[0], &points[2], 1e-12);
    }
}

/// On a quadratic it reaches the minimiser, without averages as with them.
#[test]
fn reaches_the_minimiser_of_a_quadratic() {
    let averaged = MlbfgsSettings {
        rate: RateSettings {
            learning_rate: 0.3,
            ..PLAIN_RATE
        },
        momentum: 0.5,
        ..NEWTON
    };
    for (settings, steps) in [(NEWTON, 40), (averaged, 200)] {
        let mut optimizer = Mlbfgs::new(MlbfgsSettings {
            max_length: 0.5,
            ..settings
        });
        let mut x = mat![[1.0], [-2.0], [3.0]];
        for step in 0..steps {
            let gradient = [hessian() * &x];
            x += &change(&mut optimizer, &gradient, &[x.clone()], step)[0];
        }
        assert!(x.norm_l2() < 1e-6, "{x:?}");
    }
}

/// A gradient that falls along the step would give a pair of negative curvature: the mixed pair has exactly the least
/// curvature, so the next step still goes downhill, and no further than allowed.
#[test]
fn negative_curvature_is_mixed_away() {
    let mut optimizer = Mlbfgs::new(MlbfgsSettings {
        least_curvature: 0.2,
        max_length: 0.5,
        ..NEWTON
    });
    let mut x = mat![[0.0, 0.0]];
    let gradients = [mat![[1.0, 0.0]], mat![[2.0, 0.5]], mat![[4.0, 0.7]]];
    for (step, gradient) in gradients.into_iter().enumerate() {
        let gradient = [gradient];
        let found = change(&mut optimizer, &gradient, &[x.clone()], step);
        assert!(inner(&gradient, &found) < 0.0, "{found:?}");
        assert!(found[0].norm_l2() < 0.5 + 1e-12, "{found:?}");
        x += &found[0];
    }
}
