//! Random numbers addressed by (seed, purpose, path, draw), so that they do not depend on who
//! asks for them, in which order, or on how many threads.

mod bridge;
mod joint;
mod philox;
mod shocks;
mod sobol;
mod source;

pub use joint::{Correlated, Joint};
pub use philox::{Purpose, Stream};
pub use shocks::{Factor, Shocks, Words};
pub use source::{Sampling, Source};

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

/// A sequential generator for things that are drawn once and in order, such as initial weights.
pub fn sequential(seed: u64, purpose: Purpose) -> ChaCha8Rng {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(purpose as u64);
    generator
}
