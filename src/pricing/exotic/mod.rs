//! Closed forms of exotic contracts under Black–Scholes–Merton, one file for each family: the price and the deltas and
//! gammas that a hedger needs, in every state of a contract's life.
//!
//! What has happened to a contract is a field of it: the fixings of an average so far, whether a barrier was touched, the
//! running extreme. At expiry and without volatility, values are their limits.

mod asset;
mod at_dates;
mod barrier;
mod digital;
mod exchange;
mod forward_start;
mod geometric_asian;
mod lookback;
mod term;
mod touch;
mod two_assets;
mod valuation;
mod variance_swap;

pub use asset::LognormalAsset;
pub use barrier::{BarrierOption, Direction, Knock, MONITORING_SHIFT};
pub use digital::Digital;
pub use exchange::Exchange;
pub use forward_start::{Begins, ForwardStart, ReturnClamp};
pub use geometric_asian::{AverageSoFar, GeometricAsian};
pub use lookback::{FixedLookback, FloatingLookback};
pub use touch::{Touch, TouchKind};
pub use two_assets::{Choice, RainbowOption, TwoAssetValuation, TwoAssets};
pub use valuation::Valuation;
pub use variance_swap::SampledVariance;

use asset::Pays;
use term::Term;

#[cfg(test)]
mod tests;
