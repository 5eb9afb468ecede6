//! Where the parts of a computation meet: sums in a fixed order, results in the order of their pieces, and one number that
//! all agree on. Today the parts are threads of one process.
//!
//! Pieces are numbered from 0, blocks of paths for the most part. Which thread works on which piece is left to chance, and
//! nothing that is returned depends on it.

use rayon::prelude::*;
use std::ops::Range;

/// The result of `work` for every one of `pieces` pieces, in their order.
pub fn in_order<T: Send>(pieces: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    (0..pieces).into_par_iter().map(&work).collect()
}

/// Several sums over pieces, of as many numbers each as `sizes` says.
///
/// `add` adds what a run of consecutive pieces gives; runs are of `chunk` pieces, and what they give is added in their order, so
/// that sums have the same bits for any number of threads.
///
/// # Panics
/// If `chunk` is 0.
pub fn sums(
    pieces: usize,
    chunk: usize,
    sizes: &[usize],
    add: impl Fn(Range<usize>, &mut [Vec<f64>]) + Sync,
) -> Vec<Vec<f64>> {
    let zeros = || -> Vec<Vec<f64>> { sizes.iter().map(|&size| vec![0.0; size]).collect() };
    let parts = in_order(pieces.div_ceil(chunk), |run| {
        let mut part = zeros();
        add(run * chunk..pieces.min((run + 1) * chunk), &mut part);
        part
    });
    let mut sums = zeros();
    for part in parts {
        for (sum, part) in sums.iter_mut().flatten().zip(part.into_iter().flatten()) {
            *sum += part;
        }
    }
    sums
}

/// The number by which all go on, where every process has one of its `own` that chance has a part in, such as the time that it
/// has spent: what is decided by it is then decided alike everywhere. One process goes by its own.
pub fn agree(own: f64) -> f64 {
    own
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sums of numbers that rounding does not forgive are added run by run: they are those of a loop, to the last bit, in pools of
    /// one thread and of several.
    #[test]
    fn sums_have_the_bits_of_a_loop() {
        let number = |piece: usize, i: usize| 10f64.powi((piece * 7 + i) as i32 % 17) / 3.0;
        let (pieces, chunk, sizes) = (23, 4, [3, 1]);
        let expected: Vec<Vec<f64>> = (0..2)
            .map(|sum| {
                let of = |i: usize| {
                    (0..pieces).step_by(chunk).fold(0.0, |total, first| {
                        let run = first..pieces.min(first + chunk);
                        total + run.fold(0.0, |part, piece| part + number(piece, sum + i))
                    })
                };
                (0..sizes[sum]).map(of).collect()
            })
            .collect();
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let found = pool.build().unwrap().install(|| {
                sums(pieces, chunk, &sizes, |run, part| {
                    for piece in run {
                        for (sum, numbers) in part.iter_mut().enumerate() {
                            for (i, total) in numbers.iter_mut().enumerate() {
                                *total += number(piece, sum + i);
                            }
                        }
                    }
                })
            });
            assert_eq!(found, expected, "{threads} threads");
        }
    }

    #[test]
    fn results_come_in_the_order_of_their_pieces() {
        assert_eq!(in_order(5, |piece| piece * piece), [0, 1, 4, 9, 16]);
        assert!(in_order(0, |piece| piece).is_empty());
        assert_eq!(
            sums(0, 4, &[2], |_, _| unreachable!("there is no piece")),
            [[0.0; 2]]
        );
    }
}
