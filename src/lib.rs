//! Deep hedging with a recurrent policy, trained by Kronecker-factored curvature.

pub mod atomic;
#[cfg(feature = "data")]
pub mod backtest;
pub mod bounds;
#[cfg(feature = "data")]
pub mod calibration;
#[cfg(feature = "dashboard")]
pub mod charts;
#[cfg(feature = "command-line")]
pub mod cli;
pub mod contract;
pub mod distributed;
pub mod error;
#[cfg(feature = "data")]
pub mod experiment;
pub mod hedging;
pub mod linalg;
pub mod market;
mod named;
pub mod network;
#[cfg(feature = "data")]
mod numbers;
pub mod optimizer;
pub mod pricing;
pub mod random;
#[cfg(feature = "data")]
pub mod report;
pub mod risk;
#[cfg(feature = "data")]
pub mod runs;
#[cfg(feature = "dashboard")]
pub mod server;
pub mod simd;
pub mod strategy;
pub mod training;
#[cfg(feature = "data")]
pub mod walk_forward;

pub use error::{Error, Result};
