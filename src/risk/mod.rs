//! Risk measures: value and derivative; and the statistics of a hedged book.

mod measure;
mod summary;

pub use measure::{Evaluation, Risk, cvar};
pub use summary::{Estimate, Row};
