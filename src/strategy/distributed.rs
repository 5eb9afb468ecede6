//! The section `distributed`: how a job on several ranks does the trainings of a strategy.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a job on several ranks (`mpirun`) does the trainings. Results do not depend on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DistributedSection {
    /// The share of a training's ranks that keep the inverse curvature of each map: 1 for least communication, one over the
    /// number of ranks for least memory.
    #[schemars(title = "Gradient workers", range(max = 1.0), extend("exclusiveMinimum" = 0))]
    pub gradient_worker_fraction: f64,
}

impl Default for DistributedSection {
    fn default() -> Self {
        Self {
            gradient_worker_fraction: 1.0,
        }
    }
}
