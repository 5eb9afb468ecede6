//! Where the parts of a computation meet: sums in a fixed order, results in the order of their pieces, and what all agree on.
//!
//! Pieces are numbered from 0, blocks of paths for the most part. [`Ranks`] are the processes that share the pieces of one
//! computation; every one of them runs the same code, holds consecutive pieces, and ends with the same results. Within a
//! process threads share its pieces. What is returned depends neither on the number of ranks nor on that of threads, not by a
//! bit: pieces are cut in runs of a fixed length, the sum over a run is made in the order of its pieces, and sums over runs are
//! added in the order of runs.

mod portable;
mod ranks;
#[cfg(test)]
mod ranks_tests;
mod solo;
mod spread;
pub mod threads;

pub use portable::Portable;
pub use ranks::{Ranks, Statistics};
pub use spread::Spread;

use rayon::prelude::*;
use std::ops::Range;
use std::sync::Arc;

/// What carries bytes between the ranks of a group.
///
/// Every rank calls the collective functions (`gather`, `broadcast`, `relay` and `split`) in the same order, and one thread at a
/// time. A rank that cannot go on ends the whole job, so that no other waits for ever.
pub trait Communicator: Send + Sync {
    /// The number of this rank, from 0.
    fn rank(&self) -> usize;

    /// The number of ranks of the group.
    fn size(&self) -> usize;

    /// The `own` bytes of every rank, in the order of ranks; they may differ in length.
    fn gather(&self, own: &[u8]) -> Vec<Vec<u8>>;

    /// The bytes of rank `root`; those of the others are not looked at.
    fn broadcast(&self, root: usize, bytes: Vec<u8>) -> Vec<u8>;

    /// Lets `total` pass through the ranks in their order: rank 0 adds to what it has, each next rank adds to what the rank
    /// before it has left, and all get what the last rank leaves.
    ///
    /// `add` is called with ranges that cover `total` once, and the numbers of `total` in that range: long totals may travel
    /// in parts, so that several ranks add at a time.
    fn relay(&self, total: &mut [f64], add: &mut dyn FnMut(Range<usize>, &mut [f64])) {
        for root in 0..self.size() {
            let mut bytes = Vec::new();
            if root == self.rank() {
                add(0..total.len(), total);
                f64::write_all(total, &mut bytes);
            }
            let bytes = self.broadcast(root, bytes);
            f64::read_all(&mut bytes.as_slice(), total);
        }
    }

    /// Sends `bytes` to rank `to`, which may be this one, without waiting for it to receive them.
    fn send(&self, to: usize, bytes: &[u8]);

    /// A message that has arrived, and the rank that sent it; `None` where there is none yet.
    ///
    /// Messages of one sender come in the order in which they were sent.
    fn receive(&self) -> Option<(usize, Vec<u8>)>;

    /// The group of the ranks that call this with the same `colour`, in the order that they have here.
    fn split(&self, colour: usize) -> Arc<dyn Communicator>;

    /// Ends the whole job, on all ranks, with this exit code.
    fn abort(&self, code: i32) -> !;
}

/// The result of `work` for every one of `pieces` pieces, in their order.
pub fn in_order<T: Send>(pieces: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    (0..pieces).into_par_iter().map(&work).collect()
}

/// Several sums over pieces of which this process has all; see [`Ranks::sums`].
///
/// # Panics
/// If `chunk` is 0.
pub fn sums(
    pieces: usize,
    chunk: usize,
    sizes: &[usize],
    add: impl Fn(Range<usize>, &mut [Vec<f64>]) + Sync,
) -> Vec<Vec<f64>> {
    Ranks::alone().sums(pieces, chunk, sizes, add)
}

/// The number by which all go on, where there is one process; see [`Ranks::agree`].
pub fn agree(own: f64) -> f64 {
    own
}

/// The number of consecutive blocks of paths in a run, of `blocks` blocks in all: max(4, ⌈blocks/256⌉).
///
/// It is the same for every number of ranks, and a rank holds whole runs.
pub fn run_length(blocks: usize) -> usize {
    blocks.div_ceil(256).max(4)
}
