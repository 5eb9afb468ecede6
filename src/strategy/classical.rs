//! The hedges that need no training, made ready.

use super::Plan;
use crate::contract::{Charge, Contract, Costs, Instrument};
use crate::error::Result;
use crate::hedging::{
    ClassicalName, ClassicalPolicy, ClosedForm, FamilyForms, HedgedMonteCarlo, Ledger, Policy,
    Regressed, Regression,
};
use crate::market::{Assets, Benchmark, BenchmarkHedge, PathSource, Paths, Quotes, Simulator};
use crate::network::Features;
use crate::random::Purpose;
use crate::simd::{BLOCK, Lane};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// What a regression was fitted for.
#[derive(Debug, Clone, PartialEq)]
struct Fit {
    contract: Contract,
    assets: Assets,
    instruments: Vec<Instrument>,
    features: Features,
    seed: u64,
}

/// Regressions that are kept, the last ones.
const KEPT: usize = 64;

/// The regressions that were fitted on the paths of one source, each of which takes a second or so. Clones share them, and so do
/// plans that are changed from each other.
#[derive(Debug, Clone, Default)]
pub struct Regressions(Arc<Mutex<Vec<Fitted>>>);

/// What a regression was fitted for, and the regression.
type Fitted = (Fit, Arc<Regression>);

impl Regressions {
    /// The regression for `fit`, made once.
    fn of(&self, fit: Fit, make: impl FnOnce() -> Result<Regression>) -> Result<Arc<Regression>> {
        // The lock is not held while a regression is made: its threads may come to ask for another one.
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = |known: &[Fitted]| {
            let found = known.iter().find(|(of, _)| *of == fit);
            found.map(|(_, regression)| Arc::clone(regression))
        };
        if let Some(regression) = found(&known()) {
            return Ok(regression);
        }
        let regression = Arc::new(make()?);
        let mut known = known();
        if let Some(regression) = found(&known) {
            return Ok(regression);
        }
        if known.len() == KEPT {
            known.remove(0);
        }
        known.push((fit, Arc::clone(&regression)));
        Ok(regression)
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// Gives the paths on which the contract of a plan is to be fitted.
pub type FitPaths<'a> = dyn Fn(&Plan) -> Box<dyn PathSource> + Sync + 'a;

impl Plan {
    /// A hedge without training that assumes the market of `assets`; `aversion` is that of its band.
    pub fn classical(
        &self,
        name: ClassicalName,
        assets: &Assets,
        aversion: f64,
    ) -> Box<dyn Policy + Send + Sync> {
        match name.formula(aversion) {
            Some(hedge) => Box::new(ClassicalPolicy {
                hedge,
                assets: assets.clone(),
                charges: self.spot_charges(),
            }),
            None => Box::new(ByRegression {
                plan: self.clone(),
                assets: assets.clone(),
                aversion,
                given: None,
            }),
        }
    }

    /// Hedged Monte Carlo that is fitted on given paths, once for each contract that it hedges; `fitted` keeps the regressions.
    pub fn by_regression<'a>(
        &self,
        paths: &'a FitPaths<'a>,
        fitted: &Regressions,
        aversion: f64,
    ) -> Box<dyn Policy + 'a> {
        Box::new(ByRegression {
            plan: self.clone(),
            assets: self.assets(),
            aversion,
            given: Some((paths, fitted.clone())),
        })
    }

    /// The first of the plan's hedges that has a band.
    pub fn banded(&self) -> Option<ClassicalName> {
        self.hedges.iter().copied().find(|name| name.has_band())
    }

    /// Hedged Monte Carlo of the plan's contract on paths of `assets`, fitted once.
    ///
    /// # Errors
    /// Those of [`Regression::new`].
    pub fn regression(&self, assets: &Assets) -> Result<Arc<Regression>> {
        self.regressions
            .of(self.fit(assets, self.instruments()), || {
                let quotes = self.market_quotes(assets);
                let ledger = self.ledger(assets.first(), 0.0);
                self.regress(&ledger, &quotes, &self.regression_paths(assets))
            })
    }

    /// Hedged Monte Carlo of the plan's contract on paths of `source`, at the rate and the prices of `assets`.
    fn regression_on(&self, assets: &Assets, source: &dyn PathSource) -> Result<Regression> {
        let quotes = self.market_quotes(assets);
        self.regress(&self.ledger(assets.first(), 0.0), &quotes, source)
    }

    /// The regression on 65,536 paths, or as many as have two million dates.
    fn regress(
        &self,
        ledger: &Ledger,
        quotes: &Quotes,
        source: &dyn PathSource,
    ) -> Result<Regression> {
        const DATES: usize = 1 << 21;
        let paths = DATES / self.contract.steps / BLOCK * BLOCK;
        let mut drawn = Paths::<f32>::with_layout(paths.clamp(1 << 13, 1 << 16), quotes.layout());
        source.fill(0, &mut drawn);
        quotes.fill(&mut drawn);
        Regression::new(ledger, &self.features, &drawn)
    }

    fn regression_paths(&self, assets: &Assets) -> Simulator {
        let mut simulator = self.simulator(self.seed, Purpose::Regression);
        simulator.assets = assets.clone();
        simulator
    }

    fn fit(&self, assets: &Assets, instruments: Vec<Instrument>) -> Fit {
        Fit {
            contract: self.contract.clone(),
            assets: assets.clone(),
            instruments,
            features: self.features.of_path(),
            seed: self.seed,
        }
    }

    /// What answers for the contract where the policy's features ask for it, on paths whose market is that of `assets`: the closed
    /// form that the Black–Scholes hedge uses or, where there is none, hedged Monte Carlo with the spots of all assets, fitted once.
    ///
    /// # Errors
    /// Those of [`Regression::new`].
    pub(super) fn benchmark(&self, assets: &Assets) -> Result<Option<Arc<dyn Benchmark>>> {
        if !self.features.ask_benchmark() {
            return Ok(None);
        }
        let assets = self.assumed.as_ref().unwrap_or(assets);
        if self.contract.has_delta() {
            return Ok(Some(match self.contract.family() {
                None => Arc::new(ClosedForm::new(assets, &self.contract)?),
                Some(_) => Arc::new(FamilyForms::new(assets, &self.contract)?),
            }));
        }
        let spots: Vec<Instrument> = (0..assets.count()).map(Instrument::Spot).collect();
        let costs = Costs {
            spot: Charge::default(),
            liquidation: self.liquidation,
        };
        let dividends = assets.list()[1..]
            .iter()
            .map(|asset| &asset.market.dividend);
        let ledger = Ledger::new(self.contract.clone(), costs, assets.first(), 0.0);
        let ledger = spots[1..]
            .iter()
            .fold(ledger.with_assets(dividends), |ledger, spot| {
                ledger.with_instrument(*spot, Charge::default())
            });
        let regression = self.regressions.of(self.fit(assets, spots.clone()), || {
            let quotes = Quotes::new(assets, &self.contract, &spots);
            self.regress(&ledger, &quotes, &self.regression_paths(assets))
        })?;
        Ok(Some(Arc::new(Regressed::new(regression, ledger))))
    }

    /// The hedge whose positions the policy's action departs from, on paths whose market is that of `assets`; none where the action
    /// has no benchmark. Hedged Monte Carlo trades without a band.
    ///
    /// # Errors
    /// Those of [`Regression::new`].
    pub(super) fn benchmark_hedge(
        &self,
        assets: &Assets,
    ) -> Result<Option<Arc<dyn BenchmarkHedge>>> {
        let Some(name) = self.reference else {
            return Ok(None);
        };
        let assets = self.assumed.as_ref().unwrap_or(assets);
        if name.formula(f64::INFINITY).is_none() {
            self.regression(assets)?;
        }
        Ok(Some(Arc::new(Reference {
            name,
            policy: self.classical(name, assets, f64::INFINITY),
            contract: self.contract.clone(),
        })))
    }
}

/// A hedge without training of one contract, whose positions an action departs from.
struct Reference {
    name: ClassicalName,
    policy: Box<dyn Policy + Send + Sync>,
    contract: Contract,
}

impl fmt::Debug for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} of {}", self.name.name(), self.contract.name)
    }
}

impl BenchmarkHedge for Reference {
    fn positions(&self, paths: &Paths<f64>) -> Vec<Lane<f64>> {
        let positions = self.policy.positions(&self.contract, paths);
        positions.expect("its closed form or regression was made when the reference was")
    }
}

/// Hedged Monte Carlo of a plan's contract, fitted when it is first asked for; contracts of another length are fitted on their own.
struct ByRegression<'a> {
    plan: Plan,
    assets: Assets,
    aversion: f64,
    /// On which paths, and what keeps the fits; else it is those of the plan's model in the market of the assets.
    given: Option<(&'a FitPaths<'a>, Regressions)>,
}

impl Policy for ByRegression<'_> {
    fn positions(&self, contract: &Contract, paths: &Paths<f64>) -> Result<Vec<Lane<f64>>> {
        let living = match *contract == self.plan.contract {
            true => None,
            false => Some(self.plan.living(contract.expiry, contract.steps)?),
        };
        let plan = living.as_ref().unwrap_or(&self.plan);
        let regression = match &self.given {
            None => plan.regression(&self.assets)?,
            Some((paths, fitted)) => {
                let fit = plan.fit(&self.assets, plan.instruments());
                fitted.of(fit, || {
                    plan.regression_on(&self.assets, paths(plan).as_ref())
                })?
            }
        };
        let hedge = HedgedMonteCarlo {
            regression,
            charges: self.plan.charges(),
            aversion: self.aversion,
            rate: self.assets.first().rate.clone(),
        };
        hedge.positions(contract, paths)
    }
}

#[cfg(test)]
#[path = "classical_tests.rs"]
mod tests;
