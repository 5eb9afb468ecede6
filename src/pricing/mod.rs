//! Closed forms and characteristic functions.

mod black_scholes;
mod heston;

pub use black_scholes::BlackScholes;
pub use heston::{HestonParameters, heston_price};
