//! The hedges that need no training, made ready.

use super::Plan;
use crate::contract::Contract;
use crate::error::Result;
use crate::hedging::{ClassicalName, ClassicalPolicy, HedgedMonteCarlo, Policy, Regression};
use crate::market::{Assets, PathSource, Paths};
use crate::random::Purpose;
use crate::simd::{BLOCK, Lane};
use std::sync::{Arc, Mutex, PoisonError};

/// Assets and the regression on their paths.
type Fitted = (Assets, Arc<Regression>);

/// The regressions that a plan made, by their assets. Clones of a plan share them.
#[derive(Debug, Clone, Default)]
pub(super) struct RegressionCache(Arc<Mutex<Vec<Fitted>>>);

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
                fitted: None,
            }),
        }
    }

    /// Hedged Monte Carlo that was fitted already.
    pub fn by_regression(
        &self,
        regression: Arc<Regression>,
        aversion: f64,
    ) -> Box<dyn Policy + Send + Sync> {
        Box::new(ByRegression {
            plan: self.clone(),
            assets: self.assets(),
            aversion,
            fitted: Some(regression),
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
        let cache = &self.regressions.0;
        let made = |made: &Vec<Fitted>| {
            let found = made.iter().find(|(of, _)| of == assets);
            found.map(|(_, regression)| Arc::clone(regression))
        };
        if let Some(regression) = made(&cache.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(regression);
        }
        let mut simulator = self.simulator(self.seed, Purpose::Regression);
        simulator.assets = assets.clone();
        let regression = Arc::new(self.regression_on(assets, &simulator)?);
        let fitted = (assets.clone(), Arc::clone(&regression));
        let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.push(fitted);
        Ok(regression)
    }

    /// Hedged Monte Carlo of the plan's contract on paths of `source`, at the rate and the prices of `assets`: 65,536 of them, or
    /// as many as have two million dates.
    ///
    /// # Errors
    /// Those of [`Regression::new`].
    pub fn regression_on(&self, assets: &Assets, source: &dyn PathSource) -> Result<Regression> {
        const DATES: usize = 1 << 21;
        let paths = DATES / self.contract.steps / BLOCK * BLOCK;
        let quotes = self.quotes_in(assets);
        let mut drawn = Paths::<f32>::with_layout(paths.clamp(1 << 13, 1 << 16), quotes.layout());
        source.fill(0, &mut drawn);
        quotes.fill(&mut drawn);
        Regression::new(&self.ledger(assets.first(), 0.0), &self.features, &drawn)
    }
}

/// Hedged Monte Carlo of a plan's contract, fitted when it is first asked for; contracts of another length are fitted on their own.
struct ByRegression {
    plan: Plan,
    assets: Assets,
    aversion: f64,
    /// The regression, where it is given.
    fitted: Option<Arc<Regression>>,
}

impl Policy for ByRegression {
    fn positions(&self, contract: &Contract, paths: &Paths<f64>) -> Result<Vec<Lane<f64>>> {
        let regression = match &self.fitted {
            Some(regression) => Arc::clone(regression),
            None if *contract == self.plan.contract => self.plan.regression(&self.assets)?,
            None => {
                let plan = self.plan.living(contract.expiry, contract.steps)?;
                plan.regression(&self.assets)?
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
