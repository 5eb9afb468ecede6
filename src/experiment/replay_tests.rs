use super::*;
use crate::experiment::fixture::compared;
use crate::experiment::{GivenAsset, GivenPaths, LoadedPolicy, RunPolicies};
use crate::runs::fixture::Scratch;

fn run(test: &str, market: &str) -> (Scratch, RunFolder, Metrics) {
    let text = format!(
        "name = \"replay\"\nseed = 3\n{market}\n[contract]\nexpiry_days = 30\nsteps = 6\n\
         [costs]\nproportional = 0.01\n[policy]\nhidden = 4\n\
         [training]\nsteps = 3\npaths = 64\nvalidation_paths = 0\n\
         [evaluation]\npaths = 100\nrisk_aversion = 1.0\n[optimizers.adam]\n[optimizers.kfac]\n"
    );
    let root = Scratch::new(test);
    let (_, folder) = compared(root.path(), &text, &[3, 4]);
    let metrics = folder.metrics().unwrap();
    (root, folder, metrics)
}

const GBM: &str = "[market]\nmodel = \"gbm\"\nvolatility = 0.2\nrate = 0.03\ndividend = 0.01";
const HESTON: &str = "[market]\nmodel = \"heston\"\nv0 = 0.05\nkappa = 2.0\ntheta = 0.04\nsigma = 0.4\nrho = -0.6\nrate = 0.03";

/// The P&L and the costs at the end of a path are those that the run wrote of it, for every strategy and seed, and the
/// positions of the first path those of the example.
#[test]
fn a_path_ends_with_the_numbers_of_the_run() {
    for (test, market) in [("replay-gbm", GBM), ("replay-heston", HESTON)] {
        let (_root, folder, metrics) = run(test, market);
        let table = folder.evaluation().unwrap().unwrap();
        let replay = Replay::open(&folder, &metrics).unwrap();
        for index in [0, 31, 32, 99] {
            let path = replay.path(index).unwrap();
            assert_eq!(path.strategies.len(), table.books.len());
            for (hedged, book) in path.strategies.iter().zip(&table.books) {
                assert_eq!((&hedged.strategy, hedged.seed), (&book.strategy, book.seed));
                let (pnl, cost) = (hedged.pnl[6], hedged.cost[6]);
                assert!(
                    (pnl - book.pnl[index]).abs() < 1e-9,
                    "{}: {pnl}",
                    book.strategy
                );
                assert!(
                    (cost - book.cost[index]).abs() < 1e-9,
                    "{}: {cost}",
                    book.strategy
                );
                let traded: f64 = hedged.trades[0].1.iter().sum();
                assert!(
                    traded.abs() < 1e-12,
                    "what was bought is sold at expiry: {traded}"
                );
            }
        }
        let example = folder.example_path().unwrap().unwrap();
        let first = replay.path(0).unwrap();
        assert_eq!(example.spot, first.spot);
        for (strategy, held) in &example.positions {
            let hedged = first
                .strategies
                .iter()
                .find(|h| h.strategy == *strategy)
                .unwrap();
            assert_eq!(held[..], hedged.positions[0].1[..6], "{strategy}");
        }
        let error = replay.path(100).unwrap_err().to_string();
        assert_eq!(
            error,
            "`path` = 100: must be below 100, the number of test paths"
        );
    }
}

/// Before anything is traded, P&L is the premium less the model's price, less the cost of the first trade: for the
/// naked seller of a contract at the model's price, nothing.
#[test]
fn a_path_begins_at_the_premium_less_the_price() {
    let (_root, folder, metrics) = run("replay-start", HESTON);
    let path = Replay::open(&folder, &metrics).unwrap().path(5).unwrap();
    for hedged in &path.strategies {
        let expected = -hedged.cost[0];
        assert!(
            (hedged.pnl[0] - expected).abs() < 1e-5,
            "{}: {}",
            hedged.strategy,
            hedged.pnl[0]
        );
    }
    let naked = path
        .strategies
        .iter()
        .find(|h| h.strategy == "naked")
        .unwrap();
    assert_eq!(naked.cost[6], 0.0);
}

/// Under GBM the map of the Black–Scholes hedge is e^{−qτ} N(d₁), d₁ = (ln S/K + (r − q + σ²/2)τ)/(σ√τ), at every point,
/// and differs from itself by nothing.
#[test]
fn the_map_of_black_scholes_is_its_delta() {
    let (_root, folder, metrics) = run("replay-map", GBM);
    let replay = Replay::open(&folder, &metrics).unwrap();
    let map = replay.hedge_map("black_scholes").unwrap();
    assert_eq!((map.spot.len(), map.time_left.len()), (SPOTS, 6));
    for (row, &left) in map.time_left.iter().enumerate() {
        for (column, &spot) in map.spot.iter().enumerate() {
            let (sigma, rate, dividend) = (0.2, 0.03, 0.01);
            let d1 = ((spot / 100.0_f64).ln() + (rate - dividend + 0.5 * sigma * sigma) * left)
                / (sigma * left.sqrt());
            let delta = (-dividend * left).exp() * 0.5 * libm::erfc(-d1 / std::f64::consts::SQRT_2);
            let found = map.hedge_ratio[row][column];
            assert!(
                (found - delta).abs() < 1e-12,
                "{spot} {left}: {found} {delta}"
            );
            assert_eq!(map.difference[row][column], 0.0);
        }
    }
    assert!((map.spot[SPOTS / 2] - 100.0).abs() < 1e-12);
}

/// A map of two seeds is the mean of the two policies, and the first row, with no way behind it, what a policy holds at
/// the sale of the contract.
#[test]
fn a_map_begins_with_the_position_at_the_sale() {
    let (_root, folder, metrics) = run("replay-seeds", HESTON);
    let replay = Replay::open(&folder, &metrics).unwrap();
    let map = replay.hedge_map("kfac").unwrap();
    let path = replay.path(0).unwrap();
    let seeds: Vec<_> = path
        .strategies
        .iter()
        .filter(|h| h.strategy == "kfac")
        .collect();
    assert_eq!(seeds.len(), 2);
    let expected = seeds.iter().map(|h| h.positions[0].1[0]).sum::<f64>() / 2.0;
    let found = map.hedge_ratio[0][SPOTS / 2];
    assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    for (row, ratios) in map.hedge_ratio.iter().enumerate() {
        for (column, ratio) in ratios.iter().enumerate() {
            let apart = ratio - map.black_scholes[row][column];
            assert_eq!(map.difference[row][column], apart);
        }
    }
    let error = replay.hedge_map("leland").unwrap_err().to_string();
    assert!(
        error.starts_with("`strategy` = \"leland\": must be one of adam, kfac, naked"),
        "{error}"
    );
}

/// A policy that is given the spots and variances of a test path holds the positions of the replay, to the bit, at once and date by date;
/// without a variance that moves, or with a spot that is none, it refuses the path by name.
#[test]
fn a_given_path_is_hedged_as_the_runs_own() {
    let (_root, folder, metrics) = run("replay-given", HESTON);
    let path = Replay::open(&folder, &metrics).unwrap().path(37).unwrap();
    let all = RunPolicies::of_run(&folder).unwrap();
    let policy = LoadedPolicy::new(all, (Some("adam"), Some(4)), str::to_owned).unwrap();
    let given = |spot, variance| GivenPaths {
        paths: 1,
        dates: 7,
        assets: vec![GivenAsset { spot, variance }],
        surface: None,
    };
    let right = given(&path.spot, Some(&path.variance));
    let mut held = [0.0; 6];
    let mut hedge = |given: &GivenPaths<'_>| policy.positions(given, &mut held, &mut || Ok(()));
    assert_eq!(hedge(&right).unwrap(), []);
    let mut wrong = path.spot.clone();
    wrong[3] = f64::NAN;
    for (given, words) in [
        (given(&path.spot, None), "`variance` is missing"),
        (given(&wrong, Some(&path.variance)), "on path 0, date 3"),
    ] {
        let error = hedge(&given).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
    let of = |one: &&Hedged| one.strategy == "adam" && one.seed == Some(4);
    let expected = path.strategies.iter().find(of).unwrap();
    assert_eq!(held[..], expected.positions[0].1[..6]);
    let mut session = policy.session(1).unwrap();
    for (date, held) in held.iter().enumerate() {
        session.see(&right.seen(policy.plan(), date)).unwrap();
        assert_eq!(session.positions(0, 0), [*held]);
    }
}
