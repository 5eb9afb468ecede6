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
pub use svi::{SviFit, fit_svi};

use crate::error::Result;
use crate::named::named;
use serde_json::{Map, Value};

/// What is fitted to a surface: one line for each, whose fit answers for it as [`Fit`].
macro_rules! fitted_models {
    ($($(#[$doc:meta])* $model:ident = $name:literal $fit:ty,)*) => {
        named! {
            /// What is fitted to a surface, by the name of the model.
            pub enum FittedModel {
                $($(#[$doc])* $model = $name,)*
            }
        }

        impl FittedModel {
            /// Why it is not fitted by such errors, if it is not.
            pub fn refusal(self, errors: Errors) -> Option<&'static str> {
                match self {
                    $(Self::$model => <$fit as Fit>::refusal(errors),)*
                }
            }

            /// Fits it to a surface by such errors.
            ///
            /// # Errors
            /// Those of its fit.
            pub fn fit(self, surface: &Surface, errors: Errors) -> Result<Box<dyn Fit>> {
                match self {
                    $(Self::$model => Ok(Box::new(<$fit as Fit>::to(surface, errors)?)),)*
                }
            }
        }
    };
}

fitted_models! {
    /// Heston's parameters.
    Heston = "heston" HestonFit,
    /// The slices of a local volatility.
    LocalVolatility = "local_volatility" SviFit,
}

/// A model fitted to the implied volatilities of a day.
pub trait Fit: Send {
    /// Why it is not fitted by such errors, if it is not.
    fn refusal(_errors: Errors) -> Option<&'static str>
    where
        Self: Sized,
    {
        None
    }

    /// The fit to a surface by such errors, which [`Self::refusal`] does not refuse.
    ///
    /// # Errors
    /// Those of the search.
    fn to(surface: &Surface, errors: Errors) -> Result<Self>
    where
        Self: Sized;

    /// The parameters as strategies have them, under `parameters`, how large the errors are, and what else is known of the fit.
    fn document(&self) -> Map<String, Value>;

    /// The quotes that were fitted, each with the implied volatility of the model.
    fn quotes(&self, surface: &Surface) -> Vec<(Quote, f64)>;

    /// Parameters that ended on a bound of the search.
    fn at_bound(&self) -> &[&'static str] {
        &[]
    }

    /// Other parameters that the quotes do not determine.
    fn not_identified(&self) -> &[&'static str] {
        &[]
    }

    /// What must be known of the fit.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }

    /// The fit in words, with its quotes as they are `described`.
    fn text(&self, described: &str) -> String;
}
