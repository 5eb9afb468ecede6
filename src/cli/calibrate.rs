use super::Output;
use crate::error::Result;
use crate::market::History;
use crate::market::estimation::estimate_heston;
use serde_json::json;
use std::path::Path;
use std::time::Instant;

/// Trading days in a year.
const DAYS_PER_YEAR: f64 = 252.0;

/// Estimates Heston parameters from the returns of a daily history.
pub fn run(history: &Path) -> Result<Output> {
    let history = History::load(history)?;
    let start = Instant::now();
    let estimate = estimate_heston(&history.log_returns(), DAYS_PER_YEAR)?;
    let (found, error) = (estimate.parameters, estimate.standard_errors);
    let document = json!({
        "parameters": found,
        "standard_errors": { "kappa": error.kappa, "theta": error.theta, "sigma": error.sigma, "rho": error.rho },
        "drift": estimate.drift,
        "log_likelihood": estimate.log_likelihood,
        "feller": estimate.feller,
        "at_bound": estimate.at_bound,
        "seconds": start.elapsed().as_secs_f64(),
    });
    let text = format!(
        "v0 {:.4}\nkappa {:.3} ± {:.3}\ntheta {:.4} ± {:.4}\nsigma {:.3} ± {:.3}\nrho {:.3} ± {:.3}",
        found.v0,
        found.kappa,
        error.kappa,
        found.theta,
        error.theta,
        found.sigma,
        error.sigma,
        found.rho,
        error.rho
    );
    Ok(Output { text, document })
}
