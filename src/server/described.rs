//! What descriptions of operations share: their groups, and the form of a refusal.

use serde::Serialize;
use utoipa::ToSchema;

/// The group of the operations on runs.
pub const RUNS: &str = "runs";
/// The group of the operations on uploaded files.
pub const DATA: &str = "data";
/// The group of the operations on jobs.
pub const JOBS: &str = "jobs";

/// Why a request was refused.
#[derive(Debug, Serialize, ToSchema)]
pub struct Refusal {
    /// What went wrong.
    pub error: Reason,
}

/// What went wrong with a request.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reason {
    /// For programs: `not_found`, `invalid`, `queue_full`, …
    pub code: &'static str,
    /// For people.
    pub message: String,
    /// The field of the request, or the key of the strategy, at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}
