//! Returns and surface factors with GARCH variances: the settings and what the rest of the program asks of them.

mod paths;

use super::dynamics::{
    Draw, Dynamics, Estimate, Finding, Limit, PastFile, not_estimated, spread_limit,
};
use super::pricer::{Horizon, PriceMethod, Pricer};
use super::surface_pricer::{Known, SurfacePricer, staying};
use super::variance::VarianceProcess;
use crate::error::Result;
use crate::market::estimation::{
    ConstantVariance, SurfaceGarch, VarianceFilter, estimate_surface_garch,
};
use crate::market::past_surfaces::{PastSurfaces, TRADING_DAYS};
use crate::pricing::SurfaceFactors;
use crate::random::{Factor, Shocks};
use crate::simd::{Real, dispatch};
use paths::GarchBlock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// Paths of the joint dynamics [`SurfaceGarch`] of returns and surface factors, estimated from past days; each begins on a random one of them, with the
/// variances that were known then. The discounted spot is a martingale.
///
/// A step of another length h than a trading day moves returns and factors by √(252 h) times as much, their means by 252 h.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SurfaceGarchParameters {
    /// A file of closes and implied-volatility surfaces with the columns date, close, level, slope, moneyness, smile and smirk, which the
    /// dynamics are estimated on; relative paths count from the strategy file. On history every window takes the days that it knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Surfaces", extend("x-default" = "`backtest.surface` before the first sale"))]
    pub surface: Option<PathBuf>,
    /// The first day that is taken from the file, such as 1996-01-05.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(title = "First day of surfaces", extend("x-default" = "the first of the file"))]
    pub surface_from: Option<String>,
    /// The last day that is taken from the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(title = "Last day of surfaces", extend("x-default" = "the last of the file"))]
    pub surface_to: Option<String>,
    /// The variance now, for prices; none for the mean of the past.
    #[serde(skip)]
    now: Option<f64>,
    #[serde(skip)]
    known: Known<Estimated>,
}

/// What is known of the past.
#[derive(Debug)]
struct Estimated {
    dynamics: SurfaceGarch,
    /// The mean of the surfaces, at which options are priced.
    reference: SurfaceFactors,
    /// The mean of the variances at the money over one month.
    variance: f64,
}

impl SurfaceGarchParameters {
    fn surface_at(&self, variance: f64) -> SurfaceFactors {
        self.known
            .expect()
            .reference
            .with_one_month(variance.sqrt())
    }
}

impl Dynamics for SurfaceGarchParameters {
    fn limits(&self, life: f64, _: usize) -> Vec<Limit> {
        if self.known.get().is_none() {
            return vec![Limit::missing("surface")];
        }
        let process = self.variance_process();
        let parameter = ("surface", self.known.expect().variance);
        spread_limit(&process, life, parameter)
            .into_iter()
            .collect()
    }

    /// Independent normal variates of the return and the five factors, the first day, which the first step alone reads, and one that nothing
    /// reads, so that a step has as many as two draws.
    fn factors(&self) -> Vec<Factor> {
        let mut factors = vec![Factor::Normal(1.0)];
        factors.extend([Factor::Normal(0.0); SurfaceFactors::COUNT]);
        factors.extend([Factor::Own; 2]);
        factors
    }

    fn longest_step(&self, _: f64) -> f64 {
        1.0 / TRADING_DAYS
    }

    fn draw<R: Real, S: Shocks>(&self, block: Draw<'_, R, S>) {
        dispatch(GarchBlock {
            dynamics: &self.known.expect().dynamics,
            block,
        });
    }

    fn variance_process(&self) -> VarianceProcess {
        let variance = self.now.unwrap_or_else(|| self.known.expect().variance);
        VarianceProcess::Markov(staying(variance))
    }

    fn seen_at(&self, variance: f64) -> Option<Self> {
        Some(Self {
            now: Some(variance),
            ..self.clone()
        })
    }

    fn prices_are_exact(&self) -> bool {
        false
    }

    fn has_surface(&self) -> bool {
        true
    }

    fn past_file(&self) -> Option<PastFile<'_>> {
        Some(PastFile {
            file: self.surface.as_deref(),
            first: self.surface_from.as_deref(),
            last: self.surface_to.as_deref(),
            is_known: self.known.get().is_some(),
        })
    }

    fn past_file_mut(&mut self) -> Option<&mut PathBuf> {
        self.surface.as_mut()
    }

    fn of_past(&self, past: &PastSurfaces) -> Result<Estimate<Self>> {
        let found = estimate_surface_garch(past)?;
        let mut findings = Finding::likelihoods(found.log_likelihood, None);
        findings.push(Finding {
            key: "stationary",
            value: json!(found.dynamics.stationary),
            text: (!found.dynamics.stationary)
                .then(|| "the mean equations are those of each factor alone".into()),
        });
        let dynamics = &found.dynamics;
        let parameters: Map<String, Value> = dynamics
            .parameters()
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect();
        let known = [
            ("parameters", json!(parameters)),
            ("means", json!(dynamics.means)),
            ("correlations", json!(dynamics.correlations())),
        ];
        findings.extend(known.map(|(key, value)| Finding {
            key,
            value,
            text: None,
        }));
        Ok(Estimate {
            parameters: Self {
                known: Known::new(Estimated {
                    dynamics: found.dynamics,
                    reference: past.mean_surface(),
                    variance: past.mean_variance(),
                }),
                ..self.clone()
            },
            at_bound: found.at_bound,
            standard_errors: found.standard_errors,
            drift: None,
            findings,
        })
    }

    fn price_method(&self) -> PriceMethod {
        PriceMethod::Formula
    }

    fn pricer<'a>(&'a self, horizon: &Horizon) -> Box<dyn Pricer + 'a> {
        Box::new(SurfacePricer::new(|v| self.surface_at(v), horizon))
    }

    fn filter(&self, _: f64, _: f64) -> Box<dyn VarianceFilter> {
        Box::new(ConstantVariance(self.variance_process().long_run()))
    }

    fn estimate(_: &[f64], _: f64) -> Result<Estimate<Self>> {
        not_estimated("surface", "it is the law of surfaces too")
    }
}

#[cfg(test)]
mod tests;
