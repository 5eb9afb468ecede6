//! Estimates of variance: consistency on simulated days, and nothing of the future.

use super::*;
use crate::market::History;
use crate::market::history::{Quantity, Reading, Series};
use crate::pricing::HestonParameters;
use chrono::{Days, NaiveDate};
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

const DT: f64 = 1.0 / 252.0;

fn history(bars: &[[f64; 4]]) -> History {
    let first = NaiveDate::from_ymd_opt(2000, 1, 3).unwrap();
    let series = [(Quantity::Open, 0), (Quantity::High, 1), (Quantity::Low, 2)];
    History {
        files: Vec::new(),
        dates: (0..bars.len())
            .map(|day| first + Days::new(day as u64))
            .collect(),
        close: bars.iter().map(|bar| bar[3]).collect(),
        date_column: "date".into(),
        close_column: "close".into(),
        series: series
            .map(|(quantity, i)| Series {
                quantity,
                column: String::new(),
                values: bars.iter().map(|bar| bar[i]).collect(),
            })
            .to_vec(),
        surface: Vec::new(),
        rate: Vec::new(),
        repaired: Vec::new(),
        warnings: Vec::new(),
    }
}

/// Days of `ticks` Gaussian steps at a volatility of 20 %, and nights as long as `night` of them.
fn bars(days: usize, ticks: usize, night: usize) -> Vec<[f64; 4]> {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let scale = (0.04 * DT / (ticks + night) as f64).sqrt();
    let mut spot = 100.0f64;
    let mut step = move || {
        let normal: f64 = StandardNormal.sample(&mut random);
        (scale * normal).exp()
    };
    (0..days)
        .map(|_| {
            (0..night).for_each(|_| spot *= step());
            let open = spot;
            let (mut high, mut low) = (spot, spot);
            for _ in 0..ticks {
                spot *= step();
                high = high.max(spot);
                low = low.min(spot);
            }
            [open, high, low, spot]
        })
        .collect()
}

/// Every estimator finds a variance of 0.04 on 2,000 simulated days, within four standard errors (√(2/n) for squares,
/// less for ranges), and ranges scatter less than squares: Garman and Klass's efficiency against the classical
/// estimator is 7.4 without nights; a grid of 2,000 steps a day leaves more than 6.
#[test]
fn estimators_are_consistent() {
    let history = history(&bars(2001, 2000, 0));
    let returns = history.log_returns();
    let last = |values: Vec<f64>| *values.last().unwrap();
    let error = 4.0 * (2.0f64 / 2000.0).sqrt() * 0.04;
    assert!((last(realised(&returns, 2000, DT, 0.0)) - 0.04).abs() < error);
    let ranges = garman_klass(&history, 2000, DT, 0.0).unwrap();
    // Discrete steps miss a part of the range, and so a few percent of the variance.
    assert!((last(ranges) - 0.04).abs() < error);
    let spread = |values: Vec<f64>| {
        let n = (values.len() - 1) as f64;
        let mean = values[1..].iter().sum::<f64>() / n;
        values[1..].iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n
    };
    let efficiency = spread(realised(&returns, 1, DT, 0.0))
        / spread(garman_klass(&history, 1, DT, 0.0).unwrap());
    assert!(efficiency > 6.0, "{efficiency}");
    let nights = self::history(&bars(2001, 1500, 500));
    let ranges = garman_klass(&nights, 2000, DT, 0.0).unwrap();
    assert!((last(ranges) - 0.04).abs() < error);
    // An exponential mean with λ = .94 has the weight of (1 + λ)/(1 − λ) ≈ 32 squares.
    let exponential = exponential(&returns, 0.94, DT, 0.04);
    let mean = exponential.iter().sum::<f64>() / exponential.len() as f64;
    assert!((mean - 0.04).abs() < error);
}

/// Four returns by hand.
#[test]
fn weights_are_those_of_the_formulas() {
    let returns = [0.01, -0.02, 0.03, 0.0];
    let found = realised(&returns, 2, 0.01, 7.0);
    let expected = [7.0, 0.01, 0.025, 0.065, 0.045];
    assert!(
        found
            .iter()
            .zip(expected)
            .all(|(a, b)| (a - b).abs() < 1e-15)
    );
    let found = exponential(&returns, 0.5, 0.01, 0.02);
    let expected = [0.02, 0.015, 0.0275, 0.05875, 0.029375];
    assert!(
        found
            .iter()
            .zip(expected)
            .all(|(a, b)| (a - b).abs() < 1e-15)
    );
}

fn every_estimate(history: &History) -> Vec<Vec<f64>> {
    let returns = history.log_returns();
    let heston = HestonParameters::new(0.04, 3.0, 0.04, 0.4, -0.6).unwrap();
    let mut quoted = history.clone();
    quoted.series.push(Series {
        quantity: Quantity::ImpliedVolatility,
        column: String::new(),
        values: history.close.iter().map(|close| 0.002 * close).collect(),
    });
    vec![
        implied(&quoted, |mean, time| {
            heston.variance().now_given_mean(mean, time)
        })
        .unwrap(),
        realised(&returns, 21, DT, 0.04),
        exponential(&returns, 0.94, DT, 0.04),
        garman_klass(history, 21, DT, 0.04).unwrap(),
        HestonFilter::new(heston, 0.05, DT).filter(&returns),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// Shuffling and scaling the days after close k changes no estimate up to close k, and does change later ones.
    #[test]
    fn the_future_does_not_change_the_past(k in 0usize..58, seed in 0u64..1000, scale in 0.7f64..1.3) {
        let bars = bars(60, 20, 5);
        let mut changed = bars.clone();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        for i in (k + 1..60).rev() {
            let draw: f64 = StandardNormal.sample(&mut random);
            let j = k + 1 + (draw.abs() * 1e6) as usize % (i - k);
            changed.swap(i, j);
        }
        changed[k + 1..].iter_mut().flatten().for_each(|price| *price *= scale);
        let (before, after) = (every_estimate(&history(&bars)), every_estimate(&history(&changed)));
        for (before, after) in before.iter().zip(&after) {
            prop_assert_eq!(before.len(), 60);
            prop_assert_eq!(&before[..=k], &after[..=k]);
            prop_assert!((scale - 1.0).abs() < 1e-3 || before[k + 1..] != after[k + 1..]);
        }
    }
}

/// Open, high and low are read from the shipped file; a file without them has no ranges.
#[test]
fn ranges_need_open_high_and_low() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("market_data/sp500_daily.csv");
    let full = History::load_files(
        std::slice::from_ref(&path),
        &Quantity::ALL,
        &Reading::default(),
    )
    .unwrap();
    let ranges = garman_klass(&full, full.len(), DT, 0.0).unwrap();
    let volatility = ranges.last().unwrap().sqrt();
    assert!((0.12..0.22).contains(&volatility), "{volatility}");
    assert!(garman_klass(&History::load(&path).unwrap(), 21, DT, 0.0).is_none());
}

/// From the variance found, Heston's model expects the implied one over 30 days; where variance is constant it is the square; a column
/// of variance stands for itself; and very small implied volatilities end on the floor.
#[test]
fn implied_variance_is_what_the_model_expects() {
    let heston = HestonParameters::new(0.04, 4.0, 0.03, 0.5, -0.7).unwrap();
    let model = |mean, time| heston.variance().now_given_mean(mean, time);
    let mut history = history(&bars(3, 10, 0));
    assert!(implied(&history, model).is_none());
    let column = |quantity, values: [f64; 3]| Series {
        quantity,
        column: String::new(),
        values: values.to_vec(),
    };
    let volatilities = [0.15, 0.4, 0.01];
    history
        .series
        .push(column(Quantity::ImpliedVolatility, volatilities));
    let found = implied(&history, model).unwrap();
    for (v0, volatility) in found.iter().zip(volatilities).take(2) {
        let expected = HestonParameters { v0: *v0, ..heston }.mean_variance(30.0 / 365.0);
        assert!((expected - volatility * volatility).abs() < 1e-14);
    }
    assert_eq!(found[2], 0.01 * heston.theta);
    assert_eq!(implied(&history, |mean, _| mean).unwrap()[1], 0.4 * 0.4);
    history
        .series
        .push(column(Quantity::Variance, [0.1, 0.2, 0.3]));
    assert_eq!(implied(&history, model).unwrap(), [0.1, 0.2, 0.3]);
}
