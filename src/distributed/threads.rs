//! Ranks as threads of one process: the same collectives without a launcher, by which whatever is shared among ranks is tested.

use super::{Communicator, Ranks};
use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Threads of a rank.
const THREADS: usize = 2;

/// What `work` gives on every one of `size` ranks, in their order, each a thread of this process with a pool of two threads of
/// its own.
///
/// # Panics
/// If a rank panics, with what it panicked with. The others do not wait for it: they panic at their next collective.
pub fn run<T: Send>(size: usize, work: impl Fn(Ranks) -> T + Sync) -> Vec<T> {
    let job = Arc::new(Job::default());
    job.lock().groups.push(Group::of(size));
    let on_rank = |rank: usize| {
        let communicator = Member {
            job: Arc::clone(&job),
            group: 0,
            rank,
            size,
        };
        let ranks = Ranks::of(Arc::new(communicator));
        // In a pool that ranks shared one that waits for another could keep it from ever coming.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(THREADS);
        let pool = pool.build().expect("a pool of two threads");
        match catch_unwind(AssertUnwindSafe(|| pool.install(|| work(ranks)))) {
            Ok(result) => Some(result),
            Err(panic) => {
                job.lock().panic.get_or_insert(panic);
                job.changed.notify_all();
                None
            }
        }
    };
    let results: Vec<Option<T>> = std::thread::scope(|scope| {
        let on_rank = &on_rank;
        let threads: Vec<_> = (0..size)
            .map(|rank| scope.spawn(move || on_rank(rank)))
            .collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined
            .map(|result| result.expect("panics of ranks are caught"))
            .collect()
    });
    let panic = job.lock().panic.take();
    if let Some(panic) = panic {
        resume_unwind(panic);
    }
    results.into_iter().flatten().collect()
}

/// All that the ranks of a job share.
#[derive(Default)]
struct Job {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    groups: Vec<Group>,
    /// What the first rank that panicked has panicked with.
    panic: Option<Box<dyn Any + Send>>,
}

/// One group of ranks, and the collective that it is at.
struct Group {
    /// What every rank brings to the collective that goes on; empty for those that have not come.
    slots: Vec<Option<Vec<u8>>>,
    /// The number of collectives that are done.
    done: usize,
    /// What all ranks brought to the last one.
    result: Arc<Vec<Vec<u8>>>,
    /// The groups that were split off, by the number of the collective and the colour.
    parts: BTreeMap<(usize, usize), usize>,
    /// Messages that every rank has not received yet, with their senders.
    messages: Vec<VecDeque<(usize, Vec<u8>)>>,
}

impl Group {
    fn of(size: usize) -> Self {
        Self {
            slots: vec![None; size],
            done: 0,
            result: Arc::default(),
            parts: BTreeMap::new(),
            messages: vec![VecDeque::new(); size],
        }
    }
}

impl Job {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One rank of a group.
struct Member {
    job: Arc<Job>,
    group: usize,
    rank: usize,
    size: usize,
}

impl Member {
    /// What all ranks bring to the next collective, and its number.
    fn meet(&self, own: Vec<u8>) -> (usize, Arc<Vec<Vec<u8>>>) {
        let mut state = self.job.lock();
        let group = &mut state.groups[self.group];
        let turn = group.done;
        group.slots[self.rank] = Some(own);
        if group.slots.iter().all(Option::is_some) {
            group.result = Arc::new(group.slots.iter_mut().filter_map(Option::take).collect());
            group.done += 1;
            self.job.changed.notify_all();
        }
        while state.groups[self.group].done == turn {
            if state.panic.is_some() {
                drop(state);
                panic!("another rank has panicked");
            }
            state = self
                .job
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        (turn, Arc::clone(&state.groups[self.group].result))
    }
}

impl Communicator for Member {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn gather(&self, own: &[u8]) -> Vec<Vec<u8>> {
        self.meet(own.to_vec()).1.to_vec()
    }

    fn broadcast(&self, root: usize, bytes: Vec<u8>) -> Vec<u8> {
        self.meet(bytes).1[root].clone()
    }

    fn send(&self, to: usize, bytes: &[u8]) {
        let mut state = self.job.lock();
        state.groups[self.group].messages[to].push_back((self.rank, bytes.to_vec()));
    }

    fn receive(&self) -> Option<(usize, Vec<u8>)> {
        let mut state = self.job.lock();
        if state.panic.is_some() {
            drop(state);
            panic!("another rank has panicked");
        }
        state.groups[self.group].messages[self.rank].pop_front()
    }

    fn split(&self, colour: usize) -> Arc<dyn Communicator> {
        let (turn, colours) = self.meet(colour.to_ne_bytes().to_vec());
        let mates: Vec<usize> = (0..self.size)
            .filter(|&rank| colours[rank] == colour.to_ne_bytes())
            .collect();
        let mut state = self.job.lock();
        let next = state.groups.len();
        let parts = &mut state.groups[self.group].parts;
        let group = *parts.entry((turn, colour)).or_insert(next);
        if group == next {
            state.groups.push(Group::of(mates.len()));
        }
        let before = mates.iter().filter(|&&rank| rank < self.rank);
        Arc::new(Self {
            job: Arc::clone(&self.job),
            group,
            rank: before.count(),
            size: mates.len(),
        })
    }

    fn abort(&self, code: i32) -> ! {
        panic!("rank {} ends the job with exit code {code}", self.rank)
    }
}
