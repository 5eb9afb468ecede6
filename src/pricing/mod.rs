//! Closed forms and characteristic functions: prices, greeks and implied volatility.

mod bivariate_normal;
pub mod black_scholes;
pub mod exotic;
mod greeks;
pub mod heston;
mod markov_variance;
mod merton;
pub mod normal;
mod price_table;
mod quadrature;

pub use bivariate_normal::bivariate_normal_cdf;
pub use black_scholes::BlackScholes;
pub use greeks::Greeks;
pub use heston::HestonParameters;
pub use markov_variance::MarkovVariance;
pub use merton::MertonParameters;
pub use normal::{normal_cdf, normal_pdf, normal_quantile};
pub use price_table::{PriceRange, PriceTable};
#[cfg(test)]
mod degenerate_tests;
