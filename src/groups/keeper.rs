use super::failure::stopped;
use super::statistics::TrainingStatistics;
use crate::distributed::Ranks;
use crate::error::Result;
use crate::training::{Training, TrainingPoint};
use std::time::{Duration, Instant};

/// How far a run has come.
pub enum Progress<'a> {
    /// A policy is being trained; a step was just taken.
    Training {
        /// The name of the training: the optimizer and, beside those of the main table, in what it differs.
        what: &'a str,
        /// The seed of the training.
        seed: u64,
        /// The share of the training that is done.
        done: f64,
        /// That step.
        point: &'a TrainingPoint,
    },
    /// What has no steps to tell of goes on: prices of the options that hedge are made, or test paths are hedged.
    Busy,
    /// Settings are being searched: a training, of how many, and the share of it that is done.
    Tuning {
        /// The optimizer whose settings are searched.
        strategy: &'a str,
        /// The number of the present trial, from 1.
        trial: usize,
        /// The number of all trials.
        trials: usize,
        /// The share of the present trial that is done.
        done: f64,
    },
}

/// Is told of every step; an error ends the run, [`crate::Error::Stopped`] so that it can go on later.
pub type Report<'a> = dyn FnMut(Progress<'_>) -> Result<()> + 'a;

/// Where a piece of work keeps its files, and whom it tells how far it is.
///
/// All ranks that do the piece together call the functions in the same order. What they keep and tell is the same, and is kept and
/// told once.
pub trait Keeper {
    /// The ranks that do the piece together.
    fn ranks(&self) -> &Ranks;

    /// A training has taken a step. True if it should leave a checkpoint now, on all of its ranks or on none.
    ///
    /// # Errors
    /// [`crate::Error::Stopped`] on all ranks if the run was asked to stop; an error on one rank stops the others.
    fn step(&mut self, what: &str, seed: u64, training: &Training<'_>) -> Result<bool>;

    /// A trial of a search for settings goes on: its number, of how many, and the share of it that is done.
    ///
    /// # Errors
    /// Those of [`Keeper::step`].
    fn tuning(&mut self, strategy: &str, trial: (usize, usize), done: f64) -> Result<()>;

    /// Something without steps to tell of goes on.
    ///
    /// # Errors
    /// Those of [`Keeper::step`].
    fn busy(&mut self) -> Result<()>;

    /// A file of the run, if it is there and the piece has said that it needs it.
    ///
    /// # Errors
    /// [`crate::Error::File`] if it is there but cannot be read.
    fn read(&mut self, name: &str) -> Result<Option<Vec<u8>>>;

    /// Writes a file of the run whole or not at all; `name` may name a folder inside the run.
    ///
    /// # Errors
    /// [`crate::Error::File`] if the file cannot be written.
    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<()>;

    /// Removes a file of the run, if it is there.
    ///
    /// # Errors
    /// [`crate::Error::File`] if it is there still.
    fn remove(&mut self, name: &str) -> Result<()>;

    /// What a training of several ranks, or beside others, has communicated.
    fn communicated(&mut self, training: TrainingStatistics);
}

/// When checkpoints are due.
#[derive(Debug, Clone, Copy)]
pub struct Period(Instant);

impl Period {
    /// What a killed process loses of a training at most, beside a step.
    const CHECKPOINTS: Duration = Duration::from_secs(20);

    /// A period that begins now.
    pub fn new() -> Self {
        Self(Instant::now())
    }

    /// What all of `ranks` make of what each of them thinks of a step: whether a checkpoint is due by the clock of the first, and an
    /// error on all of them if there is one on any.
    ///
    /// # Errors
    /// The `own` error, or [`crate::Error::Stopped`] where another rank has one.
    pub fn agreed(&mut self, ranks: &Ranks, own: Result<()>) -> Result<bool> {
        let mut due = self.0.elapsed() >= Self::CHECKPOINTS;
        if !ranks.is_alone() {
            let all = ranks.gather(&[u8::from(own.is_err()), u8::from(due)]);
            due = all[0][1] != 0;
            if own.is_ok() && all.iter().any(|rank| rank[0] != 0) {
                return Err(stopped());
            }
        }
        own?;
        if due {
            *self = Self::new();
        }
        Ok(due)
    }
}
