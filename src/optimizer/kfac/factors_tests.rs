//! Factors from a record against the dense metric (1/n) Σ_b J_b J_bᵀ, one identity a test.

use super::tests::finite_chain;
use super::*;
use crate::distributed::Workers;
use crate::linalg::{inner, symmetric_eigen};
use crate::network::{Action, Actor, Band, Bounded, Direct, Record, Residual};
use crate::optimizer::Batch;
use crate::optimizer::dense::{
    dense_metric, inverse, kfac_metric, kronecker, random, record, record_of, relative, vec,
};
use faer::Mat;

/// Identities 1 and 5: with one date every path has the same input, and K-FAC is the dense Gauss–Newton block;
/// with more dates it is an approximation and must not be exact. So it is where positions are fed back, and under every action.
#[test]
fn factors_give_the_dense_block_for_equal_inputs_only() {
    let actions: [Action; 4] = [
        Direct.into(),
        Residual.into(),
        Band::beginning_at(0.02).into(),
        Bounded {
            low: 0.0,
            high: 1.0,
        }
        .into(),
    ];
    for action in actions {
        for feedback in [false, true] {
            let actor = || Actor::new(action, 1);
            let single = record_of(1, actor(), feedback);
            assert!(relative(&kfac_metric(&single), &dense_metric(&single)) < 1e-10);
            let several = record_of(6, actor(), feedback);
            assert!(relative(&kfac_metric(&several), &dense_metric(&several)) > 1e-2);
        }
    }
}

/// The averaged, damped factors invert A₀ ⊗ G₀ + … as the dense Kronecker product of the damped factors does.
#[test]
fn averages_are_unbiased_and_damping_is_factored() {
    let record = record::<f64>(4);
    let (damping, paths) = (1e-2_f64, record.paths() as f64);
    let mut maps = Vec::new();
    for _ in 0..3 {
        MapFactors::update_all(&mut maps, &record, 0.9, Approximation::Expand);
    }
    let moments = record.moments(0, 0);
    let a = faer::Scale(1.0 / (paths * 4.0)) * &moments.inputs;
    let g = faer::Scale(1.0 / paths) * &moments.gradients;
    let trace = |m: &Mat<f64>| (0..m.nrows()).map(|i| m[(i, i)]).sum::<f64>() / m.nrows() as f64;
    let pi = (trace(&a) / trace(&g)).sqrt();
    let plus =
        |m: &Mat<f64>, by: f64| m + faer::Scale(by) * Mat::<f64>::identity(m.nrows(), m.nrows());
    let dense = kronecker(
        &plus(&a, pi * damping.sqrt()),
        &plus(&g, damping.sqrt() / pi),
    );
    let z = random(g.nrows(), a.nrows(), 1);
    let found = maps[0]
        .inverse(Approximation::Expand, damping)
        .unwrap()
        .apply(&z);
    assert!(relative(&(dense * vec(&found)), &vec(&z)) < 1e-9);
}

/// Separate gates: the rows of every gate get the inverse of A and of that gate's own part of G, each with its own balance
/// of damping, as the dense Kronecker products do; one gate says nothing of another's rows.
#[test]
fn separate_gates_are_inverted_on_their_own() {
    const GATES: usize = 4;
    let record = record::<f64>(4);
    let damping = 1e-2;
    let mut maps = Vec::new();
    MapFactors::update_all(&mut maps, &record, 0.9, Approximation::Expand);
    let factors = &maps[0];
    assert_eq!(factors.gates(), GATES);
    let (a, g) = factors.damped(0.0);
    let (a, g) = (a.matrix, g.matrix);
    let gates = factors.separate().into_iter();
    let inverse = Inverse::Separate(
        gates
            .map(|gate| gate.inverse(Approximation::Expand, damping).unwrap())
            .collect(),
    );
    let z = random(g.nrows(), a.nrows(), 1);
    let found = inverse.apply(&z);
    let (mut least, mut greatest) = (f64::INFINITY, 0.0_f64);
    for gate in 0..GATES {
        let own = |m: &Mat<f64>| {
            Mat::from_fn(m.nrows() / GATES, m.ncols(), |unit, column| {
                m[(unit * GATES + gate, column)]
            })
        };
        let (a, g) = factored_damping(&a, &own(&own(&g).transpose().to_owned()), damping);
        let dense = kronecker(&a.matrix, &g.matrix);
        assert!(relative(&(&dense * vec(&own(&found))), &vec(&own(&z))) < 1e-9);
        let (values, _) = symmetric_eigen(&dense).unwrap();
        least = least.min(values[0]);
        greatest = greatest.max(values[values.len() - 1]);
    }
    let range = inverse.range();
    assert!((range.0 / least - 1.0).abs() < 1e-6, "{range:?} {least}");
    assert!((range.1 / greatest - 1.0).abs() < 1e-9);
    let fused = factors.inverse(Approximation::Expand, damping).unwrap();
    assert!(relative(&found, &fused.apply(&z)) > 1e-2);
}

/// Identity 13 for the factors: with the sum over time in G, Option 1 on damped factors of a record inverts the
/// dense metric of the chain with that record's T.
#[test]
fn option_1_takes_the_number_of_dates_from_the_record() {
    const STEPS: usize = 6;
    let record = record::<f64>(STEPS);
    let (damping, paths) = (1e-2_f64, record.paths() as f64);
    let mut maps = Vec::new();
    MapFactors::update_all(&mut maps, &record, 0.9, Approximation::SymmetricChain);
    let factors = &maps[0];
    let [now, next] = [0, 1].map(|lag| {
        let moments = record.moments(0, lag);
        let inputs = faer::Scale(1.0 / (paths * STEPS as f64)) * &moments.inputs;
        let gradients = faer::Scale(1.0 / paths) * &moments.gradients;
        (inputs, gradients)
    });
    let mean = |m: &Mat<f64>| (0..m.nrows()).map(|i| m[(i, i)]).sum::<f64>() / m.nrows() as f64;
    let pi = (mean(&now.0) / mean(&now.1)).sqrt();
    let plus =
        |m: &Mat<f64>, by: f64| m + faer::Scale(by) * Mat::<f64>::identity(m.nrows(), m.nrows());
    let symmetric = |m: &Mat<f64>| faer::Scale(0.5) * (m + m.transpose());
    let dense = finite_chain(
        &kronecker(
            &plus(&now.0, pi * damping.sqrt()),
            &plus(&now.1, damping.sqrt() / pi),
        ),
        &kronecker(&symmetric(&next.0), &symmetric(&next.1)),
        STEPS,
    );
    let z = random(now.1.nrows(), now.0.nrows(), 1);
    let inverse = factors.inverse(Approximation::SymmetricChain, damping);
    let found = inverse.unwrap().apply(&z);
    assert!(relative(&(dense * vec(&found)), &vec(&z)) < 1e-8);
}

/// Layers W₃ W₂ W₁ with biases, 3 → 4 → 3 → 2.
struct DeepLinear {
    weights: [Mat<f64>; 3],
}

const OUTPUTS: usize = 2;

impl DeepLinear {
    fn new() -> Self {
        let sizes = [(4, 3), (3, 4), (OUTPUTS, 3)];
        let layer = |l: usize| random(sizes[l].0, sizes[l].1 + 1, 30 + l as u64);
        Self {
            weights: std::array::from_fn(layer),
        }
    }

    /// [input; 1] of layer `layer` for network input number `path`, and the network's output.
    fn at(&self, layer: usize, path: usize) -> (Vec<f64>, Mat<f64>) {
        let mut x = random(3, 1, 1000 + path as u64);
        let mut input = Vec::new();
        for (index, w) in self.weights.iter().enumerate() {
            let a = Mat::from_fn(
                w.ncols(),
                1,
                |i, _| if i < x.nrows() { x[(i, 0)] } else { 1.0 },
            );
            if index == layer {
                input = (0..a.nrows()).map(|i| a[(i, 0)]).collect();
            }
            x = w * a;
        }
        (input, x)
    }

    /// ∂(outputᵀ seed)/∂s of layer `layer`: the same for every input.
    fn gradient(&self, layer: usize, seed: &Mat<f64>) -> Vec<f64> {
        let mut g = seed.clone();
        for w in self.weights[layer + 1..].iter().rev() {
            g = w.subcols(0, w.ncols() - 1).transpose() * g;
        }
        (0..g.nrows()).map(|i| g[(i, 0)]).collect()
    }

    fn unit(output: usize) -> Mat<f64> {
        Mat::from_fn(OUTPUTS, 1, |i, _| f64::from(u8::from(i == output)))
    }
}

/// Identity 2: in a deep linear network with squared loss K-FAC is the Gauss–Newton block of every layer, for any
/// number of data. The Gauss–Newton metric seeds with each output in turn, so that a "path" is a pair of datum
/// and output; g is the same for all data, hence Σ_{b,c} (a_b a_bᵀ) ⊗ (g_c g_cᵀ) is one Kronecker product.
#[test]
fn deep_linear_network_with_squared_loss_is_exact() {
    let network = DeepLinear::new();
    for layer in 0..3 {
        let record = Record::from_fn(64, 1, |path, _| {
            let (datum, output) = (path / OUTPUTS, path % OUTPUTS);
            let seed = DeepLinear::unit(output);
            (network.at(layer, datum).0, network.gradient(layer, &seed))
        });
        assert!(relative(&kfac_metric(&record), &dense_metric(&record)) < 1e-12);
    }
}

/// Identity 8: seeded with random signs e, E e eᵀ = I, instead of each output in turn, the dense metric and K-FAC's tend to the
/// Gauss–Newton block, with an error of 1/√n for n draws: four standard errors bound it, with 64 times as many draws too.
#[test]
fn sampled_seeds_tend_to_the_gauss_newton_block() {
    const DATA: usize = 32;
    let network = DeepLinear::new();
    for layer in 0..3 {
        let exact = Record::from_fn(DATA * OUTPUTS, 1, |path, _| {
            let seed = DeepLinear::unit(path % OUTPUTS);
            let (input, _) = network.at(layer, path / OUTPUTS);
            (input, network.gradient(layer, &seed))
        });
        let block = faer::Scale(OUTPUTS as f64) * dense_metric(&exact);
        for draws in [1 << 10, 1 << 16] {
            let signs = random(OUTPUTS, draws, 50);
            let sampled = Record::from_fn(draws, 1, |path, _| {
                let seed = Mat::from_fn(OUTPUTS, 1, |i, _| signs[(i, path)].signum());
                let (input, _) = network.at(layer, path % DATA);
                (input, network.gradient(layer, &seed))
            });
            let bound = 4.0 / (draws as f64).sqrt();
            for metric in [dense_metric(&sampled), kfac_metric(&sampled)] {
                let error = relative(&metric, &block);
                assert!(error > 0.0 && error < bound, "{layer}, {draws}: {error}");
            }
        }
    }
}

/// Identity 12 for FOOF (Benzing 2022), descent on the features: of one layer with squared loss the metric is A ⊗ I/c for
/// c outputs, so that K-FAC's G is the identity over c and its solution is c Z A⁻¹, the inputs' factor alone.
#[test]
fn one_layer_with_squared_loss_is_descent_on_its_inputs() {
    let network = DeepLinear::new();
    let last = network.weights.len() - 1;
    let record = Record::from_fn(64, 1, |path, _| {
        let seed = DeepLinear::unit(path % OUTPUTS);
        (
            network.at(last, path / OUTPUTS).0,
            network.gradient(last, &seed),
        )
    });
    let mut maps = Vec::new();
    MapFactors::update_all(&mut maps, &record, 0.9, Approximation::Expand);
    let factors = &maps[0];
    let z = random(OUTPUTS, 4, 5);
    let found = factors.inverse(Approximation::Expand, 1e-20).unwrap();
    let inputs = faer::Scale(1.0 / 64.0) * &record.moments(0, 0).inputs;
    let expected = faer::Scale(OUTPUTS as f64) * &z * inverse(&inputs);
    assert!(relative(&found.apply(&z), &expected) < 1e-4);
    assert!(relative(&dense_metric(&record), &kfac_metric(&record)) < 1e-12);
}

/// Identity 3: seeded with the residuals instead (the empirical Fisher matrix) g depends on the datum through its
/// residual, and K-FAC is not exact.
#[test]
fn deep_linear_network_with_residuals_is_not_exact() {
    let network = DeepLinear::new();
    for layer in 0..3 {
        let record = Record::from_fn(64, 1, |path, _| {
            let (input, output) = network.at(layer, path);
            (input, network.gradient(layer, &output))
        });
        assert!(relative(&kfac_metric(&record), &dense_metric(&record)) > 1e-2);
    }
}

/// Identity 4: a deep linear network applied to every date. If P&L adds the outputs of all dates, J_b = v Σ_t aᵀ
/// and *reduce* is the dense metric, *expand* is not; if every date were a loss of its own, the metric would be
/// (1/n) Σ_b Σ_t J_{b,t} J_{b,t}ᵀ, which *expand* equals and *reduce* does not.
#[test]
fn shared_weights_are_reduced_exactly_or_expanded_exactly() {
    const STEPS: usize = 5;
    let network = DeepLinear::new();
    let seed = DeepLinear::unit(0);
    for layer in 0..3 {
        let at = |path: usize, t: usize| {
            let (input, _) = network.at(layer, path * STEPS + t);
            (input, network.gradient(layer, &seed))
        };
        let record = Record::from_fn(32, STEPS, at);
        let added = dense_metric(&record);
        let dates = Record::from_fn(32 * STEPS, 1, |index, _| at(index / STEPS, index % STEPS));
        let separate = faer::Scale(STEPS as f64) * dense_metric(&dates);
        let (expand, reduce) = (kfac_metric(&record), kfac_metric(&record.reduced()));

        assert!(relative(&reduce, &added) < 1e-12);
        assert!(relative(&expand, &added) > 1e-2);
        assert!(relative(&expand, &separate) < 1e-12);
        assert!(relative(&reduce, &separate) > 1e-2);
    }
}

/// Identity 4, the negative for both: where g depends on a (it does in a network that is not linear), weights shared
/// over time are exact under neither.
#[test]
fn shared_weights_with_correlated_inputs_and_gradients_are_not_exact() {
    let record = record::<f64>(6);
    let dense = dense_metric(&record);
    assert!(relative(&kfac_metric(&record), &dense) > 1e-2);
    assert!(relative(&kfac_metric(&record.reduced()), &dense) > 1e-2);
}

/// With every approximation a step goes down along the gradient, moves P&L by the trust radius (root mean square),
/// and has the direction of the factors' own inverse times the gradient.
#[test]
fn every_approximation_makes_a_step_of_the_trust_radius() {
    let record = record::<f32>(6);
    let gradient = record.gradient(&vec![-1.0 / record.paths() as f64; record.paths()]);
    for approximation in [
        Approximation::Expand,
        Approximation::Reduce,
        Approximation::SymmetricChain,
        Approximation::Chain,
    ] {
        let settings = KfacSettings {
            approximation,
            control: ControlSettings {
                damping: 1e-3,
                trust_radius: 0.25,
                momentum: 0.5,
                curvature_paths: 64,
                radius_paths: 32,
                warm_up_steps: 1,
                start_steps: 0,
                weight_decay: 0.0,
                ..ControlSettings::default()
            },
            ..KfacSettings::default()
        };
        let batch = Batch {
            gradient: &gradient,
            parameters: &gradient,
            record: Some(&record),
            step: 0,
            curvature: 1.0,
            steepest: f64::INFINITY,
            workers: &Workers::alone(),
            progress: 0.0,
        };
        let change = settings.build().propose(&batch).unwrap().change;
        let moved = record.directional(&change);
        let size = (moved.iter().map(|c| c * c).sum::<f64>() / moved.len() as f64).sqrt();
        assert!((size / 0.25 - 1.0).abs() < 1e-5, "{approximation:?}");
        assert!(inner(&gradient, &change) < 0.0, "{approximation:?}");

        let source = match approximation {
            Approximation::Reduce => record.reduced(),
            _ => record.clone(),
        };
        for (map, (gradient, change)) in gradient.iter().zip(&change).enumerate() {
            let mut maps = Vec::new();
            MapFactors::update_all(&mut maps, &source, 0.9, approximation);
            let factors = &maps[map];
            let inverse = factors.inverse(approximation, 1e-3).unwrap();
            let expected = inverse.apply(gradient);
            let unit = |m: &Mat<f64>| faer::Scale(1.0 / m.norm_l2()) * m;
            let sum = (unit(&expected) + unit(change)).norm_l2();
            assert!(sum < 1e-10, "{approximation:?}, map {map}: {sum:e}");
        }
    }
}

/// The mean of a centred metric is averaged as the metric is: where K-FAC is exact (one date, equal inputs), two renewals with
/// derivatives of different means give the direction of Σ_k w_k F_k − J̄J̄ᵀ with J̄ = Σ_k w_k J̄_k, and not that with the mean of
/// the last one.
#[test]
fn the_mean_is_averaged_with_the_metric() {
    const DECAY: f64 = 0.6;
    let (damping, input) = (0.5, vec![0.3, -0.5, 1.0]);
    let record = |shift: f64, seed: u64| {
        Record::<f32>::from_fn(64, 1, |path, _| {
            let noise = random(2, 1, seed + path as u64);
            let g = vec![
                shift + 0.6 * noise[(0, 0)],
                0.5 - shift + 0.6 * noise[(1, 0)],
            ];
            (input.clone(), g)
        })
    };
    let records = [record(0.7, 100), record(-0.4, 500)];
    let gradient = [random(2, 3, 3)];
    let control = ControlSettings {
        centred: true,
        damping,
        start_steps: 0,
        weight_decay: 0.0,
        momentum: 0.0,
        clip_norm: 1e3,
        ..ControlSettings::default()
    };
    let settings = KfacSettings {
        approximation: Approximation::Expand,
        factor_decay: DECAY,
        control,
        ..KfacSettings::default()
    };
    let mut optimizer = settings.build();
    let mut change = Vec::new();
    let mut maps = Vec::new();
    for (step, record) in records.iter().enumerate() {
        MapFactors::update_all(&mut maps, record, DECAY, Approximation::Expand);
        let batch = Batch {
            gradient: &gradient,
            parameters: &gradient,
            record: Some(record),
            curvature: 1.0,
            steepest: f64::INFINITY,
            workers: &Workers::alone(),
            step,
            progress: 0.0,
        };
        change = optimizer.propose(&batch).unwrap().change;
    }
    let (a, g) = maps[0].damped(damping);
    let metric = kronecker(&a.matrix, &g.matrix);
    let means = [0, 1].map(|k: usize| vec(&records[k].mean()[0]));
    let share = DECAY / (DECAY + 1.0);
    let averaged = faer::Scale(share) * &means[0] + faer::Scale(1.0 - share) * &means[1];
    let distance = |mean: &Mat<f64>| {
        let centred = &metric - mean * mean.transpose();
        let expected = faer::Scale(-1.0) * inverse(&centred) * vec(&gradient[0]);
        let length = expected.norm_l2() / change[0].norm_l2();
        relative(&(faer::Scale(length) * vec(&change[0])), &expected)
    };
    assert!(distance(&averaged) < 1e-5, "{}", distance(&averaged));
    assert!(distance(&means[1]) > 1e-2, "{}", distance(&means[1]));
}
