//! Price paths as plain data, filled by a simulator or from history; nothing downstream can tell.

pub mod estimation;
mod gbm;
mod heston;
pub mod history;
mod merton;
mod paths;
mod quotes;
mod simulation;
mod source;
#[cfg(test)]
mod substeps_tests;
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
