//! Closed forms and characteristic functions: prices, greeks and implied volatility.

pub mod black_scholes;
pub mod heston;
mod merton;
pub mod normal;
mod quadrature;

pub use black_scholes::BlackScholes;
pub use heston::{HestonGreeks, HestonParameters};
pub use merton::{MertonGreeks, MertonParameters};
pub use normal::{normal_cdf, normal_pdf, normal_quantile};
