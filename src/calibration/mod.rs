//! Model parameters from option prices.

mod heston;
mod surface;
#[cfg(test)]
mod tests;

pub use heston::{Errors, HestonFit, fit_heston};
pub use surface::{Dropped, Quote, Surface, SurfaceOptions};
