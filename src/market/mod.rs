//! Price paths as plain data, filled by a simulator or from history; nothing downstream can tell.

mod assets;
#[cfg(test)]
mod assets_tests;
mod benchmark;
mod correlation;
mod curve;
mod draws;
pub mod estimation;
// Without files to read, the words for reading them remain, which strategies say.
#[cfg_attr(not(feature = "data"), allow(dead_code))]
pub mod history;
mod layout;
pub mod model;
pub mod past_surfaces;
pub mod path_table;
mod paths;
mod quoted;
mod quotes;
#[cfg_attr(not(feature = "data"), allow(dead_code))]
mod refusal;
mod simulator;
mod source;
mod spot_market;
mod state;
#[cfg(test)]
mod substeps_tests;
#[cfg(feature = "data")]
pub(crate) mod table;
#[cfg(test)]
mod tests;
pub mod valuation;
mod variance_swap;
pub mod volatility_unit;

pub use assets::{Asset, Assets};
pub use benchmark::{Answers, AnswersMut, Benchmark, BenchmarkHedge, QuickHedge, VegaRatio};
pub use correlation::Correlation;
pub use curve::Curve;
pub use history::History;
pub use layout::Layout;
pub use model::{GbmParameters, Model, Pricer, VarianceProcess};
pub use past_surfaces::PastSurfaces;
pub use path_table::PathTable;
pub use paths::{DrawnTerms, PathBlock, PathBlockMut, Paths, until};
pub use quoted::Quoted;
pub use quotes::Quotes;
pub use simulator::Simulator;
pub use source::PathSource;
pub use spot_market::Market;
pub use state::{MarketState, SurfaceRows};
pub use volatility_unit::VolatilityUnit;
