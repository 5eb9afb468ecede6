//! Hedges that need no training: a *centre*, the position that a formula or a regression asks for in every state, and a rule of
//! *rebalancing*, which says when what is held is moved towards it.
//!
//! Both have at most a few parameters; those that a strategy does not give are tuned on paths ([`tune`]).

mod centre;
mod hedge;
mod lattice;
#[cfg(test)]
mod option_tests;
mod parameter;
mod rebalancing;
mod rule;
mod search;
#[cfg(test)]
mod tests;

pub use centre::{Centre, Fit, Fits};
pub use hedge::{ClassicalHedge, ClassicalName, Needs};
pub use parameter::{HedgeValues, Parameter};
pub use rule::TradingRule;
pub use search::{Search, TunedHedge, TunedParameter, tune};

use super::{Policy, close_where_ended};
use crate::contract::{Charge, Contract, Limits};
use crate::error::Result;
use crate::market::{Assets, Paths};
use crate::simd::{BLOCK, Lane};
use centre::{Ask, Targets, no_fits};
use std::ops::Range;
use std::sync::Arc;

/// A classical hedge in one market.
#[derive(Clone)]
pub struct ClassicalPolicy<'a> {
    hedge: ClassicalHedge,
    assets: Assets,
    charges: Vec<Charge>,
    /// The limits of positions and trades.
    limits: Limits,
    values: HedgeValues,
    fits: Option<Arc<dyn Fits + 'a>>,
}

/// The centre of a hedge on the own blocks of given paths, from which its positions follow for any parameters of its rule.
pub struct Prepared(Vec<Targets>);

impl<'a> ClassicalPolicy<'a> {
    /// A hedge that assumes the market of `assets`, where `charges` says what trading each instrument costs; instruments beyond
    /// the list trade freely. Its parameters are those that the hedge gives, or else those of [`HedgeValues::default`].
    pub fn new(hedge: impl Into<ClassicalHedge>, assets: Assets, charges: Vec<Charge>) -> Self {
        let hedge = hedge.into();
        Self {
            values: hedge.values(HedgeValues::default()),
            hedge,
            assets,
            charges,
            limits: Limits::default(),
            fits: None,
        }
    }

    /// The hedge with other parameters; those that it gives itself stay.
    #[must_use]
    pub fn with_values(mut self, values: HedgeValues) -> Self {
        self.values = self.hedge.values(values);
        self
    }

    /// The hedge within limits of all instruments. They act on every position that its rule asks for, so that
    /// the rule knows what is really held.
    #[must_use]
    pub fn within(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What it is a hedge by.
    pub fn hedge(&self) -> &ClassicalHedge {
        &self.hedge
    }

    /// The hedge with a source of what its centre is fitted on.
    #[must_use]
    pub fn with_fits(mut self, fits: Arc<dyn Fits + 'a>) -> Self {
        self.fits = Some(fits);
        self
    }

    fn ask<'b>(&'b self, contract: &'b Contract, paths: &'b Paths<f64>) -> Ask<'b> {
        Ask {
            assets: &self.assets,
            contract,
            paths,
            charges: &self.charges,
            values: self.values,
            wants: self.hedge.wants(),
            fits: self.fits.as_deref(),
        }
    }

    /// The coefficients of its centre, which are fitted if they are not yet; none if it has none.
    ///
    /// # Errors
    /// Those of the fit.
    pub fn coefficients(&self, contract: &Contract) -> Result<Vec<f64>> {
        let Some(fit) = self.hedge.centre.kind().fit() else {
            return Ok(Vec::new());
        };
        let fits = self.fits.as_ref().ok_or_else(no_fits)?;
        Ok(fits.coefficients(contract, fit)?.to_vec())
    }

    /// The centre on every date of `paths`.
    ///
    /// # Errors
    /// If the contract has not what the centre needs, or a fit fails.
    pub fn prepare(&self, contract: &Contract, paths: &Paths<f64>) -> Result<Prepared> {
        let ask = self.ask(contract, paths);
        let centre = self.hedge.centre.kind().prepare(&ask, 0..contract.steps)?;
        Ok(Prepared(paths.map(|block| centre.targets(block))))
    }

    /// The positions around a centre that was prepared on the same `paths`, `[own blocks][steps][instruments][BLOCK]`.
    pub fn around(&self, prepared: &Prepared, paths: &Paths<f64>) -> Vec<Lane<f64>> {
        let held = paths.map(|block| {
            let [targets] = paths.spread().part(&prepared.0, block) else {
                unreachable!("a block has one list of targets");
            };
            self.rebalanced(targets, &paths.block(block), nothing(paths))
        });
        closed(held, paths, 0..paths.steps())
    }

    /// The positions on some dates, `[own blocks][dates][instruments][BLOCK]`, of who held on the date before the first of them what
    /// `paths` have as a benchmark's positions there.
    ///
    /// # Errors
    /// Those of [`Self::prepare`].
    ///
    /// # Panics
    /// If there is a date before, and the paths have no positions of a benchmark.
    pub fn positions_on(
        &self,
        contract: &Contract,
        paths: &Paths<f64>,
        dates: Range<usize>,
    ) -> Result<Vec<Lane<f64>>> {
        let ask = self.ask(contract, paths);
        let centre = self.hedge.centre.kind().prepare(&ask, dates.clone())?;
        let count = paths.instruments().len();
        let held = paths.map(|block| {
            let data = paths.block(block);
            let before = match dates.start.checked_sub(1) {
                None => nothing(paths),
                Some(last) => data.benchmark_positions()[last * count..][..count].to_vec(),
            };
            self.rebalanced(&centre.targets(block), &data, before)
        });
        Ok(closed(held, paths, dates))
    }
}

/// What is held of every instrument before the sale.
fn nothing(paths: &Paths<f64>) -> Vec<Lane<f64>> {
    vec![[0.0; BLOCK]; paths.instruments().len()]
}

/// The positions of all blocks on some dates in one list, zero where the contract has ended.
fn closed(blocks: Vec<Vec<Lane<f64>>>, paths: &Paths<f64>, dates: Range<usize>) -> Vec<Lane<f64>> {
    let mut positions = blocks.into_iter().flatten().collect::<Vec<_>>();
    close_where_ended(paths, dates, &mut positions);
    positions
}

impl Policy for ClassicalPolicy<'_> {
    fn positions(&self, contract: &Contract, paths: &Paths<f64>) -> Result<Vec<Lane<f64>>> {
        self.positions_on(contract, paths, 0..paths.steps())
    }
}
