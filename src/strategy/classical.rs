//! The hedges that need no training, made ready.

use super::Plan;
use crate::contract::Contract;
use crate::error::Result;
use crate::hedging::{ClassicalName, ClassicalPolicy, HedgedMonteCarlo, Policy, Regression};
use crate::market::{Market, PathSource, Paths};
use crate::random::Purpose;
use crate::simd::{BLOCK, Lane};
use std::sync::{Arc, Mutex, PoisonError};

/// A market and the regression in it.
type Fitted = (Market, Arc<Regression>);

/// The regressions that a plan made, by their markets. Clones of a plan share them.
#[derive(Debug, Clone, Default)]
pub(super) struct RegressionCache(Arc<Mutex<Vec<Fitted>>>);

impl Plan {
    /// A hedge without training that assumes `market`; `aversion` is that of its band.
    pub fn classical(
        &self,
        name: ClassicalName,
        market: &Market,
        aversion: f64,
    ) -> Box<dyn Policy + Send + Sync> {
        match name.formula(aversion) {
            Some(hedge) => Box::new(ClassicalPolicy {
                hedge,
                market: market.clone(),
                charge: self.spot_charge(),
            }),
            None => Box::new(ByRegression {
                plan: self.clone(),
                market: market.clone(),
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
            market: self.market.clone(),
            aversion,
            fitted: Some(regression),
        })
    }

    /// The first of the plan's hedges that has a band.
    pub fn banded(&self) -> Option<ClassicalName> {
        self.hedges.iter().copied().find(|name| name.has_band())
    }

    /// Hedged Monte Carlo of the plan's contract on paths of `market`, fitted once.
    ///
    /// # Errors
    /// Those of [`Regression::new`].
    pub fn regression(&self, market: &Market) -> Result<Arc<Regression>> {
        let cache = &self.regressions.0;
        let made = |made: &Vec<Fitted>| {
            let found = made.iter().find(|(of, _)| of == market);
            found.map(|(_, regression)| Arc::clone(regression))
        };
        if let Some(regression) = made(&cache.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(regression);
        }
        let mut simulator = self.simulator(self.seed, Purpose::Regression);
        simulator.assets = market.clone().into();
        let regression = Arc::new(self.regression_on(market, &simulator)?);
        let fitted = (market.clone(), Arc::clone(&regression));
        let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.push(fitted);
        Ok(regression)
    }

    /// Hedged Monte Carlo of the plan's contract on paths of `source`, at the rate and the prices of `market`: 65,536 of them, or
    /// as many as have two million dates.
    ///
    /// # Errors
    /// Those of [`Regression::new`].
    pub fn regression_on(&self, market: &Market, source: &dyn PathSource) -> Result<Regression> {
        const DATES: usize = 1 << 21;
        let paths = DATES / self.contract.steps / BLOCK * BLOCK;
        let quotes = self.quotes_in(market);
        let mut drawn = Paths::<f32>::with_layout(paths.clamp(1 << 13, 1 << 16), quotes.layout());
        source.fill(0, &mut drawn);
        quotes.fill(&mut drawn);
        Regression::new(&self.ledger(market, 0.0), &self.features, &drawn)
    }
}

/// Hedged Monte Carlo of a plan's contract, fitted when it is first asked for; contracts of another length are fitted on their own.
struct ByRegression {
    plan: Plan,
    market: Market,
    aversion: f64,
    /// The regression, where it is given.
    fitted: Option<Arc<Regression>>,
}

impl Policy for ByRegression {
    fn positions(&self, contract: &Contract, paths: &Paths<f64>) -> Result<Vec<Lane<f64>>> {
        let regression = match &self.fitted {
            Some(regression) => Arc::clone(regression),
            None if *contract == self.plan.contract => self.plan.regression(&self.market)?,
            None => {
                let plan = self.plan.living(contract.expiry, contract.steps)?;
                plan.regression(&self.market)?
            }
        };
        let hedge = HedgedMonteCarlo {
            regression,
            charges: self.plan.charges(),
            aversion: self.aversion,
            rate: self.market.rate,
        };
        hedge.positions(contract, paths)
    }
}
