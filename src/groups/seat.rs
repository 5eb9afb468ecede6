//! Ranks other than rank 0: they do what rank 0 hands out, and keep nothing themselves.

use super::failure::{Failure, stopped};
use super::keeper::Period;
use super::message::{Order, Reply, parts, read, send};
use super::statistics::TrainingStatistics;
use super::{Keeper, Work};
use crate::distributed::Ranks;
use crate::error::Result;
use crate::runs::Steps;
use crate::runs::progress::Event;
use crate::training::Training;
use serde::Serialize;
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// What a rank other than rank 0 has: whom it asks whether to stop.
pub struct Seat<'a> {
    stop: &'a dyn Fn() -> Result<()>,
    /// Whether rank 0 has said so.
    stopping: bool,
    /// Orders that have come before they could be followed, with their bytes.
    inbox: VecDeque<(Order, Vec<u8>)>,
}

impl<'a> Seat<'a> {
    pub fn new(stop: &'a dyn Fn() -> Result<()>) -> Self {
        Self {
            stop,
            stopping: false,
            inbox: VecDeque::new(),
        }
    }

    /// Whether this rank itself was asked to stop.
    pub fn check(&self) -> Result<()> {
        (self.stop)()
    }

    /// Takes in the next message, if one has arrived.
    fn take(&mut self, world: &Ranks) -> bool {
        let Some((_, message)) = world.receive() else {
            return false;
        };
        let (order, bytes) = read(&message);
        match order {
            Order::Stop => self.stopping = true,
            order => self.inbox.push_back((order, bytes.to_vec())),
        }
        true
    }

    /// The next order but a stop; waits for it, and leaves what comes after it to whom it concerns.
    fn next(&mut self, world: &Ranks) -> (Order, Vec<u8>) {
        loop {
            if let Some(order) = self.inbox.pop_front() {
                return order;
            }
            if !self.take(world) {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

/// A rank that does pieces of work with those of its group.
pub struct Follower<'p, 'a> {
    seat: &'p mut Seat<'a>,
    work: &'p dyn Work,
    world: &'p Ranks,
    group: Ranks,
    /// Files of the run that the present piece was given, and those that it has written.
    files: HashMap<String, Vec<u8>>,
    steps: Steps,
    /// Events that were not sent yet, and when some were last sent.
    events: Vec<Event>,
    sent: Instant,
    period: Period,
}

/// Events are sent together once in so long, so that no step waits for messages.
const SENDING: Duration = Duration::from_millis(100);

impl<'p, 'a> Follower<'p, 'a> {
    pub fn new(
        seat: &'p mut Seat<'a>,
        work: &'p dyn Work,
        (world, group): (&'p Ranks, Ranks),
    ) -> Self {
        Self {
            seat,
            work,
            world,
            group,
            files: HashMap::new(),
            steps: Steps::default(),
            events: Vec::new(),
            sent: Instant::now(),
            period: Period::new(),
        }
    }

    /// Does what rank 0 hands out, until it says that nothing is left. The results of the pieces that all groups did.
    pub fn follow(mut self) -> Result<Vec<Option<Vec<u8>>>> {
        loop {
            match self.seat.next(self.world) {
                (Order::Begin { piece, files }, bytes) => {
                    let (names, lengths): (Vec<_>, Vec<_>) = files.into_iter().unzip();
                    let contents = parts(&bytes, lengths.into_iter());
                    self.files = names.into_iter().zip(contents).collect();
                    self.period = Period::new();
                    let outcome = self.work.carry_out(piece, &mut self);
                    self.send_events();
                    let failure = outcome.as_ref().err().map(Failure::from);
                    let result = outcome.unwrap_or_default();
                    self.tell(&Reply::Ended { piece, failure }, &result);
                }
                (Order::Over { failure, results }, bytes) => {
                    if let Some(failure) = failure {
                        return Err(failure.error());
                    }
                    let lengths = results.iter().flatten().copied();
                    let mut done = parts(&bytes, lengths).into_iter();
                    let results = results.into_iter();
                    return Ok(results
                        .map(|result| result.and_then(|_| done.next()))
                        .collect());
                }
                (order @ (Order::TakePart(_) | Order::Stop | Order::End { .. }), _) => {
                    unreachable!("rank 0 does not say {order:?} while pieces are open")
                }
            }
        }
    }

    fn tell(&self, reply: &impl Serialize, bytes: &[u8]) {
        send(self.world, 0, reply, bytes);
    }

    fn send_events(&mut self) {
        if !self.events.is_empty() {
            let events = std::mem::take(&mut self.events);
            self.tell(&Reply::Events(events), &[]);
        }
        self.sent = Instant::now();
    }

    /// Whether this rank speaks for its group. The first group is rank 0's, which speaks for itself.
    fn speaks(&self) -> bool {
        self.group.is_first()
    }

    fn agreed(&mut self) -> Result<bool> {
        while self.seat.take(self.world) {}
        let own = match self.seat.stopping {
            true => Err(stopped()),
            false => self.seat.check(),
        };
        self.period.agreed(&self.group, own)
    }
}

impl Keeper for Follower<'_, '_> {
    fn ranks(&self) -> &Ranks {
        &self.group
    }

    fn step(&mut self, what: &str, seed: u64, training: &Training<'_>) -> Result<bool> {
        if self.speaks() {
            self.events.extend(self.steps.events(what, seed, training));
            if self.sent.elapsed() >= SENDING {
                self.send_events();
            }
        }
        self.agreed()
    }

    fn tuning(&mut self, strategy: &str, (trial, trials): (usize, usize), done: f64) -> Result<()> {
        if self.speaks() && self.sent.elapsed() >= SENDING {
            let strategy = strategy.into();
            let reply = Reply::Tuning {
                strategy,
                trial,
                trials,
                done,
            };
            self.tell(&reply, &[]);
            self.sent = Instant::now();
        }
        self.agreed().map(|_| ())
    }

    fn busy(&mut self) -> Result<()> {
        self.agreed().map(|_| ())
    }

    fn read(&mut self, name: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.files.get(name).cloned())
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        if self.speaks() {
            self.send_events();
            let name = name.into();
            self.tell(&Reply::Write { name }, bytes);
        }
        self.files.insert(name.into(), bytes.to_vec());
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<()> {
        if self.speaks() {
            let name = name.into();
            self.tell(&Reply::Remove { name }, &[]);
        }
        self.files.remove(name);
        Ok(())
    }

    fn communicated(&mut self, training: TrainingStatistics) {
        if self.speaks() {
            self.tell(&Reply::Communicated(training), &[]);
        }
    }
}
