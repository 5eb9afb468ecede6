//! The strategy file: raw, then validated.

mod plan;
pub mod raw;

pub use plan::{OptimizerPlan, Plan};
