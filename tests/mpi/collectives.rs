use crate::Test;
use crate::launch::{NETWORKS, Part, assert_done, play};
use deephedge::distributed::{Ranks, Workers, threads};
use std::ops::Range;

pub const TESTS: &[Test] = &[
    ("collectives_have_the_bits_of_one_process", collectives),
    ("messages_arrive_whole_and_in_order", messages),
];

pub const PARTS: &[Part] = &[
    ("collectives", play_collectives),
    ("messages", play_messages),
];

/// More bytes than one call of MPI carries.
const LONG: usize = (1 << 26) + 5;

fn collectives() {
    for network in NETWORKS {
        for ranks in 1..=3 {
            let output = play("collectives", ranks, network);
            assert_done(&output, &format!("{ranks} ranks, {network:?}"));
        }
    }
}

fn messages() {
    for network in NETWORKS {
        for ranks in 1..=3 {
            assert_done(
                &play("messages", ranks, network),
                &format!("{ranks} ranks, {network:?}"),
            );
        }
    }
}

/// A number that rounding does not forgive.
fn number(piece: usize, i: usize) -> f64 {
    10f64.powi((piece * 7 + i) as i32 % 17) / 3.0
}

/// All that ranks can ask of each other as collectives, as bytes. Sums are short, so that all runs are gathered, or long, so that
/// they pass through the ranks in several segments.
fn all_collectives(ranks: &Ranks) -> Vec<u64> {
    let mut found = Vec::new();
    for (pieces, chunk, sizes) in [
        (23, 4, [3, 1]),
        (7, 4, [2, 0]),
        (11, 2, [9, 80_000]),
        (0, 4, [2, 9]),
    ] {
        let sums = ranks.sums(pieces, chunk, &sizes, |run: Range<usize>, sums| {
            for piece in run {
                for (sum, numbers) in sums.iter_mut().enumerate() {
                    for (i, total) in numbers.iter_mut().enumerate() {
                        *total += number(piece, sum + i);
                    }
                }
            }
        });
        found.extend(sums.iter().flatten().map(|number| number.to_bits()));
    }
    for pieces in [0, 1, 6, 23, 5_000] {
        let own = ranks.own(pieces, 4).map(|piece| number(piece, 0));
        let all = ranks.in_order(own.collect::<Vec<f64>>());
        found.extend(all.iter().map(|number| number.to_bits()));
    }
    for length in [0, 55, 56, 57, 10_000] {
        for root in [0, ranks.size() - 1] {
            // Every root has the same to say, so that the number of ranks does not show.
            let value = if ranks.rank() == root {
                vec![7u8; length]
            } else {
                Vec::new()
            };
            found.extend(ranks.broadcast(root, value).into_iter().map(u64::from));
        }
    }
    for fraction in [1.0, 0.5, 0.1] {
        let workers = Workers::new(ranks, fraction);
        let made = |piece: usize| (0..piece * 200).map(|i| number(piece, i)).collect();
        let placed = workers.place(&[1.0, 3.0, 2.0, 3.0], |piece| {
            Ok::<Vec<f64>, _>(made(piece))
        });
        let sums = placed.unwrap().map(|_, made| made.iter().sum::<f64>());
        found.extend(sums.iter().map(|sum| sum.to_bits()));
    }
    found.push(ranks.agree(0.5 + ranks.rank() as f64).to_bits());
    found.push(u64::from(ranks.any(ranks.rank() + 1 == ranks.size())));
    found.push(u64::from(ranks.any(false)));
    found
}

fn play_collectives(ranks: &Ranks) -> u8 {
    let size: usize = std::env::var("OMPI_COMM_WORLD_SIZE")
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(ranks.size(), size);
    let found = all_collectives(ranks);
    assert!(
        found == all_collectives(&Ranks::alone()),
        "other bits than alone"
    );
    let threads = threads::run(size, |ranks| all_collectives(&ranks));
    assert!(
        threads.iter().all(|threads| threads == &found),
        "other bits than threads"
    );

    // Groups have their own ranks in the order that they had.
    let group = ranks.split(ranks.rank() % 2);
    let members: Vec<usize> = (0..size)
        .filter(|rank| rank % 2 == ranks.rank() % 2)
        .collect();
    assert_eq!(group.in_order(vec![ranks.rank()]), members);
    assert!(all_collectives(&group) == found, "other bits in a group");

    // What is longer than one call of MPI carries travels in parts.
    let length = |rank: usize| if rank == 0 { LONG } else { rank * 10 };
    let all = ranks.gather(&vec![ranks.rank() as u8 + 1; length(ranks.rank())]);
    for (rank, all) in all.iter().enumerate() {
        assert_eq!(all.len(), length(rank));
        assert!(all.iter().all(|&byte| byte == rank as u8 + 1));
    }
    let last = size - 1;
    let value = if ranks.rank() == last {
        vec![9u8; LONG]
    } else {
        Vec::new()
    };
    let value = ranks.broadcast(last, value);
    assert!(value.len() == LONG && value.iter().all(|&byte| byte == 9));
    0
}

/// Every rank sends long and short messages to all before any is received, which nobody waits for.
fn play_messages(ranks: &Ranks) -> u8 {
    let lengths = |sender: usize| [1, 300_000, 0, if sender == 0 { LONG } else { 70 }, 12];
    for length in lengths(ranks.rank()) {
        for to in 0..ranks.size() {
            ranks.send(to, &vec![length as u8; length]);
        }
    }
    ranks.any(false);
    let mut received = vec![Vec::new(); ranks.size()];
    for _ in 0..5 * ranks.size() {
        let (sender, message) = ranks.wait();
        assert!(message.iter().all(|&byte| byte == message.len() as u8));
        received[sender].push(message.len());
    }
    assert!(ranks.receive().is_none());
    for (sender, received) in received.into_iter().enumerate() {
        assert_eq!(received, lengths(sender), "from {sender}");
    }
    0
}
