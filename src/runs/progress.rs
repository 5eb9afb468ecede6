//! `progress.jsonl`: what a run does while it does it, one JSON object a line.
//!
//! The file is only ever appended to, so the number of a line is its id for good. A training that goes on from a
//! checkpoint says from which step; lines of later steps before it no longer count. The process that writes the file
//! holds a lock on it, which the system releases however the process ends: who finds it locked knows that the run is
//! going.

use super::store::RunFolder;
use crate::atomic::sweep_all;
use crate::error::{Error, Result, at_path};
use crate::risk::null_as_nan;
use crate::training::{TrainingPoint, ValidationSummary};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{self, File, TryLockError};
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// The name of the file in a run folder.
pub const PROGRESS: &str = "progress.jsonl";

/// One line of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A training begins, or goes on from a checkpoint.
    Training {
        /// What the run calls the training.
        strategy: String,
        /// Its seed.
        seed: u64,
        /// Steps taken before; 0 at a beginning.
        from: usize,
        /// All steps, unless the length is in seconds.
        steps: Option<usize>,
        /// Paths of a step.
        paths: usize,
    },
    /// A step was taken.
    Step {
        /// What the run calls the training.
        strategy: String,
        /// Its seed.
        seed: u64,
        /// The share of the training that is done.
        done: f64,
        /// The step, as the training curve has it.
        #[serde(flatten)]
        point: TrainingPoint,
        /// Paths of the step over its seconds.
        #[serde(deserialize_with = "null_as_nan")]
        paths_per_second: f64,
        /// What the policy does on the validation paths, where that was measured.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        validation: Option<ValidationSummary>,
    },
    /// A trial of a search for settings begins.
    Tuning {
        /// The optimizer whose settings are searched.
        strategy: String,
        /// The number of the trial, from 1.
        trial: usize,
        /// The number of all trials.
        trials: usize,
    },
    /// All policies are trained; they and the classical hedges are measured.
    Measuring,
    /// So many parts of the measuring are done, of all of them.
    Measured {
        /// Parts that are done.
        done: usize,
        /// All parts.
        of: usize,
    },
    /// The run was stopped, and can go on.
    Stopped,
    /// The run failed.
    Failed {
        /// Why.
        message: String,
    },
    /// The run has its results, or a shard its trainings.
    Finished,
}

/// A training that a run asks for.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct Planned {
    /// What events call it: the optimizer and, beside the main table's, in what it differs.
    pub strategy: String,
    /// The name of the optimizer.
    pub optimizer: String,
    /// The seed of the training.
    pub seed: u64,
    /// Absent if its length is in seconds, or is known when it begins.
    pub steps: Option<usize>,
    /// Paths of a step.
    pub paths: usize,
}

/// The file, open for appending by the one process that carries the run out.
#[derive(Debug)]
pub struct ProgressLog {
    file: File,
    path: std::path::PathBuf,
    buffer: Vec<u8>,
    flushed: Instant,
}

impl ProgressLog {
    /// How long a step may wait in memory.
    const FLUSH_PERIOD: Duration = Duration::from_millis(100);

    /// Opens the file of a run, without the torn line that a killed process may have left, and removes the temporary files
    /// that it left.
    ///
    /// # Errors
    /// [`Error::Input`] if another process is carrying the run out; [`Error::File`].
    pub fn open(folder: &RunFolder) -> Result<Self> {
        let path = folder.path().join(PROGRESS);
        let mut file = hold(folder)?;
        let whole = at_path(&path, end_of_lines(&mut file))?;
        at_path(&path, file.set_len(whole))?;
        Ok(Self {
            file,
            path,
            buffer: Vec::new(),
            flushed: Instant::now(),
        })
    }

    /// Adds a line. Steps reach the file within a tenth of a second, as long as steps follow; other events at once.
    ///
    /// # Errors
    /// [`Error::File`] if the file cannot be written.
    pub fn write(&mut self, event: &Event) -> Result<()> {
        serde_json::to_writer(&mut self.buffer, event)
            .map_err(|error| Error::Computation(format!("{PROGRESS}: {error}")))?;
        self.buffer.push(b'\n');
        let step = matches!(event, Event::Step { .. });
        if !step || self.flushed.elapsed() >= Self::FLUSH_PERIOD {
            at_path(&self.path, self.file.write_all(&self.buffer))?;
            self.buffer.clear();
            self.flushed = Instant::now();
        }
        Ok(())
    }
}

impl Drop for ProgressLog {
    fn drop(&mut self) {
        // Best effort: an error here has no one to go to.
        let _ = self.file.write_all(&self.buffer);
    }
}

/// The run's progress file, locked until it is closed: no one else carries the run out, deletes it or writes its report
/// meanwhile. Temporary files that killed processes left in the folder are removed.
///
/// # Errors
/// [`Error::Input`] if another process holds it; [`Error::File`].
pub fn hold(folder: &RunFolder) -> Result<File> {
    /// Who asks whether a run is going holds the lock for a moment.
    const ATTEMPTS: usize = 50;
    let path = folder.path().join(PROGRESS);
    let mut options = fs::OpenOptions::new();
    let file = options.read(true).append(true).create(true).open(&path);
    let file = at_path(&path, file)?;
    for attempt in 1.. {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if attempt < ATTEMPTS => {
                std::thread::sleep(Duration::from_millis(2));
            }
            Err(TryLockError::WouldBlock) => {
                return Err(Error::input(format!(
                    "run `{}`: another process is carrying it out",
                    folder.id()
                )));
            }
            Err(TryLockError::Error(error)) => return at_path(&path, Err(error)),
        }
    }
    sweep_all(folder.path());
    Ok(file)
}

/// Whether some process is carrying the run out.
pub fn is_running(folder: &RunFolder) -> bool {
    let Ok(file) = File::open(folder.path().join(PROGRESS)) else {
        return false;
    };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// The number of bytes in whole lines.
fn end_of_lines(file: &mut File) -> std::io::Result<u64> {
    const CHUNK: u64 = 4096;
    let mut end = file.seek(SeekFrom::End(0))?;
    while end > 0 {
        let start = end.saturating_sub(CHUNK);
        let mut chunk = vec![0; (end - start) as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut chunk)?;
        if let Some(last) = chunk.iter().rposition(|&byte| byte == b'\n') {
            return Ok(start + last as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// At most `most` bytes of whole lines from byte `start` on; more if one line is longer. A line that is still being
/// written is left for later, and a file that is not there yet has none.
///
/// # Errors
/// [`Error::File`] if the file cannot be read.
pub fn lines_from(path: &Path, start: u64, most: usize) -> Result<Vec<u8>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return at_path(path, Err(error)),
    };
    at_path(path, file.seek(SeekFrom::Start(start)))?;
    let mut lines = Vec::new();
    loop {
        let more = at_path(path, (&mut file).take(most as u64).read_to_end(&mut lines))?;
        if let Some(last) = lines.iter().rposition(|&byte| byte == b'\n') {
            lines.truncate(last + 1);
            return Ok(lines);
        }
        if more == 0 {
            return Ok(Vec::new());
        }
    }
}

/// The newest event of the run, if there is one.
///
/// # Errors
/// [`Error::File`] if the file cannot be read.
pub fn newest(folder: &RunFolder) -> Result<Option<Event>> {
    /// A line with a distribution has less than 2 KiB.
    const TAIL: u64 = 16 << 10;
    let path = folder.path().join(PROGRESS);
    let length = fs::metadata(&path).map_or(0, |file| file.len());
    let lines = lines_from(&path, length.saturating_sub(TAIL), TAIL as usize)?;
    let mut lines = lines.split(|&byte| byte == b'\n').rev();
    Ok(lines.find_map(|line| serde_json::from_slice(line).ok()))
}

/// A history short enough to be sent at once: of every training at most `points` steps, evenly spaced, and as many of
/// those with a validation, the last one among them; of a search for settings the last trial, and of measuring how far it came. Steps that were taken
/// again after a checkpoint are left out, and so are lines that are no events.
pub fn thinned(lines: &[u8], points: usize) -> Vec<serde_json::Value> {
    let lines: Vec<(Event, &[u8])> = lines
        .split(|&byte| byte == b'\n')
        .filter_map(|line| Some((serde_json::from_slice(line).ok()?, line)))
        .collect();
    let mut kept = vec![true; lines.len()];
    let mut steps: HashMap<(&str, u64), Vec<usize>> = HashMap::new();
    let (mut trial, mut measured) = (None, None);
    for (index, (event, _)) in lines.iter().enumerate() {
        match event {
            Event::Training {
                strategy,
                seed,
                from,
                ..
            } => {
                let before = steps.entry((strategy, *seed)).or_default();
                before.retain(|&index| {
                    kept[index] = step(&lines[index].0) < *from;
                    kept[index]
                });
            }
            Event::Step { strategy, seed, .. } => {
                steps.entry((strategy, *seed)).or_default().push(index);
            }
            Event::Tuning { .. } => {
                if let Some(before) = trial.replace(index) {
                    kept[before] = false;
                }
            }
            Event::Measured { .. } => {
                if let Some(before) = measured.replace(index) {
                    kept[before] = false;
                }
            }
            Event::Measuring | Event::Stopped | Event::Failed { .. } | Event::Finished => {}
        }
    }
    let mut latest = Vec::new();
    for steps in steps.into_values() {
        let (validated, plain): (Vec<usize>, Vec<usize>) = steps.into_iter().partition(|&index| {
            matches!(
                lines[index].0,
                Event::Step {
                    validation: Some(_),
                    ..
                }
            )
        });
        latest.extend(validated.last().copied());
        for indices in [validated, plain] {
            let count = indices.len();
            for (position, index) in indices.into_iter().enumerate() {
                // The last of each share of the steps.
                kept[index] = (position + 1) * points / count > position * points / count;
            }
        }
    }
    let kept = lines.iter().enumerate().filter(|(index, _)| kept[*index]);
    kept.filter_map(|(index, (_, line))| {
        let mut value: serde_json::Value = serde_json::from_slice(line).ok()?;
        // Distributions are shown as they are now.
        if let Some(validation) = value.get_mut("validation")
            && !latest.contains(&index)
        {
            validation.as_object_mut()?.remove("histogram");
        }
        Some(value)
    })
    .collect()
}

/// Appends what the trainings of a run did to `into`: their beginnings and steps, without how the run went on and ended.
///
/// # Errors
/// If a file cannot be read or written.
pub fn copy_trainings(folder: &RunFolder, into: &mut impl Write) -> std::io::Result<()> {
    let file = match File::open(folder.path().join(PROGRESS)) {
        Ok(file) => file,
        // It is a record for those who watch, without which the results are the same.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut writer = std::io::BufWriter::new(into);
    for line in BufReader::new(file).split(b'\n') {
        let line = line?;
        match serde_json::from_slice(&line) {
            Ok(Event::Training { .. } | Event::Step { .. }) => {
                writer.write_all(&line)?;
                writer.write_all(b"\n")?;
            }
            Ok(
                Event::Tuning { .. }
                | Event::Measuring
                | Event::Measured { .. }
                | Event::Stopped
                | Event::Failed { .. }
                | Event::Finished,
            )
            | Err(_) => {}
        }
    }
    writer.flush()
}

fn step(event: &Event) -> usize {
    match event {
        Event::Step { point, .. } => point.step,
        _ => 0,
    }
}

#[cfg(test)]
#[path = "progress_tests.rs"]
mod tests;
