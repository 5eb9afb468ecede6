use super::progress::{Event, ProgressLog};
use super::store::RunFolder;
use crate::error::{Error, Result};
use crate::training::Training;
use std::collections::HashSet;

/// What there is to say of the steps of trainings.
#[derive(Debug, Default)]
pub struct Steps {
    /// Strategy and seed of the trainings that have taken steps.
    begun: HashSet<(String, u64)>,
}

impl Steps {
    /// A training has taken a step; its first one here also says that it has begun, or gone on from a checkpoint.
    pub fn events(&mut self, strategy: &str, seed: u64, training: &Training<'_>) -> Vec<Event> {
        let (optimizer, points) = (training.optimizer(), training.points());
        let mut events = Vec::new();
        let Some((point, before)) = points.split_last() else {
            return events;
        };
        if self.begun.insert((strategy.into(), seed)) {
            events.push(Event::Training {
                strategy: strategy.into(),
                seed,
                from: before.len(),
                steps: training.steps(),
                paths: optimizer.paths,
            });
        }
        let seconds = point.seconds - before.last().map_or(0.0, |before| before.seconds);
        events.push(Event::Step {
            strategy: strategy.into(),
            seed,
            done: training.done(),
            point: point.clone(),
            paths_per_second: optimizer.paths as f64 / seconds,
            validation: training.validation().cloned(),
        });
        events
    }
}

/// Writes what the trainings of a run do to its progress file.
pub struct Recorder {
    log: ProgressLog,
    steps: Steps,
}

impl Recorder {
    /// Begins to record the progress of a run.
    ///
    /// # Errors
    /// Those of [`ProgressLog::open`].
    pub fn open(folder: &RunFolder) -> Result<Self> {
        Ok(Self {
            log: ProgressLog::open(folder)?,
            steps: Steps::default(),
        })
    }

    /// A training has taken a step; see [`Steps::events`].
    ///
    /// # Errors
    /// [`Error::File`] if the file cannot be written; of the other methods too.
    pub fn step(&mut self, strategy: &str, seed: u64, training: &Training<'_>) -> Result<()> {
        let events = self.steps.events(strategy, seed, training);
        events.iter().try_for_each(|event| self.log.write(event))
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
