//! Deep hedging with a recurrent policy, trained by Kronecker-factored curvature.

pub mod error;
pub mod report;
pub mod risk;
pub mod runs;
pub mod server;
pub mod strategy;

pub use error::{Error, Result};
