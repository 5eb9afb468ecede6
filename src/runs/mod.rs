//! Run folders: what a run leaves behind, how it is written and how it is found again.

pub mod atomic;
pub mod breakdown;
pub mod crossed;
pub mod export;
mod folder;
mod id;
pub mod index;
pub mod metrics;
pub mod precision;
pub mod progress;
pub mod queue;
mod root;
pub mod store;
pub mod study;
pub mod tables;
pub mod walk_forward;

#[cfg(test)]
pub mod fixture;
