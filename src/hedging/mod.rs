//! Hedging policies and the ledger that settles them.

mod classical;
mod closed_form;
#[cfg(test)]
mod curve_tests;
mod ensemble;
mod functionals;
mod hedged_monte_carlo;
mod ledger;
#[cfg(test)]
mod option_tests;
mod session;
#[cfg(test)]
mod surface_tests;
#[cfg(test)]
mod tests;
mod trained;

pub use classical::{
    Centre, ClassicalHedge, ClassicalName, ClassicalPolicy, Fit, Fits, HedgeValues, Needs,
    Parameter, Prepared, Search, TradingRule, TunedHedge, TunedParameter, tune,
};
pub use closed_form::{ClosedForm, FamilyForms};
pub use ensemble::Ensemble;
pub use functionals::Functionals;
pub use hedged_monte_carlo::{Regressed, Regression};
pub use ledger::{Account, Financing, Ledger, Settlement};
pub use session::{Seen, Session};
pub use trained::TrainedPolicy;

use crate::contract::Contract;
use crate::error::Result;
use crate::market::{PathBlock, Paths};
use crate::simd::{BLOCK, Lane};
use std::ops::Range;

/// Anything that proposes positions along paths without looking ahead. All ranks of the paths ask it together.
pub trait Policy {
    /// Positions held over each period of the life of `contract`, `[own blocks][steps][instruments][BLOCK]`, zero where it has ended.
    ///
    /// # Errors
    /// If a tensor operation fails.
    fn positions(&self, contract: &Contract, paths: &Paths<f64>) -> Result<Vec<Lane<f64>>>;
}

/// Sets to zero what is held of `positions` on some dates, `[own blocks][dates][instruments][BLOCK]`, where the contract observed on
/// `paths` has ended.
fn close_where_ended(paths: &Paths<f64>, on: Range<usize>, positions: &mut [Lane<f64>]) {
    let count = paths.instruments().len();
    let blocks = positions.chunks_exact_mut(on.len() * count);
    for (block, held) in paths.own().zip(blocks) {
        let data = paths.block(block);
        for (t, held) in on.clone().zip(held.chunks_exact_mut(count)) {
            close_ended(&data, t, held);
        }
    }
}

/// Sets to zero what is held from date `t` of the contracts of a block that have ended by then, `[instruments][BLOCK]`.
fn close_ended(data: &PathBlock<'_, f64>, t: usize, held: &mut [Lane<f64>]) {
    let Some(end) = data.end() else {
        return;
    };
    for lane in (0..BLOCK).filter(|&lane| t as f64 >= end[lane]) {
        held.iter_mut().for_each(|position| position[lane] = 0.0);
    }
}

/// P&L, costs and turnover of every path, those of all ranks.
#[derive(Debug, Clone, Default)]
pub struct Book {
    /// The P&L of every path, in currency at expiry.
    pub pnl: Vec<f64>,
    /// The costs of every path, in currency at expiry.
    pub cost: Vec<f64>,
    /// The traded value of every path over the spot at the start.
    pub turnover: Vec<f64>,
}

impl Book {
    /// So many contracts, all zero.
    pub fn zeros(count: usize) -> Self {
        Self {
            pnl: vec![0.0; count],
            cost: vec![0.0; count],
            turnover: vec![0.0; count],
        }
    }

    /// Hedges `paths` with `policy` and settles them.
    ///
    /// # Errors
    /// Those of the policy.
    pub fn hedge(policy: &dyn Policy, ledger: &Ledger, paths: &Paths<f64>) -> Result<Self> {
        Ok(Self::settle(
            &policy.positions(ledger.contract(), paths)?,
            ledger,
            paths,
        ))
    }

    /// Settles `positions` on `paths`, `[own blocks][steps][instruments][BLOCK]`.
    pub fn settle(positions: &[Lane<f64>], ledger: &Ledger, paths: &Paths<f64>) -> Self {
        let settled = paths
            .map(|block| ledger.settle(&paths.block(block), paths.spread().part(positions, block)));
        let of = |part: fn(&Settlement<f64>) -> Lane<f64>| {
            paths.of_all(settled.iter().map(part).collect())
        };
        Self {
            pnl: of(|settled| settled.pnl),
            cost: of(|settled| settled.cost),
            turnover: of(|settled| settled.turnover),
        }
    }

    /// Adds premiums that differ between contracts, one for each, to the P&L.
    ///
    /// # Panics
    /// If there are fewer premiums than contracts.
    pub fn receive(&mut self, ledger: &Ledger, premiums: &[f64]) {
        for (contract, pnl) in self.pnl.iter_mut().enumerate() {
            *pnl += ledger.at_expiry(premiums[contract]);
        }
    }

    /// Appends another book.
    pub fn append(&mut self, mut other: Self) {
        self.pnl.append(&mut other.pnl);
        self.cost.append(&mut other.cost);
        self.turnover.append(&mut other.turnover);
    }
}
