//! Price paths as plain data, filled by a simulator or from history; nothing downstream can tell.

pub mod estimation;
mod gbm;
mod heston;
// Without files to read, the words for reading them remain, which strategies say.
#[cfg_attr(not(feature = "data"), allow(dead_code))]
pub mod history;
mod merton;
mod paths;
mod quotes;
#[cfg_attr(not(feature = "data"), allow(dead_code))]
mod refusal;
mod simulation;
mod source;
#[cfg(test)]
mod substeps_tests;
#[cfg(feature = "data")]
pub(crate) mod table;
#[cfg(test)]
mod tests;
mod variance_swap;
pub mod volatility_unit;

pub use history::History;
pub use paths::{PathBlock, Paths};
pub use quotes::Quotes;
pub use simulation::{Market, Model, Simulator};
pub use source::PathSource;
pub use volatility_unit::VolatilityUnit;
