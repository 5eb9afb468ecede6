//! Paths that are given in a file.

use super::dynamics::{Draw, Dynamics, Estimate, GivenFile, Limit, not_estimated};
use super::pricer::{Horizon, PriceMethod, Pricer};
use super::surface_pricer::{Known, staying};
use super::variance::VarianceProcess;
use crate::contract::{Leg, OptionKind};
use crate::error::Result;
use crate::market::estimation::{ConstantVariance, VarianceFilter};
use crate::market::path_table::PathTable;
use crate::pricing::Greeks;
use crate::random::{Factor, Shocks};
use crate::simd::Real;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Paths of any model, one row of a file for each.
///
/// The first ones are trained on, drawn with replacement; the next ones, a share `validation_share` of all, are for validation, and the last
/// ones, a share `test_share`, are tested on, each of them once. Spots are taken as they are: no drift is taken off, and none added.
///
/// Where the file says no variances, the variance is the mean square of log returns on the training paths, the same at all times. Prices are
/// means over the training paths.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GivenPathsParameters {
    /// A Parquet or CSV file with a row for every path: the columns spot_0, spot_1 and so on to the expiry, the same with variance where variances
    /// are known, and payoff where the contract is `given_payoff`; relative paths count from the strategy file. All begin at `market.spot`.
    #[schemars(title = "Paths", extend("examples" = ["paths.parquet"]))]
    pub file: PathBuf,
    /// The share of the paths that is held out for validation; they come after those that are trained on.
    #[serde(default = "validation_share")]
    #[schemars(title = "Share for validation", extend("exclusiveMinimum" = 0.0, "exclusiveMaximum" = 1.0))]
    pub validation_share: f64,
    /// The share of the paths that is held out for tests, the last ones of the file.
    #[serde(default = "test_share")]
    #[schemars(title = "Share for tests", extend("exclusiveMinimum" = 0.0, "exclusiveMaximum" = 1.0))]
    pub test_share: f64,
    /// The SHA-256 of the numbers in the file, which a run says; a file of other numbers is then refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Hash of the numbers", extend("x-default" = "that of the file"))]
    pub digest: Option<String>,
    /// The variance now; none for that of the paths.
    #[serde(skip)]
    now: Option<f64>,
    /// The length of a period in years.
    #[serde(skip)]
    period: f64,
    #[serde(skip)]
    paths: Known<PathTable>,
}

fn validation_share() -> f64 {
    0.1
}

fn test_share() -> f64 {
    0.2
}

impl GivenPathsParameters {
    fn variance(&self) -> f64 {
        let paths = self.paths.expect();
        let usual = || paths.return_variance() / self.period;
        self.now.or(paths.mean_variance()).unwrap_or_else(usual)
    }
}

impl Dynamics for GivenPathsParameters {
    /// Given paths are what they are.
    fn limits(&self, _: f64, _: usize) -> Vec<Limit> {
        match self.paths.get() {
            Some(_) => Vec::new(),
            None => vec![Limit::missing("file")],
        }
    }

    /// Which path of those that are trained on.
    fn factors(&self) -> Vec<Factor> {
        vec![Factor::Own]
    }

    fn longest_step(&self, _: f64) -> f64 {
        f64::INFINITY
    }

    fn draw<R: Real, S: Shocks>(&self, block: Draw<'_, R, S>) {
        let paths = self.paths.expect();
        let (purpose, number) = block.place;
        let chosen = paths.chosen(purpose, number, || block.shocks.draw(0)[0]);
        paths.write_spots(&chosen, block.spot);
        let known = match paths.has_variances() {
            true => f64::NAN,
            false => self.variance(),
        };
        paths.write_variances(&chosen, known, block.variance);
        paths.write_payoffs(&chosen, block.payoff);
    }

    /// A variance that the paths say is expected to stay what it is.
    fn variance_process(&self) -> VarianceProcess {
        let variance = self.variance();
        match self.paths.expect().has_variances() {
            true => VarianceProcess::Markov(staying(variance)),
            false => VarianceProcess::Constant(variance),
        }
    }

    fn seen_at(&self, variance: f64) -> Option<Self> {
        self.paths.expect().has_variances().then(|| Self {
            now: Some(variance),
            ..self.clone()
        })
    }

    fn prices_are_exact(&self) -> bool {
        false
    }

    /// A path has no other of the opposite kind.
    fn has_antithetic_paths(&self) -> bool {
        false
    }

    fn given_file(&self) -> Option<GivenFile<'_>> {
        Some(GivenFile {
            file: Path::new(&self.file),
            held_out: (self.validation_share, self.test_share),
            digest: self.digest.as_deref(),
            is_known: self.paths.get().is_some(),
        })
    }

    fn given_file_mut(&mut self) -> Option<&mut PathBuf> {
        Some(&mut self.file)
    }

    fn given(&self) -> Option<&PathTable> {
        self.paths.get()
    }

    fn of_given(&self, paths: Option<PathTable>, period: f64) -> Result<Self> {
        let paths = paths.map_or_else(|| self.paths.clone(), Known::new);
        Ok(Self {
            digest: paths.get().map(|paths| paths.digest().to_owned()),
            period,
            paths,
            ..self.clone()
        })
    }

    fn prices_every_state(&self) -> bool {
        false
    }

    fn price_method(&self) -> PriceMethod {
        PriceMethod::GivenPaths
    }

    fn pricer<'a>(&'a self, horizon: &Horizon) -> Box<dyn Pricer + 'a> {
        Box::new(MeanPricer {
            paths: self.paths.expect(),
            left: horizon.left,
            rate: horizon.rate,
        })
    }

    fn filter(&self, _: f64, _: f64) -> Box<dyn VarianceFilter> {
        Box::new(ConstantVariance(self.variance_process().long_run()))
    }

    fn estimate(_: &[f64], _: f64) -> Result<Estimate<Self>> {
        not_estimated("given_paths", "its paths are given")
    }
}

/// Means over the training paths, whose expiry is the option's; at another spot all of them are multiplied.
struct MeanPricer<'a> {
    paths: &'a PathTable,
    left: f64,
    rate: f64,
}

impl MeanPricer<'_> {
    /// Σ over the training paths of `of` the spot at expiry, and their number.
    fn sum(&self, spot: f64, of: impl Fn(f64) -> f64) -> (f64, f64) {
        let scale = spot / self.paths.start();
        let ends = self.paths.training_ends();
        let sum: f64 = ends.map(|end| of(scale * end)).sum();
        (sum, self.paths.shares().training as f64)
    }

    fn mean(&self, (kind, strike): (OptionKind, f64), spot: f64, left: f64) -> f64 {
        let (sum, count) = self.sum(spot, |end| kind.payoff(end, strike));
        (-self.rate * left).exp() * sum / count
    }
}

impl Pricer for MeanPricer<'_> {
    fn price(&self, kind: OptionKind, strike: f64, spot: f64, _: f64) -> f64 {
        self.mean((kind, strike), spot, self.left)
    }

    fn greeks(&self, kind: OptionKind, strike: f64, spot: f64, variance: f64) -> Greeks {
        let price = |spot, _, left| self.mean((kind, strike), spot, left);
        Greeks::by_differences(price, (spot, variance, self.left), 0.0)
    }

    /// That of the mean of independent paths.
    fn standard_error_of(&self, legs: &[Leg], spot: f64, variance: f64) -> f64 {
        let discount = (-self.rate * self.left).exp();
        let mean = self.price_of(legs, spot, variance) / discount;
        let (squares, count) = self.sum(spot, |end| {
            (crate::contract::options::payoff(legs, end) - mean).powi(2)
        });
        discount * (squares / (count * (count - 1.0))).sqrt()
    }
}

#[cfg(test)]
#[path = "given_paths_tests.rs"]
mod tests;
