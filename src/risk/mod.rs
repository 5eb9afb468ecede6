mod summary;
pub use summary::{Estimate, Row, null_as_nan};
