//! Run folders: what a run leaves behind, how it is written and how it is found again.

pub mod asset;
pub mod breakdown;
pub mod classical;
pub mod crossed;
pub mod daily;
pub mod export;
mod folder;
mod id;
#[cfg(feature = "dashboard")]
pub mod index;
pub mod merge;
pub mod metrics;
pub mod parquet;
pub mod precision;
pub mod progress;
pub mod protocol;
#[cfg(feature = "dashboard")]
pub mod queue;
mod recorder;
pub mod registration;
mod root;
pub mod shard;
#[cfg(feature = "dashboard")]
pub mod state;
pub mod store;
pub mod study;
pub mod tables;
pub mod walk_forward;
pub mod warnings;

pub use recorder::{Recorder, Steps};

#[cfg(test)]
pub mod fixture;
