use std::ops::Range;

/// The ranks of every group, in their order: consecutive, all ranks in a group, no group with two ranks more than another.
///
/// `each` is the number of ranks that a piece of work asks for; there are then ⌊ranks/each⌋ groups, and at least one. Without it
/// there are as many groups as ranks. No group is without a piece, of `pieces` in all.
///
/// # Panics
/// If there are no ranks.
pub fn formation(ranks: usize, pieces: usize, each: Option<usize>) -> Vec<Range<usize>> {
    let most = ranks / each.unwrap_or(1).max(1);
    let groups = most.min(pieces).max(1);
    let bound = |group: usize| ranks * group / groups;
    (0..groups)
        .map(|group| bound(group)..bound(group + 1))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rank_is_in_one_group() {
        let one_group = |ranks: usize| Vec::from_iter(std::iter::once(0..ranks));
        assert_eq!(formation(1, 8, None), one_group(1));
        assert_eq!(formation(3, 8, None), [0..1, 1..2, 2..3]);
        assert_eq!(formation(5, 2, None), [0..2, 2..5]);
        assert_eq!(formation(5, 8, Some(2)), [0..2, 2..5]);
        assert_eq!(formation(2, 8, Some(7)), one_group(2));
        assert_eq!(formation(4, 0, None), one_group(4));
        for ranks in 1..40 {
            for pieces in 1..10 {
                for each in [None, Some(1), Some(3)] {
                    let groups = formation(ranks, pieces, each);
                    let sizes = groups.iter().map(|group| group.len());
                    let (least, most) = (sizes.clone().min(), sizes.clone().max());
                    assert!(most <= least.map(|least| least + 1));
                    assert_eq!(sizes.sum::<usize>(), ranks);
                    assert!(groups.len() <= pieces);
                }
            }
        }
    }
}
