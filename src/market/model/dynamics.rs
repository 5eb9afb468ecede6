use super::pricer::{Horizon, PriceMethod, Pricer};
use super::variance::VarianceProcess;
use crate::contract::OptionKind;
use crate::error::{Error, Result};
use crate::market::estimation::{
    ConstantVariance, LikelihoodEstimate, StandardErrors, VarianceFilter,
};
use crate::market::past_surfaces::PastSurfaces;
use crate::market::path_table::PathTable;
use crate::random::{Factor, Purpose, Shocks};
use crate::simd::{Lane, Real};
use serde_json::{Value, json};
use std::fmt::Debug;
use std::path::{Path, PathBuf};

/// A bound of a parameter that depends on the others, or on what is simulated.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// The name of the parameter.
    pub parameter: &'static str,
    /// What the parameter is.
    pub value: f64,
    /// What the parameter must be, in words that go on from "must be".
    pub bound: String,
    /// Whether it is.
    pub holds: bool,
}

/// Log returns until expiry may have a standard deviation √(v̄T) of at most this, v̄ the expected average variance. The mean
/// of the spot is carried by paths that end about v̄T above the median; beyond, a million of them have hardly one there.
pub(super) const MOST_DEVIATION: f64 = 3.0;

/// The first two moments of a log return whose mean and variance grow by these numbers a year, as under all models with independent
/// returns.
pub(super) fn independent_moments(mean: f64, variance: f64, period: f64) -> Option<(f64, f64)> {
    let first = mean * period;
    Some((first, first * first + variance * period))
}

/// The standard deviation √(v̄T) of log returns over a life of T = `life` years.
pub(super) fn deviation(process: &VarianceProcess, life: f64) -> f64 {
    (process.mean_from(process.now(), life) * life).sqrt()
}

/// The limit of [`MOST_DEVIATION`] over a life of `life` years on a `parameter` of which nothing nearer is known; none where it
/// holds.
pub(super) fn spread_limit(
    process: &VarianceProcess,
    life: f64,
    (parameter, value): (&'static str, f64),
) -> Option<Limit> {
    let deviation = deviation(process, life);
    let limit = Limit {
        parameter,
        value,
        bound: format!(
            "small enough for log returns until expiry to deviate by at most {MOST_DEVIATION} (here {deviation:.2})"
        ),
        holds: false,
    };
    (deviation > MOST_DEVIATION).then_some(limit)
}

impl Limit {
    /// That of a parameter without which there is no model.
    pub(super) fn missing(parameter: &'static str) -> Self {
        Self {
            parameter,
            value: f64::NAN,
            bound: "given".into(),
            holds: false,
        }
    }
}

/// Where past surfaces lie, and which of them are taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PastFile<'a> {
    /// The file.
    pub file: Option<&'a Path>,
    /// The first date that is taken, as it is written.
    pub first: Option<&'a str>,
    /// The last date that is taken, as it is written.
    pub last: Option<&'a str>,
    /// Whether the model knows its past.
    pub is_known: bool,
}

/// Where paths lie that are given, and how they are shared out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GivenFile<'a> {
    /// The file.
    pub file: &'a Path,
    /// The shares of its paths that are held out for validation and for tests.
    pub held_out: (f64, f64),
    /// What the hash of its numbers must be, where that is known.
    pub digest: Option<&'a str>,
    /// Whether the model knows the paths.
    pub is_known: bool,
}

/// One block of paths to be drawn.
///
/// # Shapes
/// `spot` and `variance` are `[steps + 1][BLOCK]`.
///
/// # Units
/// Spots in currency, variances annualised, times in years, the carry per year.
pub struct Draw<'a, R, S> {
    /// The shocks, those of [`Dynamics::factors`], counted through the factors of a step and then the steps.
    pub shocks: S,
    /// The spot at the start.
    pub start: f64,
    /// The growth of the forward, r − q, on average until the last date. What the forward does in between is multiplied into the spots
    /// afterwards, so that a spot must be its forward times what does not depend on the carry.
    pub carry: f64,
    /// The length of a period.
    pub dt: f64,
    /// The number of equal steps into which a period is divided, of which the last is kept.
    pub substeps: usize,
    /// Whether the first row of `variance` has the instantaneous variances at the start; else they are those of the parameters.
    /// Models whose [`Dynamics::seen_at`] changes no variance of the paths are never asked.
    pub begun: bool,
    /// Receives the spot at every date.
    pub spot: &'a mut [Lane<R>],
    /// Receives the instantaneous variance at every date; of a model with surfaces that of an option at the money over one month.
    pub variance: &'a mut [Lane<R>],
    /// Receives the factors of the implied-volatility surface at every date, `[factors][steps + 1]`; empty unless the model has one and the
    /// paths have room for it.
    pub surface: &'a mut [Lane<R>],
    /// What the paths are for, and the number of the block among those: what a model goes by whose paths are given, and no other.
    pub place: (Purpose, u64),
    /// Receives what is paid at expiry on each path, one row; empty unless the model's paths are given with payoffs.
    pub payoff: &'a mut [Lane<R>],
}

/// What one asset of a block is written to: its spots, its variances, each `[steps + 1]`, and the factors of its surface,
/// `[factors][steps + 1]`, or nothing.
pub type Columns<'a, R> = (&'a mut [Lane<R>], &'a mut [Lane<R>], &'a mut [Lane<R>]);

/// How prices of one option on many paths are come by quickly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Tabulation {
    /// The formula is quick.
    Formula,
    /// Interpolation over the spot.
    Spot,
    /// Interpolation over spot and variance, the latter from `least` to `most`.
    SpotAndVariance {
        /// The least variance that the model can have.
        least: f64,
        /// The greatest variance of the table.
        most: f64,
    },
}

/// What a row of a table of prices is of: one option on one date, at one variance.
///
/// # Units
/// Times in years, the variance annualised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tabulated {
    /// The time until expiry.
    pub left: f64,
    /// The time since the sale.
    pub elapsed: f64,
    /// ln(K/F), F the forward of the sale for the expiry.
    pub log_strike: f64,
    /// The instantaneous variance; NaN in a table that has none among its nodes.
    pub variance: f64,
}

/// Parameters made from returns.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate<P> {
    /// The parameters that make the returns likeliest.
    pub parameters: P,
    /// Parameters that ended on a bound of their search.
    pub at_bound: Vec<&'static str>,
    /// Standard errors of the parameters that were estimated.
    pub standard_errors: StandardErrors,
    /// The drift μ of the returns per year, as the model states it; none if it was not estimated.
    pub drift: Option<f64>,
    /// What else the estimation found.
    pub findings: Vec<Finding>,
}

/// A result of an estimation beside the parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Its key in a document.
    pub key: &'static str,
    /// Its value there.
    pub value: Value,
    /// The line that tells it; none if that of another finding does.
    pub text: Option<String>,
}

impl Finding {
    /// The greatest log likelihood `with` what the model has beyond a simpler one, and that of the simpler one, `without` it.
    pub(super) fn likelihoods(with: f64, without: Option<(&'static str, f64, &str)>) -> Vec<Self> {
        let beside = without.map_or(String::new(), |(_, value, what)| {
            format!(", {what} {value:.1}")
        });
        let mut findings = vec![Self {
            key: "log_likelihood",
            value: json!(with),
            text: Some(format!("log likelihood {with:.1}{beside}")),
        }];
        findings.extend(without.map(|(key, value, _)| Self {
            key,
            value: json!(value),
            text: None,
        }));
        findings
    }
}

impl<P> From<LikelihoodEstimate<P>> for Estimate<P> {
    fn from(found: LikelihoodEstimate<P>) -> Self {
        Self {
            parameters: found.parameters,
            at_bound: found.at_bound,
            standard_errors: found.standard_errors,
            drift: Some(found.drift),
            findings: Finding::likelihoods(
                found.log_likelihood,
                Some((
                    "log_likelihood_without_jumps",
                    found.log_likelihood_without_jumps,
                    "without jumps",
                )),
            ),
        }
    }
}

impl<P> Estimate<P> {
    /// Parameters that are given rather than estimated.
    pub fn given(parameters: P) -> Self {
        Self {
            parameters,
            at_bound: Vec::new(),
            standard_errors: StandardErrors::default(),
            drift: None,
            findings: Vec::new(),
        }
    }

    /// The same with the parameters as `to` makes them.
    pub fn map<Q>(self, to: impl FnOnce(P) -> Q) -> Estimate<Q> {
        Estimate {
            parameters: to(self.parameters),
            at_bound: self.at_bound,
            standard_errors: self.standard_errors,
            drift: self.drift,
            findings: self.findings,
        }
    }
}

/// Why a model is not estimated from returns: a line that goes on from its name.
pub(super) fn not_estimated<P>(model: &str, why: &str) -> Result<Estimate<P>> {
    Err(Error::input(format!(
        "returns do not determine the parameters of the model \"{model}\": {why}"
    )))
}

/// The dynamics of a spot under the pricing measure: all that the rest of the program asks a model.
///
/// Implemented by the parameters of each model, whose fields carry their help, units and bounds (see [`crate::settings`]).
///
/// # Units
/// Times in years, variances annualised.
pub trait Dynamics: Debug + Send + Sync {
    /// The limits within which `life` years in `steps` periods are simulated and priced rightly; those that always hold
    /// where parameters are in their ranges may be left out.
    fn limits(&self, life: f64, steps: usize) -> Vec<Limit>;

    /// The shocks that a step takes on every path, and what each has to do with the Brownian motion of the spot: from these
    /// follows how several assets move together.
    fn factors(&self) -> Vec<Factor>;

    /// The longest step that simulates `life` years rightly: any where the law at the end of a step is known, else one
    /// whose error is below a standard error of 10⁶ paths.
    fn longest_step(&self, life: f64) -> f64;

    /// Draws one block of paths. The discounted spot with its dividends is a martingale on the grid.
    fn draw<R: Real, S: Shocks>(&self, block: Draw<'_, R, S>)
    where
        Self: Sized;

    /// What the variance does.
    fn variance_process(&self) -> VarianceProcess;

    /// The volatility, if the spot is lognormal on every date.
    fn lognormal(&self) -> Option<f64> {
        None
    }

    /// The dynamics that price where the instantaneous variance is `variance`; none if the model knows of no other
    /// variance than that of its parameters, as where it is constant and partly that of jumps.
    ///
    /// # Panics
    /// As the model leaves it, if the variance is not constant: such a model has an answer of its own.
    fn seen_at(&self, _variance: f64) -> Option<Self>
    where
        Self: Sized,
    {
        self.variance_process().constant();
        None
    }

    /// The first two moments of the log return over a period of `period` years that begins `after` years from now, where the forward
    /// grows by `carry`, r − q; none where no formula for them is known.
    fn log_return_moments(&self, _carry: f64, _after: f64, _period: f64) -> Option<(f64, f64)> {
        None
    }

    /// Whether [`Self::pricer`] gives the prices of the very dynamics that [`Self::draw`] simulates, not an approximation of
    /// them: then calls are control variates of other prices.
    fn prices_are_exact(&self) -> bool {
        true
    }

    /// Whether paths of it have an implied-volatility surface, at which options are quoted.
    fn has_surface(&self) -> bool {
        false
    }

    /// Whether shocks of the opposite sign give paths of an opposite kind.
    fn has_antithetic_paths(&self) -> bool {
        true
    }

    /// Where the past surfaces lie that the model is made of; none for a model that is made of its parameters alone.
    fn past_file(&self) -> Option<PastFile<'_>> {
        None
    }

    /// The file of [`Self::past_file`], where one is named.
    fn past_file_mut(&mut self) -> Option<&mut PathBuf> {
        None
    }

    /// The model that past days of returns and surfaces show, with these settings.
    ///
    /// # Errors
    /// [`crate::Error::Input`] from a model whose paths have no surface, and for days that do not determine it.
    fn of_past(&self, _past: &PastSurfaces) -> Result<Estimate<Self>>
    where
        Self: Sized,
    {
        Err(Error::input(
            "a model whose paths have no implied-volatility surface is not made of past ones",
        ))
    }

    /// Where the paths lie that are given; none for a model that draws its own.
    fn given_file(&self) -> Option<GivenFile<'_>> {
        None
    }

    /// The file of [`Self::given_file`].
    fn given_file_mut(&mut self) -> Option<&mut PathBuf> {
        None
    }

    /// The paths that are given; none for a model that draws its own, and before they were read.
    fn given(&self) -> Option<&PathTable> {
        None
    }

    /// The model of these paths, or else of those that it has, whose periods are `period` years long.
    ///
    /// # Errors
    /// [`crate::Error::Input`] from a model that draws its paths.
    fn of_given(&self, _paths: Option<PathTable>, _period: f64) -> Result<Self>
    where
        Self: Sized,
    {
        Err(Error::input("a model that draws its paths is made of none"))
    }

    /// Whether spot and variance on a date after the sale determine prices there. Without it options are priced at the sale
    /// alone, and nothing that asks for their prices later is to be had: quotes, hedges by the model's own delta, backtests.
    fn prices_every_state(&self) -> bool {
        true
    }

    /// How [`Self::pricer`] comes by its prices.
    fn price_method(&self) -> PriceMethod;

    /// A pricer of the options of one horizon.
    fn pricer<'a>(&'a self, horizon: &Horizon) -> Box<dyn Pricer + 'a>;

    /// How options are priced on many paths of `life` years; no standard deviation is above `√high` at the start or in the
    /// long run. As the model leaves it, over the spot where the variance is constant, and else one by one, which is never
    /// wrong.
    fn tabulation(&self, _high: f64, _life: f64) -> Tabulation {
        if self.variance_process().is_constant() {
            Tabulation::Spot
        } else {
            Tabulation::Formula
        }
    }

    /// Undiscounted calls over their strike for every ln(F/K) in `x`: the nodes of a table.
    fn calls(&self, of: &Tabulated, x: &[f64]) -> Vec<f64> {
        let variance = of.variance;
        let pricer = self.pricer(&Horizon {
            left: of.left,
            elapsed: of.elapsed,
            start: (-of.log_strike).exp(),
            carried: 0.0,
            rate: 0.0,
            dividend: 0.0,
            variances: variance..=variance,
            log_moneyness: x.iter().fold(0.0, |most: f64, x| most.max(x.abs())),
        });
        let call = |x: &f64| pricer.price(OptionKind::Call, 1.0, x.exp(), variance);
        x.iter().map(call).collect()
    }

    /// The variance that past returns show, one every `dt` years, around the drift μ in dS/S = μ dt + √v dW.
    ///
    /// # Panics
    /// As the model leaves it, if the variance is not constant: such a model has a filter of its own.
    fn filter(&self, _drift: f64, _dt: f64) -> Box<dyn VarianceFilter> {
        Box::new(ConstantVariance(self.variance_process().constant()))
    }

    /// The parameters that make `returns`, `days_per_year` of them a year, likeliest.
    ///
    /// # Errors
    /// [`crate::Error::Input`] for returns that are too few or do not vary, and from a model that returns alone do not
    /// determine.
    fn estimate(returns: &[f64], days_per_year: f64) -> Result<Estimate<Self>>
    where
        Self: Sized;
}
