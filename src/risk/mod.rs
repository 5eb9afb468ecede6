//! Risk measures: value and derivative; and the statistics of a hedged book.

pub mod bootstrap;
mod curvature;
mod foresight;
mod masses;
mod measure;
pub mod paired;
mod statistics;
mod summary;
mod weighted;

pub use curvature::{Curvature, CurvatureWeights};
pub use foresight::{Foreseen, Levels};
pub use masses::Masses;
pub use measure::{Evaluation, Measure, cvar};
pub use statistics::RowInput;
pub use summary::{Estimate, Row, null_as_nan};
pub use weighted::{Risk, Term};
