//! Settings as their structs declare them: a struct's doc comments, units, defaults and bounds become a JSON Schema, and
//! from that come the checks of a file, the list of keys, the form of a page and what editors know.
//!
//! A field says what it is by attributes of `schemars`: its doc comment is the help, `title` its name in a form, `range`
//! and `length` its bounds, and `extend` what JSON Schema has no word for:
//!
//! - `"exclusiveMinimum"`, `"exclusiveMaximum"`: bounds that do not belong to the range;
//! - `"x-unit"`: the unit;
//! - `"x-default"`: the default in words where it depends on other settings;
//! - `"x-when"`: the values of other settings beside which this one has a meaning, `{"variance": ["realised"]}`.

mod check;
mod key;
mod schema;
#[cfg(test)]
mod tests;

pub(crate) use check::nearest;
pub use check::{check, prune};
pub use key::{Choice, Key, Kind, When, keys, plain};
pub use schema::{declared, schema};
