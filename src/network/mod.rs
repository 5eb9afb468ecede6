//! The networks behind policies, and their sweeps through time. A network is a room of its own and a line in `shape`; so is
//! an action, which makes positions of a network's outputs, a file and a line in `action`. What stands beside them serves any.

mod action;
mod affine;
mod architecture;
mod attention;
mod block;
mod dated;
mod derivatives;
mod features;
mod gru;
mod head;
mod linear;
mod lstm;
mod map;
mod mlp;
mod moments;
#[cfg(test)]
mod networks_tests;
mod normalise;
mod parameters;
mod record;
#[cfg(test)]
mod record_fixture;
mod rectified;
mod reduced;
mod reference;
mod session;
mod shape;
mod sizes;
mod step;
mod sweep;
mod tensors;
#[cfg(test)]
mod tests;

pub use action::{
    Action, ActionName, ActionSettings, Actor, Asks, At, Band, Bounded, CentredBand, Direct, Hand,
    Relaxation, Residual, Rule, Through,
};
pub use architecture::{Architecture, Network};
pub use block::BlockSweep;
pub use derivatives::{Derivatives, PathDerivatives};
pub use features::{AssetScale, Feature, Features, Standard};
pub use head::Head;
pub use lstm::LstmShape;
pub use map::MapShape;
pub use moments::Moments;
pub use parameters::{Parameters, matrix, tensor};
pub use record::{Record, RecordBlock};
pub use session::Session;
pub use shape::{Engine, NetworkName, Shape};
pub use sizes::Sizes;
pub use step::{BATCH, Carried, HELD, Names, Observed, POSITION, PolicyStep, ReadBy, Situation};
pub use sweep::{Seed, Sweep};
