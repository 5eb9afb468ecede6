//! The language of term sheets: what a contract pays, written as expressions over the path.
//!
//! A [`Sheet`] is a list of payments, each an amount due on the dates of a schedule. For the assets and the grid of dates of
//! one market it becomes a [`Program`], which says on which dates money may be paid, which running quantities of the path
//! decide about it, and what a block of 32 paths pays. A program goes through the dates once, in order, and holds nothing
//! but running values, so that what it pays on a date depends on the path up to that date alone.
//!
//! # The language
//! `S` is the spot, `S.name` that of one of several assets, `years` the time since the sale, `observation` the number of the
//! date in the schedule at hand; any other name is a parameter. Numbers have `+ - * / ^`, `max`, `min`, `abs`, `exp`, `ln`,
//! `sqrt` and `clamp(x, low, high)`; comparisons make conditions, which have `and`, `or` and `not`;
//! `when(condition, a, b)` chooses. Functionals run over the dates of a schedule, their last argument, or over all hedging
//! dates without one: `average`, `sum`, `highest`, `lowest`, `count`, `any`, `all`; `first(x)` is the value at the sale,
//! `previous(x)` that on the date before. The sale is not a date of any schedule, and the expiry is the last of each.
//!
//! # What is not a number
//! A logarithm of a negative spot, say, is not a number, and neither is anything that depends on it: a maximum, a comparison
//! or a payment never hides it.

mod calls;
mod compile;
mod evaluate;
mod functions;
mod lanes;
mod misread;
mod names;
mod node;
mod parser;
mod program;
mod rules;
mod schedule;
mod sheet;
mod tree;

#[cfg(test)]
mod error_tests;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod path_tests;
#[cfg(test)]
mod property_tests;

pub use program::Program;
pub use schedule::{Grid, fixing};
pub use sheet::{Expression, Parameter, Payment, Sheet, Value};

/// The bounds that keep the work of a sheet small, whatever it says.
mod bounds {
    /// Bytes of one expression, at most.
    pub const LENGTH: usize = 4_096;
    /// Levels of nested operators, calls and parentheses, at most.
    pub const DEPTH: usize = 100;
    /// Different terms of all expressions of a sheet, at most.
    pub const NODES: usize = 1_000;
    /// Payments of a sheet, at most.
    pub const PAYMENTS: usize = 100;
    /// Different schedules of a sheet, at most: one bit of 64 is the sale's.
    pub const SCHEDULES: usize = 63;
}
