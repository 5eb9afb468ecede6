use super::{LikelihoodEstimate, estimate_kou, estimate_merton, estimate_variance_gamma};
use crate::pricing::jumps::ExponentialJumps;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, Exp, Gamma, Poisson, StandardNormal, Uniform};

const DAYS: f64 = 252.0;
const SAMPLES: u64 = 8;

const VOLATILITY: f64 = 0.12;
const JUMPS: ExponentialJumps = ExponentialJumps {
    intensity: 40.0,
    upward: 0.4,
    mean_up: 0.012,
    mean_down: 0.018,
};

fn kou_returns(count: usize, seed: u64) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let poisson = Poisson::new(JUMPS.intensity / DAYS).unwrap();
    let share = Uniform::new(0.0, 1.0).unwrap();
    let unit = Exp::new(1.0).unwrap();
    (0..count)
        .map(|_| {
            let z: f64 = StandardNormal.sample(&mut random);
            let count: f64 = poisson.sample(&mut random);
            let mut jumped = 0.0;
            for _ in 0..count as usize {
                let size: f64 = unit.sample(&mut random);
                jumped += match share.sample(&mut random) < JUMPS.upward {
                    true => size * JUMPS.mean_up,
                    false => -size * JUMPS.mean_down,
                };
            }
            0.05 / DAYS + VOLATILITY / DAYS.sqrt() * z + jumped
        })
        .collect()
}

/// σ, θ and ν: the kurtosis of a day is about 3 (1 + 1.5), and the density has a pole.
const GAMMA: [f64; 3] = [0.18, -0.15, 2.5 / DAYS];

fn gamma_returns(count: usize, seed: u64) -> Vec<f64> {
    let [sigma, theta, nu] = GAMMA;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let time = Gamma::new(1.0 / DAYS / nu, nu).unwrap();
    (0..count)
        .map(|_| {
            let (passed, z): (f64, f64) =
                (time.sample(&mut random), StandardNormal.sample(&mut random));
            0.2 / DAYS + theta * passed + sigma * passed.sqrt() * z
        })
        .collect()
}

/// Over samples, the mean of each z-score (error over stated standard error) lies within four of its own standard errors of
/// zero, and their root mean square between ½ and 2.
fn recovers<const N: usize, P>(
    samples: impl Iterator<Item = LikelihoodEstimate<P>>,
    values: impl Fn(&P) -> [f64; N],
    truth: [f64; N],
) {
    let count = SAMPLES as f64;
    let scores: Vec<[f64; N]> = samples
        .map(|found| {
            assert!(found.at_bound.is_empty(), "{:?}", found.at_bound);
            assert!(found.log_likelihood > found.log_likelihood_without_jumps + 50.0);
            let errors: Vec<f64> = found.standard_errors.known().map(|(_, e)| e).collect();
            assert_eq!(errors.len(), N, "{:?}", found.standard_errors);
            let values = values(&found.parameters);
            std::array::from_fn(|i| (values[i] - truth[i]) / errors[i])
        })
        .collect();
    println!("{scores:.2?}");
    for parameter in 0..N {
        let values = scores.iter().map(|score| score[parameter]);
        let mean = values.clone().sum::<f64>() / count;
        let square = values.map(|z| z * z).sum::<f64>() / count;
        assert!(mean.abs() < 4.0 / count.sqrt(), "{parameter}: {scores:?}");
        assert!((0.25..4.0).contains(&square), "{parameter}: {scores:?}");
    }
}

/// [`recovers`], on eight samples of a hundred years: in ten, small jumps pass for diffusion, and estimates of σ lie a standard error below
/// the truth.
#[test]
fn kou_estimates_and_their_errors_recover_the_truth() {
    let samples = (0..SAMPLES).map(|seed| estimate_kou(&kou_returns(25200, seed), DAYS).unwrap());
    let values = |(volatility, jumps): &(f64, ExponentialJumps)| {
        [
            *volatility,
            jumps.intensity,
            jumps.upward,
            jumps.mean_up,
            jumps.mean_down,
        ]
    };
    let truth = values(&(VOLATILITY, JUMPS));
    recovers(samples, values, truth);
}

/// [`recovers`], on eight samples of ten years, though the likelihood of the returns themselves has a pole at every one of them.
#[test]
fn variance_gamma_estimates_and_their_errors_recover_the_truth() {
    let samples =
        (0..SAMPLES).map(|seed| estimate_variance_gamma(&gamma_returns(2520, seed), DAYS).unwrap());
    recovers(samples, |parameters| *parameters, GAMMA);
}

/// The drift of the spot: E[S_{t+dt}/S_t] of the estimate, from its parameters by hand, is the mean of e^r over the sample within a tenth
/// of the standard error of that mean, under both laws, since both fit the mean of log returns and their spread.
#[test]
fn the_drift_is_that_of_the_spot() {
    let kou = kou_returns(2520, 3);
    let gamma = gamma_returns(2520, 3);
    for (returns, drift) in [
        (&kou, estimate_kou(&kou, DAYS).unwrap().drift),
        (&gamma, estimate_variance_gamma(&gamma, DAYS).unwrap().drift),
    ] {
        let count = returns.len() as f64;
        let mean = returns.iter().map(|r| r.exp_m1()).sum::<f64>() / count;
        let square = returns.iter().map(|r| (r.exp_m1() - mean).powi(2));
        let error = square.sum::<f64>().sqrt() / count;
        let expected = (drift / DAYS).exp_m1();
        assert!(
            (expected - mean).abs() < 0.3 * error,
            "{expected} {mean} ± {error}"
        );
    }
}

/// A peg that moved once, a stock that is halted nine days in ten, prices a tick apart and returns of fifty percent a day: estimates are finite
/// numbers, what the returns do not determine is named, and nothing undefined is stated.
#[test]
fn odd_returns_are_estimated() {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let mut normal = || -> f64 { StandardNormal.sample(&mut random) };
    let mut peg = vec![0.0; 400];
    peg[200] = 1e-3;
    let halted: Vec<f64> = (0..400)
        .map(|day| if day % 10 == 0 { 0.03 * normal() } else { 0.0 })
        .collect();
    let ticks: Vec<f64> = (0..400).map(|_| 1e-4 * normal().round()).collect();
    let wild: Vec<f64> = (0..400).map(|_| 0.5 * normal()).collect();
    for returns in [&peg, &halted, &ticks, &wild] {
        let kou = estimate_kou(returns, DAYS).unwrap();
        let (volatility, jumps) = kou.parameters;
        assert!(volatility > 0.0 && (0.0..=1.0).contains(&jumps.upward));
        assert!(jumps.mean_up > 0.0 && jumps.mean_up <= 0.4 && jumps.mean_down > 0.0);
        let gamma = estimate_variance_gamma(returns, DAYS).unwrap();
        let [sigma, theta, nu] = gamma.parameters;
        assert!(sigma > 0.0 && nu > 0.0 && nu * (theta + 0.5 * sigma * sigma) <= 0.5);
        for (drift, errors, likelihood) in [
            (kou.drift, &kou.standard_errors, kou.log_likelihood),
            (gamma.drift, &gamma.standard_errors, gamma.log_likelihood),
        ] {
            assert!(drift.is_finite() && likelihood.is_finite());
            assert!(
                errors
                    .known()
                    .all(|(_, error)| error.is_finite() && error > 0.0)
            );
        }
    }
}

/// Returns that do not vary, or too few, are refused.
#[test]
fn constant_returns_are_refused() {
    for message in [
        estimate_kou(&[0.001; 300], DAYS).unwrap_err().to_string(),
        estimate_variance_gamma(&[0.001; 300], DAYS)
            .unwrap_err()
            .to_string(),
    ] {
        assert!(message.contains("returns that vary"), "{message}");
    }
    assert!(estimate_kou(&[0.001; 100], DAYS).is_err());
    assert!(estimate_variance_gamma(&[0.001; 100], DAYS).is_err());
}

/// On returns with Kou's jumps, his law is likelier than Merton's.
#[test]
fn the_right_law_is_likelier() {
    let returns = kou_returns(5040, 11);
    let kou = estimate_kou(&returns, DAYS).unwrap();
    let merton = estimate_merton(&returns, DAYS).unwrap();
    println!("{kou:?}\n{merton:?}");
    let (with, without) = (kou.log_likelihood, merton.log_likelihood);
    assert!(with > without, "{with} {without}");
}
