//! The networks behind policies, and their sweeps through time. A network is a room of its own and a line in `shape`;
//! what stands beside it serves any.

mod architecture;
mod block;
mod derivatives;
mod features;
mod lstm;
mod map;
mod parameters;
mod record;
#[cfg(test)]
mod record_fixture;
mod reduced;
mod shape;
mod sweep;
#[cfg(test)]
mod tests;

pub use architecture::{Architecture, Network};
pub use block::BlockSweep;
pub use derivatives::{PathDerivatives, sum_moments};
pub use features::{AssetScale, Feature, Features, Standard};
pub use lstm::{GATES, LstmShape, TensorSweep};
pub use map::MapShape;
pub use parameters::{Parameters, matrix, tensor};
pub use record::{Moments, Record, RecordBlock};
pub use shape::{Engine, Shape};
pub use sweep::{Seed, Sweep};
