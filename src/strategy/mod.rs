//! The strategy file: raw, then validated.

mod check;
mod optimizer;
mod plan;
pub mod raw;

pub use optimizer::{Method, OptimizerPlan};
pub use plan::{Aversion, BacktestPlan, Length, Parameterisation, Plan, Premium, Validation};
