//! The strategy file: raw, then validated section by section.

mod backtest;
mod contract;
mod files;
pub mod form;
mod instruments;
mod market;
pub mod memory;
mod money;
mod optimizer;
mod plan;
mod policy;
pub mod raw;
mod tenor;
mod training;
mod walk_forward;

pub use backtest::{BacktestPlan, Parameterisation, Schedule};
pub use contract::{Premium, Strike};
pub use optimizer::OptimizerPlan;
pub use plan::Plan;
pub use policy::Aversion;
pub use tenor::{DayCount, Rebalancing, Tenor};
pub use training::{Clock, Length, Validation};
pub use walk_forward::{TrainingPaths, WalkForwardPlan};
