//! Hedging policies and the ledger that settles them.

mod ledger;

pub use ledger::{Ledger, Settlement};
