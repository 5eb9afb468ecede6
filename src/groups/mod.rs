//! Independent pieces of work, trainings above all, handed out to groups of ranks, and the run folder that rank 0 alone reads and
//! writes.
//!
//! All ranks of a job call the same functions of a [`Crew`] in the same order. In [`Crew::each`] they fall into groups of
//! consecutive ranks; rank 0 hands one piece after another to groups as they become free, and works in the first group itself.
//! Between two calls all ranks go on together. What a piece gives does not depend on the group that does it.
//!
//! A piece knows nothing of that: it asks a [`Keeper`] for its files and tells it how far it is. In a process of its own, and on
//! rank 0, that is the run folder; on the first rank of another group it is rank 0, by messages; what the other ranks of a group
//! write and tell is dropped, since it is the same.

mod crew;
mod failure;
#[cfg(test)]
pub mod fixture;
mod formation;
mod keeper;
mod led;
mod message;
mod office;
mod seat;
mod statistics;
mod training;
mod work;

pub use crew::Crew;
pub use formation::formation;
pub use keeper::{Keeper, Progress, Report};
pub use message::{Assignment, Order, read_message, send_message};
pub use statistics::{DISTRIBUTED, Distributed, TrainingStatistics};
pub use training::train;
pub use work::Work;
