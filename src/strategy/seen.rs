//! What a policy sees, with the scales that are measured on paths.

use super::Plan;
use crate::contract::Contract;
use crate::distributed::Ranks;
use crate::error::{Error, Result};
use crate::market::{Assets, PathSource, Paths, Quotes};
use crate::network::Features;
use crate::random::Purpose;
use std::sync::{Arc, Mutex, PoisonError};

/// What features were scaled for.
#[derive(Debug, Clone, PartialEq)]
struct Scaled {
    assets: Assets,
    contract: Contract,
    features: Features,
}

/// The features that a plan scaled last. Clones of a plan share them.
#[derive(Debug, Clone, Default)]
pub(super) struct SeenCache(Arc<Mutex<Option<(Scaled, Arc<Features>)>>>);

impl Plan {
    /// What the policy sees of a date. Where inputs are standardised, their means and deviations are those of 4,096 simulated paths of the
    /// strategy's market that are the same for every seed, unless the plan has others already ([`Self::standardised_on`]).
    ///
    /// # Errors
    /// Those of [`Self::quotes`].
    pub fn seen(&self) -> Result<Arc<Features>> {
        if !self.standardises() {
            return Ok(Arc::new(self.features.clone()));
        }
        let of = Scaled {
            assets: self.assets(),
            contract: self.contract.clone(),
            features: self.features.clone(),
        };
        let known = || self.seen.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((scaled, features)) = &*known()
            && *scaled == of
        {
            return Ok(Arc::clone(features));
        }
        const SEED: u64 = 0;
        let source = self.simulator(SEED, Purpose::Unit);
        let features = Arc::new(self.scaled_on(&source)?);
        *known() = Some((of, Arc::clone(&features)));
        Ok(features)
    }

    /// The same plan, whose policies see inputs that are standardised on paths of `source`, where the strategy asks for that.
    ///
    /// # Errors
    /// Those of [`Self::quotes`].
    pub fn standardised_on(&self, source: &dyn PathSource) -> Result<Self> {
        let mut plan = self.clone();
        if self.standardises() {
            plan.features = self.scaled_on(source)?;
        }
        Ok(plan)
    }

    /// Whether the scales of inputs are still to be measured.
    fn standardises(&self) -> bool {
        self.strategy.policy.standardise && self.features.standards.is_empty()
    }

    /// The features with the scales that they have on paths of `source`. Every rank measures them for itself.
    fn scaled_on(&self, source: &dyn PathSource) -> Result<Features> {
        const PATHS: usize = 4096;
        let alone = self.with_ranks(Ranks::alone());
        let assets = self.assets();
        let quotes = alone.answered(&assets, Quotes::clone(&alone.market_quotes(&assets)))?;
        let mut paths = Paths::<f32>::with_layout(PATHS, quotes.layout());
        source.fill(0, &mut paths);
        quotes.fill(&mut paths);
        self.check_surface(&quotes)?;
        Ok(Features {
            standards: self.features.standards_on(&paths),
            ..self.features.clone()
        })
    }

    /// Refuses features of a surface that paths with these prices do not have.
    pub(super) fn check_surface(&self, quotes: &Quotes) -> Result<()> {
        let asked = self.features.of_surface();
        match asked.filter(|_| !quotes.layout().has_surface()) {
            None => Ok(()),
            Some(feature) => {
                let name = serde_json::to_value(feature).unwrap_or_default();
                Err(Error::key(
                    "policy.features",
                    format!(": {name} needs a market with a volatility surface"),
                ))
            }
        }
    }
}

#[cfg(test)]
#[path = "seen_tests.rs"]
mod tests;
