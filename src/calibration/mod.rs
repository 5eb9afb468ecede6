//! Model parameters from option prices.

mod heston;
pub(crate) mod surface;
mod svi;
#[cfg(test)]
mod svi_tests;
#[cfg(test)]
mod tests;

pub use heston::{Errors, HestonFit, fit_heston};
pub use surface::{Dropped, Quote, Surface, SurfaceOptions};
pub use svi::{LEAST_QUOTES, SviFit, fit_svi};

use crate::named::named;

named! {
    /// What is fitted to a surface, by the name of the model.
    pub enum FittedModel {
        /// Heston's parameters.
        Heston = "heston",
        /// The slices of a local volatility.
        LocalVolatility = "local_volatility",
    }
}
