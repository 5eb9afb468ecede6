//! Where the parts of a computation meet: sums in a fixed order, results in the order of their pieces, and what all agree on.
//!
//! Pieces are numbered from 0, blocks of paths for the most part. [`Ranks`] are the processes that share the pieces of one
//! computation; every one of them runs the same code, holds consecutive pieces, and ends with the same results. Within a
//! process threads share its pieces. What is returned depends neither on the number of ranks nor on that of threads, not by a
//! bit: pieces are cut in runs of a fixed length, the sum over a run is made in the order of its pieces, and sums over runs are
//! added in the order of runs.

#[cfg(feature = "mpi")]
mod mpi;
mod placement;
#[cfg(test)]
mod placement_tests;
mod portable;
mod ranks;
#[cfg(test)]
mod ranks_tests;
mod solo;
mod spread;
pub mod threads;

pub use placement::{Placed, Workers};
pub use portable::Portable;
pub(crate) use portable::portable;
pub use ranks::{Ranks, Statistics};
pub use spread::Spread;

use crate::error::{Error, Result};
use rayon::prelude::*;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

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

/// All ranks of the job that this process was started in by `mpirun`, `srun` or the like, or this process alone.
///
/// The first call begins the job, and should come before threads are needed: the processors of a node are divided among its
/// ranks, unless `RAYON_NUM_THREADS` is set. From then on a rank that panics says so on one line and ends the job. Whoever
/// calls this calls [`finish`] at the end.
///
/// # Errors
/// If there are several ranks and the program is built without the feature `mpi`: each would take itself for all.
pub fn world() -> Result<Ranks> {
    static WORLD: OnceLock<Ranks> = OnceLock::new();
    #[cfg(feature = "mpi")]
    let world = mpi::world;
    #[cfg(not(feature = "mpi"))]
    let world = Ranks::alone;
    if cfg!(not(feature = "mpi")) && launched_ranks() > 1 {
        return Err(Error::input(format!(
            "started as {} ranks, but built without MPI: build with `--features mpi`",
            launched_ranks()
        )));
    }
    Ok(WORLD.get_or_init(world).clone())
}

/// The number of ranks that `mpirun` says it has started. Slurm's number of tasks says less: they may be jobs of their own.
fn launched_ranks() -> usize {
    let number = |name| std::env::var(name).ok()?.parse().ok();
    let names = ["OMPI_COMM_WORLD_SIZE", "MPI_LOCALNRANKS"];
    names.into_iter().find_map(number).unwrap_or(1)
}

/// Ends this process's part of the job that [`world`] has begun, before the process ends with the exit code `code`.
///
/// With 0 (done) and 3 (stopped), which all ranks have agreed on, it waits until all ranks are here. Any other code ends the job
/// with that code, and does not return where there are several ranks; the first rank does so at once, the others after two
/// seconds, so that what the first has to say of the same error is read.
pub fn finish(code: u8) {
    #[cfg(feature = "mpi")]
    mpi::finish(code);
    #[cfg(not(feature = "mpi"))]
    let _ = code;
}

/// The result of `work` for every one of `pieces` pieces, in their order.
pub fn in_order<T: Send>(pieces: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    (0..pieces).into_par_iter().map(&work).collect()
}

/// The number of consecutive blocks of paths in a run, of `blocks` blocks in all: max(4, ⌈blocks/256⌉).
///
/// It is the same for every number of ranks, and a rank holds whole runs.
pub fn run_length(blocks: usize) -> usize {
    blocks.div_ceil(256).max(4)
}
