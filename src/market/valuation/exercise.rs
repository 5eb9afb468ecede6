//! American options: when they are exercised, by least squares.

use crate::contract::{Continuation, ExerciseRule, OptionKind};
use crate::error::Result;
use crate::linalg::solve_positive;
use crate::market::paths::Paths;
use crate::market::simulator::Simulator;
use crate::market::spot_market::Market;
use crate::random::{Purpose, Sampling};
use crate::simd::{BLOCK, Real};
use faer::Mat;
use rayon::prelude::*;
use std::sync::{Mutex, PoisonError};

/// Steps of paths that a rule is fitted on.
const PATH_STEPS: usize = 1 << 22;

/// What is added to the diagonal of the terms' correlations.
const RIDGE: f64 = 1e-9;

/// Variates of a regression: what is received by going on, and the terms of the estimate.
const SIZE: usize = 1 + ExerciseRule::TERMS;

/// What a rule is fitted for.
#[derive(Debug, PartialEq)]
struct Fit {
    market: Market,
    kind: OptionKind,
    strike: f64,
    expiry: f64,
    steps: usize,
}

/// Rules that are kept, the last ones.
const KEPT: usize = 32;

/// The last rules: a plan is made again and again, of forms, of runs and with other settings, and a rule depends on nothing but
/// what it is fitted for.
static FITTED: Mutex<Vec<(Fit, ExerciseRule)>> = Mutex::new(Vec::new());

/// The rule by which the holder of a call or put with `steps` equidistant dates after its sale, the last of them `expiry` years
/// from now, exercises it: on every date from the last but one back, what the paths in the money receive later is regressed on a
/// polynomial of the log-moneyness and the variance, and the option is exercised where it pays more than that.
///
/// The rule is fitted on paths of its own, 2⁹ to 2¹⁵ of them. Priced on others, as [`super::model_price`] does, an option is worth
/// a little too little, since no rule is better than the best one: over the American rows of
/// `tests/reference/exotics_discrete.json` with 100 dates by less than a per cent. It is fitted once in a process.
///
/// # Errors
/// If a spot is not a finite number.
///
/// # References
/// F. A. Longstaff and E. S. Schwartz (2001), "Valuing American options by simulation: a simple least-squares approach",
/// Review of Financial Studies 14.
pub fn exercise_rule(
    market: &Market,
    kind: OptionKind,
    strike: f64,
    expiry: f64,
    steps: usize,
) -> Result<ExerciseRule> {
    let fit = Fit {
        market: market.clone(),
        kind,
        strike,
        expiry,
        steps,
    };
    // The lock is not held while a rule is fitted, which may take a second.
    let fitted = || FITTED.lock().unwrap_or_else(PoisonError::into_inner);
    let known = fitted()
        .iter()
        .find(|(of, _)| *of == fit)
        .map(|(_, rule)| rule.clone());
    if let Some(rule) = known {
        return Ok(rule);
    }
    let rule = fit.rule()?;
    let mut fitted = fitted();
    if fitted.len() == KEPT {
        fitted.remove(0);
    }
    fitted.push((fit, rule.clone()));
    Ok(rule)
}

impl Fit {
    /// Fits the rule.
    fn rule(&self) -> Result<ExerciseRule> {
        let Self {
            ref market,
            kind,
            strike,
            expiry,
            steps,
        } = *self;
        let process = market.model.variance_process();
        let usual = market.model.mean_variance(process.now(), expiry);
        let deviation = (usual * expiry).sqrt().max(f64::MIN_POSITIVE);
        let variance = (!process.is_constant()).then_some(usual);
        let mut rule = ExerciseRule::at_expiry(kind, strike, (deviation, variance), steps);
        let dt = expiry / steps as f64;
        let simulator = Simulator {
            assets: market.clone().into(),
            steps,
            dt,
            seed: 0,
            purpose: Purpose::Exercise,
            sampling: Sampling::Antithetic,
            family: None,
        };
        let count = (PATH_STEPS / steps).clamp(1 << 9, 1 << 15);
        let paths = simulator.paths::<f32>(0, count);
        let discount = |date: usize| {
            let time = dt * date as f64;
            (-market.rate.average(time, time + dt) * dt).exp()
        };
        let pays = |date: usize, path: usize| {
            let spot = paths.block(path / BLOCK).spot[date][path % BLOCK];
            kind.payoff(spot.into_f64(), strike)
        };
        let mut received: Vec<f64> = (0..count).map(|path| pays(steps, path)).collect();
        for date in (1..steps).rev() {
            let discount = discount(date);
            for money in &mut received {
                *money *= discount;
            }
            rule.set(date, estimate(&rule, &paths, date, &received)?);
            let later = received.par_iter_mut().enumerate();
            later.for_each(|(path, money)| {
                let block = paths.block(path / BLOCK);
                let (spot, variance) = (block.spot[date], block.variance[date]);
                let lane = path % BLOCK;
                if rule.exercises(date, spot[lane].into_f64(), variance[lane].into_f64()) {
                    *money = pays(date, path);
                }
            });
        }
        Ok(rule)
    }
}

/// The estimate of a date from what every path receives later; none where too few are in the money.
fn estimate(
    rule: &ExerciseRule,
    paths: &Paths<f32>,
    date: usize,
    received: &[f64],
) -> Result<Option<Continuation>> {
    let blocks = (0..paths.blocks()).into_par_iter();
    let sums = blocks.map(|block| {
        let seen = paths.block(block);
        let mut sums = (0.0, [0.0; SIZE], [[0.0; SIZE]; SIZE]);
        for lane in 0..paths.active(block) {
            let spot = seen.spot[date][lane].into_f64();
            if rule.kind().payoff(spot, rule.strike()) <= 0.0 {
                continue;
            }
            let mut row = [received[block * BLOCK + lane]; SIZE];
            let variance = seen.variance[date][lane].into_f64();
            row[1..].copy_from_slice(&rule.terms(spot, variance));
            sums.0 += 1.0;
            for i in 0..SIZE {
                sums.1[i] += row[i];
                for j in 0..=i {
                    sums.2[i][j] += row[i] * row[j];
                }
            }
        }
        sums
    });
    let parts: Vec<_> = sums.collect();
    let (mut count, mut means, mut products) = (0.0, [0.0; SIZE], [[0.0; SIZE]; SIZE]);
    for (one, sums, squares) in parts {
        count += one;
        for i in 0..SIZE {
            means[i] += sums[i];
            for j in 0..=i {
                products[i][j] += squares[i][j];
            }
        }
    }
    if count < (4 * SIZE) as f64 {
        return Ok(None);
    }
    let means = means.map(|sum| sum / count);
    let covariance =
        |i: usize, j: usize| products[i.max(j)][i.min(j)] / count - means[i] * means[j];
    let matrix = Mat::from_fn(SIZE - 1, SIZE - 1, |i, j| covariance(1 + i, 1 + j));
    let right: Vec<f64> = (1..SIZE).map(|i| covariance(i, 0)).collect();
    let slopes = solve_positive(&matrix, &right, RIDGE)?;
    let mut estimate = [means[0]; SIZE];
    estimate[1..].copy_from_slice(&slopes);
    for (mean, slope) in means[1..].iter().zip(&slopes) {
        estimate[0] -= mean * slope;
    }
    Ok(Some(estimate))
}
