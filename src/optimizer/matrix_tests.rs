//! Methods that see a gradient as a matrix: steps by hand, orthogonality and equality with simpler methods.

use super::first_order_tests::{PLAIN_RATE, change, close};
use super::*;
use crate::distributed::Workers;
use crate::linalg::right_singular;
use crate::random::{Purpose, sequential};
use faer::mat;
use rand::RngExt;

fn random(rows: usize, columns: usize, seed: u64) -> Mat<f64> {
    let mut generator = sequential(seed, Purpose::InitialWeights);
    Mat::from_fn(rows, columns, |_, _| generator.random_range(-1.0..1.0))
}

/// A rotation by an angle.
fn rotation(angle: f64) -> Mat<f64> {
    let (sin, cos) = angle.sin_cos();
    mat![[cos, -sin], [sin, cos]]
}

const SHAMPOO: ShampooSettings = ShampooSettings {
    rate: PLAIN_RATE,
    beta1: 0.0,
    beta2: 0.5,
    factor_decay: 1.0,
    factor_period: 1,
    damping: 1e-14,
    grafting: Grafting::None,
};

const SOAP: SoapSettings = SoapSettings {
    rate: PLAIN_RATE,
    beta1: 0.5,
    beta2: 0.5,
    factor_decay: 0.5,
    factor_period: 1,
};

/// Five Newton–Schulz iterations leave singular values in the published band [0.68, 1.13], widened by the smallest
/// ones' way to it, keep the singular vectors, and are odd and commute with transposition.
#[test]
fn newton_schulz_is_nearly_orthogonal() {
    for (rows, columns) in [(8, 8), (12, 5), (5, 12)] {
        let g = random(rows, columns, 3);
        let x = newton_schulz(&g);
        let (values, _) = right_singular(&x).unwrap();
        assert!(
            values.iter().all(|value| (0.66..1.2).contains(value)),
            "{rows} × {columns}: {values:?}"
        );
        // xgᵀ = UΣ'ΣUᵀ is symmetric if and only if x has the singular vectors of g.
        let product = &x * g.transpose();
        close(&product, &product.transpose().to_owned(), 1e-12);
        close(
            &newton_schulz(&(faer::Scale(-3.0) * &g)),
            &(faer::Scale(-1.0) * &x),
            1e-12,
        );
        let transposed = newton_schulz(&g.transpose().to_owned());
        close(&transposed, &x.transpose().to_owned(), 1e-12);
    }
}

/// A map of several rows moves by η √max(1, m/n) times nearly orthogonal columns, a map of one row as with Adam.
#[test]
fn muon_scales_matrices_and_leaves_vectors_to_adam() {
    let mut muon = Muon::new(MuonSettings {
        rate: PLAIN_RATE,
        momentum: 0.9,
        nesterov: true,
        vector_learning_rate: 0.2,
        beta1: 0.5,
        beta2: 0.5,
    });
    let gradient = [random(8, 2, 1), mat![[3.0, -4.0]]];
    let found = change(&mut muon, &gradient, &gradient, 0);
    close(
        &found[0],
        &(faer::Scale(-0.2) * newton_schulz(&gradient[0])),
        1e-12,
    );
    close(&found[1], &mat![[-0.2, 0.2]], 1e-8);
}

/// Identity 12: after one gradient G = UΣVᵀ, L = UΣ²Uᵀ and R = VΣ²Vᵀ, so L^{-1/4} G R^{-1/4} = UVᵀ.
#[test]
fn first_step_of_shampoo_is_the_polar_factor() {
    let (u, v) = (rotation(0.3), rotation(-1.1));
    let gradient = [&u * mat![[5.0, 0.0], [0.0, 0.5]] * v.transpose()];
    for factor_decay in [0.9, 1.0] {
        let mut shampoo = Shampoo::new(ShampooSettings {
            factor_decay,
            ..SHAMPOO
        });
        let found = change(&mut shampoo, &gradient, &gradient, 0);
        close(
            &found[0],
            &(faer::Scale(-0.1) * (&u * v.transpose())),
            1e-10,
        );
    }
}

/// On diagonal gradients d_n Shampoo with sums is AdaGrad: −η d_n/√(Σ d²).
#[test]
fn shampoo_on_diagonal_gradients_is_adagrad() {
    let mut shampoo = Shampoo::new(SHAMPOO);
    let mut sums = [0.0, 0.0];
    for (step, d) in [[2.0, -1.0], [1.0, 3.0], [-4.0, 0.5]]
        .into_iter()
        .enumerate()
    {
        let gradient = [mat![[d[0], 0.0], [0.0, d[1]]]];
        let found = change(&mut shampoo, &gradient, &gradient, step);
        sums = [sums[0] + d[0] * d[0], sums[1] + d[1] * d[1]];
        let expected = [0, 1].map(|i| -0.1 * d[i] / f64::sqrt(sums[i]));
        let expected = mat![[expected[0], 0.0], [0.0, expected[1]]];
        close(&found[0], &expected, 1e-10);
    }
}

/// Grafted steps have the length of Adam's and the direction of Shampoo's, map by map.
#[test]
fn grafted_shampoo_has_the_length_of_adam() {
    let gradient = [random(4, 3, 5), random(1, 3, 6)];
    let mut own = Shampoo::new(SHAMPOO);
    let mut grafted = Shampoo::new(ShampooSettings {
        grafting: Grafting::Adam,
        ..SHAMPOO
    });
    let own = change(&mut own, &gradient, &gradient, 0);
    let grafted = change(&mut grafted, &gradient, &gradient, 0);
    for ((own, grafted), size) in own.iter().zip(&grafted).zip([12.0_f64, 3.0]) {
        let length = 0.1 * size.sqrt();
        assert!((grafted.norm_l2() / length - 1.0).abs() < 1e-6);
        close(grafted, &(faer::Scale(length / own.norm_l2()) * own), 1e-6);
    }
}

/// Identity 12: SOAP's first gradient moves nothing; where its bases stay U and V of G = UΣVᵀ, the second gives
/// −η U sign(Σ) Vᵀ by hand.
#[test]
fn soap_by_hand() {
    let (u, v) = (rotation(0.3), rotation(-1.1));
    let gradient = [&u * mat![[5.0, 0.0], [0.0, 0.5]] * v.transpose()];
    let mut soap = Soap::new(SOAP);
    let first = change(&mut soap, &gradient, &gradient, 0);
    close(&first[0], &Mat::zeros(2, 2), 1e-15);
    let second = change(&mut soap, &gradient, &gradient, 1);
    close(
        &second[0],
        &(faer::Scale(-0.1) * (&u * v.transpose())),
        1e-6,
    );
}

/// With identity bases, up to order and sign, SOAP is Adam one gradient later.
#[test]
fn soap_in_identity_bases_is_adam() {
    let adam = AdamSettings {
        rate: PLAIN_RATE,
        beta1: 0.5,
        beta2: 0.5,
    };
    let (mut soap, mut adam) = (Soap::new(SOAP), Adam::new(adam));
    let diagonals = [
        [1.0, 2.0, 3.0],
        [3.0, -1.0, 0.1],
        [-2.0, 5.0, 1.0],
        [1.0, 1.0, 9.0],
    ];
    for (step, d) in diagonals.into_iter().enumerate() {
        let gradient = [Mat::from_fn(3, 3, |r, c| if r == c { d[r] } else { 0.0 })];
        let found = change(&mut soap, &gradient, &gradient, step);
        if step > 0 {
            let expected = change(&mut adam, &gradient, &gradient, step - 1);
            close(&found[0], &expected[0], 1e-12);
        }
    }
}

/// Once all gradients are alike, orthogonal iteration moves the bases from the first gradient's to the others'.
#[test]
fn bases_of_soap_become_eigenbases() {
    let mut soap = Soap::new(SoapSettings {
        factor_decay: 0.9,
        ..SOAP
    });
    let mut off_diagonal = Vec::new();
    for step in 0..100 {
        let gradient = [random(3, 3, if step == 0 { 1 } else { 2 })];
        let batch = Batch {
            gradient: &gradient,
            parameters: &gradient,
            record: None,
            curvature: 1.0,
            steepest: f64::INFINITY,
            workers: &Workers::alone(),
            step,
            progress: 0.0,
        };
        let statistics = soap.propose(&batch).unwrap().statistics;
        off_diagonal.push(statistics["off_diagonal"].as_f64().unwrap());
    }
    assert!(
        off_diagonal[1] > 0.1 && off_diagonal[99] < 1e-3,
        "{off_diagonal:?}"
    );
}
