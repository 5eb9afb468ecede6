//! Run folders: what a run leaves behind, how it is written and how it is found again.

pub mod asset;
pub mod breakdown;
pub mod classical;
pub mod comparison;
pub mod contract_paths;
pub mod crossed;
pub mod daily;
pub mod differences;
pub mod export;
mod folder;
mod id;
#[cfg(feature = "dashboard")]
pub mod index;
#[cfg(feature = "dashboard")]
pub mod listing;
pub mod merge;
pub mod metrics;
pub mod parquet;
pub mod precision;
pub mod progress;
pub mod protocol;
#[cfg(feature = "dashboard")]
mod question;
#[cfg(feature = "dashboard")]
pub mod queue;
mod recorder;
pub mod registration;
mod root;
#[cfg(feature = "dashboard")]
pub mod search;
pub mod shard;
#[cfg(feature = "dashboard")]
pub mod state;
pub mod store;
pub mod study;
#[cfg(feature = "dashboard")]
mod synchronised;
pub mod tables;
pub mod trained_on;
pub mod walk_forward;
pub mod warnings;

pub use recorder::{Recorder, Steps};

#[cfg(test)]
pub mod fixture;
