//! Closed forms and characteristic functions: prices, greeks and implied volatility.

mod backward_equation;
mod bivariate_normal;
pub mod black_scholes;
mod elastic_variance;
pub mod exotic;
mod forward_variance;
mod greeks;
pub mod heston;
pub mod jumps;
mod markov_variance;
mod merton;
pub mod normal;
mod option_lanes;
mod price_table;
mod quadrature;
mod sabr;
mod surface_factors;
pub mod svi;

pub use backward_equation::BackwardCalls;
pub use bivariate_normal::bivariate_normal_cdf;
pub use black_scholes::BlackScholes;
pub use elastic_variance::ElasticVariance;
pub use forward_variance::ForwardVariance;
pub use greeks::Greeks;
pub use heston::HestonParameters;
pub use markov_variance::MarkovVariance;
pub use merton::MertonParameters;
pub use normal::{normal_cdf, normal_pdf, normal_quantile};
pub use option_lanes::OptionLanes;
pub use price_table::{PriceRange, PriceTable};
pub use sabr::HaganVolatility;
pub use surface_factors::{SurfaceFactors, SurfaceLanes};
#[cfg(test)]
mod degenerate_tests;
