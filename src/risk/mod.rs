mod summary;
pub use summary::{Estimate, Row};
