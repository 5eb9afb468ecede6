//! Policies of a plan, taken through time one date after the other.

use super::Plan;
use crate::error::Result;
use crate::hedging::Session;
use crate::market::{Assets, Paths};
use crate::network::Parameters;

impl Plan {
    /// So many contracts of the plan before their sale, hedged by policies with these weights in the market of `assets`; of a family
    /// contract number i is member number `member(i)`.
    ///
    /// # Errors
    /// Those of [`Plan::quotes_in`] and [`Plan::seen`]; weights of another network.
    pub fn session(
        &self,
        assets: &Assets,
        policies: &[&Parameters],
        contracts: usize,
        member: impl Fn(usize) -> usize + Sync,
    ) -> Result<Session> {
        let quotes = self.quotes_in(assets)?;
        let mut paths = Paths::with_layout(contracts, quotes.layout());
        if let Some(family) = self.contract.family() {
            paths.draw(family, member);
        }
        self.session_on(assets, policies, paths)
    }

    /// The contracts of `paths` before their sale, hedged by policies with these weights; see [`Session::new`].
    ///
    /// # Errors
    /// Those of [`Self::session`].
    pub fn session_on(
        &self,
        assets: &Assets,
        policies: &[&Parameters],
        paths: Paths<f64>,
    ) -> Result<Session> {
        let (actor, size) = (self.actor(), (paths.blocks(), paths.steps()));
        let policies = policies.iter();
        let policies =
            policies.map(|parameters| self.shape.session::<f64>(&actor, parameters, size));
        let policies = policies.collect::<Result<Vec<_>>>()?;
        let quotes = self.quotes_in(assets)?;
        Ok(Session::new(quotes, self.seen()?, policies, paths))
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
