use super::keeper::{Progress, Report};
use super::statistics::{DISTRIBUTED, Distributed, TrainingStatistics};
use crate::distributed::Ranks;
use crate::error::{Result, at_path};
use crate::runs::Recorder;
use crate::runs::progress::Event;
use crate::runs::store::RunFolder;
use crate::training::Training;

/// What rank 0 alone has: the run's folder, its progress file, and the caller who is told of every step.
pub struct Office<'a> {
    pub folder: &'a RunFolder,
    recorder: Recorder,
    report: &'a mut Report<'a>,
    /// The trial of a search for settings that was written last.
    trial: Option<(String, usize)>,
    /// What trainings have communicated that ended in this job.
    communicated: Vec<TrainingStatistics>,
}

impl<'a> Office<'a> {
    /// Opens the progress file of a run.
    ///
    /// # Errors
    /// Those of [`Recorder::open`].
    pub fn open(folder: &'a RunFolder, report: &'a mut Report<'a>) -> Result<Self> {
        Ok(Self {
            folder,
            recorder: Recorder::open(folder)?,
            report,
            trial: None,
            communicated: Vec::new(),
        })
    }

    /// A training of this rank has taken a step.
    pub fn step(&mut self, what: &str, seed: u64, training: &Training<'_>) -> Result<()> {
        self.recorder.step(what, seed, training)?;
        let Some(point) = training.points().last() else {
            return Ok(());
        };
        (self.report)(Progress::Training {
            what,
            seed,
            done: training.done(),
            point,
        })
    }

    /// Another rank has sent lines for the progress file.
    pub fn events(&mut self, events: &[Event]) -> Result<()> {
        for event in events {
            self.recorder.write(event)?;
        }
        let steps = events.iter().rev().find_map(|event| match event {
            Event::Step {
                strategy,
                seed,
                done,
                point,
                ..
            } => Some(Progress::Training {
                what: strategy,
                seed: *seed,
                done: *done,
                point,
            }),
            Event::Training { .. }
            | Event::Tuning { .. }
            | Event::Measuring
            | Event::Measured { .. }
            | Event::Stopped
            | Event::Failed { .. }
            | Event::Finished => None,
        });
        steps.map_or(Ok(()), |step| (self.report)(step))
    }

    /// A trial goes on; that it does is written once.
    pub fn tuning(
        &mut self,
        strategy: &str,
        (trial, trials): (usize, usize),
        done: f64,
    ) -> Result<()> {
        let known = |(name, number): &(String, usize)| name == strategy && *number >= trial;
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

    pub fn busy(&mut self) -> Result<()> {
        (self.report)(Progress::Busy)
    }

    pub fn event(&mut self, event: &Event) -> Result<()> {
        self.recorder.write(event)
    }

    pub fn end<T>(&mut self, result: &Result<T>) -> Result<()> {
        self.recorder.end(result)
    }

    pub fn remove(&self, name: &str) -> Result<()> {
        let path = self.folder.path().join(name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            removed => at_path(&path, removed),
        }
    }

    pub fn communicated(&mut self, training: TrainingStatistics) {
        self.communicated.push(training);
    }

    /// Writes what the job's communication has come to, beside what earlier jobs of the run have left.
    pub fn write_statistics(&mut self, world: &Ranks) -> Result<()> {
        let before = Distributed::of_run(self.folder)?;
        let mut trainings = before.map_or_else(Vec::new, |before| before.trainings);
        trainings.append(&mut self.communicated);
        let statistics = world.statistics();
        let distributed = Distributed {
            ranks: world.size(),
            trainings,
            calls: statistics.calls,
            bytes: statistics.bytes,
            seconds: statistics.seconds,
        };
        self.folder.write_json(DISTRIBUTED, &distributed)
    }
}
