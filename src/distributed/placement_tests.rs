use super::{Ranks, Workers, threads};
use crate::error::{Error, Result};

const COSTS: [f64; 5] = [1.0, 8.0, 2.0, 8.0, 5.0];

/// What is made of a piece: longer for some than for others.
fn made(piece: usize) -> Vec<f64> {
    (0..=piece * 40).map(|i| (i as f64 + 0.1).sqrt()).collect()
}

fn sums(ranks: &Ranks, fraction: f64) -> (Vec<f64>, Vec<bool>) {
    let workers = Workers::new(ranks, fraction);
    let placed = workers.place(&COSTS, |piece| Ok(made(piece))).unwrap();
    let held = (0..placed.len()).map(|piece| placed.held(piece).is_some());
    let sums = placed.map(|piece, made| made.iter().sum::<f64>() * piece as f64);
    (sums, held.collect())
}

/// On every number of ranks and at every fraction all ranks have the results of all pieces, to the same bits, and a piece is
/// held by as many ranks as the fraction says: the largest divisor of their number that is not above it.
#[test]
fn results_are_the_same_at_every_fraction_and_held_by_as_many_as_it_says() {
    let (expected, _) = sums(&Ranks::alone(), 1.0);
    for (size, fraction, holders) in [
        (1, 1.0, 1),
        (2, 0.5, 1),
        (2, 1.0, 2),
        (3, 0.4, 1),
        (3, 0.9, 1),
        (4, 0.5, 2),
        (4, 0.25, 1),
        (6, 0.5, 3),
        (6, 0.4, 2),
        (6, 1.0, 6),
        (7, 0.01, 1),
    ] {
        let found = threads::run(size, |ranks| sums(&ranks, fraction));
        for (sums, _) in &found {
            assert_eq!(*sums, expected, "{size} ranks, {fraction}");
        }
        for piece in 0..COSTS.len() {
            let held = found.iter().filter(|(_, held)| held[piece]);
            assert_eq!(held.count(), holders, "{size} ranks, {fraction}");
        }
    }
}

/// The costliest first, each to the rank with least to do: of 8, 8, 5, 2, 1 on two ranks 8 + 5 and 8 + 2 + 1.
#[test]
fn the_costliest_are_placed_first() {
    let held = threads::run(2, |ranks| sums(&ranks, 0.5).1);
    assert_eq!(held[0], [false, true, false, false, true]);
    assert_eq!(held[1], [true, false, true, true, false]);
}

/// Where making a piece fails, all ranks say so, with the words of the first such piece, and none is left waiting.
#[test]
fn all_ranks_fail_alike() {
    for fraction in [0.25, 0.5, 1.0] {
        let found = threads::run(4, |ranks| {
            let make = |piece: usize| -> Result<f64> {
                match piece {
                    0 | 3 => Err(Error::Computation(format!("piece {piece} fails"))),
                    _ => Ok(1.0),
                }
            };
            let placed = Workers::new(&ranks, fraction).place(&COSTS, make);
            placed.map(|_| ()).unwrap_err().to_string()
        });
        assert!(
            found.iter().all(|found| found == "piece 0 fails"),
            "{found:?}"
        );
    }
}

/// At a fraction of 1 inverses travel once and their use is free, at 1/W the reverse: bytes that a rank receives.
#[test]
fn what_travels_depends_on_the_fraction() {
    let bytes = |fraction| {
        let found = threads::run(2, |ranks| {
            let workers = Workers::new(&ranks, fraction);
            let placed = workers.place(&COSTS, |piece| Ok(made(piece))).unwrap();
            let before = ranks.statistics();
            placed.map(|_, made| made[0]);
            (before.bytes, (ranks.statistics() - before).bytes)
        });
        found[0]
    };
    let ((few, use_all), (many, use_none)) = (bytes(0.5), bytes(1.0));
    assert!(many > few + 8 * 40 && use_all > 0 && use_none == 0);
}
