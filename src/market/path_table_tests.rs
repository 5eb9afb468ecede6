use super::*;
use crate::random::sequential;
use rand::RngExt;
use std::collections::BTreeSet;

/// Made-up paths of spots that begin at 100, to single precision, `[paths][dates]`.
pub fn spots(paths: usize, dates: usize) -> Vec<f64> {
    let mut random = sequential(5, Purpose::Export);
    let mut all = Vec::with_capacity(paths * dates);
    for _ in 0..paths {
        let mut spot = 100.0_f32;
        for _ in 0..dates {
            all.push(f64::from(spot));
            spot *= 1.0 + 0.02 * (random.random::<f32>() - 0.5);
        }
    }
    all
}

/// The table of those paths, which pay their numbers.
pub fn table(paths: usize, dates: usize) -> PathTable {
    let spot = spots(paths, dates);
    let payoff: Vec<f64> = (0..paths).map(|path| path as f64).collect();
    let columns = PathColumns {
        dates,
        spot: &spot,
        variance: None,
        payoff: Some(&payoff),
    };
    PathTable::new(columns, (0.1, 0.2), String::new(), |cell| {
        format!("{cell:?}")
    })
    .unwrap()
}

const PURPOSES: [Purpose; 14] = [
    Purpose::Training,
    Purpose::Validation,
    Purpose::Evaluation,
    Purpose::InitialWeights,
    Purpose::Pricing,
    Purpose::Export,
    Purpose::Tuning,
    Purpose::Bootstrap,
    Purpose::Unit,
    Purpose::Valuation,
    Purpose::Exercise,
    Purpose::Sales,
    Purpose::Regression,
    Purpose::Screening,
];

/// The shares have all paths and no path twice, whatever their sizes are; what is chosen lies in the share of its purpose; training
/// comes to every path of its share, and validation and tests take each of theirs once, in their order.
#[test]
fn no_test_path_is_trained_on() {
    for paths in [320, 321, 333, 1000] {
        let table = table(paths, 3);
        let shares = table.shares();
        assert_eq!(shares.training + shares.validation + shares.test, paths);
        assert_eq!((shares.validation, shares.test), (paths / 10, paths / 5));
        let [training, validation, test] =
            [Purpose::Training, Purpose::Validation, Purpose::Evaluation]
                .map(|purpose| table.share(purpose));
        assert_eq!((training.start, training.end), (0, validation.start));
        assert_eq!((validation.end, test.end), (test.start, paths));
        let chosen = |purpose: Purpose, blocks: usize| -> Vec<usize> {
            let mut random = sequential(paths as u64, purpose);
            let mut words = || std::array::from_fn(|_| random.random::<u32>());
            let blocks = 0..blocks as u64;
            blocks
                .flat_map(|block| table.chosen(purpose, block, &mut words))
                .collect()
        };
        for purpose in PURPOSES {
            let share = table.share(purpose);
            let all = chosen(purpose, 500);
            assert!(all.iter().all(|path| share.contains(path)), "{purpose:?}");
            let different: BTreeSet<usize> = all.into_iter().collect();
            assert_eq!(different.len(), share.len(), "{purpose:?}");
            let held_out = matches!(purpose, Purpose::Evaluation | Purpose::Pricing);
            assert!(held_out || purpose == Purpose::Export || share.end <= test.start);
        }
        for purpose in [Purpose::Validation, Purpose::Evaluation, Purpose::Pricing] {
            let share = table.share(purpose);
            let all = chosen(purpose, share.len().div_ceil(BLOCK));
            assert!(all.into_iter().take(share.len()).eq(share), "{purpose:?}");
        }
    }
}

/// Spots, variances and payoffs are written as they were given, and a variance that is not given as the one that is known.
#[test]
fn paths_are_written_as_they_are() {
    let (paths, dates) = (400, 4);
    let spot = spots(paths, dates);
    let variance: Vec<f64> = (0..paths * dates).map(|i| 0.01 + i as f64).collect();
    let payoff: Vec<f64> = (0..paths).map(|path| -(path as f64)).collect();
    for given in [None, Some(&variance[..])] {
        let columns = PathColumns {
            dates,
            spot: &spot,
            variance: given,
            payoff: Some(&payoff),
        };
        let table = PathTable::new(columns, (0.1, 0.2), String::new(), |_| "").unwrap();
        let chosen: [usize; BLOCK] = std::array::from_fn(|lane| (37 * lane + 5) % paths);
        let [mut spots, mut variances] = [vec![[0.0; BLOCK]; dates], vec![[0.0; BLOCK]; dates]];
        let mut payoffs = [[0.0; BLOCK]];
        table.write_spots(&chosen, &mut spots);
        table.write_variances(&chosen, 0.04, &mut variances);
        table.write_payoffs(&chosen, &mut payoffs);
        for (lane, path) in chosen.into_iter().enumerate() {
            for t in 0..dates {
                assert_eq!(spots[t][lane], spot[path * dates + t]);
                let known = given.map_or(0.04, |given| given[path * dates + t]);
                assert_eq!(variances[t][lane], known);
            }
            assert_eq!(payoffs[0][lane], payoff[path]);
        }
        let training = table.shares().training;
        let mean = (0..training)
            .map(|path| variance[path * dates])
            .sum::<f64>()
            / training as f64;
        assert_eq!(table.mean_variance(), given.map(|_| mean));
    }
}

/// One number that is wrong, wherever it is, is refused by its name, its value and its bound.
#[test]
fn every_wrong_number_is_refused() {
    let (paths, dates) = (400, 3);
    let (spot, variance) = (spots(paths, dates), vec![0.04; paths * dates]);
    let payoff = vec![1.0; paths];
    type Change<'a> = &'a dyn Fn(&mut Vec<f64>, &mut Vec<f64>, &mut Vec<f64>);
    let said = |change: Change<'_>| {
        let (mut spot, mut variance, mut payoff) = (spot.clone(), variance.clone(), payoff.clone());
        change(&mut spot, &mut variance, &mut payoff);
        let columns = PathColumns {
            dates,
            spot: &spot,
            variance: Some(&variance),
            payoff: Some(&payoff),
        };
        let table = PathTable::new(columns, (0.1, 0.2), String::new(), |cell| {
            format!("{cell:?}")
        });
        let error = table.unwrap_err();
        assert_eq!(error.exit_code(), 2);
        error.to_string()
    };
    let at = |path: usize, date: usize| path * dates + date;
    for value in [f64::NAN, f64::INFINITY, 0.0, -1.0, 1e-7, 2e9] {
        let said = said(&|spot, _, _| spot[at(7, 2)] = value);
        assert_eq!(
            said,
            format!("Spot(7, 2) must be finite and from 0.000001 to 1000000000, was {value}")
        );
    }
    let start = said(&|spot, _, _| spot[at(399, 0)] = 101.0);
    assert!(
        start.starts_with("Spot(399, 0) must be the spot at which all paths begin, 100 "),
        "{start}"
    );
    assert!(start.ends_with("was 101"), "{start}");
    for value in [f64::NAN, 0.0, -0.1, f64::INFINITY] {
        let said = said(&|_, variance, _| variance[at(0, 1)] = value);
        assert_eq!(
            said,
            format!("Variance(0, 1) must be finite and above 0, was {value}")
        );
    }
    for value in [f64::NAN, f64::NEG_INFINITY] {
        let said = said(&|_, _, payoff| payoff[399] = value);
        assert_eq!(said, format!("Payoff(399) must be finite, was {value}"));
    }
    let still = said(&|spot, _, _| spot.fill(100.0));
    assert_eq!(still, "spots must move on the training paths");
}

/// Shares of fewer than 32 paths are refused with the figures, and one date is no path.
#[test]
fn too_few_paths_are_refused() {
    for (paths, held_out, fits) in [
        (319, (0.1, 0.2), false),
        (320, (0.1, 0.2), true),
        (160, (0.2, 0.6), true),
        (1000, (0.5, 0.5), false),
        (1000, (0.7, 0.7), false),
        (0, (0.1, 0.2), false),
    ] {
        let shares = PathShares::new(paths, held_out);
        assert_eq!(shares.is_ok(), fits, "{paths} {held_out:?}");
    }
    let said = PathShares::new(200, (0.1, 0.2)).unwrap_err().to_string();
    assert_eq!(
        said,
        "200 paths leave 140 for training, 20 for validation and 40 for tests, and each must be 32 or more"
    );
    let columns = PathColumns {
        dates: 1,
        spot: &[100.0; 400],
        variance: None,
        payoff: None,
    };
    let said = columns.check(|_| "").unwrap_err().to_string();
    assert!(said.contains("2 dates or more"), "{said}");
}

/// The hash is another one for other numbers, for the same ones in another shape, and where a payoff is a variance.
#[cfg(feature = "data")]
#[test]
fn a_hash_knows_its_numbers() {
    let (spot, other) = (spots(8, 4), vec![1.0; 32]);
    let mut moved = spot.clone();
    moved[31] = f64::from_bits(moved[31].to_bits() + 1);
    let columns = |dates, spot, variance, payoff| PathColumns {
        dates,
        spot,
        variance,
        payoff,
    };
    let hashes: BTreeSet<String> = [
        columns(4, &spot[..], None, None),
        columns(2, &spot, None, None),
        columns(4, &moved, None, None),
        columns(4, &spot, Some(&other[..]), None),
        columns(4, &spot, None, Some(&other[..])),
    ]
    .iter()
    .map(PathColumns::digest)
    .collect();
    assert_eq!(hashes.len(), 5);
    assert!(hashes.iter().all(|hash| hash.len() == 64));
}
