use super::*;
use crate::market::estimation::{GarchVariance, NormalInverseGaussian, NormalQuantiles, SERIES};
use crate::market::past_surfaces::Cumulants;
use crate::market::past_surfaces::tests::synthetic_past;
use crate::market::{Market, Model, Simulator};
use crate::random::{Purpose, Sampling};
use crate::simd::BLOCK;
use std::collections::BTreeMap;

/// The market that days show.
fn market(past: &PastSurfaces) -> Market {
    let model = Model::from(SurfaceGarchParameters::default());
    Market {
        model: model.of_past(past).unwrap().parameters,
        spot: 100.0,
        rate: 0.0.into(),
        dividend: 0.0.into(),
    }
}

fn simulator(market: &Market, steps: usize, sampling: Sampling) -> Simulator {
    Simulator {
        assets: market.clone().into(),
        steps,
        dt: 1.0 / TRADING_DAYS,
        seed: 5,
        purpose: Purpose::Training,
        sampling,
        family: None,
    }
}

/// The dynamics of a path of 6,000 days are found again from these: of the variances of return and level c within a fifth, κ within 0.05, a within a
/// half and γ within 0.8; of their laws ζ within 0.25 and φ within 0.5; the level's coefficient on itself within 0.01; the correlation of both
/// innovations within 0.05.
#[test]
fn parameters_of_simulated_days_are_found() {
    const DAYS: usize = 6000;
    let past = synthetic_past(2500, 4);
    let mut known = estimate_surface_garch(&past).unwrap().dynamics;
    let garch = |scale, persistence, reaction, asymmetry| GarchVariance {
        scale,
        persistence,
        reaction,
        asymmetry,
    };
    known.variances[0] = garch(0.85, 0.9, 0.06, 1.0);
    known.variances[1] = garch(known.variances[1].scale, 0.85, 0.1, -0.5);
    known.laws[0] = NormalInverseGaussian {
        skew: -0.5,
        tail: 1.8,
    };
    known.laws[1] = NormalInverseGaussian {
        skew: 0.4,
        tail: 1.5,
    };
    for series in [0, 1] {
        known.innovations[series] = NormalQuantiles::new(known.laws[series]);
    }
    known.cumulants = Cumulants::new(known.innovations[0].weighted());
    let model = SurfaceGarchParameters {
        known: Known::new(Estimated {
            dynamics: known.clone(),
            reference: past.mean_surface(),
            variance: past.mean_variance(),
        }),
        ..SurfaceGarchParameters::default()
    };
    let market = Market {
        model: model.into(),
        ..market(&past)
    };
    let paths = simulator(&market, DAYS, Sampling::Pseudorandom).paths::<f64>(0, BLOCK);
    let block = paths.block(0);
    let rows = block.surface().unwrap();
    let closes: Vec<f64> = block.spot.iter().map(|lane| lane[0]).collect();
    let surfaces: Vec<SurfaceFactors> = (0..=DAYS).map(|t| rows.at(t, 0)).collect();
    let again = PastSurfaces::new(&closes, &surfaces).unwrap();
    let again = estimate_surface_garch(&again).unwrap();
    let found = &again.dynamics;
    for series in [0, 1] {
        let (before, after) = (&known.variances[series], &found.variances[series]);
        let (law, own) = (known.laws[series], found.laws[series]);
        for (what, known, value, bound) in [
            ("c", before.scale, after.scale, 0.2 * before.scale),
            ("κ", before.persistence, after.persistence, 0.05),
            ("a", before.reaction, after.reaction, 0.5 * before.reaction),
            ("γ", before.asymmetry, after.asymmetry, 0.8),
            ("ζ", law.skew, own.skew, 0.25),
            ("φ", law.tail, own.tail, 0.5),
        ] {
            assert!(
                (value - known).abs() < bound,
                "{series} {what}: {value} {known}"
            );
        }
    }
    for name in ["return_scale", "level_tail"] {
        assert!(!again.at_bound.contains(&name), "{:?}", again.at_bound);
        assert!(again.standard_errors.of(name).is_some(), "{name}");
    }
    let mut named: BTreeMap<&str, f64> = found.parameters().collect();
    assert_eq!(named.remove("level_tail"), Some(found.laws[1].tail));
    assert_eq!(named.len(), 6 * SERIES - 1);
    let correlations = found.correlations();
    assert!((0..SERIES).all(|i| (correlations[i][i] - 1.0).abs() < 1e-12));
    assert!((correlations[1][0] - found.root[1][0]).abs() < 1e-12);
    let [found_own, own] = [found, &known].map(|one| one.means[0][1]);
    assert!((found_own - own).abs() < 0.01, "{found_own} {own}");
    assert!((found.root[1][0] - known.root[1][0]).abs() < 0.05);
    assert!(
        (known.root[1][0] + 0.7).abs() < 0.05,
        "the past's own correlation"
    );
}

/// Paths move as the days do: the standard deviations of daily changes of every factor within 15 % of the days', the correlation of return and
/// change of level within 0.05, and the median volatility at the money after a quarter within 15 %.
#[test]
fn paths_have_the_moments_of_the_days() {
    let past = synthetic_past(2500, 4);
    let paths = simulator(&market(&past), 63, Sampling::Pseudorandom).paths::<f64>(0, 4096);
    let deviation = |values: &[f64]| {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt()
    };
    let factor = |i: usize| -> (Vec<f64>, Vec<f64>) {
        let days = past.surfaces().windows(2);
        let known = days
            .map(|pair| pair[1].to_array()[i] - pair[0].to_array()[i])
            .collect();
        let mut found = Vec::new();
        for block in (0..paths.blocks()).map(|block| paths.block(block)) {
            let rows = block.surface().unwrap().factor(i);
            for pair in rows.windows(2) {
                found.extend((0..BLOCK).map(|lane| pair[1][lane] - pair[0][lane]));
            }
        }
        (known, found)
    };
    for i in 0..SurfaceFactors::COUNT {
        let (known, found) = factor(i);
        let (known, found) = (deviation(&known), deviation(&found));
        assert!((found / known - 1.0).abs() < 0.15, "{i}: {found} {known}");
    }
    let mut returns = Vec::new();
    for block in (0..paths.blocks()).map(|block| paths.block(block)) {
        for pair in block.spot.windows(2) {
            returns.extend((0..BLOCK).map(|lane| (pair[1][lane] / pair[0][lane]).ln()));
        }
    }
    let correlation = |a: &[f64], b: &[f64]| {
        let n = a.len() as f64;
        let (ma, mb) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
        let both = a
            .iter()
            .zip(b)
            .map(|(a, b)| (a - ma) * (b - mb))
            .sum::<f64>()
            / n;
        both / (deviation(a) * deviation(b))
    };
    let (known, found) = factor(0);
    let (known, found) = (
        correlation(past.log_returns(), &known),
        correlation(&returns, &found),
    );
    assert!((known - found).abs() < 0.05, "{known} {found}");
}

/// Antithetic paths of a block move against each other, and Sobol points give the same mean variance after a month, within 1 %.
#[test]
fn every_sampling_is_honoured() {
    let market = market(&synthetic_past(1000, 6));
    let antithetic = simulator(&market, 1, Sampling::Antithetic).paths::<f64>(0, BLOCK);
    let block = antithetic.block(0);
    for lane in 0..BLOCK / 2 {
        let log = |lane: usize| (block.spot[1][lane] / 100.0).ln();
        assert!(log(lane) * log(lane + BLOCK / 2) < 1e-5, "{lane}");
    }
    let mean = |sampling| {
        let paths = simulator(&market, 21, sampling).paths::<f64>(0, 1 << 13);
        let blocks = (0..paths.blocks()).map(|block| paths.block(block));
        let sum: f64 = blocks.flat_map(|block| block.variance[21]).sum();
        sum / f64::from(1 << 13)
    };
    let (one, other) = (mean(Sampling::Pseudorandom), mean(Sampling::Sobol));
    assert!((one / other - 1.0).abs() < 0.03, "{one} {other}");
}
