//! What contracts that have expired tell of hedges, before the first of others is sold.

use super::{Contracts, Group};
use crate::contract::Contract;
use crate::error::Result;
use crate::hedging::{Book, Ledger};
use crate::market::Paths;
use crate::simd::Lane;
use crate::strategy::{PastContracts, Plan, TuneOn};

impl Contracts {
    /// The same with those that had expired before, of which `past` gives those that there are, where the plan tunes hedges on them.
    ///
    /// # Errors
    /// That of `past`, if there is a hedge that cannot do without them.
    pub fn after(mut self, plan: &Plan, past: impl FnOnce() -> Result<Self>) -> Result<Self> {
        self.past = Self::expired(plan, past)?.map(Box::new);
        Ok(self)
    }

    /// What `past` gives of contracts that have expired, where the plan tunes hedges on them and there are some.
    ///
    /// # Errors
    /// That of `past`, if there is a hedge that cannot do without them.
    pub fn expired(plan: &Plan, past: impl FnOnce() -> Result<Self>) -> Result<Option<Self>> {
        match plan.tune_on {
            TuneOn::Model => Ok(None),
            TuneOn::Past => match past() {
                Ok(past) => Ok(Some(past)),
                Err(error) if plan.needs_past() => Err(error),
                // Nothing is to be found on them, and nothing is said of them but how the hedges would have done.
                Err(_) => Ok(None),
            },
        }
    }

    /// Contracts of the past, as hedges are tuned and fitted on them.
    pub fn known_past(&self) -> Option<&dyn PastContracts> {
        self.past.as_deref().map(|past| past as &dyn PastContracts)
    }

    /// The books of one group under `positions`, each contract with its own premium; with its ledger and these premiums.
    pub(super) fn settled(
        &self,
        group: &Group,
        positions: &[Lane<f64>],
    ) -> (Book, Ledger, Vec<f64>) {
        let ledger = group.plan.ledger(&self.market, 0.0);
        let mut book = Book::settle(positions, &ledger, &group.paths);
        let premiums: Vec<f64> = group.members.iter().map(|&i| self.premiums[i]).collect();
        book.receive(&ledger, &premiums);
        (book, ledger, premiums)
    }
}

impl Book {
    /// Writes the books of the contracts `members` into their places.
    pub(super) fn write(&mut self, members: &[usize], of: &Self) {
        for (place, &member) in members.iter().enumerate() {
            self.pnl[member] = of.pnl[place];
            self.cost[member] = of.cost[place];
            self.turnover[member] = of.turnover[place];
        }
    }
}

impl PastContracts for Contracts {
    fn groups(&self) -> Vec<(&Contract, &Paths<f64>)> {
        let groups = self.groups.iter();
        groups
            .map(|group| (&group.plan.contract, &group.paths))
            .collect()
    }

    fn book(&self, positions: &[Vec<Lane<f64>>]) -> Book {
        let mut all = Book::zeros(self.sold.len());
        for (group, positions) in self.groups.iter().zip(positions) {
            let (book, _, _) = self.settled(group, positions);
            all.write(&group.members, &book);
        }
        all
    }
}
