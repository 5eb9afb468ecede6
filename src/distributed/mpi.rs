use super::{Communicator, Ranks};
use ::mpi::Threading;
use ::mpi::datatype::PartitionMut;
use ::mpi::environment::Universe;
use ::mpi::point_to_point::{Message, Status};
use ::mpi::request::{Request, StaticScope};
use ::mpi::topology::{Color, Process, SimpleCommunicator};
use ::mpi::traits::{
    Communicator as _, CommunicatorCollectives, Destination, MatchedReceiveVec, Root, Source,
};
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::panic::PanicHookInfo;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bytes that one call of MPI carries at most; its counts are 32 bits wide.
const PART: usize = 1 << 26;

/// Numbers that a network carries in the time that a message of one number takes: 5.5 µs at 1 GB/s.
const LATENCY: usize = 700;

/// Bytes of a header: the length of what follows, and all of it where it is this short.
const HEADER: usize = 64;
const LENGTH: usize = size_of::<u64>();

/// The tag of the last part of a message, and of one that others follow.
const LAST: i32 = 0;
const MORE: i32 = 1;

/// The MPI library from its start to its end.
static UNIVERSE: Mutex<Option<Universe>> = Mutex::new(None);

/// Held while MPI is called: it is told that threads take turns.
static TURN: Mutex<()> = Mutex::new(());

/// The variables by which launchers tell a process that it is one of several: Open MPI's, PMIx's, and those of MPICH and Slurm.
const LAUNCHED: [&str; 4] = [
    "OMPI_COMM_WORLD_RANK",
    "PMIX_RANK",
    "PMI_RANK",
    "MPI_LOCALRANKID",
];

/// All ranks of the job; this process alone where no launcher has started it.
///
/// # Panics
/// If MPI was started before, or does not let threads take turns.
pub(super) fn world() -> Ranks {
    if !LAUNCHED.iter().any(|name| std::env::var_os(name).is_some()) {
        return Ranks::alone();
    }
    let (universe, threading) =
        ::mpi::initialize_with_threading(Threading::Serialized).expect("MPI is started once");
    assert!(
        threading >= Threading::Serialized,
        "this MPI library does not allow calls from several threads, not even in turns"
    );
    let world = universe.world();
    *lock(&UNIVERSE) = Some(universe);
    let earlier = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        // A panic where MPI has ended already is reported as elsewhere.
        if lock(&UNIVERSE).is_none() {
            return earlier(panic);
        }
        panicked(panic);
    }));
    share_processors(&world);
    Ranks::of(Arc::new(Mpi::of(world.duplicate())))
}

/// Ends this rank's part of the job; see [`super::finish`]. What was sent must have been received.
pub(super) fn finish(code: u8) {
    let Some(universe) = lock(&UNIVERSE).take() else {
        return;
    };
    let world = universe.world();
    if world.size() > 1 && code != 0 && code != 3 {
        if world.rank() > 0 {
            std::thread::sleep(Duration::from_secs(2));
        }
        abort(i32::from(code));
    }
    drop(universe);
}

/// Ends all ranks of the job.
pub(super) fn abort(code: i32) -> ! {
    // Whoever has the turn may wait for a rank that never comes, so this does not wait for it.
    SimpleCommunicator::world().abort(code)
}

/// Says on one line where this rank has panicked, and ends the job.
fn panicked(panic: &PanicHookInfo<'_>) -> ! {
    let rank = SimpleCommunicator::world().rank();
    let words = panic.to_string().replace('\n', " ");
    eprintln!("deephedge: rank {rank} {words}");
    abort(1)
}

/// Gives this process as many threads as it has processors, divided by the ranks of its node that may use the same ones.
/// `RAYON_NUM_THREADS` says otherwise.
fn share_processors(world: &SimpleCommunicator) {
    if std::env::var_os("RAYON_NUM_THREADS").is_some() {
        return;
    }
    let node = Mpi::of(world.split_shared(world.rank()));
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let own = allowed_processors();
    let rivals = node.gather(own.as_bytes());
    let rivals = rivals.iter().filter(|other| *other == own.as_bytes());
    let threads = (processors / rivals.count()).max(1);
    // A pool that stands already is left as it is.
    let _ = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global();
}

/// The list of processors that this process may run on, as the system writes it; empty where it does not say.
fn allowed_processors() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let list = |line: &str| Some(line.strip_prefix("Cpus_allowed_list:")?.trim().to_owned());
    status.lines().find_map(list).unwrap_or_default()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One rank of a group that MPI knows.
struct Mpi {
    /// Carries collectives.
    collective: Handle,
    /// Carries messages, so that none is taken for part of a collective.
    messages: Handle,
    mail: Mutex<Mail>,
}

/// A communicator of MPI, which lives as long as MPI does: to free one, all its ranks would have to agree.
struct Handle(&'static SimpleCommunicator);

// SAFETY: MPI was started so that threads may call it in turns, and every call is made by whoever holds `TURN`.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

/// Messages that are on their way.
#[derive(Default)]
struct Mail {
    /// What this rank sends, until it has left.
    leaving: VecDeque<Leaving>,
    /// The parts that have come of messages in several parts, by their senders.
    coming: BTreeMap<usize, Vec<u8>>,
}

/// A part of a message that is being sent.
struct Leaving(Request<'static, [u8], StaticScope>);

// SAFETY: as for `Handle`.
unsafe impl Send for Leaving {}

impl Handle {
    fn of(communicator: SimpleCommunicator) -> Self {
        Self(Box::leak(Box::new(communicator)))
    }

    fn process(&self, rank: usize) -> Process<'_> {
        self.0.process_at_rank(small(rank))
    }
}

/// A number of MPI's width.
fn small(number: usize) -> i32 {
    i32::try_from(number).expect("ranks, colours and counts of one call have 31 bits")
}

/// What others must know of `bytes` before they come: their length, and the bytes where they are few.
fn header(bytes: &[u8]) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..LENGTH].copy_from_slice(&(bytes.len() as u64).to_ne_bytes());
    if bytes.len() <= HEADER - LENGTH {
        header[LENGTH..][..bytes.len()].copy_from_slice(bytes);
    }
    header
}

/// The length that a header tells, and the bytes where it has them all.
fn read(header: &[u8; HEADER]) -> (usize, Option<&[u8]>) {
    let (length, bytes) = header
        .split_first_chunk()
        .expect("a header begins with the length");
    let length = u64::from_ne_bytes(*length) as usize;
    (length, bytes.get(..length))
}

/// Numbers of a total that a rank adds to at a time, while the next rank adds to those before. The time (N − 1 + n/s)(α + βs)
/// of n numbers in segments of s on N ranks is least for s = √(n α/β / (N − 1)).
fn segment(numbers: usize, ranks: usize) -> usize {
    let square = (numbers * LATENCY) as f64 / ranks.saturating_sub(1).max(1) as f64;
    (square.sqrt() as usize).clamp(1 << 9, 1 << 15)
}

impl Mpi {
    fn of(communicator: SimpleCommunicator) -> Self {
        Self {
            messages: Handle::of(communicator.duplicate()),
            collective: Handle::of(communicator),
            mail: Mutex::default(),
        }
    }

    /// Broadcasts `values` in parts.
    fn broadcast_parts<T>(&self, root: usize, values: &mut [T])
    where
        [T]: ::mpi::traits::BufferMut,
    {
        for part in values.chunks_mut(PART / size_of::<T>()) {
            self.collective.process(root).broadcast_into(part);
        }
    }
}

impl Mail {
    /// Lets messages leave, and forgets those that have left.
    fn progress(&mut self) {
        for _ in 0..self.leaving.len() {
            let Some(Leaving(request)) = self.leaving.pop_front() else {
                break;
            };
            match request.test_with_data() {
                // SAFETY: `send` has leaked a box of these bytes, and MPI has no more use for them.
                Ok((_, bytes)) => {
                    drop(unsafe { Box::from_raw(std::ptr::from_ref(bytes).cast_mut()) })
                }
                Err(request) => self.leaving.push_back(Leaving(request)),
            }
        }
    }
}

impl Communicator for Mpi {
    fn rank(&self) -> usize {
        self.collective.0.rank() as usize
    }

    fn size(&self) -> usize {
        self.collective.0.size() as usize
    }

    fn gather(&self, own: &[u8]) -> Vec<Vec<u8>> {
        let _turn = lock(&TURN);
        let size = self.size();
        let mut headers = vec![0; size * HEADER];
        self.collective
            .0
            .all_gather_into(&header(own)[..], &mut headers[..]);
        let headers: Vec<_> = headers.as_chunks().0.iter().map(read).collect();
        let short: Option<Vec<_>> = headers
            .iter()
            .map(|(_, bytes)| Some(bytes.as_ref()?.to_vec()))
            .collect();
        if let Some(all) = short {
            return all;
        }
        let lengths: Vec<usize> = headers.iter().map(|&(length, _)| length).collect();
        let part = PART.min(i32::MAX as usize / size);
        let mut all: Vec<Vec<u8>> = lengths
            .iter()
            .map(|&length| Vec::with_capacity(length))
            .collect();
        for begin in (0..lengths.iter().copied().max().unwrap_or(0)).step_by(part) {
            let of = |length: usize| length.saturating_sub(begin).min(part);
            let counts: Vec<i32> = lengths.iter().map(|&length| small(of(length))).collect();
            let mut end = 0;
            let mut starts = Vec::with_capacity(size);
            for count in &counts {
                starts.push(end);
                end += count;
            }
            let mut received = vec![0; end as usize];
            let own = &own[own.len().min(begin)..own.len().min(begin + part)];
            let mut places = PartitionMut::new(&mut received[..], &counts[..], &starts[..]);
            self.collective.0.all_gather_varcount_into(own, &mut places);
            for ((all, &start), &count) in all.iter_mut().zip(&starts).zip(&counts) {
                all.extend_from_slice(&received[start as usize..][..count as usize]);
            }
        }
        all
    }

    fn broadcast(&self, root: usize, mut bytes: Vec<u8>) -> Vec<u8> {
        let _turn = lock(&TURN);
        let mut header = header(&bytes);
        self.collective
            .process(root)
            .broadcast_into(&mut header[..]);
        let is_root = root == self.rank();
        match read(&header) {
            (_, Some(short)) if !is_root => short.to_vec(),
            (_, Some(_)) => bytes,
            (length, None) => {
                if !is_root {
                    bytes = vec![0; length];
                }
                self.broadcast_parts(root, &mut bytes);
                bytes
            }
        }
    }

    fn relay(&self, total: &mut [f64], add: &mut dyn FnMut(Range<usize>, &mut [f64])) {
        let _turn = lock(&TURN);
        let (rank, size) = (self.rank(), self.size());
        let length = segment(total.len(), size);
        for begin in (0..total.len()).step_by(length) {
            let range = begin..total.len().min(begin + length);
            let segment = &mut total[range.clone()];
            if rank > 0 {
                self.collective.process(rank - 1).receive_into(segment);
            }
            add(range, segment);
            if rank + 1 < size {
                self.collective.process(rank + 1).send(segment);
            }
        }
        self.broadcast_parts(size - 1, total);
    }

    fn send(&self, to: usize, bytes: &[u8]) {
        let mut mail = lock(&self.mail);
        let _turn = lock(&TURN);
        let parts = bytes.len().div_ceil(PART).max(1);
        for part in 0..parts {
            let end = bytes.len().min((part + 1) * PART);
            let bytes: &'static [u8] = Box::leak(bytes[part * PART..end].into());
            let tag = if part + 1 == parts { LAST } else { MORE };
            let process = self.messages.process(to);
            let request = process.immediate_send_with_tag(StaticScope, bytes, tag);
            mail.leaving.push_back(Leaving(request));
        }
        mail.progress();
    }

    fn receive(&self) -> Option<(usize, Vec<u8>)> {
        let mut mail = lock(&self.mail);
        let _turn = lock(&TURN);
        mail.progress();
        loop {
            let arrived: (Message, Status) =
                self.messages.0.any_process().immediate_matched_probe()?;
            let (bytes, status) = arrived.matched_receive_vec();
            let sender = status.source_rank() as usize;
            if status.tag() == MORE {
                mail.coming.entry(sender).or_default().extend(bytes);
                continue;
            }
            let Some(mut message) = mail.coming.remove(&sender) else {
                return Some((sender, bytes));
            };
            message.extend(bytes);
            return Some((sender, message));
        }
    }

    fn split(&self, colour: usize) -> Arc<dyn Communicator> {
        let _turn = lock(&TURN);
        let part = self
            .collective
            .0
            .split_by_color(Color::with_value(small(colour)));
        Arc::new(Self::of(part.expect("every rank has a colour")))
    }

    fn abort(&self, code: i32) -> ! {
        abort(code)
    }
}
