use super::Output;
use crate::calibration::{Errors, Surface, fit_heston};
use crate::error::{Error, Result};
use crate::market::History;
use crate::market::estimation::{estimate_gbm, estimate_heston, estimate_merton};
use crate::market::history::Frequency;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// A model to calibrate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Chosen {
    /// Geometric Brownian motion.
    Gbm,
    Heston,
    /// Merton's jump diffusion.
    Merton,
}

/// What to calibrate, and to what.
#[derive(Debug, clap::Args)]
pub struct Source {
    /// The model; the parameters of `gbm` and `merton` come from --history alone.
    #[arg(value_enum, default_value_t = Chosen::Heston)]
    model: Chosen,
    /// Daily closes (CSV or Parquet).
    #[arg(long, required_unless_present = "surface", conflicts_with = "surface")]
    history: Option<PathBuf>,
    /// Closes in a year, by which returns are annualised, instead of the number found from the dates.
    #[arg(long, value_name = "DAYS", requires = "history", value_parser = super::positive)]
    days_per_year: Option<f64>,
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
        (Some(path), _) => match source.model {
            Chosen::Gbm => gbm(&Closes::load(path, source)?),
            Chosen::Heston => heston(&Closes::load(path, source)?),
            Chosen::Merton => merton(&Closes::load(path, source)?),
        },
        (None, Some(path)) if source.model == Chosen::Heston => surface(path, source),
        (None, Some(_)) => Err(Error::input(
            "--surface: only the model \"heston\" is calibrated to implied volatilities",
        )),
        (None, None) => unreachable!("the command line requires one"),
    }
}

/// Returns from close to close, and how many make a year.
struct Closes {
    returns: Vec<f64>,
    frequency: Frequency,
}

impl Closes {
    fn load(path: &Path, source: &Source) -> Result<Self> {
        let history = History::load(path)?;
        let found = history.frequency();
        let given = source.days_per_year;
        Ok(Self {
            returns: history.log_returns(),
            frequency: given.map_or(found, |days| found.counted_as(days)),
        })
    }

    fn per_year(&self) -> f64 {
        self.frequency.observations_per_year
    }

    /// The last line of a calibration's text.
    fn stated(&self) -> String {
        format!("\ncloses {}", self.frequency)
    }
}

fn gbm(closes: &Closes) -> Result<Output> {
    let found = estimate_gbm(&closes.returns, closes.per_year())?;
    let document = json!({
        "parameters": { "volatility": found.volatility },
        "standard_errors": { "volatility": found.volatility_standard_error },
        "drift": found.drift,
        "closes": closes.frequency,
    });
    let mut text = format!(
        "volatility {:.4} ± {:.4}\ndrift {:.4} a year",
        found.volatility, found.volatility_standard_error, found.drift
    );
    text += &closes.stated();
    Ok(Output { text, document })
}

fn merton(closes: &Closes) -> Result<Output> {
    let start = Instant::now();
    let estimate = estimate_merton(&closes.returns, closes.per_year())?;
    let (found, error) = (estimate.parameters, estimate.standard_errors);
    let document = json!({
        "parameters": found,
        "standard_errors": error,
        "drift": estimate.drift,
        "log_likelihood": estimate.log_likelihood,
        "log_likelihood_without_jumps": estimate.log_likelihood_without_jumps,
        "at_bound": estimate.at_bound,
        "closes": closes.frequency,
        "seconds": start.elapsed().as_secs_f64(),
    });
    let mut text = format!(
        "volatility {:.4} ± {:.4}\njump_intensity {:.2} ± {:.2}\nlog_jump_mean {:.5} ± {:.5}\n\
         log_jump_std {:.5} ± {:.5}\ndrift {:.4} a year\nlog likelihood {:.1}, without jumps {:.1}",
        found.volatility,
        error.volatility,
        found.jump_intensity,
        error.jump_intensity,
        found.log_jump_mean,
        error.log_jump_mean,
        found.log_jump_std,
        error.log_jump_std,
        estimate.drift,
        estimate.log_likelihood,
        estimate.log_likelihood_without_jumps,
    );
    text += &closes.stated();
    text += &bounds(&estimate.at_bound);
    Ok(Output { text, document })
}

fn heston(closes: &Closes) -> Result<Output> {
    let start = Instant::now();
    let estimate = estimate_heston(&closes.returns, closes.per_year())?;
    let (found, error) = (estimate.parameters, estimate.standard_errors);
    let document = json!({
        "parameters": found,
        "standard_errors": { "kappa": error.kappa, "theta": error.theta, "sigma": error.sigma, "rho": error.rho },
        "drift": estimate.drift,
        "log_likelihood": estimate.log_likelihood,
        "feller": estimate.feller,
        "at_bound": estimate.at_bound,
        "closes": closes.frequency,
        "seconds": start.elapsed().as_secs_f64(),
    });
    let mut text = format!(
        "v0 {:.4}\nkappa {:.3} ± {:.3}\ntheta {:.4} ± {:.4}\nsigma {:.3} ± {:.3}\nrho {:.3} ± {:.3}\n\
         drift {:.4} a year\nlog likelihood {:.1}\nFeller's condition {}",
        found.v0,
        found.kappa,
        error.kappa,
        found.theta,
        error.theta,
        found.sigma,
        error.sigma,
        found.rho,
        error.rho,
        estimate.drift,
        estimate.log_likelihood,
        feller(estimate.feller),
    );
    text += &closes.stated();
    text += &bounds(&estimate.at_bound);
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
        feller(fit.feller),
    );
    text += &bounds(&fit.at_bound);
    Ok(Output { text, document })
}

fn feller(holds: bool) -> &'static str {
    if holds { "holds" } else { "does not hold" }
}

/// A line about the parameters that ended on a bound, if any did.
fn bounds(at_bound: &[&str]) -> String {
    match at_bound {
        [] => String::new(),
        names => format!("\non a bound of the search: {}", names.join(", ")),
    }
}
