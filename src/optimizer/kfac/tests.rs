//! K-FAC against dense matrices, one identity a test.

use super::*;
use crate::linalg::symmetric_power;
use crate::market::{Market, Model, Simulator};
use crate::network::{BlockSweep, Feature, Features, Parameters, Record, Shape, Sweep};
use crate::random::{Purpose, sequential};
use faer::Mat;
use rand::RngExt;

fn random(rows: usize, columns: usize, seed: u64) -> Mat<f64> {
    let mut generator = sequential(seed, Purpose::InitialWeights);
    Mat::from_fn(rows, columns, |_, _| generator.random_range(-1.0..1.0))
}

/// Lag 0 and lag 1 covariances of a stationary process: C₀ = XXᵀ and C₁ = C₀^½ Ψ̂ C₀^½ with ‖Ψ̂‖ < 1.
fn process(size: usize, seed: u64) -> (Mat<f64>, Mat<f64>) {
    let x = random(size, size + 2, seed);
    let c0 = &x * x.transpose();
    let root = symmetric_power(&c0, 0.5, 0.0).unwrap();
    let psi = faer::Scale(0.8 / size as f64) * random(size, size, seed + 100);
    let c1 = &root * psi * &root;
    (c0, c1)
}

/// A ⊗ G on column-stacked vec(Z): (A ⊗ G) vec(Z) = vec(G Z Aᵀ).
fn kronecker(a: &Mat<f64>, g: &Mat<f64>) -> Mat<f64> {
    Mat::from_fn(a.nrows() * g.nrows(), a.ncols() * g.ncols(), |r, c| {
        a[(r / g.nrows(), c / g.ncols())] * g[(r % g.nrows(), c % g.ncols())]
    })
}

fn vec(z: &Mat<f64>) -> Mat<f64> {
    Mat::from_fn(z.nrows() * z.ncols(), 1, |i, _| {
        z[(i % z.nrows(), i / z.nrows())]
    })
}

fn relative(found: &Mat<f64>, expected: &Mat<f64>) -> f64 {
    (found - expected).norm_l2() / expected.norm_l2()
}

fn inverse(m: &Mat<f64>) -> Mat<f64> {
    symmetric_power(m, -1.0, 0.0).unwrap()
}

/// Option 2 is the dense inverse metric of the chain for T → ∞.
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
    let found = LinearGaussianChain::new(&a0, &a1, &g0, &g1)
        .unwrap()
        .apply(&z);
    assert!(relative(&vec(&found), &(dense * vec(&z))) < 1e-10);
}

/// T times the inverse of the finite chain F = T V₀ + Σ_d (T − d)(V_d + V_dᵀ) with
/// V_d = Ψ^d V₀ and Ψ = V₁V₀⁻¹ comes nearer as T grows, and is not equal at any finite T.
#[test]
fn option_2_misses_the_finite_chain_by_one_over_t() {
    let ((a0, a1), (g0, g1)) = (process(3, 1), process(4, 2));
    let z = random(4, 3, 3);
    let found = vec(&LinearGaussianChain::new(&a0, &a1, &g0, &g1)
        .unwrap()
        .apply(&z));
    let (v0, v1) = (kronecker(&a0, &g0), kronecker(&a1, &g1));
    let psi = &v1 * inverse(&v0);
    let error = |steps: usize| {
        let mut metric = faer::Scale(steps as f64) * &v0;
        let mut lagged = v0.clone();
        for d in 1..steps {
            lagged = &psi * &lagged;
            metric += faer::Scale((steps - d) as f64) * (&lagged + lagged.transpose());
        }
        let exact = faer::Scale(steps as f64) * (inverse(&metric) * vec(&z));
        relative(&found, &exact)
    };
    let (short, long) = (error(20), error(80));
    assert!(
        short > 1e-6 && (3.0..5.0).contains(&(short / long)),
        "{short:e} {long:e}"
    );
}

/// without correlation in time Option 2 is plain K-FAC, G₀⁻¹ Z A₀⁻¹.
#[test]
fn option_2_without_correlation_is_independence() {
    let ((a0, a1), (g0, g1)) = (process(3, 4), process(5, 5));
    let z = random(5, 3, 6);
    let zero = |m: &Mat<f64>| faer::Scale(0.0) * m;
    let expected = inverse(&g0) * &z * inverse(&a0);
    let chain = LinearGaussianChain::new(&a0, &zero(&a1), &g0, &zero(&g1)).unwrap();
    assert!(relative(&chain.apply(&z), &expected) < 1e-10);
    let independent = LinearGaussianChain::independent(&a0, &g0).unwrap();
    assert!(relative(&independent.apply(&z), &expected) < 1e-10);
}

fn record(steps: usize) -> Record<f64> {
    let market = Market {
        model: Model::Gbm { volatility: 0.4 },
        spot: 100.0,
        rate: 0.0,
        dividend: 0.0,
    };
    let simulator = Simulator {
        market,
        steps,
        dt: 0.02,
        seed: 4,
        purpose: Purpose::Training,
    };
    let paths = simulator.paths::<f64>(0, 64);
    let features = Features {
        list: Feature::ALL.map(|(_, feature)| feature).to_vec(),
        strike: 100.0,
        volatility: 0.4,
        expiry: 0.02 * steps as f64,
    };
    let parameters = Parameters::random(
        Shape {
            features: 3,
            hidden: 2,
            layers: 1,
        },
        8,
    )
    .unwrap();
    let seed = |block: usize, _: &[[f64; 32]], out: &mut [[f64; 32]]| {
        let spot = paths.block(block).spot;
        for (t, out) in out.iter_mut().enumerate() {
            *out = std::array::from_fn(|lane| spot[t + 1][lane] - spot[t][lane]);
        }
    };
    BlockSweep::new()
        .backward(&parameters, &features, &paths, &seed, true)
        .unwrap()
        .record
        .unwrap()
}

/// The dense metric (1/n) Σ_b J_b J_bᵀ of the LSTM's map, on column-stacked vec.
fn dense_metric(record: &Record<f64>) -> Mat<f64> {
    let (rows, columns) = record.sizes()[0];
    let mut metric = Mat::zeros(rows * columns, rows * columns);
    for path in 0..record.paths() {
        let j = vec(&record.path_derivative(0, path));
        metric += &j * j.transpose();
    }
    faer::Scale(1.0 / record.paths() as f64) * metric
}

fn kfac_metric(record: &Record<f64>) -> Mat<f64> {
    let scale = 1.0 / (record.paths() * record.paths() * record.steps()) as f64;
    let moments = record.moments(0, 0);
    faer::Scale(scale) * kronecker(&moments.inputs, &moments.gradients)
}

/// with one date every path has the same input, and K-FAC is the dense Gauss–Newton block;
/// with more dates it is an approximation and must not be exact.
#[test]
fn factors_give_the_dense_block_for_equal_inputs_only() {
    let single = record(1);
    assert!(relative(&kfac_metric(&single), &dense_metric(&single)) < 1e-10);
    let several = record(6);
    assert!(relative(&kfac_metric(&several), &dense_metric(&several)) > 1e-2);
}

/// The averaged, damped factors invert A₀ ⊗ G₀ + … as the dense Kronecker product of the damped factors does.
#[test]
fn averages_are_unbiased_and_damping_is_factored() {
    let record = record(4);
    let (damping, paths) = (1e-2_f64, record.paths() as f64);
    let mut factors = MapFactors::default();
    for _ in 0..3 {
        factors.update(&record, 0, 0.9);
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
    let found = factors
        .inverse(Approximation::Expand, damping)
        .unwrap()
        .apply(&z);
    assert!(relative(&(dense * vec(&found)), &vec(&z)) < 1e-9);
}
