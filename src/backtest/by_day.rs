//! The P&L of contracts on history by day.

use super::valuation::{Period, Valuation};
use crate::hedging::{Account, Ledger};
use crate::market::Paths;
use crate::simd::{BLOCK, Lane};
use rayon::prelude::*;

impl Valuation {
    /// What the P&L of every contract comes to on each date of its life, `[contract][date]`: the change of what is held and financed less
    /// what the contract is worth, at the sale the premium less that and the first trades' costs. They add up to its P&L; none if the
    /// contract has no price on every date.
    ///
    /// # Units
    /// Currency at expiry.
    pub fn daily(
        &self,
        positions: &[Lane<f64>],
        premiums: &[f64],
        (ledger, paths): (&Ledger, &Paths<f64>),
    ) -> Option<Vec<Vec<f64>>> {
        let periods = self.periods.as_ref()?;
        let (steps, size) = (
            self.contract.steps,
            self.contract.steps * self.instruments.len(),
        );
        let accounts: Vec<Account> = (0..paths.blocks())
            .into_par_iter()
            .map(|b| ledger.account(&paths.block(b), &positions[b * size..][..size]))
            .collect();
        let one = |(i, periods): (usize, &Vec<Period>)| {
            let (account, lane) = (&accounts[i / BLOCK], i % BLOCK);
            let wealth = |t: usize| {
                let worth = periods.get(t).map_or(0.0, |period| period.now);
                account.gain[t][lane] + account.financing[t][lane]
                    - account.cost[t][lane]
                    - account.paid[t][lane]
                    - worth * self.growth[t]
            };
            let mut before = -ledger.at_expiry(premiums[i]);
            let day = |t: usize| {
                let now = wealth(t);
                now - std::mem::replace(&mut before, now)
            };
            (0..=steps).map(day).collect()
        };
        Some(periods.iter().enumerate().map(one).collect())
    }
}
