//! The networks behind policies, and their sweeps through time. A network is a room of its own and a line in `shape`; so is
//! an action, which makes positions of a network's outputs, a file and a line in `action`. What stands beside them serves any.

mod action;
mod architecture;
mod block;
mod derivatives;
mod features;
mod head;
mod lstm;
mod map;
mod parameters;
mod record;
#[cfg(test)]
mod record_fixture;
mod reduced;
mod shape;
mod sweep;
mod tensors;
#[cfg(test)]
mod tests;

pub use action::{
    Action, ActionName, ActionSettings, Actor, At, Band, Bounded, Direct, Hand, Residual, Rule,
};
pub use architecture::{Architecture, Network};
pub use block::BlockSweep;
pub use derivatives::{PathDerivatives, sum_moments};
pub use features::{AssetScale, Feature, Features, Standard};
pub use head::Head;
pub use lstm::{GATES, LstmShape, TensorSweep};
pub use map::MapShape;
pub use parameters::{Parameters, matrix, tensor};
pub use record::{Moments, Record, RecordBlock};
pub use shape::{Engine, Shape};
pub use sweep::{Seed, Sweep};
