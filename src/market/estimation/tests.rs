use super::*;
use crate::market::History;
use crate::pricing::HestonParameters;
use chrono::NaiveDate;
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use std::path::Path;

const DAYS: f64 = 252.0;

const TRUTH: HestonParameters = HestonParameters {
    v0: 0.04,
    kappa: 4.0,
    theta: 0.04,
    sigma: 0.5,
    rho: -0.7,
};

const DRIFT: f64 = 0.06;

/// Daily log returns and the variance before each and after the last, by Euler's scheme with full
/// truncation on 20 steps a day.
fn simulate(heston: &HestonParameters, drift: f64, days: usize, seed: u64) -> (Vec<f64>, Vec<f64>) {
    const SUBSTEPS: usize = 20;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut normal = || -> f64 { StandardNormal.sample(&mut random) };
    let dt = 1.0 / (DAYS * SUBSTEPS as f64);
    let mut variance = heston.v0;
    let mut variances = vec![variance];
    let mut returns = Vec::with_capacity(days);
    for _ in 0..days {
        let mut log_return = 0.0;
        for _ in 0..SUBSTEPS {
            let (xi, other) = (normal(), normal());
            let zeta = heston.rho * xi + (1.0 - heston.rho * heston.rho).sqrt() * other;
            let positive = variance.max(0.0);
            let root = (positive * dt).sqrt();
            log_return += (drift - 0.5 * positive) * dt + root * xi;
            variance += heston.kappa * (heston.theta - positive) * dt + heston.sigma * root * zeta;
        }
        returns.push(log_return);
        variances.push(variance.max(0.0));
    }
    (returns, variances)
}

fn correlation(x: &[f64], y: &[f64]) -> f64 {
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let (mx, my) = (mean(x), mean(y));
    let product = |a: &[f64], ma: f64, b: &[f64], mb: f64| -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - ma) * (b - mb)).sum()
    };
    product(x, mx, y, my) / (product(x, mx, x, mx) * product(y, my, y, my)).sqrt()
}

fn sp500_before(year: i32) -> Vec<f64> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("market_data/sp500_daily.csv");
    let history = History::load(&path).unwrap();
    let date = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
    let first_after = history.index_from(date);
    // Return t ends on day t + 1, which must lie before the date.
    history.log_returns()[..first_after - 1].to_vec()
}

/// The sampling law of σ̂ under normal returns: over 400 samples its mean is the truth, its
/// standard deviation the stated standard error, each within four standard errors of its own.
#[test]
fn gbm_estimates_have_their_stated_error() {
    let (n, samples) = (500, 400);
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut normal = || -> f64 { StandardNormal.sample(&mut random) };
    let deviation = 0.2 / DAYS.sqrt();
    let estimates: Vec<GbmEstimate> = (0..samples)
        .map(|_| {
            let returns: Vec<f64> = (0..n)
                .map(|_| (0.08 - 0.02) / DAYS + deviation * normal())
                .collect();
            estimate_gbm(&returns, DAYS).unwrap()
        })
        .collect();
    let count = f64::from(samples);
    let mean = estimates.iter().map(|e| e.volatility).sum::<f64>() / count;
    let squares: f64 = estimates
        .iter()
        .map(|e| (e.volatility - mean).powi(2))
        .sum();
    let spread = (squares / (count - 1.0)).sqrt();
    let stated = 0.2 / (2.0 * (n as f64 - 1.0)).sqrt();
    assert!((mean - 0.2).abs() < 4.0 * stated / count.sqrt(), "{mean}");
    assert!((spread / stated - 1.0).abs() < 4.0 / (2.0 * count).sqrt());
    let drift = estimates.iter().map(|e| e.drift).sum::<f64>() / count;
    let drift_error = 0.2 / (n as f64 / DAYS * count).sqrt();
    assert!((drift - 0.08).abs() < 4.0 * drift_error, "{drift}");
}

/// Twenty years of simulated days: the filtered variance follows the true one.
#[test]
fn the_filter_follows_the_variance() {
    let (returns, truth) = simulate(&TRUTH, DRIFT, 5040, 7);
    let filter = HestonFilter::new(TRUTH, DRIFT, 1.0 / DAYS);
    let filtered = filter.filter(&returns);
    let r = correlation(&filtered, &truth);
    println!("correlation of filtered and true variance: {r:.3}");
    assert!(r > 0.75, "{r}");
    // Without leverage only the size of returns speaks, and less is known.
    let deaf = HestonFilter::new(HestonParameters { rho: 0.0, ..TRUTH }, DRIFT, 1.0 / DAYS);
    let without = correlation(&deaf.filter(&returns), &truth);
    println!("without leverage: {without:.3}");
    assert!(without > 0.6 && without < r, "{without}");
    // The error that the filter believes in is the one it makes, within a third.
    let mut state = filter;
    let (mut made, mut believed) = (0.0, 0.0);
    for (r, v) in returns.iter().zip(&truth) {
        made += (state.mean() - v).powi(2);
        believed += state.standard_deviation().powi(2);
        state.update(*r);
    }
    let ratio = (made / believed).sqrt();
    println!("error made over error believed: {ratio:.3}");
    assert!((0.75..1.33).contains(&ratio), "{ratio}");
}

/// Feeding the returns one at a time is the same as filtering them all.
#[test]
fn updates_are_the_filter() {
    let (returns, _) = simulate(&TRUTH, DRIFT, 300, 3);
    let filter = HestonFilter::new(TRUTH, DRIFT, 1.0 / DAYS);
    let filtered = filter.filter(&returns);
    let mut state = filter;
    assert_eq!(filtered.len(), 301);
    assert_eq!(filtered[0], TRUTH.theta);
    for (r, expected) in returns.iter().zip(&filtered[1..]) {
        assert_eq!(state.update(*r), *expected);
        assert_eq!(state.mean(), *expected);
    }
    assert_eq!(state.filter(&[]), [filtered[300]]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// No look-ahead: whatever comes at or after day `t` leaves entries `..=t` as they were.
    #[test]
    fn the_future_does_not_change_the_past(
        returns in prop::collection::vec(-0.1..0.1f64, 2..80),
        future in prop::collection::vec(-0.5..0.5f64, 0..40),
        share in 0.0..1.0f64,
        rho in -0.99..0.99f64,
        sigma in 0.01..3.0f64,
    ) {
        let now = (share * returns.len() as f64) as usize;
        let filter = HestonFilter::new(HestonParameters { rho, sigma, ..TRUTH }, DRIFT, 1.0 / DAYS);
        let before = filter.filter(&returns);
        let other: Vec<f64> = returns[..now].iter().chain(&future).copied().collect();
        let after = filter.filter(&other);
        prop_assert_eq!(&before[..=now], &after[..=now]);
        let mut reversed = returns.clone();
        reversed[now..].reverse();
        prop_assert_eq!(&before[..=now], &filter.filter(&reversed)[..=now]);
        prop_assert!(before.iter().all(|v| *v > 0.0 && v.is_finite()));
    }
}

/// Eight simulated samples of twenty years: every estimate is within four of its standard errors,
/// and the averages are within a tenth of θ and σ, a fifth of κ and 0.1 of ρ. The average of ρ
/// shows the bias of a Gaussian filter, about 0.07 towards zero.
#[test]
fn heston_estimates_recover_the_truth() {
    let mut sum = [0.0; 4];
    let count = 8;
    for seed in 0..count {
        let (returns, _) = simulate(&TRUTH, DRIFT, 5040, 100 + seed);
        let estimate = estimate_heston(&returns, DAYS).unwrap();
        assert!(estimate.at_bound.is_empty());
        assert!(estimate.parameters.validate().is_ok());
        let (p, s) = (estimate.parameters, estimate.standard_errors);
        let entries = [
            (p.kappa, "kappa", TRUTH.kappa),
            (p.theta, "theta", TRUTH.theta),
            (p.sigma, "sigma", TRUTH.sigma),
            (p.rho, "rho", TRUTH.rho),
        ];
        for (i, (value, name, truth)) in entries.into_iter().enumerate() {
            let error = s.of(name).unwrap();
            assert!(
                (value - truth).abs() < 4.0 * error,
                "{seed} {i}: {value} ± {error}"
            );
            sum[i] += value / count as f64;
        }
    }
    println!("averages of kappa, theta, sigma, rho: {sum:.3?}");
    assert!((sum[0] / TRUTH.kappa - 1.0).abs() < 0.2);
    assert!((sum[1] / TRUTH.theta - 1.0).abs() < 0.1);
    assert!((sum[2] / TRUTH.sigma - 1.0).abs() < 0.1);
    assert!((sum[3] - TRUTH.rho).abs() < 0.1);
}

/// The S&P 500 before 2004 and before 2009: long-run volatility near the sample's 21 %, strong
/// leverage, and calm at the end of 2003 against the crisis at the end of 2008.
#[test]
fn sp500_estimates_are_sane() {
    let mut last = Vec::new();
    for year in [2004, 2009] {
        let returns = sp500_before(year);
        let gbm = estimate_gbm(&returns, DAYS).unwrap();
        let heston = estimate_heston(&returns, DAYS).unwrap();
        println!("{year}, {} returns: {gbm:?} {heston:?}", returns.len());
        assert!((gbm.volatility - 0.2125).abs() < 0.002);
        let p = heston.parameters;
        assert!((p.theta - 0.04).abs() < 0.01);
        assert!(p.rho < -0.5 && p.rho > -0.95);
        assert!(p.kappa > 1.0 && p.kappa < 15.0);
        assert!(heston.at_bound.is_empty());
        // The likelihood must prefer moving variance to a constant one by a wide margin.
        let daily = gbm.volatility.powi(2) / DAYS;
        let n = returns.len() as f64;
        let constant = -0.5 * n * ((std::f64::consts::TAU * daily).ln() + 1.0);
        assert!(heston.log_likelihood > constant + 50.0);
        last.push(p.v0);
    }
    assert!(last[0] < 0.02 && last[1] > 0.1, "{last:?}");
}

#[test]
fn refusals_name_what_was_given() {
    let (returns, _) = simulate(&TRUTH, DRIFT, 249, 1);
    let message =
        |returns: &[f64], days: f64| estimate_heston(returns, days).unwrap_err().to_string();
    assert_eq!(
        message(&returns, DAYS),
        "estimation needs at least 250 returns, 249 were given"
    );
    assert_eq!(
        message(&[0.001; 300], DAYS),
        "estimation needs returns that vary, all 300 are 0.001"
    );
    assert!(message(&[0.0; 300], DAYS).contains("all 300 are 0"));
    let mut holed = vec![0.01; 300];
    holed[4] = f64::NAN;
    assert_eq!(message(&holed, DAYS), "return 5 must be finite, was NaN");
    assert_eq!(
        message(&[0.001; 300], 0.0),
        "days per year must be finite and above 0, was 0"
    );
    assert!(estimate_gbm(&[0.01], DAYS).is_err());
    let constant = estimate_gbm(&[0.0; 300], DAYS).unwrap_err().to_string();
    assert!(constant.contains("returns that vary"), "{constant}");
}

fn is_written_without_holes(estimate: &impl serde::Serialize) -> bool {
    !serde_json::to_string(estimate).unwrap().contains("null")
}

/// Returns of constant variance do not determine how variance moves: in twelve samples some parameter ends on a bound or
/// has no standard error, or its standard error is stated and is as large as κ itself; whatever is stated is a number.
#[test]
fn heston_on_constant_variance_says_what_it_does_not_know() {
    let mut on_bound = 0;
    for seed in 0..12 {
        let mut random = ChaCha8Rng::seed_from_u64(900 + seed);
        let mut normal = || -> f64 { StandardNormal.sample(&mut random) };
        let returns: Vec<f64> = (0..1500).map(|_| 0.2 / DAYS.sqrt() * normal()).collect();
        let estimate = estimate_heston(&returns, DAYS).unwrap();
        let errors = &estimate.standard_errors;
        println!(
            "{seed}: {:?} {errors:?} {:?}",
            estimate.parameters, estimate.at_bound
        );
        let unknown: Vec<&str> = errors.unknown().collect();
        assert!(estimate.at_bound.iter().all(|name| unknown.contains(name)));
        assert!(
            errors
                .known()
                .all(|(_, error)| error.is_finite() && error > 0.0)
        );
        assert!(is_written_without_holes(&estimate));
        let vague = errors
            .of("kappa")
            .is_none_or(|e| e > 0.5 * estimate.parameters.kappa);
        assert!(!unknown.is_empty() || vague, "{estimate:?}");
        on_bound += usize::from(!estimate.at_bound.is_empty());
        let merton = estimate_merton(&returns, DAYS).unwrap();
        assert!(is_written_without_holes(&merton), "{merton:?}");
    }
    assert!(on_bound > 0);
}

/// A pegged price moves by thousandths of a percent, a wild one by tens: the estimate scales with the returns, v with their
/// square, but for the drift's share of half the variance.
#[test]
fn estimates_scale_with_the_returns() {
    let (returns, _) = simulate(&TRUTH, 0.02, 2520, 11);
    let whole = estimate_heston(&returns, DAYS).unwrap();
    for scale in [1e-4, 0.01, 3.0] {
        let scaled: Vec<f64> = returns.iter().map(|r| scale * r).collect();
        let found = estimate_heston(&scaled, DAYS).unwrap();
        assert!(found.at_bound.is_empty(), "{found:?}");
        let (p, q) = (found.parameters, whole.parameters);
        for (found, expected) in [
            (p.kappa, q.kappa),
            (p.theta, scale * scale * q.theta),
            (p.sigma, scale * q.sigma),
            (p.rho, q.rho),
        ] {
            assert!((found / expected - 1.0).abs() < 0.1, "{scale}: {p:?} {q:?}");
        }
        let (a, b) = (
            estimate_gbm(&scaled, DAYS).unwrap().volatility,
            estimate_gbm(&returns, DAYS).unwrap().volatility,
        );
        assert!((a / b / scale - 1.0).abs() < 1e-10);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Long halts, a peg that moves now and then, prices rounded to cents: every model is estimated to finite numbers or
    /// refused in a line, and nothing undefined is stated.
    #[test]
    fn odd_histories_are_estimated_or_refused(
        seed in any::<u64>(),
        moves in 0.0..1.0f64,
        size in -7.0..-1.0f64,
        tick in prop::option::of(-5.0..0.0f64),
    ) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut price: f64 = 10.0;
        let prices: Vec<f64> = (0..400)
            .map(|_| {
                let uniform: f64 = rand_distr::Uniform::new(0.0, 1.0).unwrap().sample(&mut random);
                let normal: f64 = StandardNormal.sample(&mut random);
                if uniform < moves * moves {
                    price *= (10f64.powf(size) * normal).exp();
                }
                match tick {
                    Some(tick) => {
                        let tick = 10f64.powf(tick);
                        ((price / tick).round() * tick).max(tick)
                    }
                    None => price,
                }
            })
            .collect();
        let returns: Vec<f64> = prices.windows(2).map(|p| (p[1] / p[0]).ln()).collect();
        let constant = returns.iter().all(|r| *r == returns[0]);
        match (estimate_gbm(&returns, DAYS), estimate_heston(&returns, DAYS), estimate_merton(&returns, DAYS)) {
            (Ok(gbm), Ok(heston), Ok(merton)) => {
                prop_assert!(!constant && gbm.volatility > 0.0);
                prop_assert!(heston.parameters.validate().is_ok() && heston.parameters.v0 > 0.0);
                prop_assert!(merton.parameters.total_variance() > 0.0);
                prop_assert!(is_written_without_holes(&gbm));
                prop_assert!(is_written_without_holes(&heston), "{heston:?}");
                prop_assert!(is_written_without_holes(&merton), "{merton:?}");
            }
            (Err(a), Err(b), Err(c)) => {
                for error in [a, b, c] {
                    prop_assert!(error.to_string().contains("returns that vary"), "{error}");
                }
            }
            other => prop_assert!(false, "{other:?}"),
        }
    }
}
