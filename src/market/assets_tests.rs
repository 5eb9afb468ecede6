//! What several assets have in common: their correlations; and what each has for itself: the law it has alone.

use super::draws::{Draws, Tables};
use super::{Asset, Assets, Correlation, GbmParameters, Market, Model};
use crate::contract::{Leg, OptionKind};
use crate::pricing::{BlackScholes, HestonParameters, MertonParameters};
use crate::random::{Purpose, Sampling};
use crate::simd::{BLOCK, Lane};

const SAMPLINGS: [Sampling; 3] = [
    Sampling::Pseudorandom,
    Sampling::Antithetic,
    Sampling::Sobol,
];

const WILD: HestonParameters = HestonParameters {
    v0: 0.04,
    kappa: 1.0,
    theta: 0.04,
    sigma: 2.0,
    rho: -0.7,
};

const CALM: HestonParameters = HestonParameters {
    v0: 0.09,
    kappa: 3.0,
    theta: 0.06,
    sigma: 0.4,
    rho: 0.3,
};

const JUMPS: MertonParameters = MertonParameters {
    volatility: 0.15,
    jump_intensity: 6.0,
    log_jump_mean: -0.04,
    log_jump_std: 0.06,
};

fn gbm(volatility: f64) -> Model {
    Model::from(GbmParameters { volatility })
}

/// Assets that begin at 100, 101, … and pay a dividend of 1 %, 2 %, …, at a rate of 3 %.
fn assets(models: &[Model], correlation: &[&[f64]]) -> Assets {
    let asset = |(i, model): (usize, &Model)| Asset {
        name: format!("asset {i}"),
        market: Market {
            model: model.clone(),
            spot: 100.0 + i as f64,
            rate: 0.03.into(),
            dividend: (0.01 * (i + 1) as f64).into(),
        },
    };
    let list = models.iter().enumerate().map(asset).collect();
    let rows = correlation.iter().map(|row| row.to_vec()).collect();
    Assets::new(list, Correlation::new(rows).unwrap()).unwrap()
}

/// `[assets][dates][paths]` of spots and of variances.
type Columns = Vec<Vec<Vec<f64>>>;

fn simulate(
    assets: &Assets,
    (steps, dt): (usize, f64),
    sampling: Sampling,
    count: usize,
) -> (Columns, Columns) {
    let draws = Draws::new(
        assets,
        (steps, dt, assets.substeps(dt, steps)),
        (5, Purpose::Pricing, sampling),
    );
    let empty = || vec![vec![Vec::with_capacity(count); steps + 1]; assets.list().len()];
    let (mut spots, mut variances) = (empty(), empty());
    let blank: Vec<[Vec<Lane<f64>>; 2]> = assets
        .list()
        .iter()
        .map(|_| [vec![[0.0; BLOCK]; steps + 1], vec![[0.0; BLOCK]; steps + 1]])
        .collect();
    let (mut block, mut tables) = (blank, Tables::default());
    for number in 0..count / BLOCK {
        let columns = block.iter_mut().map(|[a, b]| (&mut a[..], &mut b[..]));
        draws.block(
            number as u64,
            false,
            columns,
            (&mut [], &mut []),
            &mut tables,
        );
        for (asset, [spot, variance]) in block.iter().enumerate() {
            for t in 0..=steps {
                spots[asset][t].extend(spot[t]);
                variances[asset][t].extend(variance[t]);
            }
        }
    }
    (spots, variances)
}

fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let ((mean_a, error_a), (mean_b, error_b)) = (mean_and_error(a), mean_and_error(b));
    let products = a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b));
    products.sum::<f64>() / (a.len() as f64 * (a.len() - 1) as f64 * error_a * error_b)
}

/// ln S_b/S_a on every path.
fn log_returns(spot: &[Vec<f64>], a: usize, b: usize) -> Vec<f64> {
    let pairs = spot[a].iter().zip(&spot[b]);
    pairs.map(|(a, b)| (b / a).ln()).collect()
}

/// The sample correlation r of n log returns under geometric Brownian motion, of a period and of all, has artanh r around
/// artanh C_ij with a standard deviation of 1/√(n − 3), z-bound 4; antithetic pairs have the same products, so half of them
/// count. Returns of different periods have no correlation.
#[test]
fn log_returns_have_the_correlation_of_the_matrix() {
    const COUNT: usize = 1 << 15;
    let c: [&[f64]; 3] = [&[1.0, 0.5, -0.6], &[0.5, 1.0, 0.1], &[-0.6, 0.1, 1.0]];
    let assets = assets(&[gbm(0.2), gbm(0.35), gbm(0.1)], &c);
    for sampling in SAMPLINGS {
        let (spots, _) = simulate(&assets, (4, 0.1), sampling, COUNT);
        let bound = 4.0 / ((COUNT / 2 - 3) as f64).sqrt();
        for i in 0..3 {
            for j in 0..i {
                for (from, to) in [(0, 4), (2, 3)] {
                    let (a, b) = (
                        log_returns(&spots[i], from, to),
                        log_returns(&spots[j], from, to),
                    );
                    let found = correlation(&a, &b);
                    assert!(
                        (found.atanh() - c[i][j].atanh()).abs() < bound,
                        "{sampling:?} {i}, {j}: {found}, {}",
                        c[i][j]
                    );
                }
                let apart =
                    correlation(&log_returns(&spots[i], 0, 1), &log_returns(&spots[j], 1, 2));
                assert!(
                    apart.atanh().abs() < bound,
                    "{sampling:?} {i}, {j}: {apart}"
                );
            }
        }
    }
}

/// Over short steps the spot's shock is the log return over √(v Δ) and that of the variance its change over σ √(v Δ): spots are
/// correlated by C_ij, spot and variance of one asset by ρ_i, the spot of i and the variance of j by C_ij ρ_j, variances by
/// C_ij ρ_i ρ_j; z-bound 4 on artanh.
#[test]
fn heston_shocks_have_their_correlations() {
    const COUNT: usize = 1 << 15;
    let c: [&[f64]; 3] = [&[1.0, 0.8, -0.5], &[0.8, 1.0, -0.4], &[-0.5, -0.4, 1.0]];
    let models = [Model::from(CALM), gbm(0.2), Model::from(WILD)];
    let (rho, sigma) = (
        [CALM.rho, f64::NAN, WILD.rho],
        [CALM.sigma, 0.0, WILD.sigma],
    );
    let dt = 1e-6;
    let assets = assets(&models, &c);
    assert_eq!(assets.substeps(dt, 2), 1);
    let (spots, variances) = simulate(&assets, (2, dt), Sampling::Pseudorandom, COUNT);
    // Of the second step, which begins at variances that differ.
    let spot_shocks = |i: usize| -> Vec<f64> {
        let returns = log_returns(&spots[i], 1, 2);
        let variance = variances[i][1].iter();
        let shock = |(r, v): (f64, &f64)| r / (v * dt).sqrt();
        returns.into_iter().zip(variance).map(shock).collect()
    };
    let variance_shocks = |i: usize| -> Vec<f64> {
        let moves = variances[i][1].iter().zip(&variances[i][2]);
        let shock = |(now, next): (&f64, &f64)| (next - now) / (sigma[i] * (now * dt).sqrt());
        moves.map(shock).collect()
    };
    let bound = 4.0 / ((COUNT - 3) as f64).sqrt();
    let assert_near = |what: &str, found: f64, expected: f64| {
        let apart = (found.atanh() - expected.atanh()).abs();
        assert!(apart < bound, "{what}: {found}, {expected}");
    };
    for i in 0..3 {
        for j in 0..3 {
            let what = format!("{i}, {j}");
            if j < i {
                assert_near(
                    &what,
                    correlation(&spot_shocks(i), &spot_shocks(j)),
                    c[i][j],
                );
            }
            if j == 1 {
                continue;
            }
            let crossed = correlation(&spot_shocks(i), &variance_shocks(j));
            assert_near(&what, crossed, c[i][j] * rho[j]);
            if j < i && i != 1 {
                let both = correlation(&variance_shocks(i), &variance_shocks(j));
                assert_near(&what, both, c[i][j] * rho[i] * rho[j]);
            }
        }
    }
}

/// Beside other assets, each has the law it has alone: E[e^{−(r−q)t} S_t] = S₀ at every date, and puts have the price of their
/// formula; z-bound 4. A model without an error of its own takes the sub-steps of the wildest.
#[test]
fn each_asset_keeps_its_law() {
    const COUNT: usize = 1 << 15;
    let c: [&[f64]; 4] = [
        &[1.0, 0.9, -0.9, 1.0],
        &[0.9, 1.0, -0.8, 0.9],
        &[-0.9, -0.8, 1.0, -0.9],
        &[1.0, 0.9, -0.9, 1.0],
    ];
    let models = [
        gbm(0.2),
        Model::from(WILD),
        Model::from(JUMPS),
        Model::from(CALM),
    ];
    let assets = assets(&models, &c);
    let (steps, dt) = (3, 0.1);
    assert!(assets.substeps(dt, steps) > 5);
    for sampling in SAMPLINGS {
        let (spots, _) = simulate(&assets, (steps, dt), sampling, COUNT);
        for (asset, spots) in assets.list().iter().zip(&spots) {
            let Asset { name, market } = asset;
            for t in 1..=steps {
                let (mean, error) = mean_and_error(&spots[t]);
                let forward = market.forward(dt * t as f64);
                assert!(
                    (mean - forward).abs() < 4.0 * error,
                    "{sampling:?} {name} {t}: {mean} ± {error}, {forward}"
                );
            }
            let leg = Leg::one(OptionKind::Put, 0.98 * market.spot);
            let expiry = steps as f64 * dt;
            let discount = market.rate.discount(0.0, expiry);
            let payoffs: Vec<f64> = spots[steps]
                .iter()
                .map(|spot| discount * leg.kind.payoff(*spot, leg.strike))
                .collect();
            let (mean, error) = mean_and_error(&payoffs);
            let price = market.price(&[leg], expiry);
            assert!(
                (mean - price).abs() < 4.0 * error,
                "{sampling:?} {name}: {mean} ± {error}, {price}"
            );
        }
    }
}

/// Margrabe (1978): the right to exchange the second asset for the first is worth Black and Scholes' call on the first, struck
/// at the second, with its dividend yield as the rate and σ² = σ₁² + σ₂² − 2 c σ₁ σ₂; within 3 standard errors.
#[test]
fn exchange_options_have_the_price_of_margrabe() {
    const COUNT: usize = 1 << 16;
    for c in [-1.0, -0.4, 0.0, 0.7, 1.0] {
        let assets = assets(&[gbm(0.3), gbm(0.2)], &[&[1.0, c], &[c, 1.0]]);
        let [first, second] = [&assets.list()[0].market, &assets.list()[1].market];
        let formula = BlackScholes {
            kind: OptionKind::Call,
            spot: first.spot,
            strike: second.spot,
            expiry: 1.0,
            rate: second.dividend.average(0.0, 1.0),
            dividend: first.dividend.average(0.0, 1.0),
            volatility: f64::sqrt(0.09 + 0.04 - 2.0 * c * 0.06),
        };
        for sampling in SAMPLINGS {
            let (spots, _) = simulate(&assets, (4, 0.25), sampling, COUNT);
            let payoffs: Vec<f64> = spots[0][4]
                .iter()
                .zip(&spots[1][4])
                .map(|(first, second)| (-0.03f64).exp() * (first - second).max(0.0))
                .collect();
            let (mean, error) = mean_and_error(&payoffs);
            let price = formula.price();
            assert!(
                (mean - price).abs() < 3.0 * error,
                "{sampling:?} {c}: {mean} ± {error}, {price}"
            );
        }
    }
}

/// The paths of one asset are what they were before there were several, to the rounding of other instruction sets: the spot at
/// the last date of the first path.
#[test]
fn one_asset_has_the_paths_it_always_had() {
    let models = [gbm(0.2), Model::from(WILD), Model::from(JUMPS)];
    let expected = [78.67124201472657, 101.05435629039742, 84.91087682347985];
    let found = models.map(|model| {
        let assets = assets(&[model], &[&[1.0]]);
        let (spots, _) = simulate(&assets, (4, 0.1), Sampling::Pseudorandom, BLOCK);
        spots[0][4][0]
    });
    let near = |(found, expected): (&f64, f64)| (found / expected - 1.0).abs() < 1e-9;
    assert!(found.iter().zip(expected).all(near), "{found:?}");
}

/// What does not fit together is refused, and the message names the key.
#[test]
fn assets_without_their_correlations_are_refused() {
    let one = assets(&[gbm(0.2)], &[&[1.0]]);
    let error = Assets::new(one.list().to_vec(), Correlation::independent(2)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`market.correlation` has 2 rows, and there are 1 assets"
    );
    assert!(Assets::new(Vec::new(), Correlation::independent(0)).is_err());
}
