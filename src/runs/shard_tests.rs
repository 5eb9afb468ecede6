use super::*;
use crate::random::{Purpose, sequential};
use rand::RngExt;

fn pieces(works: &[(f64, &'static str)]) -> Vec<Piece<'static>> {
    let pieces = works.iter().map(|&(work, kind)| Piece { work, kind });
    pieces.collect()
}

/// The places of the pieces that every shard has.
fn shares(pieces: &[Piece<'static>], of: usize) -> Vec<Vec<usize>> {
    let owners = owners(pieces, of).unwrap();
    let share = |number: usize| -> Vec<usize> {
        let places = (0..pieces.len()).filter(|&place| owners[place] == number);
        places.collect()
    };
    (1..=of).map(share).collect()
}

/// For every number of shards, every piece has one shard, and every shard has a piece. Without its
/// shortest piece, which came last, a shard has no more work than any other: so none has more than another by more than a
/// piece.
#[test]
fn shares_are_a_balanced_partition() {
    let mut generator = sequential(7, Purpose::Tuning);
    let works: Vec<(f64, &str)> = (0..37)
        .map(|index| {
            let work = f64::from(generator.random_range(1..500u32));
            (work, ["adam", "kfac", "muon"][index % 3])
        })
        .collect();
    let pieces = pieces(&works);
    for of in 1..=works.len() {
        let shares = shares(&pieces, of);
        let mut all: Vec<usize> = shares.concat();
        all.sort_unstable();
        assert_eq!(all, (0..works.len()).collect::<Vec<_>>(), "{of}");
        let work = |share: &Vec<usize>| share.iter().map(|&index| works[index].0).sum::<f64>();
        let least = shares.iter().map(work).fold(f64::INFINITY, f64::min);
        for share in &shares {
            assert!(!share.is_empty(), "{of}");
            let shortest = share.iter().map(|&index| works[index].0);
            let shortest = shortest.fold(f64::INFINITY, f64::min);
            assert!(work(share) - shortest <= least, "{of}: {share:?}");
        }
    }
}

/// Trainings of equal length are spread to within one, and so are those of every optimizer: with two optimizers and as many
/// seeds as shards, each shard has one of each, whichever comes first in the order of turn.
#[test]
fn alike_pieces_are_spread_evenly() {
    for of in 1..=8 {
        let works: Vec<(f64, &str)> = (0..2 * of)
            .map(|index| (100.0, ["adam", "kfac"][index % 2]))
            .collect();
        for share in shares(&pieces(&works), of) {
            let mut kinds: Vec<&str> = share.iter().map(|&index| works[index].1).collect();
            kinds.sort_unstable();
            assert_eq!(kinds, ["adam", "kfac"], "{of}");
        }
    }
    let works: Vec<(f64, &str)> = vec![(1.0, "adam"); 11];
    let mut sizes: Vec<usize> = shares(&pieces(&works), 4).iter().map(Vec::len).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [2, 3, 3, 3]);
}

/// More shards than pieces are refused; what is no K/N is no shard.
#[test]
fn shards_that_cannot_be_are_refused() {
    let error = owners(&pieces(&[(1.0, "adam"); 3]), 4).unwrap_err();
    let expected =
        "--shard K/N: N must be at most 3, the number of trainings that are independent, was 4";
    assert_eq!(error.to_string(), expected);
    assert_eq!("3/16".parse(), Ok(Shard { number: 3, of: 16 }));
    for text in [
        "0/4", "5/4", "3", "3/", "/4", "-1/4", "1/0", "a/b", "1/2/3", "",
    ] {
        assert!(text.parse::<Shard>().is_err(), "{text}");
    }
}

/// How far a shard is, in words.
#[test]
fn a_share_says_how_far_it_is() {
    let share = |trained| Share {
        shard: Shard { number: 3, of: 16 },
        trained,
        trainings: 5,
    };
    assert_eq!(share(2).to_string(), "shard 3 of 16, 2 of 5 trainings");
    assert_eq!(share(5).to_string(), "shard 3 of 16, trained");
}
