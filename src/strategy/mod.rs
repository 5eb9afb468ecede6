//! The strategy file: raw, then validated.

mod instruments;
mod optimizer;
mod plan;
pub mod raw;
mod walk_forward;

pub use optimizer::OptimizerPlan;
pub use plan::{Aversion, BacktestPlan, Length, Parameterisation, Plan, Premium, Validation};
pub use walk_forward::{Schedule, TrainingPaths, WalkForwardPlan};
