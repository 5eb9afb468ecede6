//! The section `distributed`: how a job on several ranks does the trainings of a strategy.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a job on several ranks (`mpirun`) does the trainings. Results do not depend on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DistributedSection {
    /// The least number of ranks that share the paths of a training; ranks beyond it train beside each other.
    #[schemars(title = "Ranks a training", range(min = 1, max = 1_000_000), extend("x-unit" = "ranks",
        "x-default" = "none: as many trainings at a time as there are ranks or trainings"))]
    pub ranks_per_training: Option<usize>,
    /// The share of a training's ranks that keep the inverse curvature of each map: 1 for least communication, one over the
    /// number of ranks for least memory.
    #[schemars(title = "Gradient workers", range(max = 1.0), extend("exclusiveMinimum" = 0))]
    pub gradient_worker_fraction: f64,
}

impl Default for DistributedSection {
    fn default() -> Self {
        Self {
            ranks_per_training: None,
            gradient_worker_fraction: 1.0,
        }
    }
}
