//! KL-Shampoo and PSGD-Kron: where their factors rest, against the dense second moment of gradients.

use super::first_order_tests::{PLAIN_RATE, change, close};
use super::kl_shampoo::{Covariance, Factor};
use super::psgd_kron::{KroneckerPreconditioner, Rates};
use super::*;
use crate::linalg::{inner, symmetric_eigen, symmetric_power};
use crate::random::{Purpose, sequential};
use rand::RngExt;

/// Rows and columns of the gradients.
const SHAPE: (usize, usize) = (3, 2);
/// The variance κ that is added to every entry, all gradients having a mean square of 1.
const DAMPING: f64 = 0.05;

fn random(rows: usize, columns: usize, seed: u64) -> Mat<f64> {
    let mut generator = sequential(seed, Purpose::InitialWeights);
    Mat::from_fn(rows, columns, |_, _| generator.random_range(-1.0..1.0))
}

/// Gradients with a mean square of 1 whose second moment is no Kronecker product.
fn gradients() -> Vec<Mat<f64>> {
    let (rows, columns) = SHAPE;
    let scale = random(rows, rows, 100);
    let gradient = |seed| {
        let g = &scale * random(rows, columns, seed);
        let norm = ((rows * columns) as f64).sqrt() / g.norm_l2();
        faer::Scale(norm) * g
    };
    (0..8).map(gradient).collect()
}

/// E vec(G) vec(G)ᵀ + κI with the rows of G after each other: entry (r, c) is at r·columns + c.
fn second_moment(gradients: &[Mat<f64>], damping: f64) -> Mat<f64> {
    let (rows, columns) = (gradients[0].nrows(), gradients[0].ncols());
    let vectors: Vec<Mat<f64>> = (gradients.iter())
        .map(|g| Mat::from_fn(rows * columns, 1, |i, _| g[(i / columns, i % columns)]))
        .collect();
    let sum = (vectors.iter().map(|v| v * v.transpose()))
        .reduce(|sum, product| sum + product)
        .unwrap();
    let size = rows * columns;
    faer::Scale(1.0 / gradients.len() as f64) * sum
        + faer::Scale(damping) * Mat::<f64>::identity(size, size)
}

fn kronecker(a: &Mat<f64>, b: &Mat<f64>) -> Mat<f64> {
    let size = b.nrows();
    Mat::from_fn(a.nrows() * size, a.nrows() * size, |r, c| {
        a[(r / size, c / size)] * b[(r % size, c % size)]
    })
}

fn inverse(matrix: &Mat<f64>) -> Mat<f64> {
    symmetric_power(matrix, -1.0, f64::MIN_POSITIVE).unwrap()
}

/// log det S + tr S⁻¹C, which is twice the divergence of N(0, S) from N(0, C) but for what is C's alone.
fn divergence(moment: &Mat<f64>, a: &Mat<f64>, b: &Mat<f64>) -> f64 {
    let dense = kronecker(a, b);
    let (values, _) = symmetric_eigen(&dense).unwrap();
    let log_determinant: f64 = values.iter().map(|value| value.ln()).sum();
    log_determinant + inner(&[inverse(&dense)], std::slice::from_ref(moment))
}

/// The factors of least divergence from a dense second moment, by solving for one and the other in turn: from
/// ∂/∂S_a of log det S_a ⊗ S_b + tr(S_a⁻¹ ⊗ S_b⁻¹)C, S_a = (1/d_b) Σ_{kl} (S_b⁻¹)_{lk} C_{(·k)(·l)}.
fn least_divergence(moment: &Mat<f64>) -> (Mat<f64>, Mat<f64>) {
    let (rows, columns) = SHAPE;
    let mut b = Mat::<f64>::identity(columns, columns);
    let mut a = Mat::<f64>::identity(rows, rows);
    for _ in 0..300 {
        let of_b = inverse(&b);
        a = Mat::from_fn(rows, rows, |i, j| {
            let pairs = (0..columns).flat_map(|k| (0..columns).map(move |l| (k, l)));
            let terms =
                pairs.map(|(k, l)| of_b[(l, k)] * moment[(i * columns + k, j * columns + l)]);
            terms.sum::<f64>() / columns as f64
        });
        let of_a = inverse(&a);
        b = Mat::from_fn(columns, columns, |k, l| {
            let pairs = (0..rows).flat_map(|i| (0..rows).map(move |j| (i, j)));
            let terms =
                pairs.map(|(i, j)| of_a[(j, i)] * moment[(i * columns + k, j * columns + l)]);
            terms.sum::<f64>() / rows as f64
        });
    }
    (a, b)
}

/// The factors as KL-Shampoo holds them, in their eigenbases.
fn held(a: &Mat<f64>, b: &Mat<f64>) -> Covariance {
    let factor = |moment: &Mat<f64>| {
        let (values, basis) = symmetric_eigen(moment).unwrap();
        Factor {
            moment: moment.clone(),
            values: Mat::from_fn(values.len(), 1, |i, _| values[i]),
            basis,
        }
    };
    Covariance {
        rows: factor(a),
        columns: factor(b),
        square: 1.0,
    }
}

fn mean(matrices: impl Iterator<Item = Mat<f64>>) -> Mat<f64> {
    let (sum, count) = matrices
        .map(|matrix| (matrix, 1.0))
        .reduce(|(sum, count), (matrix, _)| (sum + matrix, count + 1.0))
        .unwrap();
    faer::Scale(1.0 / count) * sum
}

/// No factors near those of the alternating solution are less divergent, and at them what KL-Shampoo takes in is, in the
/// mean over the gradients, what it holds: both factors and their eigenvalues.
#[test]
fn kl_shampoo_rests_at_the_least_divergence() {
    let gradients = gradients();
    let moment = second_moment(&gradients, DAMPING);
    let (a, b) = least_divergence(&moment);
    let least = divergence(&moment, &a, &b);
    for seed in 0..20 {
        let near = |factor: &Mat<f64>, seed: u64| {
            let noise = random(factor.nrows(), factor.ncols(), seed);
            factor + faer::Scale(0.01) * (&noise + noise.transpose())
        };
        let found = divergence(&moment, &near(&a, seed), &near(&b, seed + 100));
        assert!(found > least, "{found} {least}");
    }
    let taken = |of: &dyn Fn(Covariance) -> Mat<f64>| {
        mean(gradients.iter().map(|gradient| {
            let mut held = held(&a, &b);
            held.update(gradient, 0.0, DAMPING);
            of(held)
        }))
    };
    close(&taken(&|held| held.rows.moment), &a, 1e-9);
    close(&taken(&|held| held.columns.moment), &b, 1e-9);
    let at_rest = held(&a, &b);
    close(&taken(&|held| held.rows.values), &at_rest.rows.values, 1e-9);
    let columns = taken(&|held| held.columns.values);
    close(&columns, &at_rest.columns.values, 1e-9);
}

/// From the first gradient on KL-Shampoo's covariance comes to that of least divergence, bases and eigenvalues with it.
#[test]
fn kl_shampoo_comes_to_the_least_divergence() {
    let gradients = gradients();
    let (a, b) = least_divergence(&second_moment(&gradients, DAMPING));
    let mut found = Covariance::of(&gradients[0]);
    for (decay, rounds) in [(0.9, 20), (0.99, 60), (0.999, 500)] {
        for _ in 0..rounds {
            for gradient in &gradients {
                found.update(gradient, decay, DAMPING);
                found.renew();
            }
        }
    }
    let expected = kronecker(&a, &b);
    let held = kronecker(&found.rows.moment, &found.columns.moment);
    assert!((&held - &expected).norm_l2() < 0.02 * expected.norm_l2());
    // What steps are made by is the inverse root of the same covariance.
    let gradient = &gradients[3];
    let root = |m: &Mat<f64>| symmetric_power(m, -0.5, f64::MIN_POSITIVE).unwrap();
    let white = root(&a) * gradient * root(&b);
    let distance = (found.whiten(gradient) - &white).norm_l2();
    assert!(distance < 0.02 * white.norm_l2(), "{distance}");
}

/// On gradients A Z B with E vec(Z) vec(Z)ᵀ = I, P = (AAᵀ)^{-½} ⊗ (BᵀB)^{-½} makes P E[ggᵀ] P the identity, and there the
/// preconditioner rests; on others it rests where KL-Shampoo's covariance does.
#[test]
fn psgd_kron_rests_where_gradients_are_white() {
    let (rows, columns) = SHAPE;
    let root = |m: &Mat<f64>| symmetric_power(m, -0.5, f64::MIN_POSITIVE).unwrap();
    let (left, right) = (random(rows, rows, 5), random(columns, columns, 6));
    let kroneckers: Vec<Mat<f64>> = (0..rows * columns)
        .map(|unit| {
            let z = Mat::from_fn(rows, columns, |r, c| match r * columns + c == unit {
                true => ((rows * columns) as f64).sqrt(),
                false => 0.0,
            });
            &left * z * &right
        })
        .collect();
    let (a, b) = (&left * left.transpose(), right.transpose() * &right);
    let moment = second_moment(&kroneckers, 0.0);
    let p = kronecker(&root(&a), &root(&b));
    close(&(&p * &moment * &p), &Mat::identity(6, 6), 1e-9);

    let gradients = gradients();
    let (kl_a, kl_b) = least_divergence(&second_moment(&gradients, DAMPING));
    for (gradients, (a, b), variance) in [
        (&kroneckers, (&a, &b), 0.0),
        (&gradients, (&kl_a, &kl_b), DAMPING),
    ] {
        let mut at_rest = KroneckerPreconditioner::of(&gradients[0]);
        (at_rest.left, at_rest.right) = (root(a), root(b));
        let excess = |side: &dyn Fn(&Mat<f64>) -> Mat<f64>| mean(gradients.iter().map(side));
        let of_rows = excess(&|g| at_rest.excess(g, variance).0.matrix);
        let of_columns = excess(&|g| at_rest.excess(g, variance).1.matrix);
        close(&of_rows, &Mat::zeros(rows, rows), 1e-9);
        close(&of_columns, &Mat::zeros(columns, columns), 1e-9);
    }
}

/// From the first gradient on PSGD's preconditioner comes to P E[ggᵀ + κI] P = I as near as a Kronecker product can: to the
/// inverse root of the covariance of least divergence.
#[test]
fn psgd_kron_comes_to_white_gradients() {
    let gradients = gradients();
    let (a, b) = least_divergence(&second_moment(&gradients, DAMPING));
    let mut found = KroneckerPreconditioner::of(&gradients[0]);
    for (rate, rounds) in [(0.5, 50), (0.05, 150), (0.005, 500)] {
        for _ in 0..rounds {
            for gradient in &gradients {
                found.update(
                    gradient,
                    Rates {
                        rate,
                        bound_decay: 0.9,
                        damping: DAMPING,
                    },
                );
            }
        }
    }
    let root = |m: &Mat<f64>| symmetric_power(m, -0.5, f64::MIN_POSITIVE).unwrap();
    let expected = kronecker(&root(&a), &root(&b));
    let distance = (kronecker(&found.left, &found.right) - &expected).norm_l2();
    assert!(distance < 0.02 * expected.norm_l2(), "{distance}");
}

/// However long a gradient is, the preconditioner stays positive: E is at most as long as its bound.
#[test]
fn psgd_kron_stays_positive() {
    let mut found = KroneckerPreconditioner::of(&random(4, 3, 1));
    for step in 0..50 {
        let length = if step % 7 == 3 { 1e4 } else { 1.0 };
        let rates = Rates {
            rate: 0.99,
            bound_decay: 0.9,
            damping: 1e-6,
        };
        found.update(&(faer::Scale(length) * random(4, 3, step)), rates);
        for side in [&found.left, &found.right] {
            let (values, _) = symmetric_eigen(side).unwrap();
            assert!(values[0] > 0.0, "step {step}: {values:?}");
        }
    }
}

/// Steps of both methods do not depend on the size of gradients, and a map without a gradient stays where it is until it has
/// one.
#[test]
fn whitened_steps_have_no_scale() {
    let kl_shampoo = || -> Box<dyn Optimizer> {
        Box::new(KlShampoo::new(KlShampooSettings {
            rate: PLAIN_RATE,
            ..KlShampooSettings::default()
        }))
    };
    let psgd_kron = || -> Box<dyn Optimizer> {
        Box::new(PsgdKron::new(PsgdKronSettings {
            rate: PLAIN_RATE,
            ..PsgdKronSettings::default()
        }))
    };
    for method in [&kl_shampoo as &dyn Fn() -> Box<dyn Optimizer>, &psgd_kron] {
        let steps = |scale: f64| {
            let mut optimizer = method();
            let step = |step: usize| {
                let second = if step < 3 { 0.0 } else { scale };
                let gradient = [
                    faer::Scale(scale) * random(4, 3, step as u64),
                    faer::Scale(second) * random(1, 5, step as u64),
                ];
                change(&mut *optimizer, &gradient, &gradient, step)
            };
            (0..8).map(step).collect::<Vec<_>>()
        };
        let (plain, longer) = (steps(1.0), steps(1000.0));
        for (step, (plain, longer)) in plain.iter().zip(&longer).enumerate() {
            for (plain, longer) in plain.iter().zip(longer) {
                close(longer, plain, 1e-9);
            }
            assert_eq!(plain[1].norm_max() == 0.0, step < 3);
        }
    }
}
