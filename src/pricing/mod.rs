pub mod heston;
pub use heston::HestonParameters;
