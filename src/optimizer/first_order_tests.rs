//! First-order methods: steps by hand and closed recursions, with a constant learning rate and no clipping.

use super::*;
use crate::distributed::Workers;
use faer::mat;

/// The change that `optimizer` proposes in the middle of a training.
pub(super) fn change(
    optimizer: &mut dyn Optimizer,
    gradient: &[Mat<f64>],
    parameters: &[Mat<f64>],
    step: usize,
) -> Vec<Mat<f64>> {
    let batch = Batch {
        gradient,
        parameters,
        record: None,
        curvature: 1.0,
        steepest: f64::INFINITY,
        workers: &Workers::alone(),
        step,
        progress: 0.5,
    };
    let proposal = optimizer.propose(&batch).unwrap();
    assert!(proposal.statistics.values().all(|value| value.is_number()));
    proposal.change
}

pub(super) fn close(found: &Mat<f64>, expected: &Mat<f64>, bound: f64) {
    let error = (found - expected).norm_max();
    assert!(error < bound, "{found:?} is not {expected:?}");
}

/// A constant learning rate of 0.1, without clipping.
pub(super) const PLAIN_RATE: RateSettings = RateSettings {
    learning_rate: 0.1,
    clip_norm: f64::INFINITY,
    warm_up_steps: 1,
    schedule: Schedule::Constant,
};

const PLAIN: SgdSettings = SgdSettings {
    rate: PLAIN_RATE,
    momentum: 0.0,
    nesterov: false,
};

/// On ½λx² the heavy ball obeys x_{n+1} = (1 + μ − ηλ)x_n − μx_{n−1}, and Nesterov's method, in the point y at
/// which gradients are taken, y_{n+1} = (1 + μ)(1 − ηλ)y_n − μ(1 − ηλ)y_{n−1}, from x_1 = (1 − ηλ)x_0 and
/// y_1 = (1 − (1 + μ)ηλ)y_0.
#[test]
fn momentum_obeys_its_recursion_on_a_quadratic() {
    let (lambda, mu, eta) = (2.0, 0.7, 0.1);
    let shrink: f64 = 1.0 - eta * lambda;
    for nesterov in [false, true] {
        let mut optimizer = Sgd::new(SgdSettings {
            rate: RateSettings {
                learning_rate: eta,
                ..PLAIN_RATE
            },
            momentum: mu,
            nesterov,
        });
        let mut expected = vec![1.0];
        let mut x = mat![[1.0, 0.0]];
        for step in 0..20 {
            let gradient = [faer::Scale(lambda) * &x];
            x += &change(&mut optimizer, &gradient, &[x.clone()], step)[0];
            expected.push(match (nesterov, step) {
                (false, 0) => shrink,
                (true, 0) => 1.0 - (1.0 + mu) * eta * lambda,
                (false, n) => (mu + shrink) * expected[n] - mu * expected[n - 1],
                (true, n) => (1.0 + mu) * shrink * expected[n] - mu * shrink * expected[n - 1],
            });
            close(&x, &mat![[expected[step + 1], 0.0]], 1e-14);
        }
    }
}

/// Without momentum: −η times the gradient, at most of norm `clip_norm`.
#[test]
fn plain_gradient_descent_is_clipped() {
    let gradient = [mat![[3.0, 0.0], [0.0, 4.0]]];
    let found = change(&mut Sgd::new(PLAIN), &gradient, &gradient, 0);
    close(&found[0], &mat![[-0.3, 0.0], [0.0, -0.4]], 1e-15);
    let mut clipped = Sgd::new(SgdSettings {
        rate: RateSettings {
            clip_norm: 1.0,
            ..PLAIN_RATE
        },
        ..PLAIN
    });
    let found = change(&mut clipped, &gradient, &gradient, 0);
    close(&found[0], &mat![[-0.06, 0.0], [0.0, -0.08]], 1e-15);
}

/// Two steps of Adam by hand with β₁ = β₂ = ½: m̂₁ = g₁, v̂₁ = g₁²; m̂₂ = (g₁ + 2g₂)/3, v̂₂ = (g₁² + 2g₂²)/3.
/// Decoupled decay adds −ηλW, at the bias too.
#[test]
fn adam_by_hand_and_decoupled_decay() {
    let settings = AdamWSettings {
        rate: PLAIN_RATE,
        beta1: 0.5,
        beta2: 0.5,
        weight_decay: 0.3,
    };
    let mut adamw = AdamW::new(settings);
    let mut adam = Adam::new(AdamSettings {
        rate: PLAIN_RATE,
        beta1: 0.5,
        beta2: 0.5,
    });
    let parameters = [mat![[5.0, 7.0]]];
    let decay = mat![[-0.1 * 0.3 * 5.0, -0.1 * 0.3 * 7.0]];
    let second = |g1: f64, g2: f64| {
        -0.1 * ((g1 + 2.0 * g2) / 3.0) / ((g1 * g1 + 2.0 * g2 * g2) / 3.0).sqrt()
    };
    for (step, (gradient, expected)) in [
        (mat![[2.0, -1.0]], mat![[-0.1, 0.1]]),
        (
            mat![[1.0, 3.0]],
            mat![[second(2.0, 1.0), second(-1.0, 3.0)]],
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let gradient = [gradient];
        let found = change(&mut adam, &gradient, &parameters, step);
        close(&found[0], &expected, 1e-8);
        let found = change(&mut adamw, &gradient, &parameters, step);
        close(&found[0], &(&expected + &decay), 1e-8);
    }
}

/// A step of LAMB has length η‖W‖ for every map, along Adam's direction where nothing decays, and η times Adam's
/// for a map without weights.
#[test]
fn lamb_steps_in_proportion_to_the_weights() {
    let mut lamb = Lamb::new(LambSettings {
        rate: PLAIN_RATE,
        beta1: 0.5,
        beta2: 0.5,
        weight_decay: 0.0,
    });
    let gradient = [mat![[2.0, -1.0, 3.0]], mat![[1.0, 4.0]]];
    let parameters = [mat![[1.0, 2.0, 2.0]], mat![[0.0, 0.0]]];
    let found = change(&mut lamb, &gradient, &parameters, 0);
    let third = 0.3 / 3.0_f64.sqrt();
    close(&found[0], &mat![[-third, third, -third]], 1e-8);
    close(&found[1], &mat![[-0.1, -0.1]], 1e-8);

    let mut decaying = Lamb::new(LambSettings {
        weight_decay: 0.5,
        ..LambSettings::default()
    });
    let found = change(&mut decaying, &gradient, &parameters, 100);
    let expected = LambSettings::default().rate.learning_rate * 0.5 * 3.0;
    assert!((found[0].norm_l2() / expected - 1.0).abs() < 1e-12);
}

/// The cosine is ½(1 + cos πp) after the warm-up and the constant schedule 1, both (k + 1)/w before.
#[test]
fn schedules_after_a_warm_up() {
    for (schedule, late) in [(Schedule::Cosine, 0.75), (Schedule::Constant, 1.0)] {
        assert!((schedule.share(1, 0.0, 4) - 0.5).abs() < 1e-15);
        assert!((schedule.share(100, 1.0 / 3.0, 4) - late).abs() < 1e-15);
    }
}
