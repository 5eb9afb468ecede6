use super::{Progress, Report};
use crate::error::Result;
use crate::runs::Recorder;
use crate::runs::progress::Event;
use crate::runs::store::RunFolder;
use crate::training::Training;

/// What an experiment does, told to its caller and written to the run's progress file.
pub struct Watch<'a> {
    recorder: Recorder,
    report: &'a mut Report<'a>,
    /// The trial that was written last.
    trial: Option<(String, usize)>,
}

impl<'a> Watch<'a> {
    /// Opens the progress file of a run, and tells `report` of every step.
    ///
    /// # Errors
    /// The errors of [`Recorder::open`].
    pub fn open(folder: &RunFolder, report: &'a mut Report<'a>) -> Result<Self> {
        Ok(Self {
            recorder: Recorder::open(folder)?,
            report,
            trial: None,
        })
    }

    /// The training `what` with `seed` has taken a step.
    ///
    /// # Errors
    /// The error of the caller's report, or if the file cannot be written.
    pub fn step(&mut self, what: &str, seed: u64, training: &Training<'_>) -> Result<()> {
        self.recorder.step(what, seed, training)?;
        (self.report)(Progress::Training {
            what,
            seed,
            training,
        })
    }

    /// Something without steps to tell of goes on.
    ///
    /// # Errors
    /// The error of the caller's report.
    pub fn busy(&mut self) -> Result<()> {
        (self.report)(Progress::Busy)
    }

    /// A trial of a search for settings goes on, `trial` of `trials`, of which the share `done` is done.
    ///
    /// # Errors
    /// The error of the caller's report, or if the file cannot be written.
    pub fn tuning(
        &mut self,
        strategy: &str,
        (trial, trials): (usize, usize),
        done: f64,
    ) -> Result<()> {
        let known = |(name, number): &(String, usize)| name == strategy && *number == trial;
        if !self.trial.as_ref().is_some_and(known) {
            self.trial = Some((strategy.into(), trial));
            self.recorder.write(&Event::Tuning {
                strategy: strategy.into(),
                trial,
                trials,
            })?;
        }
        (self.report)(Progress::Tuning {
            strategy,
            trial,
            trials,
            done,
        })
    }

    /// All policies are trained and will be measured.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn measuring(&mut self) -> Result<()> {
        self.recorder.write(&Event::Measuring)
    }

    /// Writes how the run ended.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn end<T>(&mut self, result: &Result<T>) -> Result<()> {
        self.recorder.end(result)
    }
}
