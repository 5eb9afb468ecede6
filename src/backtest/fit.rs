//! The parameters of a backtest's model, from returns.

use crate::error::Result;
use crate::market::Model;
use crate::market::estimation::{StandardErrors, estimate_gbm, estimate_heston, estimate_merton};

/// A model whose parameters were estimated.
pub struct Fitted {
    pub model: Model,
    /// Parameters that ended on a bound of their search.
    pub at_bound: Vec<&'static str>,
    pub standard_errors: StandardErrors,
}

impl Fitted {
    /// A model whose parameters are given.
    pub fn given(model: Model) -> Self {
        Self {
            model,
            at_bound: Vec::new(),
            standard_errors: StandardErrors::default(),
        }
    }
}

/// The `model` with the parameters that make `returns` likeliest.
///
/// # Errors
/// Those of the estimation: [`crate::Error::Input`] for returns that do not vary.
pub fn fit(model: Model, returns: &[f64], days_per_year: f64) -> Result<Fitted> {
    Ok(match model {
        Model::Gbm { .. } => {
            let estimate = estimate_gbm(returns, days_per_year)?;
            Fitted {
                model: Model::Gbm {
                    volatility: estimate.volatility,
                },
                at_bound: Vec::new(),
                standard_errors: estimate.standard_errors(),
            }
        }
        Model::Heston(_) => {
            let estimate = estimate_heston(returns, days_per_year)?;
            Fitted {
                model: Model::Heston(estimate.parameters),
                at_bound: estimate.at_bound,
                standard_errors: estimate.standard_errors,
            }
        }
        Model::Merton(_) => {
            let estimate = estimate_merton(returns, days_per_year)?;
            Fitted {
                model: Model::Merton(estimate.parameters),
                at_bound: estimate.at_bound,
                standard_errors: estimate.standard_errors,
            }
        }
    })
}
