use super::Output;
use crate::calibration::{Errors, Surface, fit_heston};
use crate::error::Result;
use crate::market::History;
use crate::market::estimation::estimate_heston;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Trading days in a year.
const DAYS_PER_YEAR: f64 = 252.0;

/// What to calibrate to.
#[derive(Debug, clap::Args)]
pub struct Source {
    /// Daily closes (CSV or Parquet).
    #[arg(long, required_unless_present = "surface", conflicts_with = "surface")]
    history: Option<PathBuf>,
    /// Implied volatilities (CSV or Parquet): spot, strike, expiry_days or expiry_years, implied_vol, and rate and
    /// dividend unless they are zero.
    #[arg(long)]
    surface: Option<PathBuf>,
    /// Round expiries in days to whole weeks.
    #[arg(long, requires = "surface")]
    whole_weeks: bool,
    /// Minimise price errors over vega instead of errors of implied volatility.
    #[arg(long, requires = "surface")]
    vega_weighted: bool,
}

pub fn run(source: &Source) -> Result<Output> {
    match (&source.history, &source.surface) {
        (Some(path), _) => history(path),
        (None, Some(path)) => surface(path, source),
        (None, None) => unreachable!("the command line requires one"),
    }
}

fn history(path: &Path) -> Result<Output> {
    let history = History::load(path)?;
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

fn surface(path: &Path, source: &Source) -> Result<Output> {
    let surface = Surface::load(path, source.whole_weeks)?;
    let errors = if source.vega_weighted {
        Errors::Vega
    } else {
        Errors::ImpliedVolatility
    };
    let start = Instant::now();
    let fit = fit_heston(&surface, errors)?;
    let seconds = start.elapsed().as_secs_f64();
    let quotes: Vec<Value> = surface
        .quotes
        .iter()
        .zip(&fit.implied_volatilities)
        .map(|(quote, model)| {
            json!({
                "strike": quote.strike, "expiry_years": quote.expiry,
                "implied_volatility": quote.implied_volatility, "model": model,
            })
        })
        .collect();
    let document = json!({
        "parameters": fit.parameters,
        "sum_squared_error": fit.sum_squared_error,
        "root_mean_square_error": fit.root_mean_square_error,
        "feller": fit.feller,
        "at_bound": fit.at_bound,
        "quotes": quotes,
        "seconds": seconds,
    });
    let p = fit.parameters;
    let mut text = format!(
        "v0 {:.4}\nkappa {:.3}\ntheta {:.4}\nsigma {:.3}\nrho {:.3}\n\
         {} quotes, root-mean-square error {:.2} volatility points, sum of squares {:.1}\nFeller's condition {}",
        p.v0,
        p.kappa,
        p.theta,
        p.sigma,
        p.rho,
        surface.quotes.len(),
        fit.root_mean_square_error,
        fit.sum_squared_error,
        if fit.feller { "holds" } else { "does not hold" },
    );
    if !fit.at_bound.is_empty() {
        text += &format!("\non a bound of the search: {}", fit.at_bound.join(", "));
    }
    Ok(Output { text, document })
}
