//! Option chains: files of quotes, cleaned by named rules, as an implied-volatility surface for every day.
//!
//! ```text
//! files ─ reading ─▶ quotes by day ─ cleaning ─▶ forwards by parity ─▶ implied volatilities ─▶ five factors or SVI slices
//! ```
//!
//! [`Chains::load`] reads, [`ChainReport::of`] does the rest, a day at a time on all threads; figures do not depend on their number.
//!
//! Where there are no options but a volatility index, [`SurfaceShape`] makes surfaces in the shape of another index's.

mod calendar;
mod chain;
mod cleaning;
mod days;
mod fit;
#[cfg(test)]
mod fixture;
mod format;
mod history;
mod parity;
mod points;
pub mod raw;
mod reading;
#[cfg(test)]
mod rules_tests;
mod spreads;
mod stretch;
mod surface_file;
#[cfg(test)]
mod tests;
mod volatility_index;
mod words;

pub use calendar::{Calendar, TradingDays};
pub use chain::{OptionQuote, SliceKey};
pub use cleaning::{Cleaning, Rule, Tally};
pub use days::{ChainReport, DaySurface, QuoteSettings};
pub use fit::{Arbitrage, Fitted, Residuals, SurfaceFit};
pub use format::{FORMATS, Format};
pub use history::surfaces;
pub use parity::Forward;
pub use points::Expiry;
pub use reading::{ChainFile, ChainOptions, Chains};
pub use spreads::{HalfSpreads, SpreadCell, SpreadLaw};
pub use surface_file::{FactorDay, factor_file, write};
pub use volatility_index::{FactorLine, SurfaceShape, swap_rate};
