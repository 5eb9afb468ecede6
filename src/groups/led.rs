//! Pieces of work in groups, as rank 0 leads them.

use super::failure::{Failure, is_stop, stopped};
use super::keeper::Period;
use super::message::{Order, Reply, read, send};
use super::office::Office;
use super::statistics::TrainingStatistics;
use super::{Keeper, Work};
use crate::distributed::Ranks;
use crate::error::{Error, Result};
use crate::training::Training;
use std::collections::VecDeque;
use std::ops::Range;
use std::time::{Duration, Instant};

/// Rank 0 while pieces of work are done: it hands them out, does some itself in the first group, and looks for messages between
/// its own steps.
pub struct Leader<'p, 'a> {
    office: &'p mut Office<'a>,
    work: &'p dyn Work,
    world: &'p Ranks,
    /// The group of this rank, the first one.
    group: Ranks,
    groups: Vec<Range<usize>>,
    /// Pieces that no group has begun.
    waiting: VecDeque<usize>,
    /// The piece that every group does, and how many of its ranks have not ended it.
    doing: Vec<Option<(usize, usize)>>,
    results: Vec<Option<Vec<u8>>>,
    /// Why no piece is begun any more, and since when.
    ending: Option<(Error, Instant)>,
    period: Period,
}

/// Names and lengths of files, and their bytes one after the other.
type Files = (Vec<(String, usize)>, Vec<u8>);

/// How long the other groups may take to stop after one has failed.
const PATIENCE: Duration = Duration::from_secs(5);

impl<'p, 'a> Leader<'p, 'a> {
    /// Before any of the `open` pieces is begun by one of `groups`, the first of which are the ranks of `group`.
    pub fn new(
        office: &'p mut Office<'a>,
        work: &'p dyn Work,
        (world, group): (&'p Ranks, Ranks),
        groups: Vec<Range<usize>>,
        open: Vec<usize>,
    ) -> Self {
        Self {
            office,
            world,
            group,
            doing: vec![None; groups.len()],
            groups,
            waiting: open.into(),
            results: vec![None; work.pieces()],
            work,
            ending: None,
            period: Period::new(),
        }
    }

    /// The results of the pieces that were open.
    pub fn lead(mut self) -> Result<Vec<Option<Vec<u8>>>> {
        for group in 1..self.groups.len() {
            self.hand_out(group);
        }
        loop {
            self.serve();
            if self.doing[0].is_none() {
                self.hand_out(0);
                if let Some((piece, _)) = self.doing[0] {
                    self.period = Period::new();
                    let outcome = self.work.carry_out(piece, &mut self);
                    self.ended(0, piece, outcome);
                    continue;
                }
            }
            if self.doing.iter().all(Option::is_none) || self.is_lost() {
                break;
            }
            if let Err(error) = self.office.busy() {
                self.end(error);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let kept = match self.world.is_alone() {
            true => Ok(()),
            false => self.office.write_statistics(self.world),
        };
        let ending = self.ending.take().map(|(error, _)| error);
        let ended = ending.map_or(kept, Err);
        let order = Order::Over {
            failure: ended.as_ref().err().map(Failure::from),
            results: self
                .results
                .iter()
                .map(|r| r.as_ref().map(Vec::len))
                .collect(),
        };
        let bytes: Vec<u8> = self.results.iter().flatten().flatten().copied().collect();
        self.tell(1..self.world.size(), &order, &bytes);
        ended.map(|()| self.results)
    }

    /// Whether another group does not end, although a failure ends the run.
    fn is_lost(&self) -> bool {
        let failed = self.ending.as_ref();
        failed.is_some_and(|(error, since)| {
            !matches!(error, Error::Stopped(_)) && since.elapsed() > PATIENCE
        })
    }

    fn tell(&self, ranks: Range<usize>, order: &Order, bytes: &[u8]) {
        for rank in ranks.filter(|&rank| rank > 0) {
            send(self.world, rank, order, bytes);
        }
    }

    /// Gives the next piece to a group that is free, if there is one.
    fn hand_out(&mut self, group: usize) {
        if self.ending.is_some() {
            return;
        }
        let Some(piece) = self.waiting.pop_front() else {
            return;
        };
        let ranks = self.groups[group].clone();
        if ranks != (0..1) {
            match self.files(piece) {
                Ok((files, bytes)) => {
                    self.tell(ranks.clone(), &Order::Begin { piece, files }, &bytes);
                }
                Err(error) => return self.end(error),
            }
        }
        self.doing[group] = Some((piece, ranks.len()));
    }

    /// The files that a piece begins with.
    fn files(&self, piece: usize) -> Result<Files> {
        let (mut files, mut all) = (Vec::new(), Vec::new());
        for name in self.work.needs(piece) {
            if let Some(bytes) = self.office.folder.read_bytes(&name)? {
                files.push((name, bytes.len()));
                all.extend(bytes);
            }
        }
        Ok((files, all))
    }

    /// A rank has ended a piece.
    fn ended(&mut self, rank: usize, piece: usize, outcome: Result<Vec<u8>>) {
        let group = self.groups.iter().position(|group| group.contains(&rank));
        let group = group.expect("every rank is in a group");
        match outcome {
            Ok(result) if self.groups[group].start == rank => {
                let kept = self.work.ended(piece, &result, self.office.folder);
                self.results[piece] = Some(result);
                if let Err(error) = kept {
                    self.end(error);
                }
            }
            Ok(_) => {}
            Err(error) => self.end(error),
        }
        if let Some((_, left)) = &mut self.doing[group] {
            *left -= 1;
            if *left == 0 {
                self.doing[group] = None;
                if group > 0 {
                    self.hand_out(group);
                }
            }
        }
    }

    /// From now on no piece is begun, and all ranks stop at their next step. A failure is told rather than a stop.
    fn end(&mut self, error: Error) {
        match &self.ending {
            None => {
                self.tell(1..self.world.size(), &Order::Stop, &[]);
                self.ending = Some((error, Instant::now()));
            }
            Some((Error::Stopped(_), _)) if !matches!(error, Error::Stopped(_)) => {
                self.ending = Some((error, Instant::now()));
            }
            Some(_) => {}
        }
    }

    /// Does what has arrived from other ranks.
    fn serve(&mut self) {
        while let Some((from, message)) = self.world.receive() {
            let (reply, bytes) = read(&message);
            if let Err(error) = self.answer(from, reply, bytes) {
                self.end(error);
            }
        }
    }

    fn answer(&mut self, from: usize, reply: Reply, bytes: &[u8]) -> Result<()> {
        match reply {
            Reply::Events(events) => self.office.events(&events)?,
            Reply::Tuning {
                strategy,
                trial,
                trials,
                done,
            } => self.office.tuning(&strategy, (trial, trials), done)?,
            Reply::Write { name } => self.office.folder.write_bytes(&name, bytes)?,
            Reply::Remove { name } => self.office.remove(&name)?,
            Reply::Communicated(training) => self.office.communicated(TrainingStatistics {
                first_rank: from,
                ..training
            }),
            Reply::Ended { piece, failure } => {
                let outcome = match failure {
                    None => Ok(bytes.to_vec()),
                    Some(failure) => Err(failure.error()),
                };
                self.ended(from, piece, outcome);
            }
        }
        Ok(())
    }

    /// What comes of a step of this rank: its `own` error, or that the run ends.
    fn agreed(&mut self, own: Result<()>) -> Result<bool> {
        self.serve();
        if is_stop(&own) {
            self.end(stopped());
        }
        let own = match self.ending {
            Some(_) => own.and(Err(stopped())),
            None => own,
        };
        self.period.agreed(&self.group, own)
    }
}

impl Keeper for Leader<'_, '_> {
    fn ranks(&self) -> &Ranks {
        &self.group
    }

    fn step(&mut self, what: &str, seed: u64, training: &Training<'_>) -> Result<bool> {
        let own = self.office.step(what, seed, training);
        self.agreed(own)
    }

    fn tuning(&mut self, strategy: &str, trial: (usize, usize), done: f64) -> Result<()> {
        let own = self.office.tuning(strategy, trial, done);
        self.agreed(own).map(|_| ())
    }

    fn busy(&mut self) -> Result<()> {
        let own = self.office.busy();
        self.agreed(own).map(|_| ())
    }

    fn read(&mut self, name: &str) -> Result<Option<Vec<u8>>> {
        self.office.folder.read_bytes(name)
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.office.folder.write_bytes(name, bytes)
    }

    fn remove(&mut self, name: &str) -> Result<()> {
        self.office.remove(name)
    }

    fn communicated(&mut self, training: TrainingStatistics) {
        if !self.world.is_alone() {
            self.office.communicated(training);
        }
    }
}
