//! The dynamics of the spot under the pricing measure: one file for each model, and one line here, from which its name in
//! files, its parameters and all answers of [`Dynamics`] follow. Nothing outside this room matches on a model.

mod bates;
mod dynamics;
mod gbm;
mod given_paths;
mod heston;
mod jumps;
mod kou;
mod local_volatility;
mod merton;
mod pricer;
mod rough_bergomi;
mod sabr;
#[cfg(test)]
mod sabr_tests;
mod surface_bootstrap;
mod surface_garch;
mod surface_heston;
mod surface_pricer;
#[cfg(test)]
mod tests;
mod transform;
mod variance;
/// Variance gamma; its parameters have the name of the file.
pub mod variance_gamma;

pub use bates::BatesParameters;
pub use dynamics::{
    Columns, Draw, Dynamics, Estimate, Finding, GivenFile, Limit, PastFile, Tabulated, Tabulation,
};
pub use gbm::GbmParameters;
pub use given_paths::GivenPathsParameters;
pub use kou::KouParameters;
pub use local_volatility::LocalVolatilityParameters;
pub use pricer::{AtForwardRates, Horizon, PriceMethod, Pricer};
pub use rough_bergomi::RoughBergomiParameters;
pub use sabr::SabrParameters;
pub use surface_bootstrap::SurfaceBootstrapParameters;
pub use surface_garch::SurfaceGarchParameters;
pub use surface_heston::SurfaceHestonParameters;
pub use variance::VarianceProcess;

#[cfg(test)]
pub(super) use heston::cancels;

use crate::error::{Error, Result};
use crate::market::estimation::VarianceFilter;
use crate::market::past_surfaces::PastSurfaces;
use crate::market::path_table::PathTable;
use crate::pricing::{HestonParameters, MertonParameters};
use crate::random::{Factor, Shocks};
use crate::settings::declared;
use crate::simd::Real;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// The models: one line for each, which everything else that is said of it follows from.
macro_rules! models {
    ($($(#[doc = $doc:literal])* $model:ident $name:literal $title:literal $parameters:ty,)*) => {
        /// The dynamics of the spot under the pricing measure; it serialises as `model = "NAME"` beside the parameters.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "model")]
        pub enum Model {
            $($(#[doc = $doc])* #[serde(rename = $name)] $model($parameters),)*
        }

        $(impl From<$parameters> for Model {
            fn from(parameters: $parameters) -> Self {
                Self::$model(parameters)
            }
        })*

        impl Model {
            /// All models: the names that strategy files use, and what they are.
            pub const ALL: &'static [(&'static str, &'static str)] =
                &[$(($name, concat!($($doc),*)),)*];

            /// All models by the names that strategy files use, with what they are and the schema of their parameters.
            pub fn schemas() -> Vec<(&'static str, &'static str, Value)> {
                vec![$(($name, concat!($($doc),*).trim(), declared::<$parameters>()),)*]
            }

            /// The name that strategy files use.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$model(_) => $name,)*
                }
            }

            /// What a line about a run calls it.
            pub fn title(&self) -> &'static str {
                match self {
                    $(Self::$model(_) => $title,)*
                }
            }

            fn dynamics(&self) -> &dyn Dynamics {
                match self {
                    $(Self::$model(parameters) => parameters,)*
                }
            }

            /// Draws one block of paths.
            pub fn draw<R: Real, S: Shocks>(&self, block: Draw<'_, R, S>) {
                match self {
                    $(Self::$model(parameters) => parameters.draw(block),)*
                }
            }

            /// The dynamics that price where the instantaneous variance is `variance`, none if the model knows of no
            /// other variance than that of its parameters.
            fn at(&self, variance: f64) -> Option<Self> {
                match self {
                    $(Self::$model(parameters) => parameters.seen_at(variance).map(Self::$model),)*
                }
            }

            /// The model of that name with the parameters that make `returns`, `days_per_year` of them a year, likeliest.
            ///
            /// # Errors
            /// [`Error::Input`] if there is no such model, for returns that are too few or do not vary, and from a model
            /// that returns alone do not determine.
            pub fn estimated(
                name: &str,
                returns: &[f64],
                days_per_year: f64,
            ) -> Result<Estimate<Self>> {
                match name {
                    $($name => {
                        let estimate = <$parameters>::estimate(returns, days_per_year)?;
                        Ok(estimate.map(Self::$model))
                    })*
                    _ => Err(Error::input(format!("there is no model \"{name}\""))),
                }
            }

            /// The model that past days of returns and surfaces show, with the settings of this one; see [`Dynamics::of_past`].
            ///
            /// # Errors
            /// [`Error::Input`] from a model whose paths have no surface, and for days that do not determine it.
            pub fn of_past(&self, past: &PastSurfaces) -> Result<Estimate<Self>> {
                match self {
                    $(Self::$model(parameters) => {
                        Ok(parameters.of_past(past)?.map(Self::$model))
                    })*
                }
            }

            /// The file of past surfaces that the model is made of, where one is named.
            pub fn past_file_mut(&mut self) -> Option<&mut PathBuf> {
                match self {
                    $(Self::$model(parameters) => parameters.past_file_mut(),)*
                }
            }

            /// The file of paths, where they are given.
            pub fn given_file_mut(&mut self) -> Option<&mut PathBuf> {
                match self {
                    $(Self::$model(parameters) => parameters.given_file_mut(),)*
                }
            }

            /// The model of these paths, or else of those that it has; see [`Dynamics::of_given`].
            ///
            /// # Errors
            /// [`Error::Input`] from a model that draws its paths.
            pub fn of_given(&self, paths: Option<PathTable>, period: f64) -> Result<Self> {
                match self {
                    $(Self::$model(parameters) => {
                        parameters.of_given(paths, period).map(Self::$model)
                    })*
                }
            }

            /// The same model with the parameters that make `returns`, `days_per_year` of them a year, likeliest.
            ///
            /// # Errors
            /// Those of [`Self::estimated`].
            pub fn estimate(&self, returns: &[f64], days_per_year: f64) -> Result<Estimate<Self>> {
                Self::estimated(self.name(), returns, days_per_year)
            }
        }
    };
}

models! {
    /// Geometric Brownian motion.
    Gbm "gbm" "geometric Brownian motion" GbmParameters,
    /// Heston's stochastic variance (1993).
    Heston "heston" "Heston" HestonParameters,
    /// Merton's jump diffusion (1976).
    Merton "merton" "Merton" MertonParameters,
    /// Bates' stochastic variance with jumps (1996).
    Bates "bates" "Bates" BatesParameters,
    /// Kou's double exponential jump diffusion (2002).
    Kou "kou" "Kou" KouParameters,
    /// SABR, stochastic volatility of a forward of any elasticity (2002).
    Sabr "sabr" "SABR" SabrParameters,
    /// Rough Bergomi, a variance that forgets by a power law (2016).
    RoughBergomi "rough_bergomi" "rough Bergomi" RoughBergomiParameters,
    /// The local volatility of a surface (1994).
    LocalVolatility "local_volatility" "local volatility" LocalVolatilityParameters,
    /// Variance gamma, a Brownian motion in gamma time (1998).
    VarianceGamma "variance_gamma" "variance gamma" variance_gamma::VarianceGammaParameters,
    /// Past days of returns and implied-volatility surfaces, rescaled to the volatility of the path.
    SurfaceBootstrap "surface_bootstrap" "resampled surfaces" SurfaceBootstrapParameters,
    /// Returns and surface factors with GARCH variances and NIG innovations (François, Gauthier, Godin and Pérez-Mendoza 2023).
    Surface "surface" "surface GARCH" SurfaceGarchParameters,
    /// Heston's variance as the implied one of a month, with a surface of level and skew.
    SurfaceHeston "surface_heston" "Heston with a surface" SurfaceHestonParameters,
    /// Paths that are given in a file, some of them to train on and others to test.
    GivenPaths "given_paths" "given paths" GivenPathsParameters,
}

impl Model {
    /// The model of that name with these parameters, by their names.
    ///
    /// # Errors
    /// If there is no such model, or it has other parameters.
    pub fn named<'a>(
        name: &str,
        parameters: impl IntoIterator<Item = (&'a str, Value)>,
    ) -> Result<Self> {
        let values = parameters.into_iter();
        let mut keys: Map<String, Value> = values
            .map(|(parameter, value)| (parameter.to_owned(), value))
            .collect();
        keys.insert("model".into(), json!(name));
        serde_json::from_value(keys.into())
            .map_err(|error| Error::input(format!("model \"{name}\": {error}")))
    }

    /// The volatility, if the spot is lognormal on every date.
    pub fn lognormal(&self) -> Option<f64> {
        self.dynamics().lognormal()
    }

    /// What the variance does.
    pub fn variance_process(&self) -> VarianceProcess {
        self.dynamics().variance_process()
    }

    /// √ of the variance of log returns at the start, that of jumps included.
    pub fn initial_volatility(&self) -> f64 {
        self.variance_process().now().sqrt()
    }

    /// √ of the variance the model returns to.
    pub fn long_run_volatility(&self) -> f64 {
        self.variance_process().long_run().sqrt()
    }

    /// The expected average variance over `time` years from `variance` now.
    pub fn mean_variance(&self, variance: f64, time: f64) -> f64 {
        self.variance_process().mean_from(variance, time)
    }

    /// The same dynamics from another variance at the start; a constant variance stays what it is.
    #[must_use]
    pub fn at_variance(&self, variance: f64) -> Self {
        match self.variance_process() {
            VarianceProcess::Constant(_) => self.clone(),
            VarianceProcess::Markov(_)
            | VarianceProcess::Elastic(_)
            | VarianceProcess::Forward(_) => self.seen_at(variance),
        }
    }

    /// The dynamics that price at an instantaneous variance: [`Self::at_variance`], and under geometric Brownian motion
    /// that variance itself. A model that knows of no other variance than its own stays what it is.
    #[must_use]
    pub fn seen_at(&self, variance: f64) -> Self {
        self.at(variance).unwrap_or_else(|| self.clone())
    }

    /// Whether prices depend on the instantaneous variance that is seen in the market.
    pub fn follows_variance(&self) -> bool {
        self.at(self.variance_process().now()).is_some()
    }

    /// Whether paths of it have an implied-volatility surface, at which options are quoted.
    pub fn has_surface(&self) -> bool {
        self.dynamics().has_surface()
    }

    /// Whether shocks of the opposite sign give paths of an opposite kind.
    pub fn has_antithetic_paths(&self) -> bool {
        self.dynamics().has_antithetic_paths()
    }

    /// Where the past surfaces lie that the model is made of; none for a model that is made of its parameters alone.
    pub fn past_file(&self) -> Option<PastFile<'_>> {
        self.dynamics().past_file()
    }

    /// Where the paths lie that are given; none for a model that draws its own.
    pub fn given_file(&self) -> Option<GivenFile<'_>> {
        self.dynamics().given_file()
    }

    /// The paths that are given; none for a model that draws its own, and before they were read.
    pub fn given(&self) -> Option<&PathTable> {
        self.dynamics().given()
    }

    /// Whether paths of it say what is paid at expiry.
    pub fn has_payoffs(&self) -> bool {
        self.given().is_some_and(PathTable::has_payoffs)
    }

    /// The longest step, in years, that simulates `life` years rightly; see [`Dynamics::longest_step`].
    pub fn longest_step(&self, life: f64) -> f64 {
        self.dynamics().longest_step(life)
    }

    /// The shocks that a step takes on every path; see [`Dynamics::factors`].
    pub fn factors(&self) -> Vec<Factor> {
        self.dynamics().factors()
    }

    /// The limits within which `life` years in `steps` periods are simulated rightly.
    pub fn limits(&self, life: f64, steps: usize) -> Vec<Limit> {
        self.dynamics().limits(life, steps)
    }

    /// The first two moments of a log return to come; see [`Dynamics::log_return_moments`].
    pub fn log_return_moments(&self, carry: f64, after: f64, period: f64) -> Option<(f64, f64)> {
        self.dynamics().log_return_moments(carry, after, period)
    }

    /// Whether options have the prices of the very dynamics that are simulated.
    pub fn prices_are_exact(&self) -> bool {
        self.dynamics().prices_are_exact()
    }

    /// Whether spot and variance on a date after the sale determine prices there; see [`Dynamics::prices_every_state`].
    pub fn prices_every_state(&self) -> bool {
        self.dynamics().prices_every_state()
    }

    /// How the model comes by the prices of calls and puts.
    pub fn price_method(&self) -> PriceMethod {
        self.dynamics().price_method()
    }

    /// A pricer of the options of one horizon.
    pub fn pricer(&self, horizon: &Horizon) -> Box<dyn Pricer + '_> {
        self.dynamics().pricer(horizon)
    }

    /// How options are priced on many paths of `life` years.
    pub fn tabulation(&self, life: f64) -> Tabulation {
        self.dynamics()
            .tabulation(self.greatest_usual_variance(), life)
    }

    /// The variance at the start or in the long run, whichever is greater.
    pub fn greatest_usual_variance(&self) -> f64 {
        let most = self.initial_volatility().max(self.long_run_volatility());
        most.powi(2)
    }

    /// Undiscounted calls over their strike; see [`Dynamics::calls`].
    pub fn calls(&self, of: &Tabulated, x: &[f64]) -> Vec<f64> {
        self.dynamics().calls(of, x)
    }

    /// The variance that past returns show, one every `dt` years, around the drift μ in dS/S = μ dt + √v dW.
    pub fn filter(&self, drift: f64, dt: f64) -> Box<dyn VarianceFilter> {
        self.dynamics().filter(drift, dt)
    }
}
