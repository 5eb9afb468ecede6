//! Deep hedging with a recurrent policy, trained by Kronecker-factored curvature.

pub mod backtest;
pub mod bounds;
pub mod calibration;
pub mod charts;
pub mod cli;
pub mod contract;
pub mod error;
pub mod experiment;
pub mod hedging;
pub mod linalg;
pub mod market;
mod named;
pub mod network;
mod numbers;
pub mod optimizer;
pub mod pricing;
pub mod random;
pub mod report;
pub mod risk;
pub mod runs;
pub mod server;
pub mod simd;
pub mod strategy;
pub mod training;
pub mod walk_forward;

pub use error::{Error, Result};
