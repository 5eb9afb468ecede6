use super::*;
use crate::market::past_surfaces::tests::{synthetic, synthetic_past};
use crate::market::{Market, Model, Paths, Simulator};
use crate::random::{Purpose, Sampling};
use crate::simd::BLOCK;

fn drawn(
    settings: &SurfaceBootstrapParameters,
    past: &PastSurfaces,
    steps: usize,
    count: usize,
) -> Paths<f64> {
    let model = Model::from(settings.clone()).of_past(past).unwrap();
    let market = Market {
        model: model.parameters,
        spot: 100.0,
        rate: 0.0.into(),
        dividend: 0.0.into(),
    };
    let simulator = Simulator {
        assets: market.into(),
        steps,
        dt: 1.0 / TRADING_DAYS,
        seed: 5,
        purpose: Purpose::Training,
        sampling: Sampling::Pseudorandom,
        family: None,
    };
    simulator.paths(0, count)
}

/// Without jumps and scatter a path is the past from its first day on: its surfaces are those of the days to single precision, and its
/// returns theirs less the mean of z on days of like volatility, below 0.4, and its convexity.
#[test]
fn a_path_without_jumps_is_the_past() {
    let (closes, surfaces) = synthetic(400, 3);
    let past = PastSurfaces::new(&closes, &surfaces).unwrap();
    let settings = SurfaceBootstrapParameters {
        start_scatter: 0.0,
        jump_chance: 0.0,
        least_scale: 1e-3,
        greatest_scale: 100.0,
        level_bound: 5.0,
        ..SurfaceBootstrapParameters::default()
    };
    let days = Days::new(&past);
    let paths = drawn(&settings, &past, 10, 64);
    let mut followed = 0;
    for path in 0..64 {
        let (block, lane) = (paths.block(path / BLOCK), path % BLOCK);
        let rows = block.surface().unwrap();
        let near = |a: SurfaceFactors, b: SurfaceFactors| {
            let pairs = a.to_array().into_iter().zip(b.to_array());
            pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) < 2e-6
        };
        let day = surfaces
            .iter()
            .position(|s| near(*s, rows.at(0, lane)))
            .unwrap();
        // On the last day one like it follows.
        if day + 10 >= days.moves.len() {
            continue;
        }
        followed += 1;
        for t in 1..=10 {
            assert!(near(rows.at(t, lane), surfaces[day + t]), "{path} {t}");
            let sigma = surfaces[day + t - 1].one_month() / TRADING_DAYS.sqrt();
            let r = (closes[day + t] / closes[day + t - 1]).ln();
            let mean = r / sigma - f64::from(days.moves[day + t - 1].z);
            let found = (block.spot[t][lane] / block.spot[t - 1][lane]).ln();
            let expected = r - mean * sigma;
            assert!(mean.abs() < 0.4, "{path} {t}: {mean}");
            assert!((found - expected).abs() < 0.6 * sigma * sigma, "{path} {t}");
        }
    }
    assert!(followed > 50);
}

/// The mean of a spot that follows past days in their order differs from the forward by what that one order happens to have of dependence
/// between returns and later volatility. Over many pasts that are made without any drift it is no bias (z-bound 4), and its spread falls with
/// the square root of their length.
#[test]
fn the_order_of_the_past_is_a_sampling_error_of_the_forward() {
    let pasts = 16;
    let spread = |days: usize| {
        let of = |seed: u64| {
            let past = synthetic_past(days, seed);
            let paths = drawn(&SurfaceBootstrapParameters::default(), &past, 50, 1 << 12);
            let last = || (0..paths.blocks()).flat_map(|block| paths.block(block).spot[50]);
            (last().sum::<f64>() / f64::from(1 << 12) / 100.0).ln()
        };
        let found: Vec<f64> = (0..pasts).map(|seed| of(100 + seed)).collect();
        let n = pasts as f64;
        let mean = found.iter().sum::<f64>() / n;
        let square = found.iter().map(|one| (one - mean).powi(2)).sum::<f64>();
        let deviation = (square / (n - 1.0)).sqrt();
        println!("{days}: {mean} {deviation}");
        assert!(mean.abs() < 4.0 * deviation / n.sqrt(), "{days}: {mean}");
        deviation
    };
    let (short, long) = (spread(750), spread(12_000));
    assert!(long < 0.6 * short, "{short} {long}");
}

/// Over one step from the first day the variance of z, its correlation with the change of the logarithm of the level and the variance of that
/// change are those of the days, and so is the mean of the first surfaces' variances times e^{2η²}; z-bound 5.
#[test]
fn steps_have_the_statistics_of_the_days() {
    const COUNT: usize = 1 << 15;
    let past = synthetic_past(1000, 9);
    let settings = SurfaceBootstrapParameters::default();
    let paths = drawn(&settings, &past, 1, COUNT);
    let z: Vec<f64> = Days::new(&past)
        .moves
        .iter()
        .map(|one| f64::from(one.z))
        .collect();
    let changes: Vec<f64> = past
        .surfaces()
        .windows(2)
        .map(|pair| (pair[1].level / pair[0].level).ln())
        .collect();
    let days = z.iter().zip(&changes).map(|(z, change)| [*z, *change]);
    let variances = past.volatilities().take(z.len()).map(|v| v * v);
    let of_days: Vec<[f64; 3]> = days.zip(variances).map(|([z, l], v)| [z, l, v]).collect();
    let mut seen = Vec::new();
    for path in 0..COUNT {
        let (block, lane) = (paths.block(path / BLOCK), path % BLOCK);
        let rows = block.surface().unwrap();
        let variance = block.variance[0][lane];
        let sigma = rows.at(0, lane).one_month();
        assert!((sigma * sigma / variance - 1.0).abs() < 1e-6);
        let s = sigma / TRADING_DAYS.sqrt();
        let z = (block.spot[1][lane] / block.spot[0][lane]).ln() / s + 0.5 * s;
        let level = (rows.at(1, lane).level / rows.at(0, lane).level).ln();
        seen.push([z, level, variance]);
    }
    let scatter = (2.0 * settings.start_scatter.powi(2)).exp();
    let statistics = |[z, level, variance]: &[f64; 3], scatter: f64| {
        [*z, z * z, level * level, z * level, scatter * variance]
    };
    for i in 0..5 {
        let known = of_days.iter().map(|one| statistics(one, scatter)[i]);
        let known = known.sum::<f64>() / of_days.len() as f64;
        let values: Vec<f64> = seen.iter().map(|one| statistics(one, 1.0)[i]).collect();
        let n = COUNT as f64;
        let mean = values.iter().sum::<f64>() / n;
        let error = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt() / n.sqrt();
        // What the convexity of e^{zs} adds to z beside ½s² is below 10⁻⁴.
        assert!(
            (mean - known).abs() < 5.0 * error + 1e-3 * known.abs(),
            "{i}: {mean} {known} ± {error}"
        );
    }
}

/// Volatilities keep to where the past had them: after a quarter of a year the median volatility of paths lies within a tenth of that of the
/// days, and jumps lead to days of the same rank.
#[test]
fn jumps_lead_to_days_like_the_present() {
    let past = synthetic_past(1500, 2);
    let days = Days::new(&past);
    let sorted = &days.sorted;
    for (k, volatility) in sorted.iter().enumerate().step_by(100) {
        for word in [0, 1 << 31, u32::MAX] {
            let day = days.like(*volatility, 0.05, word);
            let rank = days.order.iter().position(|other| *other == day).unwrap();
            assert!(rank.abs_diff(k) <= 75, "{k} {rank}");
        }
    }
    let paths = drawn(&SurfaceBootstrapParameters::default(), &past, 63, 4096);
    let blocks = (0..paths.blocks()).map(|block| paths.block(block));
    let mut ends: Vec<f64> = blocks
        .flat_map(|block| block.variance[63].map(f64::sqrt))
        .collect();
    ends.sort_by(f64::total_cmp);
    let (found, known) = (ends[ends.len() / 2], f64::from(sorted[sorted.len() / 2]));
    assert!((found / known - 1.0).abs() < 0.1, "{found} {known}");
}

/// A past that is shuffled after the days that are known makes the same paths to the last bit, and any number of threads too.
#[test]
fn paths_depend_on_the_known_days_alone() {
    let (closes, surfaces) = synthetic(900, 8);
    let settings = SurfaceBootstrapParameters::default();
    let known = 600;
    let of = |closes: &[f64], surfaces: &[SurfaceFactors]| {
        let past = PastSurfaces::new(&closes[..known], &surfaces[..known]).unwrap();
        drawn(&settings, &past, 21, 256)
    };
    let once = of(&closes, &surfaces);
    let (mut later_closes, mut later_surfaces) = (closes.clone(), surfaces.clone());
    later_closes[known..].reverse();
    later_surfaces[known..].reverse();
    assert_eq!(once, of(&later_closes, &later_surfaces));
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap();
    assert_eq!(once, pool.install(|| of(&closes, &surfaces)));
}
