use super::progress::{Event, ProgressLog};
use super::store::RunFolder;
use crate::error::{Error, Result};
use crate::training::Training;

/// Writes what the trainings of a run do to its progress file, one training after another.
pub struct Recorder {
    log: ProgressLog,
    /// Strategy and seed of the training that takes steps.
    current: Option<(String, u64)>,
}

impl Recorder {
    /// Begins to record the progress of a run.
    ///
    /// # Errors
    /// Those of [`ProgressLog::open`].
    pub fn open(folder: &RunFolder) -> Result<Self> {
        Ok(Self {
            log: ProgressLog::open(folder)?,
            current: None,
        })
    }

    /// A training has taken a step; its first one here also says that it has begun, or gone on from a checkpoint.
    ///
    /// # Errors
    /// [`Error::File`] if the file cannot be written; of the other methods too.
    pub fn step(&mut self, strategy: &str, seed: u64, training: &Training<'_>) -> Result<()> {
        let (optimizer, points) = (training.optimizer(), training.points());
        let Some((point, before)) = points.split_last() else {
            return Ok(());
        };
        let is_current = |(name, number): &(String, u64)| name == strategy && *number == seed;
        if !self.current.as_ref().is_some_and(is_current) {
            self.current = Some((strategy.into(), seed));
            self.log.write(&Event::Training {
                strategy: strategy.into(),
                seed,
                from: before.len(),
                steps: training.steps(),
                paths: optimizer.paths,
            })?;
        }
        let seconds = point.seconds - before.last().map_or(0.0, |before| before.seconds);
        self.log.write(&Event::Step {
            strategy: strategy.into(),
            seed,
            done: training.done(),
            point: point.clone(),
            paths_per_second: optimizer.paths as f64 / seconds,
            validation: training.validation().cloned(),
        })
    }

    /// Appends an event.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&mut self, event: &Event) -> Result<()> {
        self.log.write(event)
    }

    /// How the run ended.
    pub fn end<T>(&mut self, result: &Result<T>) -> Result<()> {
        self.log.write(&match result {
            Ok(_) => Event::Finished,
            Err(Error::Stopped(_)) => Event::Stopped,
            Err(error) => Event::Failed {
                message: error.to_string(),
            },
        })
    }
}
