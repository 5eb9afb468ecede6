//! What a job on several ranks was made of, and what its communication came to.

use crate::distributed::Statistics;
use crate::error::Result;
use crate::runs::store::RunFolder;
use serde::{Deserialize, Serialize};

/// The file of [`Distributed`] in the folder of a run.
pub const DISTRIBUTED: &str = "distributed.json";

/// `distributed.json`: how the ranks of a job carried a run out. Like times, it says nothing of what the run found, and a run of
/// one process has no such file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Distributed {
    /// The number of ranks of the job that finished the run.
    pub ranks: usize,
    /// The trainings that jobs on several ranks have done, in the order in which they ended.
    pub trainings: Vec<TrainingStatistics>,
    /// Collectives and messages of rank 0 in the job that finished the run.
    pub calls: u64,
    /// Bytes of these.
    pub bytes: u64,
    /// Seconds that rank 0 spent in collectives, for the most part waiting for other ranks.
    pub seconds: f64,
}

/// What a training has communicated, on the first rank of its group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingStatistics {
    /// What events call the training.
    pub strategy: String,
    /// The seed of the training.
    pub seed: u64,
    /// The number of the rank that was first in the group, in the job.
    pub first_rank: usize,
    /// The number of ranks of the group.
    pub ranks: usize,
    /// The number of steps that the job has taken of the training.
    pub steps: usize,
    /// Collectives and messages a step.
    pub calls_per_step: f64,
    /// Bytes a step.
    pub bytes_per_step: f64,
    /// Seconds a step that the rank spent in collectives, for the most part waiting for others.
    pub communication_seconds_per_step: f64,
}

impl TrainingStatistics {
    /// What `communicated` in `steps` steps comes to.
    pub fn new(
        (strategy, seed): (&str, u64),
        (first_rank, ranks): (usize, usize),
        steps: usize,
        communicated: Statistics,
    ) -> Self {
        let each = 1.0 / steps.max(1) as f64;
        Self {
            strategy: strategy.into(),
            seed,
            first_rank,
            ranks,
            steps,
            calls_per_step: communicated.calls as f64 * each,
            bytes_per_step: communicated.bytes as f64 * each,
            communication_seconds_per_step: communicated.seconds * each,
        }
    }
}

impl Distributed {
    /// What is kept in a run, if a job on several ranks has carried it out.
    ///
    /// # Errors
    /// [`crate::Error::Input`] if the file is damaged.
    pub fn of_run(folder: &RunFolder) -> Result<Option<Self>> {
        folder.read_json(DISTRIBUTED)
    }
}
