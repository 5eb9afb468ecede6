//! Hedges that need no training: a *centre*, the position that a formula or a regression asks for in every state, and a rule of
//! *rebalancing*, which says when what is held is moved towards it.
//!
//! Both have at most a few parameters; those that a strategy does not give are tuned on paths ([`tune`]).

mod centre;
mod hedge;
mod parameter;
mod rule;
#[cfg(test)]
mod tests;

pub use centre::{Centre, Fit, Fits};
pub use hedge::{ClassicalHedge, ClassicalName, Needs};
pub use parameter::{HedgeValues, Parameter, Search, TunedHedge, TunedParameter, tune};
pub use rule::TradingRule;

use super::{Policy, close_where_ended};
use crate::contract::{Charge, Contract, Cost, Limits, Standing};
use crate::error::Result;
use crate::market::{Assets, PathBlock, Paths};
use crate::simd::{BLOCK, Lane};
use centre::{Ask, Targets};
use rule::{TradingRuleKind, Wanted};
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
            wants: self.hedge.rule.kind().wants(),
            fits: self.fits.as_deref(),
        }
    }

    /// The centre on every date of `paths`.
    ///
    /// # Errors
    /// If the contract has not what the centre needs, or a fit fails.
    pub fn prepare(&self, contract: &Contract, paths: &Paths<f64>) -> Result<Prepared> {
        let ask = self.ask(contract, paths);
        let centre = self.hedge.centre.kind().prepare(&ask)?;
        Ok(Prepared(paths.map(|block| centre.targets(block))))
    }

    /// The positions around a centre that was prepared on the same `paths`, `[own blocks][steps][instruments][BLOCK]`.
    pub fn around(&self, prepared: &Prepared, paths: &Paths<f64>) -> Vec<Lane<f64>> {
        let held = paths.map(|block| {
            let [targets] = paths.spread().part(&prepared.0, block) else {
                unreachable!("a block has one list of targets");
            };
            self.rebalanced(targets, &paths.block(block))
        });
        closed(held, paths)
    }

    /// What is held of every instrument on every date of a block.
    fn rebalanced(&self, targets: &Targets, data: &PathBlock<'_, f64>) -> Vec<Lane<f64>> {
        let count = targets.instruments;
        let rule = self.hedge.rule.kind();
        let asked = rule.wants();
        let mut positions = vec![[0.0; BLOCK]; targets.positions.len()];
        let charge = |instrument| self.charges.get(instrument).copied().unwrap_or_default();
        let charges: Vec<Charge> = (0..count).map(charge).collect();
        let prices: Vec<_> = (0..count)
            .map(|instrument| data.price(instrument))
            .collect();
        let quoted: Vec<_> = (0..count)
            .map(|instrument| data.quoted(instrument))
            .collect();
        let mut held = vec![[0.0; BLOCK]; count];
        for (t, left) in targets.left.iter().enumerate() {
            let before = held.clone();
            for (instrument, held) in held.iter_mut().enumerate() {
                let place = t * count + instrument;
                for (lane, held) in held.iter_mut().enumerate() {
                    let price = prices[instrument][t][lane];
                    let mut wanted = Wanted {
                        date: t,
                        centre: targets.positions[place][lane],
                        left: left[lane],
                        price,
                        ..Wanted::default()
                    };
                    if asked.gammas {
                        let at = quoted[instrument].at::<Charge>(t, lane);
                        wanted.gamma = targets.gammas[place][lane];
                        wanted.discount = targets.discounts[t][lane];
                        wanted.unit_cost = charges[instrument].of_unit(&at);
                    }
                    if asked.volatilities {
                        wanted.volatility = targets.volatilities[place][lane];
                    }
                    *held = next_position(rule, &self.values, wanted, *held);
                }
            }
            if !self.limits.is_none() {
                let prices: Vec<Lane<f64>> = prices.iter().map(|prices| prices[t]).collect();
                let standing = Standing {
                    held: &before,
                    prices: &prices,
                };
                self.limits.hold(standing, &mut held);
                for (held, left) in held.iter_mut().flat_map(|held| held.iter_mut().zip(left)) {
                    *held = if *left > 0.0 { *held } else { 0.0 };
                }
            }
            positions[t * count..][..count].copy_from_slice(&held);
        }
        positions
    }
}

/// The next position of one instrument beside what is `held`: the one place where a centre and a rule become a position. The scale
/// multiplies the centre; at the end of the contract nothing is held, and where the centre is not a number, what is held stays.
fn next_position(
    rule: &dyn TradingRuleKind,
    values: &HedgeValues,
    mut wanted: Wanted,
    held: f64,
) -> f64 {
    if wanted.left <= 0.0 {
        return 0.0;
    }
    let scale = values.of(Parameter::Scale);
    wanted.centre *= scale;
    wanted.gamma *= scale;
    match wanted.centre.is_nan() {
        true => held,
        false => rule.next(&wanted, held, values),
    }
}

/// The positions of all blocks in one list, zero where the contract has ended.
fn closed(blocks: Vec<Vec<Lane<f64>>>, paths: &Paths<f64>) -> Vec<Lane<f64>> {
    let mut positions = blocks.into_iter().flatten().collect::<Vec<_>>();
    close_where_ended(paths, &mut positions);
    positions
}

impl Policy for ClassicalPolicy<'_> {
    fn positions(&self, contract: &Contract, paths: &Paths<f64>) -> Result<Vec<Lane<f64>>> {
        let ask = self.ask(contract, paths);
        let centre = self.hedge.centre.kind().prepare(&ask)?;
        let held = paths.map(|block| self.rebalanced(&centre.targets(block), &paths.block(block)));
        Ok(closed(held, paths))
    }
}
