//! The section `distributed`: how a job on several ranks does the trainings of a strategy.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a job on several ranks (`mpirun`) does the trainings. Results do not depend on it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DistributedSection {
    /// The least number of ranks that share the paths of a training; ranks beyond it train beside each other.
    #[schemars(title = "Ranks a training", range(min = 1, max = 1_000_000), extend("x-unit" = "ranks",
        "x-default" = "none: as many trainings at a time as there are ranks or trainings"))]
    pub ranks_per_training: Option<usize>,
}
