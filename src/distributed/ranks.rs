use super::solo::Solo;
use super::{Communicator, Portable};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Range, Sub};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The ranks that share the pieces of one computation, as one of them sees them.
///
/// Data that are shared carry their ranks, and hold only the pieces of their own rank. Clones are cheap, and of the same group.
#[derive(Clone)]
pub struct Ranks {
    communicator: Arc<dyn Communicator>,
    counters: Arc<Counters>,
    /// Rows and columns by the number of columns.
    grids: Arc<Mutex<BTreeMap<usize, (Ranks, Ranks)>>>,
}

/// What communication has come to on one rank.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Statistics {
    /// Collectives that the rank took part in, and messages that it sent.
    pub calls: u64,
    /// Bytes that came from other ranks in collectives, and bytes of messages that the rank sent.
    pub bytes: u64,
    /// Seconds in collectives, for the most part spent waiting for other ranks.
    pub seconds: f64,
}

impl Sub for Statistics {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            calls: self.calls - earlier.calls,
            bytes: self.bytes - earlier.bytes,
            seconds: self.seconds - earlier.seconds,
        }
    }
}

#[derive(Default)]
struct Counters {
    calls: AtomicU64,
    bytes: AtomicU64,
    nanoseconds: AtomicU64,
}

/// Bytes of sums over runs up to which every rank is sent all of them; longer sums pass through the ranks.
const GATHERED: usize = 1 << 16;

impl Ranks {
    /// One process alone.
    pub fn alone() -> Self {
        Self::of(Arc::new(Solo::default()))
    }

    /// The ranks of a communicator.
    pub fn of(communicator: Arc<dyn Communicator>) -> Self {
        Self {
            communicator,
            counters: Arc::default(),
            grids: Arc::default(),
        }
    }

    /// The number of this rank, from 0.
    pub fn rank(&self) -> usize {
        self.communicator.rank()
    }

    /// The number of ranks.
    pub fn size(&self) -> usize {
        self.communicator.size()
    }

    /// Whether this rank has everything to itself.
    pub fn is_alone(&self) -> bool {
        self.size() == 1
    }

    /// Whether this is rank 0.
    pub fn is_first(&self) -> bool {
        self.rank() == 0
    }

    /// The runs of this rank, of `runs` in all: consecutive, in the order of ranks, and no rank has two more than another.
    pub fn share(&self, runs: usize) -> Range<usize> {
        let (rank, size) = (self.rank(), self.size());
        runs * rank / size..runs * (rank + 1) / size
    }

    /// The pieces of this rank, of `pieces` in all that are cut in runs of `chunk`.
    ///
    /// # Panics
    /// If `chunk` is 0.
    pub fn own(&self, pieces: usize, chunk: usize) -> Range<usize> {
        let runs = self.share(pieces.div_ceil(chunk));
        pieces.min(runs.start * chunk)..pieces.min(runs.end * chunk)
    }

    /// The results of all pieces in their order, where every rank gives those of its `own` consecutive ones.
    pub fn in_order<T: Portable>(&self, own: Vec<T>) -> Vec<T> {
        if self.is_alone() {
            return own;
        }
        let parts = self.gather(&own.to_bytes());
        let parts = parts.iter().map(|part| Vec::from_bytes(part));
        parts.flatten().collect()
    }

    /// Several sums over pieces, of as many numbers each as `sizes` says, the same on all ranks.
    ///
    /// `add` adds what a run of consecutive pieces gives, numbered among the pieces of all ranks; it is asked for the runs of
    /// this rank alone, `chunk` pieces each. What runs give is added in their order, so that sums have the same bits for any
    /// number of ranks and threads.
    ///
    /// # Panics
    /// If `chunk` is 0.
    pub fn sums(
        &self,
        pieces: usize,
        chunk: usize,
        sizes: &[usize],
        add: impl Fn(Range<usize>, &mut [Vec<f64>]) + Sync,
    ) -> Vec<Vec<f64>> {
        let zeros = || -> Vec<Vec<f64>> { sizes.iter().map(|&size| vec![0.0; size]).collect() };
        let runs = pieces.div_ceil(chunk);
        let parts: Vec<Vec<Vec<f64>>> = self
            .share(runs)
            .into_par_iter()
            .map(|run| {
                let mut part = zeros();
                add(run * chunk..pieces.min((run + 1) * chunk), &mut part);
                part
            })
            .collect();
        let mut sums = zeros();
        let size: usize = sizes.iter().sum();
        if self.is_alone() {
            for part in parts {
                let part = part.into_iter().flatten();
                add_to(sums.iter_mut().flatten(), part);
            }
        } else if runs * size * size_of::<f64>() <= GATHERED {
            let own = parts.into_iter().flatten().flatten().collect();
            let all: Vec<f64> = self.in_order(own);
            for part in all.chunks_exact(size.max(1)) {
                add_to(sums.iter_mut().flatten(), part.iter().copied());
            }
        } else {
            let mut total = vec![0.0; size];
            self.relay(&mut total, &mut |range, total| {
                for part in &parts {
                    add_range(part, range.clone(), total);
                }
            });
            let mut rest = total.as_slice();
            for sum in &mut sums {
                let (own, others) = rest.split_at(sum.len());
                sum.copy_from_slice(own);
                rest = others;
            }
        }
        sums
    }

    /// The number by which all go on, that of rank 0, where every rank has one of its `own` that chance has a part in, such as
    /// the time that it has spent: what is decided by it is then decided alike everywhere.
    pub fn agree(&self, own: f64) -> f64 {
        self.broadcast(0, own)
    }

    /// Whether `own` is true on any rank.
    pub fn any(&self, own: bool) -> bool {
        if self.is_alone() {
            return own;
        }
        self.gather(&[u8::from(own)]).iter().any(|own| own[0] != 0)
    }

    /// The value of rank `root`; those of the others are not looked at.
    pub fn broadcast<T: Portable>(&self, root: usize, value: T) -> T {
        if self.is_alone() {
            return value;
        }
        let is_root = root == self.rank();
        let own = if is_root {
            value.to_bytes()
        } else {
            Vec::new()
        };
        let bytes = self.timed(|| self.communicator.broadcast(root, own));
        if is_root {
            return value;
        }
        self.count(bytes.len());
        T::from_bytes(&bytes)
    }

    /// The `own` bytes of every rank, in the order of ranks.
    pub fn gather(&self, own: &[u8]) -> Vec<Vec<u8>> {
        let all = self.timed(|| self.communicator.gather(own));
        self.count(all.iter().map(Vec::len).sum::<usize>() - own.len());
        all
    }

    fn relay(&self, total: &mut [f64], add: &mut dyn FnMut(Range<usize>, &mut [f64])) {
        self.timed(|| self.communicator.relay(total, add));
        let is_inner = !self.is_first() && self.rank() + 1 < self.size();
        self.count(size_of_val(total) * (1 + usize::from(is_inner)));
    }

    /// Sends `bytes` to rank `to`, which may be this one, without waiting for it to receive them.
    pub fn send(&self, to: usize, bytes: &[u8]) {
        self.counters.calls.fetch_add(1, Ordering::Relaxed);
        self.count(bytes.len());
        self.communicator.send(to, bytes);
    }

    /// A message that has arrived, and the rank that sent it; `None` where there is none yet.
    ///
    /// Messages of one sender come in the order in which they were sent.
    pub fn receive(&self) -> Option<(usize, Vec<u8>)> {
        self.communicator.receive()
    }

    /// The next message, and the rank that sent it; waits until there is one.
    pub fn wait(&self) -> (usize, Vec<u8>) {
        loop {
            if let Some(message) = self.receive() {
                return message;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// The ranks that call this with the same `colour`, in the order that they have here.
    ///
    /// What they communicate counts in the statistics of these ranks.
    pub fn split(&self, colour: usize) -> Self {
        Self {
            communicator: self.timed(|| self.communicator.split(colour)),
            counters: Arc::clone(&self.counters),
            grids: Arc::default(),
        }
    }

    /// The row and the column of this rank in a grid of `columns` columns that the ranks fill row by row. A group is made
    /// the first time that it is asked for.
    ///
    /// # Panics
    /// If rows would not be full.
    pub(super) fn grid(&self, columns: usize) -> (Self, Self) {
        assert!(self.size().is_multiple_of(columns), "a grid of full rows");
        if columns == 1 {
            return (Self::alone(), self.clone());
        }
        if columns == self.size() {
            return (self.clone(), Self::alone());
        }
        let known = |grids: &Self| lock(&grids.grids).get(&columns).cloned();
        known(self).unwrap_or_else(|| {
            let row = self.split(self.rank() / columns);
            let grid = (row, self.split(self.rank() % columns));
            lock(&self.grids).insert(columns, grid.clone());
            grid
        })
    }

    /// Ends the whole job, on all ranks, with this exit code.
    pub fn abort(&self, code: i32) -> ! {
        self.communicator.abort(code)
    }

    /// What communication has come to on this rank so far, that of groups that were split off included.
    pub fn statistics(&self) -> Statistics {
        Statistics {
            calls: self.counters.calls.load(Ordering::Relaxed),
            bytes: self.counters.bytes.load(Ordering::Relaxed),
            seconds: self.counters.nanoseconds.load(Ordering::Relaxed) as f64 * 1e-9,
        }
    }

    /// Does a collective, and counts it and its time.
    fn timed<T>(&self, collective: impl FnOnce() -> T) -> T {
        let begin = Instant::now();
        let result = collective();
        let nanoseconds = begin.elapsed().as_nanos() as u64;
        self.counters.calls.fetch_add(1, Ordering::Relaxed);
        self.counters
            .nanoseconds
            .fetch_add(nanoseconds, Ordering::Relaxed);
        result
    }

    fn count(&self, bytes: usize) {
        self.counters
            .bytes
            .fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Adds every one of `part` to the number in its place.
fn add_to<'a>(total: impl Iterator<Item = &'a mut f64>, part: impl Iterator<Item = f64>) {
    total.zip(part).for_each(|(total, part)| *total += part);
}

/// Adds to `total` the numbers of `part`, one list behind the other, that lie in `range`.
fn add_range(part: &[Vec<f64>], range: Range<usize>, total: &mut [f64]) {
    let mut begin = 0;
    for numbers in part {
        let end = begin + numbers.len();
        let (first, last) = (range.start.max(begin), range.end.min(end));
        if first < last {
            let to = &mut total[first - range.start..last - range.start];
            add_to(
                to.iter_mut(),
                numbers[first - begin..last - begin].iter().copied(),
            );
        }
        begin = end;
    }
}

impl Default for Ranks {
    fn default() -> Self {
        Self::alone()
    }
}

impl fmt::Debug for Ranks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rank {} of {}", self.rank(), self.size())
    }
}

/// Handles on the same group are equal, and so are all that are alone.
impl PartialEq for Ranks {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.communicator, &other.communicator) || self.is_alone() && other.is_alone()
    }
}
