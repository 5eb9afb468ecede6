use super::*;
use faer::Mat;
use std::panic::catch_unwind;

/// A number that rounding does not forgive.
fn number(piece: usize, i: usize) -> f64 {
    10f64.powi((piece * 7 + i) as i32 % 17) / 3.0
}

/// Adds the numbers of a run of pieces to two sums.
fn add(run: Range<usize>, sums: &mut [Vec<f64>]) {
    for piece in run {
        for (sum, numbers) in sums.iter_mut().enumerate() {
            for (i, total) in numbers.iter_mut().enumerate() {
                *total += number(piece, sum + i);
            }
        }
    }
}

/// The sums of [`add`] over all pieces as a loop adds them, run by run.
fn looped(pieces: usize, chunk: usize, sizes: &[usize]) -> Vec<Vec<f64>> {
    let of = |first: usize| {
        (0..pieces).step_by(chunk).fold(0.0, |total, begin| {
            let run = begin..pieces.min(begin + chunk);
            total + run.fold(0.0, |part, piece| part + number(piece, first))
        })
    };
    let sum = |(sum, &size): (usize, &usize)| (0..size).map(|i| of(sum + i)).collect();
    sizes.iter().enumerate().map(sum).collect()
}

/// Sums over runs that are added in their order are those of a loop, to the last bit: in pools of one thread and of several, on one
/// rank and on several, for pieces that are no multiple of anything, and for fewer runs than ranks. Short sums are gathered,
/// long ones pass through the ranks.
#[test]
fn sums_have_the_bits_of_a_loop() {
    for (pieces, chunk, sizes) in [
        (23, 4, [3, 1]),
        (7, 4, [2, 0]),
        (42, 5, [9, 4_000]),
        (0, 4, [2, 9]),
    ] {
        let expected = looped(pieces, chunk, &sizes);
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let pool = pool.build().unwrap();
            let found = pool.install(|| Ranks::alone().sums(pieces, chunk, &sizes, add));
            assert_eq!(found, expected, "{threads} threads");
        }
        for size in [1, 2, 3, 5] {
            for found in threads::run(size, |ranks| ranks.sums(pieces, chunk, &sizes, add)) {
                assert_eq!(found, expected, "{size} ranks");
            }
        }
    }
}

#[test]
fn results_come_in_the_order_of_their_pieces() {
    assert_eq!(in_order(5, |piece| piece * piece), [0, 1, 4, 9, 16]);
    assert!(in_order(0, |piece| piece).is_empty());
    for size in [1, 2, 3, 5] {
        let found = threads::run(size, |ranks| {
            let own = ranks.own(23, 4).map(|piece| number(piece, 0));
            ranks.in_order(own.collect())
        });
        let expected: Vec<f64> = (0..23).map(|piece| number(piece, 0)).collect();
        assert!(found.iter().all(|found| found == &expected), "{size} ranks");
    }
}

/// Shares of runs follow each other without gaps from the first run to the last, and differ by one run at most.
#[test]
fn shares_are_whole_runs_of_nearly_equal_number() {
    for (size, pieces) in [(1, 9), (2, 23), (3, 23), (5, 7), (5, 0)] {
        let shares = threads::run(size, |ranks| (ranks.share(pieces), ranks.own(pieces, 4)));
        let mut end = 0;
        for (runs, own) in &shares {
            assert_eq!(runs.start, end);
            assert!(own.start.is_multiple_of(4) || own.is_empty());
            end = runs.end;
        }
        assert_eq!(end, pieces);
        let lengths = shares.iter().map(|(runs, _)| runs.len());
        assert!(lengths.clone().max().unwrap() - lengths.min().unwrap() <= 1);
        assert_eq!(
            shares.iter().map(|(_, own)| own.len()).sum::<usize>(),
            pieces
        );
    }
}

/// Messages of one sender arrive in the order in which they were sent, also those that a rank sends to itself.
#[test]
fn messages_of_one_sender_arrive_in_order() {
    let received = threads::run(3, |ranks| {
        for number in 0..50u8 {
            ranks.send(number as usize % 3, &[number]);
        }
        let from = |_| {
            (0..50u8)
                .filter(|&number| number as usize % 3 == ranks.rank())
                .count()
        };
        let expected: usize = (0..3).map(from).sum();
        let mut of_sender = vec![Vec::new(); 3];
        for _ in 0..expected {
            let (sender, message) = ranks.wait();
            of_sender[sender].push(message[0] as usize);
        }
        assert!(ranks.receive().is_none());
        of_sender
    });
    for (rank, of_sender) in received.into_iter().enumerate() {
        let expected: Vec<usize> = (0..50).filter(|number| number % 3 == rank).collect();
        assert!(of_sender.iter().all(|found| found == &expected));
    }
}

/// Groups that are split off have their own order, their own collectives, and the statistics of the ranks that they come from.
#[test]
fn a_split_makes_groups_by_colour() {
    let found = threads::run(5, |ranks| {
        let group = ranks.split(ranks.rank() % 2);
        let again = group.split(0);
        assert_eq!((again.rank(), again.size()), (group.rank(), group.size()));
        assert_eq!(ranks.statistics().calls, 2);
        assert_ne!(group, ranks);
        (group.in_order(vec![ranks.rank()]), group.rank())
    });
    let expected = |members: &[usize], rank| (members.to_vec(), rank);
    assert_eq!(found[3], expected(&[1, 3], 1));
    assert_eq!(found[4], expected(&[0, 2, 4], 2));
}

#[test]
fn all_agree_on_the_number_of_the_first_and_on_whether_any_says_so() {
    let found = threads::run(3, |ranks| {
        let rank = ranks.rank();
        let text = ranks.broadcast(1, rank.to_string());
        (
            ranks.agree(rank as f64 + 0.5),
            ranks.any(rank == 2),
            ranks.any(false),
            text,
        )
    });
    assert!(
        found
            .iter()
            .all(|found| found == &(0.5, true, false, "1".to_owned()))
    );
}

/// A rank that panics does not leave the others waiting, neither in its group nor in a group that it is no member of, and the
/// panic is its own.
#[test]
fn a_panic_ends_all_ranks() {
    let panic = catch_unwind(|| {
        threads::run(3, |ranks| {
            let group = ranks.split(ranks.rank() / 2);
            assert_ne!(ranks.rank(), 2, "the third rank fails");
            group.in_order(vec![ranks.rank()]);
            ranks.in_order(vec![ranks.rank()]);
        })
    });
    let panic = *panic.unwrap_err().downcast::<String>().unwrap();
    assert!(panic.contains("the third rank fails"), "{panic}");
}

#[test]
fn what_travels_comes_back_to_the_same_bits() {
    let value = (
        vec![Some([1.5f32, -0.0]), None],
        vec![vec![f64::MIN_POSITIVE, f64::NEG_INFINITY], vec![]],
        ("Größe".to_owned(), true, 7usize),
        Mat::from_fn(2, 3, number),
    );
    let bytes = value.to_bytes();
    let again = <(
        Vec<Option<[f32; 2]>>,
        Vec<Vec<f64>>,
        (String, bool, usize),
        Mat<f64>,
    )>::from_bytes(&bytes);
    assert_eq!(again, value);
    assert_eq!(again.to_bytes(), bytes);
}

/// 5 ranks gather one number of 8 bytes and its count from each of the others.
#[test]
fn calls_and_bytes_are_counted() {
    let found = threads::run(5, |ranks| {
        ranks.in_order(vec![0.0]);
        let before = ranks.statistics();
        ranks.agree(0.0);
        (before, ranks.statistics() - before)
    });
    for (rank, (gathered, agreed)) in found.iter().enumerate() {
        assert_eq!((gathered.calls, gathered.bytes), (1, 4 * 16));
        let received = if rank == 0 { 0 } else { 8 };
        assert_eq!((agreed.calls, agreed.bytes), (1, received));
    }
    let alone = Ranks::alone();
    alone.in_order(vec![alone.agree(1.0)]);
    assert_eq!(alone.statistics(), Statistics::default());
}
