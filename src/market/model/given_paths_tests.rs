use super::*;
use crate::market::path_table::PathColumns;
use crate::market::path_table::tests::{spots, table};
use crate::market::{Curve, Market, Model, Simulator};
use crate::random::{Purpose, Sampling};
use crate::simd::BLOCK;

const PATHS: usize = 640;
const DATES: usize = 4;
const PERIOD: f64 = 1.0 / 252.0;

fn of(paths: PathTable) -> Model {
    let unread = Model::named("given_paths", [("file", "paths.parquet".into())]).unwrap();
    unread.of_given(Some(paths), PERIOD).unwrap()
}

fn simulator(model: Model, rate: impl Into<Curve>, purpose: Purpose) -> Simulator {
    let market = Market {
        model,
        spot: 100.0,
        rate: rate.into(),
        dividend: 0.0.into(),
    };
    Simulator {
        assets: market.into(),
        steps: DATES - 1,
        dt: PERIOD,
        seed: 3,
        purpose,
        sampling: Sampling::Pseudorandom,
        family: None,
    }
}

/// Test paths are the last ones of the table to the last bit, whatever rates are, and each pays what it says; every training path is one of the
/// first ones, another seed draws others, and the same one the same.
#[test]
fn paths_are_the_given_ones() {
    let given = spots(PATHS, DATES);
    let curve = Curve::of_pillars("curve", &[vec![1.0, -0.3], vec![2.0, 0.4]]).unwrap();
    for rate in [Curve::default(), 0.05.into(), curve] {
        let model = of(table(PATHS, DATES));
        let tested = simulator(model.clone(), rate.clone(), Purpose::Evaluation);
        assert_eq!(tested.most_paths(), Some(PATHS / 5));
        assert_eq!(tested.substeps(), 1);
        let contract =
            crate::contract::Contract::given_payoff("given", 100.0, 3.0 * PERIOD, DATES - 1);
        let paths = tested.paths::<f64>(0, PATHS / 5);
        for path in 0..PATHS / 5 {
            let number = PATHS - PATHS / 5 + path;
            let (spot, variance) = paths.path(path);
            assert_eq!(spot, given[number * DATES..][..DATES]);
            let process = model.variance_process();
            assert!(process.is_constant() && variance.iter().all(|v| *v == process.now()));
            let paid = paths.clone().under(&contract);
            assert_eq!(
                paid.block(path / BLOCK).payments()[0][path % BLOCK],
                number as f64
            );
        }
        let training = simulator(model, rate, Purpose::Training);
        let drawn = training.paths::<f64>(4, 960);
        for path in 0..960 {
            let (spot, _) = drawn.path(path);
            let mut known = given.chunks_exact(DATES).take(PATHS * 7 / 10);
            assert!(known.any(|one| one == spot));
        }
        assert_eq!(drawn, training.paths(4, 960));
        let other = Simulator {
            seed: 4,
            ..training
        };
        assert_ne!(drawn, other.paths(4, 960));
    }
}

/// The variance is the mean square of log returns on the training paths over the period; one that is given is shown, and is expected to stay.
#[test]
fn the_variance_is_that_of_the_paths() {
    let model = of(table(PATHS, DATES));
    let given = spots(PATHS, DATES);
    let training = PATHS * 7 / 10;
    let paths = given.chunks_exact(DATES).take(training);
    let squares =
        paths.flat_map(|path| path.windows(2).map(|pair| (pair[1] / pair[0]).ln().powi(2)));
    let variance = squares.sum::<f64>() / (training * (DATES - 1)) as f64 / PERIOD;
    assert_eq!(
        model.variance_process(),
        VarianceProcess::Constant(variance)
    );
    assert!(!model.follows_variance());

    let shown: Vec<f64> = (0..PATHS * DATES).map(|i| 0.01 + 1e-5 * i as f64).collect();
    let columns = PathColumns {
        dates: DATES,
        spot: &given,
        variance: Some(&shown),
        payoff: None,
    };
    let table = PathTable::new(columns, (0.1, 0.2), String::new(), |_| "").unwrap();
    let model = of(table);
    let now = shown.iter().step_by(DATES).take(training).sum::<f64>() / training as f64;
    assert_eq!(model.variance_process().now(), now);
    assert_eq!(model.mean_variance(0.07, 0.5), 0.07);
    assert_eq!(model.seen_at(0.09).variance_process().now(), 0.09);
    let simulator = simulator(model, 0.0, Purpose::Validation);
    let (_, variance) = simulator.paths::<f64>(0, PATHS / 10).path(1);
    assert_eq!(variance, shown[(training + 1) * DATES..][..DATES]);
}

/// A call costs the discounted mean of what it pays on the training paths, and that is the price of the same payoff as a contract that is none of calls
/// and puts; the standard error is that of independent payoffs.
#[test]
fn prices_are_means_over_the_training_paths() {
    let (rate, expiry) = (0.3, 3.0 * PERIOD);
    let model = of(table(PATHS, DATES));
    let simulator = simulator(model, rate, Purpose::Evaluation);
    let given = spots(PATHS, DATES);
    let ends = given.chunks_exact(DATES).map(|path| path[DATES - 1]);
    let training = PATHS * 7 / 10;
    let payoffs: Vec<f64> = ends
        .take(training)
        .map(|end| (end - 99.5).max(0.0))
        .collect();
    let n = training as f64;
    let mean = payoffs.iter().sum::<f64>() / n;
    let variance = payoffs
        .iter()
        .map(|paid| (paid - mean).powi(2))
        .sum::<f64>()
        / (n - 1.0);
    let discount = (-rate * expiry).exp();
    let names = ["spot".to_owned()];
    let written =
        crate::contract::expression::Sheet::payoff("payoff", "max(S - 99.5, 0)", []).unwrap();
    let position = crate::contract::Position {
        quantity: 1.0,
        sheet: written,
        expiry,
    };
    let call = crate::contract::Contract::option(OptionKind::Call, 99.5, expiry, DATES - 1);
    let sheet = crate::contract::Contract::of_sheets(
        "written",
        vec![position],
        &names,
        252.0,
        99.5,
        (expiry, DATES - 1),
    );
    for contract in [call, sheet.unwrap()] {
        let price =
            crate::market::valuation::model_price(&simulator.assets, &contract, &mut || Ok(()))
                .unwrap();
        assert_eq!(price.method, PriceMethod::GivenPaths);
        assert!((price.value - discount * mean).abs() < 1e-12, "{price:?}");
        let error = discount * (variance / n).sqrt();
        assert!(
            (price.standard_error - error).abs() < 1e-12,
            "{price:?} {error}"
        );
    }
}
